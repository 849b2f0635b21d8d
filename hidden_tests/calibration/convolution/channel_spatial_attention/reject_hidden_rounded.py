"""reject numerics: rounds the hidden size to the nearest number."""

import torch
from torch import nn
from torch.nn import functional


def images(inputs, channels=None):
    if inputs.dim() != 4:
        raise ValueError("inputs must have four dimensions")
    if channels is not None and inputs.shape[1] != channels:
        raise ValueError("inputs have another number of channels")


def sizes(channels, reduction):
    if channels < 1 or reduction < 1:
        raise ValueError("channels and reduction must be positive")
    return max(1, round(channels / reduction))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.channels = channels
        hidden = sizes(channels, reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, inputs):
        images(inputs, self.channels)
        squeezed = functional.adaptive_avg_pool2d(inputs, 1).flatten(1)
        weights = torch.sigmoid(self.expand(functional.relu(self.reduce(squeezed))))
        return inputs * weights.reshape(*weights.shape, 1, 1)


class ChannelAttention(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.channels = channels
        hidden = sizes(channels, reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def mlp(self, pooled):
        return self.expand(functional.relu(self.reduce(pooled)))

    def forward(self, inputs):
        images(inputs, self.channels)
        means = functional.adaptive_avg_pool2d(inputs, 1).flatten(1)
        maxima = functional.adaptive_max_pool2d(inputs, 1).flatten(1)
        weights = torch.sigmoid(self.mlp(means) + self.mlp(maxima))
        return weights.reshape(*weights.shape, 1, 1)


class SpatialAttention(nn.Module):
    def __init__(self, kernel_size=7):
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError("kernel_size must be odd")
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, inputs):
        images(inputs)
        means = inputs.mean(dim=1, keepdim=True)
        maxima = inputs.max(dim=1, keepdim=True).values
        return torch.sigmoid(self.conv(torch.cat([means, maxima], dim=1)))


class CBAM(nn.Module):
    def __init__(self, channels, reduction=16, kernel_size=7):
        super().__init__()
        self.channel = ChannelAttention(channels, reduction)
        self.spatial = SpatialAttention(kernel_size)

    def forward(self, inputs):
        outputs = inputs * self.channel(inputs)
        return outputs * self.spatial(outputs)
