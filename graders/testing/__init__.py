"""What tests of exercises are written with. Needs pytest, torch and NumPy and nothing else, so that it travels with
released exercises; nothing here knows of the judge or the sandbox."""

from graders.testing.capture import oracle, probe_helper
from graders.testing.checks import (
    Broken,
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
)
from graders.testing.data import load_data
from graders.testing.rng import Rng

__all__ = [
    "Broken",
    "Rng",
    "assert_close",
    "assert_gradients",
    "assert_matches",
    "assert_refuses",
    "assert_same",
    "assert_true",
    "load_data",
    "oracle",
    "probe_helper",
]
