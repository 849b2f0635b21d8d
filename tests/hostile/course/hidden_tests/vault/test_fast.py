import pytest

from graders.testing import assert_close, assert_matches, oracle

pytestmark = pytest.mark.numerics


@oracle
def softmax(x):
    exponentials = (x - x.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


def call(m, x):
    return m.row_softmax(x)


def test_values(candidate, rng):
    """Each row is a softmax."""
    x = rng.normal(5, 7)
    assert_matches(candidate(call, x), softmax, x, hint="another axis?")


@pytest.mark.throughput
@pytest.mark.points(9)
def test_throughput(throughput):
    """No Python loop over rows."""
    throughput(call=call, inputs=lambda rng: (rng.normal(4096, 64),), check=check, naive="accept_loop")


def check(output, x):
    assert_close(output, softmax(x.double()), tolerance=1e-5, what="the softmax", dtype=x.dtype)
