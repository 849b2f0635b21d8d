"""Public tests: run `pytest exercises/foundations/test_mlp_forward.py`."""

import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches, assert_refuses


def test_one_layer(candidate, rng):
    """A single layer is x · weightᵀ + bias, whatever the activation."""
    x, weight, bias = rng.normal(4, 3), rng.normal(2, 3), rng.normal(2)
    result = candidate(lambda m: m.mlp_forward(x, [weight], [bias], "relu"))
    assert_matches(result, lambda x, weight, bias: x @ weight.T + bias, x, weight, bias)


def test_activation_stands_between_two_layers(candidate):
    """With -1, 0 and 2 in the hidden layer, relu lets 2 pass, and the result may be negative."""
    x, weights = torch.ones(1, 1), [torch.tensor([[-1.0], [0.0], [2.0]]), torch.tensor([[1.0, 1.0, -3.0]])]
    biases = [torch.zeros(3), torch.tensor([0.5])]
    result = candidate(lambda m: m.mlp_forward(x, weights, biases, "relu"))
    assert_close(result, torch.tensor([[-5.5]]), tolerance=1e-6, hint="where is the activation, and where is none?")


def test_three_layers_of_any_activation(candidate, rng):
    """Three layers of different sizes, with each activation by its name."""
    functions = {
        "identity": lambda z: z,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "silu": F.silu,
    }
    x, weights = rng.normal(5, 4), [rng.normal(3, 4), rng.normal(6, 3), rng.normal(2, 6)]
    biases = [rng.normal(3), rng.normal(6), rng.normal(2)]
    for name, function in functions.items():
        hidden = function(function(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1])
        result = candidate(lambda m, name: m.mlp_forward(x, weights, biases, name), name)
        assert_close(result, hidden @ weights[2].T + biases[2], tolerance=1e-5, what=f"the result for {name}")


def test_one_example_without_a_batch(candidate, rng):
    """x may be a single example."""
    x, weights, biases = rng.normal(3), [rng.normal(4, 3), rng.normal(2, 4)], [rng.normal(4), rng.normal(2)]
    result = candidate(lambda m: m.mlp_forward(x, weights, biases, "tanh"))
    expected = torch.tanh(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1]
    assert_close(result, expected, tolerance=1e-5)


def test_refuses_a_bias_that_would_be_broadcast(candidate, rng):
    """A bias of another shape than (out,) raises ValueError."""
    x, weight, bias = rng.normal(4, 3), rng.normal(2, 3), rng.normal(2)
    assert_refuses(
        candidate,
        lambda m, bias: m.mlp_forward(x, [weight], [bias]),
        valid=(bias,),
        refused=[((bias[:1],), ValueError, "one number for two units")],
    )
