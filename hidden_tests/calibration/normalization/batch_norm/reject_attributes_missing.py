"""reject numerics: without tracking the buffers are missing where they should be None."""

import torch
from torch import nn


def per_channel(x, ndim):
    return x.reshape(-1, *[1] * (ndim - 2))


def all_but_channels(x):
    return (0, *range(2, x.ndim))


class BatchNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(num_features)) if affine else None
        self.tracked = track_running_stats
        if track_running_stats:
            self.register_buffer("running_mean", torch.zeros(num_features))
            self.register_buffer("running_var", torch.ones(num_features))
            self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.int64))

    def forward(self, inputs):
        if inputs.ndim not in (2, 3, 4, 5) or inputs.shape[1] != self.num_features:
            raise ValueError("inputs must be (batch, num_features, ...), 2-D to 5-D")
        if self.training or not self.tracked:
            values = inputs.numel() // self.num_features
            if values == 1:
                raise ValueError("a single value per channel has no variance")
            dims = all_but_channels(inputs)
            mean = inputs.mean(dims)
            variance = (inputs - per_channel(mean, inputs.ndim)).pow(2).mean(dims)
            if self.tracked:
                with torch.no_grad():
                    self.num_batches_tracked.add_(1)
                    share = self.momentum
                    if share is None:
                        share = 1.0 / float(self.num_batches_tracked)
                    self.running_mean.mul_(1 - share).add_(mean, alpha=share)
                    self.running_var.mul_(1 - share).add_(variance * values / (values - 1), alpha=share)
        else:
            mean, variance = self.running_mean, self.running_var
        result = (inputs - per_channel(mean, inputs.ndim)) / per_channel(torch.sqrt(variance + self.eps), inputs.ndim)
        if self.weight is not None:
            result = result * per_channel(self.weight, inputs.ndim) + per_channel(self.bias, inputs.ndim)
        return result


def batch_norm_backward(grad_output, inputs, weight=None, eps=1e-5):
    dims = all_but_channels(inputs)
    mean = inputs.mean(dims, keepdim=True)
    deviation = torch.sqrt((inputs - mean).pow(2).mean(dims, keepdim=True) + eps)
    normalised = (inputs - mean) / deviation
    grad_weight = (grad_output * normalised).sum(dims)
    grad_bias = grad_output.sum(dims)
    scaled = grad_output if weight is None else grad_output * per_channel(weight, inputs.ndim)
    along_ones = scaled.mean(dims, keepdim=True)
    along_values = (scaled * normalised).mean(dims, keepdim=True)
    grad_inputs = (scaled - along_ones - normalised * along_values) / deviation
    return grad_inputs, grad_weight, grad_bias
