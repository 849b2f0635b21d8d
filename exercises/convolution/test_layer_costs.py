"""Public tests: run `pytest exercises/convolution/test_layer_costs.py`."""

import numpy as np

from graders.testing import assert_refuses, assert_true, probe_helper


def check(cost, expected, hint=""):
    assert_true(tuple(cost) == expected, "wrong costs", hint, f"{cost}, expected {expected}")


def test_a_small_linear_layer(candidate):
    """Two vectors, from three features to five: 15 weights, 5 biases, 30 products, 10 additions of biases, 6 numbers kept."""
    check(candidate(lambda m: m.linear_cost(2, 3, 5)), (20, 30, 70, 24))
    check(candidate(lambda m: m.linear_cost(2, 3, 5, bias=False, bytes_per_number=2)), (15, 30, 60, 12))


def test_a_small_convolution(candidate):
    """A 3×3 kernel fits four times into a 4×4 image, from one channel to two."""
    check(candidate(lambda m: m.convolution_cost(1, (4, 4), 1, 2, 3)), (20, 72, 152, 64))


def test_a_small_lstm(candidate):
    """One step from two inputs to three hidden numbers: 12 rows of 5 weights, and two biases of 12."""
    check(
        candidate(lambda m: m.lstm_cost(1, 1, 2, 3)), (84, 60, 144, 92), "what is kept per step, and how many biases?"
    )


def test_parameters_of_attention_do_not_depend_on_its_length(candidate):
    """Four matrices and four biases, for any number of positions and heads."""
    counts = candidate(lambda m: [m.attention_cost(1, length, 8, heads)[0] for length in (1, 10) for heads in (1, 4)])
    assert_true(counts == [288] * 4, "wrong numbers of parameters", detail=f"{counts}")


@probe_helper
def moving_sum(x):
    return x + np.roll(x, 1, axis=0)


@probe_helper
def running_sum(x):
    return np.cumsum(x, axis=0)


@probe_helper
def square(x):
    return x * x


@probe_helper
def reverse(x):
    return x[::-1]


def test_errors_of_simple_layers(candidate):
    """A moving sum commutes with shifts; a square at each position with every order; a running sum looks at the past only."""
    inputs, order = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1, 0, 2, 3])
    errors = candidate(
        lambda m: [
            m.translation_error(moving_sum, inputs, axis=0),
            m.permutation_error(moving_sum, inputs, axis=0, order=order),
            m.permutation_error(square, inputs, axis=0, order=order),
            m.causality_error(running_sum, inputs, axis=0, position=1),
            m.causality_error(reverse, inputs, axis=0, position=1),
        ]
    )
    # moving_sum gives 9, 3, 6, 12; of 2, 1, 4, 8 it gives 10, 3, 5, 12, where 3, 9, 6, 12 would commute. The reversed
    # inputs change by 1, of 8 at most.
    expected = [0.0, 7 / 12, 0.0, 0.0, 1 / 8]
    assert_true(np.allclose(errors, expected, atol=1e-12), "wrong errors", detail=f"{errors}, expected {expected}")


def test_modality(candidate):
    """Layers tell what data they fit."""
    inputs = np.array([1.0, 2.0, 4.0, 8.0])
    layers = (square, moving_sum, running_sum, reverse)
    found = candidate(lambda m, *layers: [m.modality(layer, inputs, axis=0) for layer in layers], *layers)
    assert_true(found == ["set", "grid", "sequence", "vector"], "wrong kinds of data", detail=f"{found}")


def test_refuses_heads_that_do_not_fit(candidate):
    """num_heads must divide embed_dim."""
    assert_refuses(
        candidate,
        lambda m, num_heads: tuple(m.attention_cost(1, 4, 8, num_heads)),
        valid=(4,),
        refused=[((3,), ValueError, "three heads of 8 dimensions")],
    )
