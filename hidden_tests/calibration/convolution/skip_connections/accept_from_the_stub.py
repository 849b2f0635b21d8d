"""accept: written from the stub and the public tests alone."""

import torch
from torch import nn


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")


def _check_images(inputs: torch.Tensor, channels: int) -> None:
    if inputs.dim() != 4:
        raise ValueError(f"inputs must have four dimensions, not {inputs.dim()}")
    if inputs.shape[1] != channels:
        raise ValueError(f"inputs must have {channels} channels, not {inputs.shape[1]}")


class _DenseLayer(nn.Module):
    def __init__(self, in_channels: int, growth_rate: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, growth_rate, 3, padding=1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.relu(self.norm(features)))


class _HighwayLayer(nn.Module):
    def __init__(self, features: int, carry_bias: float) -> None:
        super().__init__()
        self.transform = nn.Linear(features, features)
        self.gate = nn.Linear(features, features)
        nn.init.constant_(self.gate.bias, -carry_bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        scores = self.gate(inputs)
        # sigmoid(-s) is 1 - sigmoid(s), with all its digits.
        return torch.sigmoid(scores) * torch.relu(self.transform(inputs)) + torch.sigmoid(-scores) * inputs


class ResidualBlock(nn.Module):
    """relu(norm2(conv2(relu(norm1(conv1(inputs))))) + shortcut), where shortcut is inputs or their projection.

    | submodule | is |
    |---|---|
    | conv1, norm1 | 3×3 from in_channels to out_channels with padding 1 and the given stride |
    | conv2, norm2 | 3×3 from out_channels to out_channels with padding 1; norm2.weight starts at zeros |
    | projection, projection_norm | 1×1 from in_channels to out_channels with the given stride, and its norm |

    The last row is there only where shapes change, that is, if stride is not 1 or out_channels not in_channels; shortcut is then
    projection_norm(projection(inputs)).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        _at_least_one(in_channels=in_channels, out_channels=out_channels, stride=stride)
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        nn.init.zeros_(self.norm2.weight)
        self.projects = stride != 1 or out_channels != in_channels
        if self.projects:
            self.projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.projection_norm = nn.BatchNorm2d(out_channels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)."""
        _check_images(inputs, self.in_channels)
        shortcut = self.projection_norm(self.projection(inputs)) if self.projects else inputs
        hidden = torch.relu(self.norm1(self.conv1(inputs)))
        return torch.relu(self.norm2(self.conv2(hidden)) + shortcut)


class DenseBlock(nn.Module):
    """Layers that each add growth_rate channels, and see the inputs and what all layers before them added.

    | submodule | is |
    |---|---|
    | layers.i.norm | a norm of all channels there are before layer i: in_channels + i · growth_rate |
    | layers.i.conv | 3×3 from these to growth_rate channels, padding 1 |

    for i = 0 … num_layers - 1. Layer i is conv(relu(norm(features))). Channels stand in the order in which they came about: the
    inputs', then those of layer 0, then those of layer 1, and so on, for every layer as well as in the result. The attribute
    out_channels is the number of channels of the result.
    """

    def __init__(self, in_channels: int, growth_rate: int, num_layers: int) -> None:
        super().__init__()
        _at_least_one(in_channels=in_channels, growth_rate=growth_rate, num_layers=num_layers)
        self.in_channels = in_channels
        self.out_channels = in_channels + num_layers * growth_rate
        self.layers = nn.ModuleList(_DenseLayer(in_channels + i * growth_rate, growth_rate) for i in range(num_layers))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height, width)."""
        _check_images(inputs, self.in_channels)
        features = inputs
        for layer in self.layers:
            features = torch.cat([features, layer(features)], 1)
        return features


class Transition(nn.Module):
    """Between two dense blocks: other channels, half the height and width.

    The result is the mean of each 2×2 window of conv(relu(norm(inputs))).

    | submodule | is |
    |---|---|
    | norm | a norm of in_channels |
    | conv | 1×1 from in_channels to out_channels |
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        _at_least_one(in_channels=in_channels, out_channels=out_channels)
        self.in_channels = in_channels
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height // 2, width // 2).

        Windows do not overlap; the last row or column of an odd size is in none. Raises ValueError if height or width is 1.
        """
        _check_images(inputs, self.in_channels)
        if min(inputs.shape[2:]) < 2:
            raise ValueError("height and width must be at least 2")
        return nn.functional.avg_pool2d(self.conv(torch.relu(self.norm(inputs))), 2)


class Highway(nn.Module):
    """Layers that mix what they compute with what they got, number by number:

    gate = sigmoid(Linear of the layer's inputs)
    result = gate · relu(another Linear of them) + (1 - gate) · inputs

    | submodule | is | initial values |
    |---|---|---|
    | layers.i.transform | `nn.Linear` from features to features, inside relu | its own |
    | layers.i.gate | the same, inside sigmoid | bias: all -carry_bias |

    for i = 0 … num_layers - 1, one after the other. carry_bias is any float.
    """

    def __init__(self, features: int, num_layers: int, carry_bias: float = 2.0) -> None:
        super().__init__()
        _at_least_one(features=features, num_layers=num_layers)
        self.features = features
        self.layers = nn.ModuleList(_HighwayLayer(features, carry_bias) for _ in range(num_layers))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, features) to the same shape."""
        if inputs.dim() != 2 or inputs.shape[1] != self.features:
            raise ValueError(f"inputs must have the shape (batch, {self.features}), not {tuple(inputs.shape)}")
        result = inputs
        for layer in self.layers:
            result = layer(result)
        return result
