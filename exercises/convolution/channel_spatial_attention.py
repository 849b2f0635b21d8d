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
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype: inputs times weights.

        Raises:
            ValueError: inputs do not have four dimensions, or another number of channels.
        """
        raise NotImplementedError


class ChannelAttention(nn.Module):
    """CBAM's weights of channels, from the mean and the maximum of each channel over its positions:

    mlp(pooled) = expand(relu(reduce(pooled))),   weights = sigmoid(mlp(means) + mlp(maxima))

    with one and the same mlp for both; parameters and errors are those of `SqueezeExcitation`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, channels, 1, 1), in (0, 1).

        Where several positions share a maximum, any of them may get its gradient, or each a part.
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, 1, height, width), in (0, 1).

        Any number of channels will do; maxima have gradients as in `ChannelAttention`.

        Raises:
            ValueError: inputs do not have four dimensions.
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype."""
        raise NotImplementedError
