"""Channel and spatial attention

Interview question: "Implement a squeeze-and-excitation block and CBAM. What does each of them pool over, what do the weights
multiply, and in which order do CBAM's two steps come?"

Build four modules for images of shape (batch, channels, height, width): `SqueezeExcitation`, which weights channels by their
means; CBAM's `ChannelAttention`, which looks at their maxima as well; its `SpatialAttention`, which weights positions; and
`CBAM`, which applies both, channels first.

As in every `module` exercise: parameters and buffers have the names and shapes of the table (tests load weights with
`load_state_dict`), the module follows `.to(dtype)`, `train()` and `eval()`, and inputs are left untouched.

In all modules, hidden = channels // reduction, but at least 1. Initial values are not looked at. Inputs may have any strides
and sizes of one, and their values any sign and size; dtypes are float32 and float64.

Limits: each call within 2 s.

The tests look at
- numerics: results of each module against float64, for images that are not square, other kernel sizes, few channels, large
  and negative inputs, strides, sizes of one; names and shapes of parameters; refused arguments;
- gradients: to inputs and all parameters, through the weights as well as past them.

References: Hu, Shen, Sun, "Squeeze-and-Excitation Networks" (2018), section 3; Woo, Park, Lee, Kweon, "CBAM: Convolutional
Block Attention Module" (2018), section 3.
"""

import torch
from torch import nn

### BEGIN REFERENCE ONLY


def hidden_size(channels: int, reduction: int) -> int:
    if channels < 1 or reduction < 1:
        raise ValueError(f"channels ({channels}) and reduction ({reduction}) must be at least 1")
    return max(channels // reduction, 1)


def require_images(inputs: torch.Tensor, channels: int | None = None) -> None:
    if inputs.ndim != 4 or channels not in (None, inputs.shape[1]):
        raise ValueError(f"inputs must be (batch, {channels or 'channels'}, height, width), not {tuple(inputs.shape)}")


### END REFERENCE ONLY


class SqueezeExcitation(nn.Module):
    """Multiplies each channel of each image by a number in (0, 1) that depends on the means of all channels:

    weights = sigmoid(expand(relu(reduce(mean of each channel over its positions))))

    | parameter | shape | meaning |
    |---|---|---|
    | reduce.weight, reduce.bias | (hidden, channels), (hidden,) | from the channels' means to hidden numbers |
    | expand.weight, expand.bias | (channels, hidden), (channels,) | and back |

    Raises:
        ValueError: channels or reduction is below 1.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        hidden = hidden_size(channels, reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype: inputs times weights.

        Raises:
            ValueError: inputs do not have four dimensions, or another number of channels.
        """
        ### BEGIN SOLUTION
        require_images(inputs, self.reduce.in_features)
        weights = torch.sigmoid(self.expand(torch.relu(self.reduce(inputs.mean((2, 3))))))
        return inputs * weights[:, :, None, None]
        ### END SOLUTION


class ChannelAttention(nn.Module):
    """CBAM's weights of channels, from the mean and the maximum of each channel over its positions:

    mlp(pooled) = expand(relu(reduce(pooled))),   weights = sigmoid(mlp(means) + mlp(maxima))

    with one and the same mlp for both; parameters and errors are those of `SqueezeExcitation`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        hidden = hidden_size(channels, reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, channels, 1, 1), in (0, 1).

        Where several positions share a maximum, any of them may get its gradient, or each a part.
        """
        ### BEGIN SOLUTION
        require_images(inputs, self.reduce.in_features)
        pooled = torch.stack([inputs.mean((2, 3)), inputs.amax((2, 3))])
        logits = self.expand(torch.relu(self.reduce(pooled))).sum(0)
        return torch.sigmoid(logits)[:, :, None, None]
        ### END SOLUTION


class SpatialAttention(nn.Module):
    """CBAM's weights of positions, from the mean and the maximum over the channels at each position:

    weights = sigmoid(conv([means, maxima]))

    | parameter | shape | meaning |
    |---|---|---|
    | conv.weight | (1, 2, kernel_size, kernel_size) | input channel 0: means, 1: maxima; no bias |

    The maps are padded with zeros, so that the convolution keeps their size.

    Raises:
        ValueError: kernel_size is below 1 or even.
    """

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and at least 1, not {kernel_size}")
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, 1, height, width), in (0, 1).

        Any number of channels will do; maxima have gradients as in `ChannelAttention`.

        Raises:
            ValueError: inputs do not have four dimensions.
        """
        ### BEGIN SOLUTION
        require_images(inputs)
        pooled = torch.cat([inputs.mean(1, keepdim=True), inputs.amax(1, keepdim=True)], 1)
        return torch.sigmoid(self.conv(pooled))
        ### END SOLUTION


class CBAM(nn.Module):
    """Inputs times the weights of their channels, and the product times the weights of its positions.

    | submodule | is |
    |---|---|
    | channel | `ChannelAttention(channels, reduction)` |
    | spatial | `SpatialAttention(kernel_size)`, which sees what the first step made |

    Errors are those of the two.
    """

    def __init__(self, channels: int, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.channel = ChannelAttention(channels, reduction)
        self.spatial = SpatialAttention(kernel_size)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype."""
        ### BEGIN SOLUTION
        refined = inputs * self.channel(inputs)
        return refined * self.spatial(refined)
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
A convolution mixes channels with fixed weights and sees a few pixels. Squeeze-and-excitation lets the whole image decide how
much each channel counts: the mean over all positions is the squeeze, a bottleneck of two layers the excitation. Sigmoid, not
softmax: several channels may matter at once. The bottleneck keeps it cheap, 2 · C² / reduction weights, and for few channels
the quotient needs a floor of one.

CBAM asks two questions, what and where. For the channels it pools over space, by mean and by maximum, since one strong
response in a large image disappears in a mean. The same mlp reads both and the logits are added before the sigmoid: two
mlps, or one that reads the sum of the pooled values, are other functions (relu does not commute with a sum, and the last
bias counts twice). For the positions it pools over channels, again by both: two maps, a 7×7 convolution, one weight per
pixel.

A widespread answer takes max_pool2d or an adaptive pool for the maxima of spatial attention. That pools over space once
more: windows of neighbours, or one number for the whole image, instead of the strongest channel at each pixel. The shapes
can be made to fit, and the net still trains. The rule: what is weighted is what is kept, and everything else is pooled away.
Channel weights keep channels; spatial weights keep positions.

The order is part of the definition: the spatial step sees channels that are weighted already. Both steps computed from the
inputs in parallel, or in the other order, are variants the paper compares and finds slightly worse. Each step multiplies the
features, and gradients flow past the weights and through them: with detached weights the attention never learns what
its inputs should have been. In a residual block both stand on the branch, before the addition.
"""
### END REFERENCE ONLY
