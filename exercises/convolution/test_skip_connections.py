"""Public tests: run `pytest exercises/convolution/test_skip_connections.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true, probe_helper


@probe_helper
def shapes(m, name, *arguments):
    state = getattr(m, name)(*arguments).state_dict()
    return {key: tuple(x.shape) for key, x in state.items() if key.endswith((".weight", "gate.bias"))}


def check_shapes(candidate, expected, *arguments):
    found = candidate(shapes, *arguments)
    assert_true(found == expected, "weights have other names or shapes than in the table", detail=f"{found}")


def test_weights_of_a_residual_block(candidate):
    """A projection is there where the shape changes, and only there."""
    same = {"conv1.weight": (4, 4, 3, 3), "norm1.weight": (4,), "conv2.weight": (4, 4, 3, 3), "norm2.weight": (4,)}
    check_shapes(candidate, same, "ResidualBlock", 4, 4)
    wider = same | {"conv1.weight": (4, 3, 3, 3), "projection.weight": (4, 3, 1, 1), "projection_norm.weight": (4,)}
    check_shapes(candidate, wider, "ResidualBlock", 3, 4, 2)


def test_weights_of_a_dense_block(candidate):
    """Every layer of a dense block sees growth_rate more channels than the one before."""
    expected = {
        "layers.0.norm.weight": (4,),
        "layers.0.conv.weight": (2, 4, 3, 3),
        "layers.1.norm.weight": (6,),
        "layers.1.conv.weight": (2, 6, 3, 3),
    }
    check_shapes(candidate, expected, "DenseBlock", 4, 2, 2)


def test_a_residual_block_starts_as_its_shortcut(candidate, rng):
    """Without a projection, a new block gives relu(inputs)."""
    inputs = rng.normal(2, 4, 5, 3)
    result = candidate(lambda m: m.ResidualBlock(4, 4)(inputs))
    assert_close(result, inputs.relu(), tolerance=1e-6, hint="norm2.weight starts at zeros")


def test_a_dense_block_keeps_its_inputs(candidate, rng):
    """The inputs are the first channels of the result."""
    inputs = rng.normal(2, 4, 5, 3)
    result = candidate(lambda m: m.DenseBlock(4, 3, 2)(inputs))
    assert_true(result.shape[1] == 10, "the result has another number of channels")
    assert_close(result[:, :4], inputs, tolerance=0.0, what="the first channels")


def test_a_transition_halves(candidate, rng):
    """A transition halves height and width and changes the number of channels."""
    inputs = rng.normal(2, 4, 6, 9)
    result = candidate(lambda m: m.Transition(4, 2)(inputs))
    assert_true(tuple(result.shape) == (2, 2, 3, 4), "the result has another shape", detail=f"{tuple(result.shape)}")


def test_a_highway_carries_at_first(candidate, rng):
    """With a large carry_bias a new highway network gives its inputs back."""
    inputs = rng.uniform(4, 8, low=-1.0)
    result = candidate(lambda m: m.Highway(8, 30, 30.0)(inputs))
    assert_close(result, inputs, tolerance=1e-6, hint="which of the two ways does a closed gate leave open?")


def test_gradients_reach_the_inputs(candidate, rng):
    """Gradients pass each of the blocks, and tell how the result changes."""
    image, cotangent = rng.normal(2, 4, 5, 3, n=2, dtype=torch.float64)

    def differentiate(m):
        leaf = image.requires_grad_()
        return torch.autograd.grad(m.ResidualBlock(4, 4).double().eval()(leaf), leaf, cotangent)[0]

    expected = cotangent * (image > 0)
    assert_close(candidate(differentiate), expected, tolerance=1e-9, hint="a new block is relu of its inputs")


def test_refuses_other_channels(candidate, rng):
    """Inputs with another number of channels raise ValueError."""
    inputs = rng.normal(2, 4, 5, 3)
    assert_refuses(
        candidate,
        lambda m, channels: m.DenseBlock(channels, 3, 2)(inputs),
        valid=(4,),
        refused=[((5,), ValueError, "a block for 5 channels and inputs of 4")],
    )
