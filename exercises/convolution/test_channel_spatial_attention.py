"""Public tests: run `pytest exercises/convolution/test_channel_spatial_attention.py`."""

import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_true, probe_helper


@probe_helper
def run(m, name, arguments, state, inputs):
    module = getattr(m, name)(*arguments)
    module.load_state_dict(state)
    return module(inputs)


def random_layers(rng, channels, hidden):
    shapes = {"reduce.weight": (hidden, channels), "reduce.bias": (hidden,)}
    shapes |= {"expand.weight": (channels, hidden), "expand.bias": (channels,)}
    return {name: rng.normal(*shape) for name, shape in shapes.items()}


def test_names_and_shapes(candidate):
    """Parameters have the names and shapes of the tables."""
    shapes = candidate(lambda m: {name: tuple(x.shape) for name, x in m.CBAM(8, 4, 3).state_dict().items()})
    expected = {
        "channel.reduce.weight": (2, 8),
        "channel.reduce.bias": (2,),
        "channel.expand.weight": (8, 2),
        "channel.expand.bias": (8,),
        "spatial.conv.weight": (1, 2, 3, 3),
    }
    assert_true(shapes == expected, "parameters have other names or shapes than in the tables", detail=f"{shapes}")


def test_squeeze_excitation(candidate, rng):
    """Each channel is multiplied by a weight that comes from the means of all channels."""
    inputs, state = rng.normal(2, 4, 3, 5), random_layers(rng, 4, 2)

    def formula(x, w1, b1, w2, b2):
        weights = torch.sigmoid(torch.relu(x.mean((2, 3)) @ w1.T + b1) @ w2.T + b2)
        return torch.einsum("bchw,bc->bchw", x, weights)

    result = candidate(run, "SqueezeExcitation", (4, 2), state, inputs)
    assert_matches(result, formula, inputs, *state.values())


def test_channel_attention_of_one_bright_pixel(candidate, rng):
    """Weights of channels depend on the maxima too: one pixel may change them, wherever it is."""
    inputs, state = rng.normal(1, 4, 3, 5), random_layers(rng, 4, 4)
    state["reduce.weight"], state["reduce.bias"] = torch.eye(4), torch.zeros(4)
    inputs[0, 2, 1, 3] = 30.0
    moved = inputs.flip(2, 3)
    first, second = (candidate(run, "ChannelAttention", (4, 1), state, x) for x in (inputs, moved))
    pooled = inputs.mean((2, 3)).relu() + inputs.amax((2, 3)).relu()
    expected = torch.sigmoid(pooled @ state["expand.weight"].T + 2 * state["expand.bias"])
    assert_close(first, expected[:, :, None, None], tolerance=1e-5)
    assert_close(second, first, tolerance=1e-5, what="the weights of the flipped image")


def test_spatial_attention_by_hand(candidate, rng):
    """With a 1×1 kernel, a position's weight is the sigmoid of its mean and maximum over channels, weighted."""
    inputs = rng.normal(2, 4, 3, 5)
    state = {"conv.weight": torch.tensor([2.0, -0.5]).reshape(1, 2, 1, 1)}
    result = candidate(run, "SpatialAttention", (1,), state, inputs)
    expected = torch.sigmoid(2.0 * inputs.mean(1, keepdim=True) - 0.5 * inputs.amax(1, keepdim=True))
    assert_close(result, expected, tolerance=1e-5)


def test_cbam_is_channels_first(candidate, rng):
    """CBAM weights channels, then positions, by what the first step made."""
    inputs, layers = rng.normal(2, 4, 3, 5), random_layers(rng, 4, 2)
    conv = rng.normal(1, 2, 3, 3)
    channel = candidate(run, "ChannelAttention", (4, 2), layers, inputs)
    spatial = candidate(run, "SpatialAttention", (3,), {"conv.weight": conv}, inputs * channel)
    state = {f"channel.{name}": x for name, x in layers.items()} | {"spatial.conv.weight": conv}
    result = candidate(run, "CBAM", (4, 2, 3), state, inputs)
    assert_close(result, inputs * channel * spatial, tolerance=1e-5)


def test_refuses_an_even_kernel(candidate):
    """An even kernel_size raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, kernel_size: len(list(m.SpatialAttention(kernel_size).parameters())),
        valid=(5,),
        refused=[((4,), ValueError, "a kernel_size of 4")],
    )
