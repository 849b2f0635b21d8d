"""Embedding

Interview question: "What does an embedding layer compute, and what is its gradient? Write the lookup with its backward pass,
`padding_idx` and bags of different lengths. In what sense is it a linear layer?"

Build the lookup and its gradient by accumulation, the `torch.autograd.Function` that joins them, bags of embeddings, and the
other two views of the same matrix: a product with one-hot vectors, and an output layer with tied weights.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: rows and gradients of size 1e30 and of size 1e-30. Rows of both sizes may stand side by side, and each bag is right
at its own scale.

In all functions

- ids are int64 or int32, of any shape unless stated otherwise, and may be empty; weight is (num_embeddings, dim) and floating;
- padding_idx is None or a row of weight, counted from the end if negative;
- TypeError is raised for ids of another dtype (booleans, too) or a weight that is not floating;
- ValueError is raised for an id out of [0, num_embeddings), a padding_idx out of [-num_embeddings, num_embeddings), a weight
  that does not have two dimensions, and for what a function adds.

Limits: not `embedding`, `embedding_bag` or `one_hot` of `torch` or `torch.nn.functional`, not `torch.nn.Embedding` or
`torch.nn.EmbeddingBag`, and no autograd inside (`torch.autograd.grad` and `backward`, `torch.autograd.functional.vjp` and
`jacobian`, `torch.func.grad`, `vjp` and `jacrev`, `torch.enable_grad`, `torch.set_grad_enabled`); each call within 2 s;
throughput: lookup and backward without a product with one-hot vectors (the step lies between such a product and an
accumulation by index in torch).

The tests look at
- numerics: lookups (exactly), bags with all modes, empty bags and padding, one-hot vectors, tied scores, refused arguments;
- gradients: those of `embedding_backward` and those that autograd gets from the other functions, where ids repeat, where they
  are padding, for gradients of any strides; that they come from `EmbeddingFunction`; that they are never silently wrong;
- throughput as above.

References: Bengio et al., "A Neural Probabilistic Language Model" (2003); Press and Wolf, "Using the Output Embedding to
Improve Language Models" (2017).
"""

### BEGIN REFERENCE ONLY
from typing import Any

### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    _check_ids(ids, num_embeddings)
    padding = _check_padding(padding_idx, num_embeddings)
    if grad_output.ndim == 0 or grad_output.shape[:-1] != ids.shape:
        raise ValueError(f"ids must be {tuple(grad_output.shape[:-1])}, not {tuple(ids.shape)}")
    dim = grad_output.shape[-1]
    gradient = grad_output.new_zeros(num_embeddings, dim)
    # Unlike gradient[ids] += …, which keeps one of the rows that go to the same place.
    gradient.index_add_(0, ids.reshape(-1), grad_output.reshape(ids.numel(), dim))
    if padding is not None:
        gradient[padding] = 0
    return gradient
    ### END SOLUTION


class EmbeddingFunction(torch.autograd.Function):
    """Looks up in `forward`, and accumulates in `backward`. Its arguments are up to you.

    The graph of every result of `embedding` leads through it.
    """

    ### BEGIN REFERENCE ONLY
    @staticmethod
    def forward(ctx: Any, ids: torch.Tensor, weight: torch.Tensor, padding_idx: int | None) -> torch.Tensor:
        ctx.save_for_backward(ids)
        ctx.num_embeddings, ctx.padding_idx = len(weight), padding_idx
        return weight.index_select(0, ids.reshape(-1)).reshape(*ids.shape, weight.shape[1])

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[None, torch.Tensor, None]:
        (ids,) = ctx.saved_tensors
        return None, embedding_backward(grad_output, ids, ctx.num_embeddings, ctx.padding_idx), None

    ### END REFERENCE ONLY


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
    ### BEGIN SOLUTION
    _check(ids, weight)
    _check_padding(padding_idx, len(weight))
    return EmbeddingFunction.apply(ids, weight, padding_idx)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check(ids, weight)
    padding = _check_padding(padding_idx, len(weight))
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f'mode must be "sum", "mean" or "max", not {mode!r}')
    _check_integers(offsets, "offsets")
    if ids.ndim != 1 or offsets.ndim != 1 or len(offsets) == 0:
        raise ValueError(f"ids and offsets must be lists, not {tuple(ids.shape)} and {tuple(offsets.shape)}")
    lengths = torch.diff(offsets, append=offsets.new_tensor([len(ids)]))
    if offsets[0] != 0 or (lengths < 0).any():
        raise ValueError(f"offsets must begin with 0, never fall, and end within {len(ids)} ids")
    bags = torch.repeat_interleave(torch.arange(len(offsets), device=ids.device), lengths)
    if padding is not None:
        kept = ids != padding
        ids, bags = ids[kept], bags[kept]
    rows = embedding(ids, weight)
    result = rows.new_zeros(len(offsets), weight.shape[1])
    if mode == "max":
        return result.scatter_reduce(0, bags[:, None].expand_as(rows), rows, "amax", include_self=False)
    result.index_add_(0, bags, rows)
    if mode == "mean":
        result = result / torch.bincount(bags, minlength=len(offsets)).clamp(min=1)[:, None]
    return result
    ### END SOLUTION


def one_hot(ids: torch.Tensor, num_embeddings: int, *, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A vector of num_embeddings numbers for each id: 1 at the place of the id, 0 elsewhere.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | ids | (…) | int64 or int32 | |
    | result | (…, num_embeddings) | dtype | one_hot(ids, len(weight), dtype=weight.dtype) @ weight is embedding(ids, weight) |
    """
    ### BEGIN SOLUTION
    _check_ids(ids, num_embeddings)
    return (ids[..., None] == torch.arange(num_embeddings, device=ids.device)).to(dtype)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_weight(weight)
    if not hidden.is_floating_point():
        raise TypeError(f"hidden must be floating, not {hidden.dtype}")
    if hidden.ndim == 0 or hidden.shape[-1] != weight.shape[1]:
        raise ValueError(f"hidden must be (..., {weight.shape[1]}), not {tuple(hidden.shape)}")
    return hidden @ weight.T
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _check_integers(numbers: torch.Tensor, name: str) -> None:
    if numbers.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"{name} must be int64 or int32, not {numbers.dtype}")


def _check_ids(ids: torch.Tensor, num_embeddings: int) -> None:
    _check_integers(ids, "ids")
    if ids.numel() and not 0 <= ids.min() <= ids.max() < num_embeddings:
        raise ValueError(f"ids must be in [0, {num_embeddings})")


def _check_weight(weight: torch.Tensor) -> None:
    if not weight.is_floating_point():
        raise TypeError(f"weight must be floating, not {weight.dtype}")
    if weight.ndim != 2:
        raise ValueError(f"weight must be (num_embeddings, dim), not {tuple(weight.shape)}")


def _check(ids: torch.Tensor, weight: torch.Tensor) -> None:
    _check_weight(weight)
    _check_ids(ids, len(weight))


def _check_padding(padding_idx: int | None, num_embeddings: int) -> int | None:
    """The row, counted from the front."""
    if padding_idx is None:
        return None
    if not -num_embeddings <= padding_idx < num_embeddings:
        raise ValueError(f"padding_idx must be in [{-num_embeddings}, {num_embeddings}), not {padding_idx}")
    return padding_idx % num_embeddings


DISCUSSION = """
An embedding is a linear layer without bias whose input is one-hot: one_hot(ids) @ W picks rows of W, so it is computed by
picking them. The gradient of a product is inputᵀ @ grad_output, here one_hot(ids)ᵀ @ grad_output: row r is the sum of the
gradients at all places where r was looked up. Both as matrix products cost n · num_embeddings · dim where reading and adding
cost n · dim: for a vocabulary of 50 000 that is the difference between a lookup and the most expensive layer of the net.

The sum is the trap: grad[ids] += g reads, adds and writes all places at once, so of rows that repeat the last one wins. No test
with distinct ids sees it. index_add_ (or index_put_ with accumulate, scatter_add_) adds them all; on a GPU with atomic additions,
whose order, and so whose last digits, change from run to run.

Only rows that were looked up have a gradient, which is why frameworks offer sparse gradients; a dense optimizer with momentum
or weight decay moves the other rows all the same. padding_idx cuts the gradient and nothing else: the row comes out as
it is, and stays zero only because it began so. In bags padding is left out before anything is counted: a mean that divides by
the full length depends on how far a batch was padded, and a maximum over zeros in the place of padding is never negative. A bag
in which nothing remains has no mean and no maximum; 0 is PyTorch's choice.

Offsets describe bags of different lengths without padding: a repeated bag number for each id, and one accumulation over all bags.
A loop over bags is as right and as slow as a loop over rows anywhere else.

Tied weights use W twice, as rows to read and as vectors to score with, and autograd adds both gradients: the lookup's is sparse,
that of the scores touches every row.
"""
### END REFERENCE ONLY
