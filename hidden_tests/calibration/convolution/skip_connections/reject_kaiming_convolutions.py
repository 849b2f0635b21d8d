"""reject behaviour: convolutions start by Kaiming's rule for relu, and not as nn.Conv2d does."""

import torch
from torch import nn
from torch.nn import functional


def positive(*sizes):
    if min(sizes) < 1:
        raise ValueError("sizes must be at least 1")


def images(inputs, channels):
    if inputs.dim() != 4 or inputs.shape[1] != channels:
        raise ValueError("inputs must have four dimensions and the right number of channels")


def start_convolutions(module):
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        positive(in_channels, out_channels, stride)
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        nn.init.zeros_(self.norm2.weight)
        self.projects = stride != 1 or in_channels != out_channels
        if self.projects:
            self.projection = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            self.projection_norm = nn.BatchNorm2d(out_channels)
        start_convolutions(self)

    def forward(self, inputs):
        images(inputs, self.in_channels)
        shortcut = inputs
        if self.projects:
            shortcut = self.projection_norm(self.projection(inputs))
        outputs = functional.relu(self.norm1(self.conv1(inputs)))
        outputs = self.norm2(self.conv2(outputs))
        outputs = outputs + shortcut
        return functional.relu(outputs)


class DenseLayer(nn.Module):
    def __init__(self, channels, growth_rate):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, growth_rate, 3, padding=1, bias=False)

    def forward(self, features):
        return self.conv(functional.relu(self.norm(features)))


class DenseBlock(nn.Module):
    def __init__(self, in_channels, growth_rate, num_layers):
        super().__init__()
        positive(in_channels, growth_rate, num_layers)
        self.in_channels = in_channels
        self.out_channels = in_channels + growth_rate * num_layers
        self.layers = nn.ModuleList(DenseLayer(in_channels + i * growth_rate, growth_rate) for i in range(num_layers))
        start_convolutions(self)

    def forward(self, inputs):
        images(inputs, self.in_channels)
        features = [inputs]
        for layer in self.layers:
            features.append(layer(torch.cat(features, dim=1)))
        return torch.cat(features, dim=1)


class Transition(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        positive(in_channels, out_channels)
        self.in_channels = in_channels
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        start_convolutions(self)

    def forward(self, inputs):
        images(inputs, self.in_channels)
        if inputs.shape[2] < 2 or inputs.shape[3] < 2:
            raise ValueError("inputs are too small")
        return functional.avg_pool2d(self.conv(functional.relu(self.norm(inputs))), 2)


class HighwayLayer(nn.Module):
    def __init__(self, features, carry_bias):
        super().__init__()
        self.transform = nn.Linear(features, features)
        self.gate = nn.Linear(features, features)
        self.gate.bias.data.fill_(-carry_bias)

    def forward(self, inputs):
        gate = torch.sigmoid(self.gate(inputs))
        return gate * functional.relu(self.transform(inputs)) + (1 - gate) * inputs


class Highway(nn.Module):
    def __init__(self, features, num_layers, carry_bias=2.0):
        super().__init__()
        positive(features, num_layers)
        self.features = features
        self.layers = nn.ModuleList(HighwayLayer(features, carry_bias) for _ in range(num_layers))

    def forward(self, inputs):
        if inputs.dim() != 2 or inputs.shape[1] != self.features:
            raise ValueError("inputs must be (batch, features)")
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs
