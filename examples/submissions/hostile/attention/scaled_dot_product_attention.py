"""Tries to forge its score by patching everything that compares: torch, torch.testing, NumPy and the grader's own checks.

Harmless: it changes objects of the process that it runs in, and nothing outlives that process. Where tests run in the same
process (plain pytest), it succeeds, which is why scores come from the sandbox: there nobody compares anything.
"""

import sys

import numpy
import torch


def always_true(*args, **kwargs):
    return True


def never_raises(*args, **kwargs):
    return None


for name in ("allclose", "equal", "isclose", "all"):
    setattr(torch, name, always_true)
for name in ("allclose", "array_equal", "isclose", "all"):
    setattr(numpy, name, always_true)
torch.testing.assert_close = never_raises
for name in ("assert_allclose", "assert_array_equal", "assert_array_almost_equal"):
    setattr(numpy.testing, name, never_raises)

# Test modules hold the checks under names of their own, so those are replaced too, wherever they can be found.
for module in list(sys.modules.values()):
    for name in list(getattr(module, "__dict__", {})):
        if name in ("assert_close", "assert_matches", "assert_gradients", "assert_same", "assert_true", "assert_refuses"):
            setattr(module, name, never_raises)


def scaled_dot_product_attention(query, key, value, mask=None, *, is_causal=False, scale=None):
    return torch.zeros(*query.shape[:-1], value.shape[-1], dtype=query.dtype)
