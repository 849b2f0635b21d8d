import torch


def row_softmax(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x, -1)
