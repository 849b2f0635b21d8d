"""accept: the chain rule through variance and mean, one channel at a time."""

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
        self.register_buffer("running_mean", torch.zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", torch.ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.int64) if track_running_stats else None)

    def forward(self, inputs):
        if inputs.ndim not in (2, 3, 4, 5) or inputs.shape[1] != self.num_features:
            raise ValueError("inputs must be (batch, num_features, ...), 2-D to 5-D")
        use_batch = self.training or not self.tracked
        if use_batch and inputs.numel() <= self.num_features:
            raise ValueError("a single value per channel has no variance")
        if self.training and self.tracked:
            self.num_batches_tracked.add_(1)
        channels = []
        for index in range(self.num_features):
            values = inputs[:, index]
            if use_batch:
                variance, mean = torch.var_mean(values, correction=0)
            else:
                mean, variance = self.running_mean[index], self.running_var[index]
            if self.training and self.tracked:
                count = self.num_batches_tracked.item()
                share = 1 / count if self.momentum is None else self.momentum
                self.running_mean[index] += share * (mean.detach() - self.running_mean[index])
                self.running_var[index] += share * (values.detach().var() - self.running_var[index])
            result = (values - mean) * (variance + self.eps) ** -0.5
            if self.weight is not None:
                result = result * self.weight[index] + self.bias[index]
            channels.append(result)
        return torch.stack(channels, 1)


def batch_norm_backward(grad_output, inputs, weight=None, eps=1e-5):
    grad_inputs = torch.empty_like(inputs)
    grad_weight = inputs.new_empty(inputs.shape[1])
    grad_bias = inputs.new_empty(inputs.shape[1])
    for index in range(inputs.shape[1]):
        values, grad = inputs[:, index], grad_output[:, index]
        count = values.numel()
        centred = values - values.mean()
        variance = centred.square().sum() / count
        deviation = (variance + eps).sqrt()
        grad_weight[index] = (grad * centred).sum() / deviation
        grad_bias[index] = grad.sum()
        grad_normalised = grad if weight is None else grad * weight[index]
        grad_variance = (grad_normalised * centred).sum() * -0.5 / deviation**3
        grad_mean = -grad_normalised.sum() / deviation - 2 * grad_variance * centred.mean()
        grad_inputs[:, index] = grad_normalised / deviation + 2 * grad_variance * centred / count + grad_mean / count
    return grad_inputs, grad_weight, grad_bias
