"""Optimizers from scratch

Interview question: "Implement SGD, momentum, Nesterov, RMSProp, Adam and AdamW. What does each remember between steps,
what has to be in a checkpoint, and why is AdamW not Adam with L2 regularisation?"

Build `SGD`, `RMSProp`, `Adam` and `AdamW`. Each has the methods of the base class `Optimizer` below and the attribute
`lr`; the base class itself is a suggestion. Each moves its parameters as the class of `torch.optim` with the same
options does (`RMSProp` as `RMSprop`), and has a second path, `foreach=True`, that updates all parameters together.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched. Here the inputs are the gradients:
`step` reads them and leaves them in place. The parameters are the result, and they are changed in place: the same
tensors, in the same memory.

Limits: not `SGD`, `RMSprop`, `Adam`, `AdamW`, the base class `Optimizer` or anything else from `torch.optim`, nor the
fused kernels `torch._fused_sgd_`, `torch._fused_adam_`, `torch._fused_adamw_`; `torch._foreach_*` is welcome. Each call
within 2 s. Throughput: no Python loop over the elements or rows of a parameter (the step lies between such a loop and
tensor operations); on CUDA `foreach=True` is timed with hundreds of small parameters, too.

The tests look at
- numerics: 100 steps of every optimizer with its options, on both paths; default eps with tiny and with huge gradients;
  lr changed on the way; parameters that get gradients late or not always; mixed shapes, strides and dtypes; resuming
  from a snapshot;
- behaviour: what a step may touch, zero_grad, what a snapshot shares with the optimizer, refused arguments; the number
  of tensor operations of a step with `foreach=True`;
- throughput as above.

References: Kingma and Ba, "Adam" (2015); Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019);
Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013).
"""

from collections.abc import Iterable
from typing import Any

import torch


class Optimizer:
    """What the four have in common.

    | name | kind | meaning |
    |---|---|---|
    | params | iterable of floating tensors | also a generator; shapes, strides and dtypes may be mixed |
    | lr | float ≥ 0 | the attribute `lr` may be assigned between steps: the next step uses the new value |
    | weight_decay | float ≥ 0 | 0 = none |
    | foreach | bool | update all parameters together: the same numbers up to rounding |

    With `foreach=True` the number of tensor operations in a step (views aside, once all parameters have made a step) is
    the same for 3 parameters and for 300 of the same dtype.

    Raises:
        TypeError: params is a single tensor, or holds something that is not a tensor.
        ValueError: params is empty, or a number is out of its range, NaN included.
    """

    def __init__(self, params: Iterable[torch.Tensor], *, foreach: bool, **settings: Any) -> None:
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to None."""
        raise NotImplementedError

    def step(self) -> None:
        """Updates every parameter from its gradient, in place and outside of autograd.

        A parameter whose gradient is None is skipped: its value, its state and its own count of steps stay as they are.
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of all that the next step depends on, except parameters, gradients and `foreach`: settings (lr as
        it is now), counts of steps, averages.

        It is made of dicts, lists, tuples, strings, numbers and tensors, so that `torch.save` and
        `torch.load(weights_only=True)` carry it. Later steps do not change it.
        """
        raise NotImplementedError

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the snapshot was taken: its settings replace those of the constructor, `foreach` stays. Each
        path reads the snapshots of both. Neither this call nor later steps change the snapshot: it can be loaded again.

        Raises:
            ValueError: the snapshot is of another number of parameters or, where its state shows that (Adam's does after a
                step), of parameters of other shapes.
        """
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent, with momentum if asked.

    | name | kind | meaning |
    |---|---|---|
    | momentum | float ≥ 0 | 0 = none; the velocity sums gradients, without lr and without dampening |
    | nesterov | bool | look-ahead form of `torch.optim.SGD`; needs momentum > 0, else ValueError |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        raise NotImplementedError


class RMSProp(Optimizer):
    """Divides the gradient by the root of a running mean of its square; neither centred nor with momentum.

    | name | kind | meaning |
    |---|---|---|
    | alpha | float in [0, 1) | share of the old mean |
    | eps | float ≥ 0 | term of the denominator, as in `torch.optim.RMSprop` |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-2,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        raise NotImplementedError


class Adam(Optimizer):
    """Running means of gradient and squared gradient, corrected for their start at zero.

    | name | kind | meaning |
    |---|---|---|
    | betas | two floats in [0, 1) | shares of the old means of gradient and squared gradient |
    | eps | float ≥ 0 | term of the denominator, as in `torch.optim.Adam` |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        raise NotImplementedError


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Arguments as for Adam, but weight_decay: float ≥ 0, the decay of `torch.optim.AdamW`, in proportion to lr.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        foreach: bool = False,
    ) -> None:
        raise NotImplementedError
