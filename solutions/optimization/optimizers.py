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

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
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
        ### BEGIN SOLUTION
        if isinstance(params, torch.Tensor):
            raise TypeError("params must be an iterable of tensors, not one tensor")
        self.params = list(params)
        if not self.params:
            raise ValueError("params is empty: there is nothing to optimise")
        for param in self.params:
            if not isinstance(param, torch.Tensor):
                raise TypeError(f"params must hold tensors, not {type(param).__name__}")
        for name, value in settings.items():
            for number in value if isinstance(value, tuple) else (value,):
                limit = 1.0 if name in ("alpha", "betas") else math.inf
                if not 0 <= number < limit:
                    raise ValueError(f"{name} must be in [0, {limit}), not {value}")
        self.foreach = foreach
        self.settings = settings
        self.state: list[dict[str, Any]] = [{"step": 0} for _ in self.params]
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    @property
    def lr(self) -> float:
        return self.settings["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        self.settings["lr"] = value

    ### END REFERENCE ONLY
    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to None."""
        ### BEGIN SOLUTION
        for param in self.params:
            param.grad = None
        ### END SOLUTION

    def step(self) -> None:
        """Updates every parameter from its gradient, in place and outside of autograd.

        A parameter whose gradient is None is skipped: its value, its state and its own count of steps stay as they are.
        """
        ### BEGIN SOLUTION
        batches: dict[Any, list[int]] = {}
        for index, param in enumerate(self.params):
            if param.grad is None:
                continue
            state = self.state[index]
            state["step"] += 1
            # One batch shares kernels, hence dtype and device, and a bias correction, hence the count of steps.
            key = (param.dtype, param.device, state["step"]) if self.foreach else index
            batches.setdefault(key, []).append(index)
        with torch.no_grad():
            for batch in batches.values():
                params = [self.params[index] for index in batch]
                states = [self.state[index] for index in batch]
                self._update(params, [param.grad for param in params], states)
        ### END SOLUTION

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of all that the next step depends on, except parameters, gradients and `foreach`: settings (lr as
        it is now), counts of steps, averages.

        It is made of dicts, lists, tuples, strings, numbers and tensors, so that `torch.save` and
        `torch.load(weights_only=True)` carry it. Later steps do not change it.
        """
        ### BEGIN SOLUTION
        shapes = [list(param.shape) for param in self.params]
        return {"settings": dict(self.settings), "shapes": shapes, "state": [_copy(state) for state in self.state]}
        ### END SOLUTION

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the snapshot was taken: its settings replace those of the constructor, `foreach` stays. Each
        path reads the snapshots of both. Neither this call nor later steps change the snapshot: it can be loaded again.

        Raises:
            ValueError: the snapshot is of another number of parameters or, where its state shows that (Adam's does after a
                step), of parameters of other shapes.
        """
        ### BEGIN SOLUTION
        if state_dict["shapes"] != [list(param.shape) for param in self.params]:
            raise ValueError("state_dict belongs to other parameters: their number or their shapes differ")
        self.settings = dict(state_dict["settings"])
        self.state = [_copy(state) for state in state_dict["state"]]
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        """The rule, on lists of tensors of one dtype, device and count of steps. A list of one is the plain path."""
        raise NotImplementedError

    def _penalised(self, params: list[torch.Tensor], grads: list[torch.Tensor]) -> list[torch.Tensor]:
        """Gradients of the loss with its L2 penalty; never written to, as they may be the parameters' own."""
        decay = self.settings["weight_decay"]
        return torch._foreach_add(grads, params, alpha=decay) if decay else grads

    ### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
def _copy(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in state.items()}


def _buffers(name: str, params: list[torch.Tensor], states: list[dict[str, Any]]) -> list[torch.Tensor]:
    """The named running sums, zeros at first, with the layout of their parameters."""
    for index, state in enumerate(states):
        if name not in state:
            state[name] = torch.zeros_like(params[index])
    return [state[name] for state in states]


### END REFERENCE ONLY
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
        ### BEGIN SOLUTION
        if nesterov and momentum == 0:
            raise ValueError("nesterov looks ahead along the velocity: momentum must be positive")
        super().__init__(
            params, foreach=foreach, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        grads = self._penalised(params, grads)
        if momentum := self.settings["momentum"]:
            velocities = _buffers("velocity", params, states)
            torch._foreach_mul_(velocities, momentum)
            torch._foreach_add_(velocities, grads)
            ahead = self.settings["nesterov"]
            grads = torch._foreach_add(grads, velocities, alpha=momentum) if ahead else velocities
        torch._foreach_add_(params, grads, alpha=-self.lr)

    ### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        super().__init__(params, foreach=foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        grads = self._penalised(params, grads)
        squares = _buffers("square", params, states)
        torch._foreach_mul_(squares, self.settings["alpha"])
        torch._foreach_addcmul_(squares, grads, grads, 1 - self.settings["alpha"])
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, self.settings["eps"])
        torch._foreach_addcdiv_(params, grads, roots, -self.lr)

    ### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        super().__init__(params, foreach=foreach, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        self._move(params, self._penalised(params, grads), states)

    def _move(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        beta1, beta2 = self.settings["betas"]
        step = states[0]["step"]  # mutants: equivalent: all of a batch agree
        means, squares = _buffers("mean", params, states), _buffers("square", params, states)
        torch._foreach_mul_(means, beta1)
        torch._foreach_add_(means, grads, alpha=1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, math.sqrt(1 - beta2**step))
        torch._foreach_add_(roots, self.settings["eps"])
        torch._foreach_addcdiv_(params, means, roots, -self.lr / (1 - beta1**step))

    ### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        torch._foreach_mul_(params, 1 - self.lr * self.settings["weight_decay"])
        self._move(params, grads, states)

    ### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
DISCUSSION = """
SGD remembers nothing. Momentum keeps a velocity, a decaying sum of gradients: along a steady slope it grows to 1/(1 -
μ) times the gradient, across a ravine the signs cancel. Nesterov takes the gradient where the velocity is about to
carry the parameter; written for the look-ahead point itself, that is "gradient plus μ times the new velocity".
RMSProp divides by a running root mean square, so that every coordinate moves by about lr whatever the scale of its
gradient; Adam does that to a running mean of the gradient. Both means start at zero and are too small at first. At
step t, counted from one, their weights sum to 1 - βᵗ, so dividing by that makes them averages; a count from zero
divides by zero, one that is ahead makes the first steps too short. The count belongs to the parameter: one that was
frozen needs the correction of its own first step.

eps stands beside the root, not under it: √(v + 1e-8) is at least 1e-4 and slows every coordinate whose gradient is
smaller than that, √v + 1e-8 does not. Where lr stands matters as well: a velocity that sums lr · gradient is the same
at constant lr and lags behind a schedule.

L2 and weight decay are the same thing for plain SGD, where lr · λ is the decay. In Adam the L2 term goes through the
division by √v: weights with large gradients are hardly regularised. AdamW multiplies the parameter by 1 - lr · λ,
outside of the averages.

A checkpoint needs the averages, the counts and the settings; without them Adam starts again with a first step of full
size. The snapshot must be a copy: tensors shared with the live optimizer are a snapshot of the future. The same goes
for gradients: a penalty added in place, or a velocity that is the first gradient itself, corrupts what others read.

Multi-tensor: a step costs a handful of small kernels per parameter, and a model has hundreds of parameters: on a GPU
the launches take longer than the arithmetic. torch._foreach_*, or one flat buffer per dtype, launches each operation
once for all of them. A fused kernel goes on to read and write every number once instead of once per operation.
"""
### END REFERENCE ONLY
