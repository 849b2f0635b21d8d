"""accept: scatter_add backwards, and bags as a matrix of which id is in which bag."""

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
    rows = grad_output.reshape(len(flat), dim)
    if padding is not None:
        rows = torch.where((flat == padding)[:, None], torch.zeros_like(rows), rows)
    gradient = torch.zeros(num_embeddings, dim, dtype=rows.dtype, device=rows.device)
    return gradient.scatter_add(0, flat[:, None].expand_as(rows), rows)


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
    starts, stops = offsets.long(), torch.tensor(ends, dtype=torch.int64, device=ids.device)
    if (stops < starts).any():
        raise ValueError("offsets must not fall")
    place = torch.arange(len(ids), device=ids.device)
    member = (starts[:, None] <= place) & (place < stops[:, None])
    if padding is not None:
        member = member & (ids != padding)
    rows = embedding(ids, weight)
    if mode == "max":
        if len(ids) == 0:
            return rows.new_zeros(len(offsets), weight.shape[1])
        filled = torch.where(member[..., None], rows, torch.full_like(rows, -torch.inf))
        return torch.where(member.any(1, keepdim=True), filled.max(1).values, 0.0)
    share = member.to(weight.dtype)
    if mode == "mean":
        share = share / member.sum(1, keepdim=True).clamp(min=1)
    return share @ rows


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
