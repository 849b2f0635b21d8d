import torch


def row_softmax(x: torch.Tensor) -> torch.Tensor:
    if x.ndim == 0:
        raise ValueError("x must have at least one dimension")
    return torch.softmax(x, -1)
