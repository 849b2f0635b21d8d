"""accept: a Function with the backward pass of this file, on rows of channels."""

import torch
from torch import nn


def rows(x):
    return x.transpose(0, 1).reshape(x.shape[1], -1)


def unrows(x, like):
    return x.reshape(like.shape[1], like.shape[0], *like.shape[2:]).transpose(0, 1)


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, eps):
        centred = values - values.mean(1, keepdim=True)
        scale = (centred.square().mean(1, keepdim=True) + eps).rsqrt()
        normalised = centred * scale
        ctx.save_for_backward(normalised, scale)
        return normalised

    @staticmethod
    def backward(ctx, grad):
        normalised, scale = ctx.saved_tensors
        return project(grad, normalised, scale), None


def project(grad, normalised, scale):
    return scale * (grad - grad.mean(1, keepdim=True) - normalised * (grad * normalised).mean(1, keepdim=True))


class BatchNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        super().__init__()
        self.options = num_features, eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(num_features)) if affine else None
        self.running_mean = nn.Buffer(torch.zeros(num_features)) if track_running_stats else None
        self.running_var = nn.Buffer(torch.ones(num_features)) if track_running_stats else None
        self.num_batches_tracked = nn.Buffer(torch.tensor(0)) if track_running_stats else None

    def forward(self, inputs):
        num_features, eps, momentum = self.options
        if inputs.dim() < 2 or inputs.dim() > 5 or inputs.size(1) != num_features:
            raise ValueError("inputs must be (batch, num_features, ...), 2-D to 5-D")
        values = rows(inputs)
        if self.training or self.running_mean is None:
            if values.shape[1] < 2:
                raise ValueError("a single value per channel has no variance")
            result = Normalise.apply(values, eps)
            if self.running_mean is not None:
                seen = values.detach()
                self.num_batches_tracked += 1
                old = 1 - 1 / self.num_batches_tracked.item() if momentum is None else 1 - momentum
                self.running_mean.copy_(old * self.running_mean + (1 - old) * seen.mean(1))
                self.running_var.copy_(old * self.running_var + (1 - old) * seen.var(1))
        else:
            result = (values - self.running_mean[:, None]) / (self.running_var[:, None] + eps).sqrt()
        if self.weight is not None:
            result = result * self.weight[:, None] + self.bias[:, None]
        return unrows(result, inputs)


def batch_norm_backward(grad_output, inputs, weight=None, eps=1e-5):
    values, grad = rows(inputs), rows(grad_output)
    centred = values - values.mean(1, keepdim=True)
    scale = (centred.square().mean(1, keepdim=True) + eps).rsqrt()
    normalised = centred * scale
    grad_weight, grad_bias = (grad * normalised).sum(1), grad.sum(1)
    if weight is not None:
        grad = grad * weight[:, None]
    return unrows(project(grad, normalised, scale), inputs), grad_weight, grad_bias
