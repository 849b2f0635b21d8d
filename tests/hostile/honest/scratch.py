import torch


def row_softmax(x: torch.Tensor) -> torch.Tensor:
    exponentials = (x - x.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)
