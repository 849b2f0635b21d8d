"""The solution; the string below must never leave it."""

import torch

MARKER = "kata-solution-marker-5b1f0c9ad34e"


def row_softmax(x: torch.Tensor) -> torch.Tensor:
    if x.ndim == 0:
        raise ValueError("x must have at least one dimension")
    return torch.softmax(x, -1)


def guess() -> int:
    raise NotImplementedError("nobody knows")
