"""accept: written from the stub and the public tests alone."""

import torch


def embedding_backward(
    grad_output: torch.Tensor, ids: torch.Tensor, num_embeddings: int, padding_idx: int | None = None
) -> torch.Tensor:
    """The gradient of the loss with respect to the weight of a lookup, by plain arithmetic.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | (…, dim) | floating | gradient of the loss with respect to the result of the lookup |
    | ids | (…) | int64 or int32 | |
    | result | (num_embeddings, dim) | as grad_output | 0 for rows that are not looked up, and for padding_idx |

    Raises:
        ValueError: ids do not have the shape of grad_output without its last dimension.
    """
    _check_ids(ids)
    if not grad_output.is_floating_point():
        raise TypeError(f"grad_output must be floating, not {grad_output.dtype}")
    if grad_output.ndim == 0 or ids.shape != grad_output.shape[:-1]:
        raise ValueError(f"ids of shape {tuple(ids.shape)} for grad_output of {tuple(grad_output.shape)}")
    _check_range(ids, num_embeddings)
    return _accumulate(grad_output, ids, num_embeddings, _row(padding_idx, num_embeddings))


class EmbeddingFunction(torch.autograd.Function):
    """Looks up in `forward`, and accumulates in `backward`. Its arguments are up to you.

    The graph of every result of `embedding` leads through it.
    """

    @staticmethod
    def forward(ctx, ids, weight, padding):
        ctx.ids = ids.long().clone()  # of our own: later changes of ids do not matter
        ctx.num_embeddings, ctx.padding = len(weight), padding
        return weight.index_select(0, ctx.ids.reshape(-1)).reshape(*ids.shape, weight.shape[1])

    @staticmethod
    def backward(ctx, grad_output):
        return None, _accumulate(grad_output, ctx.ids, ctx.num_embeddings, ctx.padding), None


def embedding(ids: torch.Tensor, weight: torch.Tensor, padding_idx: int | None = None) -> torch.Tensor:
    """The row of weight for each id.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | ids | (…) | int64 or int32 | |
    | weight | (num_embeddings, dim) | floating | |
    | result | (…, dim) | as weight | a copy of the rows, that of padding_idx as it stands in weight |

    The row padding_idx receives no gradient. If ids are changed in place between the forward and the backward pass, the
    gradient is right or refused with an error, never silently wrong.
    """
    _check_ids(ids)
    _check_weight(weight)
    _check_range(ids, len(weight))
    return EmbeddingFunction.apply(ids, weight, _row(padding_idx, len(weight)))


def embedding_bag(
    ids: torch.Tensor,
    weight: torch.Tensor,
    offsets: torch.Tensor,
    mode: str = "mean",
    padding_idx: int | None = None,
) -> torch.Tensor:
    """Sum, mean or maximum of the rows of each bag.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | ids | (n,) | int64 or int32 | all bags, one after the other |
    | weight | (num_embeddings, dim) | floating | |
    | offsets | (bags,) | int64 or int32 | where in ids each bag begins; the last one ends with ids |
    | mode | | "sum", "mean" or "max" | "max" is taken for each of the dim features on its own |
    | result | (bags, dim) | as weight | |

    There is at least one offset, the first is 0, and offsets never fall. Equal neighbours, or a last one of n, mean an empty bag.
    Ids that are padding_idx are left out, as if they were not in ids: of sum and maximum, and of what the mean is divided by. A
    bag in which nothing is left is 0 in every mode.

    Gradients are those of the formulas; where different rows tie for a maximum they may share its gradient in any way.

    Raises:
        TypeError: offsets are neither int64 nor int32.
        ValueError: another mode, ids or offsets that do not have one dimension, or offsets against these rules.
    """
    _check_ids(ids)
    _check_ids(offsets)
    _check_weight(weight)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode must be 'sum', 'mean' or 'max', not {mode!r}")
    if ids.ndim != 1 or offsets.ndim != 1:
        raise ValueError("ids and offsets must have one dimension")
    _check_range(ids, len(weight))
    padding = _row(padding_idx, len(weight))
    starts, bags, dim = offsets.long(), len(offsets), weight.shape[1]
    if bags == 0 or starts[0] != 0 or starts[-1] > len(ids) or (starts[1:] < starts[:-1]).any():
        raise ValueError("offsets must start with 0, never fall, and not exceed the number of ids")
    lengths = torch.diff(starts, append=starts.new_tensor([len(ids)]))
    bag = torch.repeat_interleave(torch.arange(bags, device=ids.device), lengths)
    if padding is not None:
        kept = ids != padding
        ids, bag = ids[kept], bag[kept]
    rows = embedding(ids, weight)
    if mode == "max":
        index = bag[:, None].expand(-1, dim)
        with torch.no_grad():
            best = rows.new_zeros(bags, dim).scatter_reduce(0, index, rows, "amax", include_self=False)[bag]
            wins = (rows == best) | (rows.isnan() & best.isnan())
            place = torch.arange(len(rows), device=ids.device)[:, None].expand(-1, dim)
            place = torch.where(wins, place, len(rows))
            winner = place.new_full((bags, dim), len(rows)).scatter_reduce(0, index, place, "amin")
        return torch.cat([rows, rows.new_zeros(1, dim)]).gather(0, winner)  # the last row is for empty bags
    if mode == "mean":
        rows = rows / torch.bincount(bag, minlength=bags)[bag][:, None].to(rows.dtype)
    return rows.new_zeros(bags, dim).index_add(0, bag, rows)


def one_hot(ids: torch.Tensor, num_embeddings: int, *, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A vector of num_embeddings numbers for each id: 1 at the place of the id, 0 elsewhere.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | ids | (…) | int64 or int32 | |
    | result | (…, num_embeddings) | dtype | one_hot(ids, len(weight), dtype=weight.dtype) @ weight is embedding(ids, weight) |
    """
    _check_ids(ids)
    _check_range(ids, num_embeddings)
    result = torch.zeros(*ids.shape, num_embeddings, dtype=dtype, device=ids.device)
    return result.scatter_(-1, ids.long().unsqueeze(-1), 1)


def tied_scores(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The score of every row of weight for each hidden vector: their dot product.

    With the weight of the input embedding, this is an output layer with tied weights (no bias): its gradient adds to that of
    the lookup.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | hidden | (…, dim) | as weight | |
    | weight | (num_embeddings, dim) | floating | |
    | result | (…, num_embeddings) | as weight | |

    Raises:
        TypeError: hidden is not floating.
        ValueError: the last dimension of hidden is not dim.
    """
    _check_weight(weight)
    if not hidden.is_floating_point():
        raise TypeError(f"hidden must be floating, not {hidden.dtype}")
    if hidden.ndim == 0 or hidden.shape[-1] != weight.shape[1]:
        raise ValueError(f"hidden of shape {tuple(hidden.shape)} for rows of {weight.shape[1]}")
    return hidden @ weight.T


def _check_ids(ids: torch.Tensor) -> None:
    if ids.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"int64 or int32 is expected, not {ids.dtype}")


def _check_weight(weight: torch.Tensor) -> None:
    if not weight.is_floating_point():
        raise TypeError(f"weight must be floating, not {weight.dtype}")
    if weight.ndim != 2:
        raise ValueError(f"weight must have two dimensions, not {weight.ndim}")


def _check_range(ids: torch.Tensor, num_embeddings: int) -> None:
    if num_embeddings < 0:
        raise ValueError("num_embeddings is negative")
    if ids.numel() and (ids.min() < 0 or ids.max() >= num_embeddings):
        raise ValueError(f"an id is out of [0, {num_embeddings})")


def _row(padding_idx: int | None, num_embeddings: int) -> int | None:
    if padding_idx is None:
        return None
    if not -num_embeddings <= padding_idx < num_embeddings:
        raise ValueError(f"padding_idx {padding_idx} is out of range for {num_embeddings} rows")
    return padding_idx % num_embeddings


def _accumulate(grad_output: torch.Tensor, ids: torch.Tensor, num_embeddings: int, padding: int | None) -> torch.Tensor:
    dim = grad_output.shape[-1]
    result = grad_output.new_zeros(num_embeddings, dim)
    result = result.index_add(0, ids.reshape(-1).long(), grad_output.reshape(ids.numel(), dim))
    if padding is not None:
        result[padding] = 0
    return result
