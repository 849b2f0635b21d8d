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
    raise NotImplementedError


class EmbeddingFunction(torch.autograd.Function):
    """Looks up in `forward`, and accumulates in `backward`. Its arguments are up to you.

    The graph of every result of `embedding` leads through it.
    """


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
    raise NotImplementedError


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
    raise NotImplementedError


def one_hot(ids: torch.Tensor, num_embeddings: int, *, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A vector of num_embeddings numbers for each id: 1 at the place of the id, 0 elsewhere.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | ids | (…) | int64 or int32 | |
    | result | (…, num_embeddings) | dtype | one_hot(ids, len(weight), dtype=weight.dtype) @ weight is embedding(ids, weight) |
    """
    raise NotImplementedError


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
    raise NotImplementedError
