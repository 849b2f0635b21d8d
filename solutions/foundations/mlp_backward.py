"""Backward pass of a multilayer perceptron

Interview question: "Derive and write the backward pass of an L-layer perceptron without autograd: the gradients of
every weight, of every bias and of the input. How do you know that they are right?"

Build three functions that together make one step's gradients:

    output, cache = mlp_forward(x, weights, biases, activation)
    loss, grad_output = mse_loss(output, targets)
    grad_x, grad_weights, grad_biases = mlp_backward(grad_output, cache)

The network is that of `foundations/mlp_forward`: for each pair of a weight and a bias a layer that sums up,
hidden · weightᵀ + bias, and between two layers the activation. To refuse bad arguments of `mlp_forward` is the matter
of that exercise, not of this one.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: with sums hidden · weightᵀ + bias in [-1e4, 1e4] output and gradients are finite and right. That inputs
are left untouched goes for the lists, too, and for an output: no backward pass changes it. Between a forward and its
backward pass nobody changes the tensors in place either, so a cache may hold them as they are.

Limits: no automatic differentiation (`backward`, `torch.autograd`, `torch.func`; all is called under
`torch.no_grad()`), no ready-made derivatives (the `…_backward` of `torch.ops`) and nothing of `torch.nn`; `torch.relu`,
`torch.sigmoid` and `torch.tanh` are yours to use; each call within 2 s.

The tests look at
- numerics: output and loss against float64, dtypes, strides, refused arguments;
- gradients: of the loss, of x, of every weight and every bias, for arbitrary grad_output, every activation, any depth,
  any leading dimensions, layers and batches of equal sizes, relu at 0, extreme inputs;
- behaviour: that a cache serves more than once, and whatever is called in between.

References: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
"""

from collections.abc import Sequence
from typing import Any

import torch


def mlp_forward(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    activation: str = "relu",
) -> tuple[torch.Tensor, Any]:
    """The network's answer to x, and what `mlp_backward` will need of the way there.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | x | (…, num_inputs) | float32 or float64 | one example per row; leading dimensions may be absent |
    | weights | list or tuple of L ≥ 1 tensors (out, in) | as x | first layer first; its in is num_inputs |
    | biases | list or tuple of L tensors (out,) | as x | one number for each unit of the layer |
    | activation | | str | name of the function between two layers |
    | output [0] | (…, num_outputs) | as x | the sums of the last layer; num_outputs is its out |
    | cache [1] | | | whatever you like |

    | activation | applied to each element z |
    |---|---|
    | "identity" | z |
    | "relu" | max(z, 0); its derivative at 0 is 0 |
    | "sigmoid" | σ(z) = 1 / (1 + e⁻ᶻ) |
    | "tanh" | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) |
    | "silu" | z · σ(z) |
    """
    ### BEGIN SOLUTION
    inputs: list[torch.Tensor] = []
    sums: list[torch.Tensor] = []
    for layer, weight in enumerate(weights):
        inputs.append(_ACTIVATIONS[activation](sums[-1]) if sums else x)
        sums.append(inputs[-1] @ weight.T + biases[layer])
    return sums[-1], (inputs, sums, list(weights), activation)
    ### END SOLUTION


def mse_loss(output: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean squared error, and its gradient.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | output | any | float32 or float64 | |
    | targets | as output | as output | |
    | loss [0] | () | as output | the mean of (output - targets)² over all elements |
    | grad_output [1] | as output | as output | gradient of loss with respect to output |

    Raises:
        ValueError: the shapes differ (nothing is broadcast).
    """
    ### BEGIN SOLUTION
    if output.shape != targets.shape:
        raise ValueError(f"targets must have the shape of output, {tuple(output.shape)}, not {tuple(targets.shape)}")
    difference = output - targets
    return difference.square().mean(), 2 * difference / difference.numel()
    ### END SOLUTION


def mlp_backward(grad_output: torch.Tensor, cache: Any) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """Gradients of the loss that grad_output comes from, be that a sum, a mean or anything else.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | as output | as x | gradient of the loss with respect to output |
    | cache | | | from `mlp_forward`; it may be used again, also after other calls of `mlp_forward` |
    | grad_x [0] | as x | as x | gradient of the loss with respect to x |
    | grad_weights [1] | list of L tensors (out, in) | as x | with respect to each of weights, in their order |
    | grad_biases [2] | list of L tensors (out,) | as x | with respect to each of biases, in their order |

    Raises:
        ValueError: grad_output does not have the shape of output (nothing is broadcast or reshaped).
    """
    ### BEGIN SOLUTION
    inputs, sums, weights, activation = cache
    if grad_output.shape != sums[-1].shape:
        raise ValueError(f"grad_output must have the shape {tuple(sums[-1].shape)}, not {tuple(grad_output.shape)}")
    grad_weights: list[torch.Tensor] = []
    grad_biases: list[torch.Tensor] = []
    grad = grad_output
    for layer in reversed(range(len(weights))):
        # Here grad belongs to the sums of this layer; all leading dimensions become one.
        rows, features = grad.reshape(-1, grad.shape[-1]), inputs[layer].reshape(-1, inputs[layer].shape[-1])
        grad_weights.append(rows.T @ features)
        grad_biases.append(rows.sum(dim=0))
        grad = grad @ weights[layer]
        if layer > 0:
            grad = grad * _DERIVATIVES[activation](sums[layer - 1])
    return grad, grad_weights[::-1], grad_biases[::-1]
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _sigmoid_derivative(z: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


def _silu_derivative(z: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(z) + z * _sigmoid_derivative(z)


_ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": lambda z: z * torch.sigmoid(z),
}
_DERIVATIVES = {
    "identity": torch.ones_like,
    "relu": lambda z: (z > 0).to(z.dtype),
    "sigmoid": _sigmoid_derivative,
    "tanh": lambda z: 1 - torch.tanh(z).square(),
    "silu": _silu_derivative,
}

DISCUSSION = """
Write δ for the gradient of the loss with respect to the sums z = h · Wᵀ + b of one layer. Three products follow from
it, and their shapes leave no choice: the weight's gradient is δᵀ · h (out, in), the bias's is δ summed over the
examples, and what goes on to the layer below is δ · W, times f'(z) of the layer below, element by element. The start
is δ = grad_output, without f', because nothing follows the last layer. A parameter serves every example, so its
gradient is a sum over all of them, over every leading dimension; x has a row of its own for each example, and its
gradient keeps the rows.

The mean belongs to the loss and to nobody else. It puts 1/n into grad_output once, and everything behind is linear
and carries it along. Textbooks write dW = (1/m) δᵀ h for a δ without it: together the two divide twice. Leaving it
out altogether lets the effective learning rate grow with the batch, and a mean over examples differs from one over
elements by the number of outputs; none of this changes the direction of a gradient, so no cosine similarity, no
falling loss curve shows it. Shapes hide mistakes of their own: targets of shape (n,) against outputs of shape (n, 1)
make an n × n matrix of differences and a loss that looks plausible, and between square layers a transposed δᵀ · h or
δ · Wᵀ goes through.

What to keep: the input of each layer for the weights, and enough to know f'. For sigmoid, tanh and ReLU the output of
f is enough (s (1 - s), 1 - t², h > 0), which lets a framework keep one tensor per layer; SiLU falls and rises, so its
slope needs z. ReLU has no derivative at 0; any number between 0 and 1 is a subgradient and frameworks take 0. It
matters more than it seems: zero padding, zero biases and dead units put sums at exactly 0. The cache is returned
rather than stored in a global or on the function, so that two passes can be under way at once.

How to know that it is right: central differences in float64, one element at a time, against a random grad_output.
With the sum of the output as the loss every row of δ is the same and many mistakes cancel; near a kink of ReLU the
difference means nothing; in float32 its rounding drowns the comparison. Autograd as a second opinion is cheaper.

Cost: each layer does two matrix products backward for the one forward, hence the rule of three times the forward pass
for a step. The first layer's δ · W is needed only if somebody asks for grad_x.
"""
### END REFERENCE ONLY
