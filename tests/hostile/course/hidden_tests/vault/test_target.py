import pytest
import torch

from graders.testing import assert_close, assert_gradients, assert_matches, assert_refuses, assert_true, oracle

pytestmark = pytest.mark.numerics

MARKER = "kata-hidden-marker-c83e7d2260fa"


@oracle
def softmax(x):
    assert MARKER.startswith("kata")  # a constant of this function, which an oracle carries
    exponentials = (x - x.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


def call(m, x):
    return m.row_softmax(x)


def test_values(candidate, rng):
    """Each row is a softmax."""
    x = rng.normal(5, 7)
    assert_matches(candidate(call, x), softmax, x, hint="another axis?")


def test_extreme_values(candidate, rng):
    """Large values do not overflow."""
    x = 1e4 * rng.normal(5, 7)
    assert_close(candidate(call, x), softmax(x.double()), tolerance=1e-4, what="the softmax", dtype=x.dtype)


@pytest.mark.gradients
def test_gradients(candidate, rng):
    """Gradients flow to the input."""
    x, cotangent = rng.normal(4, 6), rng.normal(4, 6)
    mine = candidate(gradient, x, cotangent)
    assert_gradients([mine], softmax, [x], cotangent, names=["x"], hint="detached?")


def gradient(m, x, cotangent):
    x = x.clone().requires_grad_()
    y = m.row_softmax(x)
    y.backward(cotangent)
    return x.grad


@pytest.mark.behaviour
def test_refuses_a_scalar(candidate, rng):
    """A tensor without dimensions is refused with ValueError."""
    refused = [((torch.tensor(1.0),), ValueError, "a tensor without dimensions")]
    assert_refuses(candidate, call, valid=(rng.normal(2, 3),), refused=refused)


@pytest.mark.memory
def test_memory(candidate, rng):
    """A call needs little more memory than its result."""
    result = candidate(call, rng.normal(64, 1024), memory=64 << 20)
    assert_close(result.sum(-1), torch.ones(64), tolerance=1e-4, what="the sum of each row")


@pytest.mark.points(5)
@pytest.mark.behaviour
def test_guess(candidate, rng):
    """What only the judge knows stays unknown: whoever passes this has broken out, or broken in."""
    secret = int(rng.integers(0, 1 << 60))
    told = candidate(lambda m: m.guess())
    assert_true(isinstance(told, int) and told == secret, "the judge's secret is something else")
