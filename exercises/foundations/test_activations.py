"""Public tests: run `pytest exercises/foundations/test_activations.py`."""

import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches


def test_sigmoid(candidate, rng):
    """sigmoid is 1 / (1 + e⁻ˣ), and is finite for any x in [-1e4, 1e4]."""
    x = rng.normal(3, 4)
    assert_matches(candidate(lambda m: m.sigmoid(x)), torch.sigmoid, x)
    extreme = torch.tensor([-1e4, 0.0, 1e4])
    result = candidate(lambda m: m.sigmoid(extreme))
    assert_close(result, torch.tensor([0.0, 0.5, 1.0]), tolerance=1e-6, hint="which exponential overflows, and where?")


def test_relu_backward(candidate, rng):
    """relu_backward passes the gradient on where x is positive, and nothing elsewhere."""
    grad_output = rng.normal(4)
    x = torch.tensor([-2.0, -0.5, 0.0, 3.0])
    result = candidate(lambda m: m.relu_backward(grad_output, x))
    expected = grad_output * torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert_close(result, expected, tolerance=0.0, hint="the derivative at 0 is taken to be 0")


def test_gelu_has_two_forms(candidate, rng):
    """gelu(x) is exact; gelu(x, "tanh") is the approximation."""
    x = rng.normal(100)
    assert_matches(candidate(lambda m: m.gelu(x)), F.gelu, x, hint="the default is the form with erf")
    result = candidate(lambda m: m.gelu(x, "tanh"))
    assert_matches(result, lambda x: F.gelu(x, approximate="tanh"), x, hint="here it is the form with tanh")


def test_softmax_along_any_dimension(candidate, rng):
    """softmax(x, dim) sums to one along dim."""
    x = rng.normal(2, 3, 4)
    for dim in (-1, 0, 1):
        result = candidate(lambda m, dim: m.softmax(x, dim), dim)
        assert_matches(result, lambda x, dim: torch.softmax(x, dim), x, dim, hint="is everything taken along dim?")


def test_log_softmax_of_large_numbers(candidate):
    """log_softmax is finite for any x in [-1e4, 1e4]."""
    x = torch.tensor([[1e4, 0.0, -1e4]])
    result = candidate(lambda m: m.log_softmax(x))
    assert_close(result, torch.tensor([[0.0, -1e4, -2e4]]), tolerance=1e-6, hint="is it log(softmax(x))?")


def test_softmax_backward(candidate, rng):
    """softmax_backward gives what autograd would."""
    grad_output, x = rng.normal(3, 5, n=2)

    def autograd(grad_output, x):
        leaf = x.clone().requires_grad_()
        return torch.autograd.grad(torch.softmax(leaf, -1), leaf, grad_output)[0]

    result = candidate(lambda m: m.softmax_backward(grad_output, x))
    assert_matches(result, autograd, grad_output, x, hint="every output of a row depends on every input of that row")
