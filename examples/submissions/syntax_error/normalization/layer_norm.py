"""Layer normalisation, handed in with a line that was indented too far."""

import torch


def layer_norm(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    mean = inputs.mean(-1, keepdim=True)
      var = inputs.var(-1, keepdim=True, unbiased=False)
    return (inputs - mean) / torch.sqrt(var + eps)
