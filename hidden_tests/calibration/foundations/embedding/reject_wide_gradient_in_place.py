"""reject numerics: double() is no copy of a float64 gradient, whose places of padding are set to zero."""

import torch


def check_ids(ids, num_embeddings):
    if ids.dtype not in (torch.int64, torch.int32):
        raise TypeError("ids must be integers")
    if ((ids < 0) | (ids >= num_embeddings)).any():
        raise ValueError("an id is out of range")


def check_weight(weight):
    if not weight.is_floating_point():
        raise TypeError("weight must be floating")
    if weight.dim() != 2:
        raise ValueError("weight must have two dimensions")


def check_padding(padding_idx, num_embeddings):
    if padding_idx is None:
        return None
    if padding_idx < -num_embeddings or padding_idx >= num_embeddings:
        raise ValueError("padding_idx is out of range")
    return padding_idx + num_embeddings if padding_idx < 0 else padding_idx


def embedding_backward(grad_output, ids, num_embeddings, padding_idx=None):
    check_ids(ids, num_embeddings)
    padding = check_padding(padding_idx, num_embeddings)
    if grad_output.dim() != ids.dim() + 1 or grad_output.shape[:-1] != ids.shape:
        raise ValueError("grad_output does not fit the ids")
    dim = grad_output.shape[-1]
    flat = ids.reshape(-1).long()
    rows = grad_output.double().reshape(len(flat), dim)
    if padding is not None:
        rows[flat == padding] = 0
    gradient = torch.zeros(num_embeddings, dim, dtype=rows.dtype, device=rows.device)
    return gradient.index_put((flat,), rows, accumulate=True).to(grad_output.dtype)


class EmbeddingFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, ids, padding_idx):
        ctx.save_for_backward(ids)
        ctx.rows, ctx.padding_idx = len(weight), padding_idx
        return weight[ids.long()].clone()

    @staticmethod
    def backward(ctx, grad_output):
        (ids,) = ctx.saved_tensors
        return embedding_backward(grad_output, ids, ctx.rows, ctx.padding_idx), None, None


def embedding(ids, weight, padding_idx=None):
    check_weight(weight)
    check_ids(ids, len(weight))
    check_padding(padding_idx, len(weight))
    return EmbeddingFunction.apply(weight, ids, padding_idx)


def embedding_bag(ids, weight, offsets, mode="mean", padding_idx=None):
    check_weight(weight)
    check_ids(ids, len(weight))
    padding = check_padding(padding_idx, len(weight))
    if mode not in ("sum", "mean", "max"):
        raise ValueError("unknown mode")
    if offsets.dtype not in (torch.int64, torch.int32):
        raise TypeError("offsets must be integers")
    if ids.dim() != 1 or offsets.dim() != 1:
        raise ValueError("ids and offsets must have one dimension")
    ends = [*offsets.tolist()[1:], len(ids)]
    if len(offsets) == 0 or offsets[0] != 0:
        raise ValueError("offsets must begin with 0")
    results = []
    for start, end in zip(offsets.tolist(), ends, strict=True):
        if end < start:
            raise ValueError("offsets must not fall")
        bag = ids[start:end]
        if padding is not None:
            bag = bag[bag != padding]
        rows = embedding(bag, weight)
        if len(bag) == 0:
            results.append(rows.sum(0))
        elif mode == "max":
            results.append(rows.max(0).values)
        else:
            results.append(rows.sum(0) if mode == "sum" else rows.mean(0))
    return torch.stack(results)


def one_hot(ids, num_embeddings, *, dtype=torch.float32):
    check_ids(ids, num_embeddings)
    result = torch.zeros(*ids.shape, num_embeddings, dtype=dtype, device=ids.device)
    return result.scatter(-1, ids.long().unsqueeze(-1), 1)


def tied_scores(hidden, weight):
    check_weight(weight)
    if not hidden.is_floating_point():
        raise TypeError("hidden must be floating")
    if hidden.dim() == 0 or hidden.shape[-1] != weight.shape[1]:
        raise ValueError("hidden does not fit the weight")
    return torch.einsum("...d,nd->...n", hidden, weight)
