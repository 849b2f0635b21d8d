"""Public tests: run `pytest exercises/foundations/test_mlp_backward.py`."""

import torch

from graders.testing import assert_close, assert_refuses


def make_network(rng):
    weights = [rng.normal(*shape, dtype=torch.float64) for shape in ((5, 3), (4, 5), (2, 4))]
    return weights, [rng.normal(len(weight), dtype=torch.float64) for weight in weights]


def test_output(candidate, rng):
    """mlp_forward returns the sums of the last layer, and a cache."""
    x, (weights, biases) = rng.normal(6, 3, dtype=torch.float64), make_network(rng)
    hidden = torch.tanh(torch.tanh(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1])
    output, _ = candidate(lambda m: (m.mlp_forward(x, weights, biases, "tanh")[0], None))
    assert_close(output, hidden @ weights[2].T + biases[2], tolerance=1e-9, what="the output")


def test_one_layer(candidate):
    """The gradients of a single layer, by hand: loss = 2 · output, with output = 3 · x₁ - x₂ + bias."""
    x, weight, bias = torch.tensor([[5.0, 7.0]]), torch.tensor([[3.0, -1.0]]), torch.tensor([0.5])
    grad_output = torch.tensor([[2.0]])
    grad_x, grad_weights, grad_biases = candidate(
        lambda m: m.mlp_backward(grad_output, m.mlp_forward(x, [weight], [bias], "relu")[1])
    )
    assert_close(grad_x, torch.tensor([[6.0, -2.0]]), tolerance=1e-6, what="grad_x")
    assert_close(grad_weights[0], torch.tensor([[10.0, 14.0]]), tolerance=1e-6, what="grad_weights[0]")
    assert_close(grad_biases[0], torch.tensor([2.0]), tolerance=1e-6, what="grad_biases[0]")


def test_gradients_agree_with_finite_differences(candidate, rng):
    """Every gradient is the slope of the loss, here of weight after weight in each layer, and of x."""
    x, targets, (weights, biases) = rng.normal(6, 3).double(), rng.normal(6, 2).double(), make_network(rng)

    def gradients(m, name):
        output, cache = m.mlp_forward(x, weights, biases, name)
        grad_x, grad_weights, grad_biases = m.mlp_backward(m.mse_loss(output, targets)[1], cache)
        return [grad_x, *grad_weights, *grad_biases]

    def slopes(m, name, eps):
        results = []
        for tensor in (x, *weights, *biases):
            flat, slope = tensor.view(-1), torch.zeros_like(tensor)
            for index in range(len(flat)):
                losses, value = [], flat[index].item()
                for step in (eps, -eps):
                    flat[index] = value + step
                    losses.append(m.mse_loss(m.mlp_forward(x, weights, biases, name)[0], targets)[0])
                flat[index] = value
                slope.view(-1)[index] = (losses[0] - losses[1]) / (2 * eps)
            results.append(slope)
        return results

    names = ["x", *(f"{kind}[{layer}]" for kind in ("weights", "biases") for layer in range(3))]
    for activation in ("tanh", "silu"):
        expected = candidate(slopes, activation, 1e-5)
        for name, grad, slope in zip(names, candidate(gradients, activation), expected, strict=True):
            # The formula is off by terms of eps² = 1e-10, and rounding of the loss divided by eps: 1e-11.
            assert_close(grad, slope, tolerance=1e-5, what=f"the gradient of {name} for {activation}")


def test_mse_loss(candidate):
    """The loss is the mean over all elements, and so is its gradient."""
    output, targets = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [3.0, 8.0]])
    loss, grad_output = candidate(lambda m: m.mse_loss(output, targets))
    assert_close(loss, torch.tensor(5.0), tolerance=1e-6, what="the loss")
    assert_close(grad_output, torch.tensor([[0.0, 1.0], [0.0, -2.0]]), tolerance=1e-6, what="grad_output")


def test_refuses_targets_that_would_be_broadcast(candidate, rng):
    """targets of another shape than output raise ValueError."""
    output = rng.normal(4, 1)
    assert_refuses(
        candidate,
        lambda m, targets: m.mse_loss(output, targets),
        valid=(output + 1,),
        refused=[((output[:, 0],), ValueError, "targets of shape (4,) for an output of shape (4, 1)")],
    )
