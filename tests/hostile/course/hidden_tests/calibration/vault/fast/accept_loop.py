# accept except throughput: one row at a time
import torch


def row_softmax(x):
    return torch.stack([torch.softmax(row, -1) for row in x])
