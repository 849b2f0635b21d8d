import pytest

from graders.testing import assert_matches, oracle

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
