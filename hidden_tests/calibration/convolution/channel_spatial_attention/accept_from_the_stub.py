"""accept: written from the stub and the public tests alone."""

import torch
from torch import nn


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")


def _check_images(inputs: torch.Tensor, channels: int | None = None) -> None:
    if inputs.dim() != 4:
        raise ValueError(f"inputs must have four dimensions, not {inputs.dim()}")
    if channels is not None and inputs.shape[1] != channels:
        raise ValueError(f"inputs must have {channels} channels, not {inputs.shape[1]}")


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
        _at_least_one(channels=channels, reduction=reduction)
        self.channels = channels
        hidden = max(1, channels // reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype: inputs times weights.

        Raises:
            ValueError: inputs do not have four dimensions, or another number of channels.
        """
        _check_images(inputs, self.channels)
        weights = torch.sigmoid(self.expand(torch.relu(self.reduce(inputs.mean((2, 3))))))
        return inputs * weights[:, :, None, None]


class ChannelAttention(nn.Module):
    """CBAM's weights of channels, from the mean and the maximum of each channel over its positions:

    mlp(pooled) = expand(relu(reduce(pooled))),   weights = sigmoid(mlp(means) + mlp(maxima))

    with one and the same mlp for both; parameters and errors are those of `SqueezeExcitation`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        _at_least_one(channels=channels, reduction=reduction)
        self.channels = channels
        hidden = max(1, channels // reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, channels, 1, 1), in (0, 1).

        Where several positions share a maximum, any of them may get its gradient, or each a part.
        """
        _check_images(inputs, self.channels)
        means, maxima = inputs.mean((2, 3)), inputs.amax((2, 3))
        scores = self.expand(torch.relu(self.reduce(means))) + self.expand(torch.relu(self.reduce(maxima)))
        return torch.sigmoid(scores)[:, :, None, None]


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
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and at least 1, not {kernel_size}")
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weights alone: (batch, channels, height, width) to (batch, 1, height, width), in (0, 1).

        Any number of channels will do; maxima have gradients as in `ChannelAttention`.

        Raises:
            ValueError: inputs do not have four dimensions.
        """
        _check_images(inputs)
        maps = torch.cat([inputs.mean(1, keepdim=True), inputs.amax(1, keepdim=True)], 1)
        return torch.sigmoid(self.conv(maps))


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
        self.channel = ChannelAttention(channels, reduction)
        self.spatial = SpatialAttention(kernel_size)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape and dtype."""
        weighted = inputs * self.channel(inputs)
        return weighted * self.spatial(weighted)
