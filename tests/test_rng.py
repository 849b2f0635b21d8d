"""Random inputs: repeatable from their seed, different for everything else."""

import numpy as np
import pytest
import torch

from graders.testing.rng import Rng

DRAWS = {
    "normal": lambda rng: rng.normal(3, 4),
    "uniform": lambda rng: rng.uniform(3, 4),
    "integers": lambda rng: rng.integers(0, 1000, 12),
    "boolean": lambda rng: rng.boolean(64),
    "permutation": lambda rng: rng.permutation(64),
    "array": lambda rng: torch.from_numpy(rng.array(3, 4)),
    "seed": lambda rng: torch.tensor(rng.seed()),
    "choice": lambda rng: torch.tensor([rng.choice(*range(100)) for _ in range(10)]),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_equal_parts_give_equal_draws_and_others_do_not(draw):
    first = draw(Rng("seed", "topic/name", "test_a"))
    assert torch.equal(first, draw(Rng("seed", "topic/name", "test_a")))
    for other in (("other", "topic/name", "test_a"), ("seed", "topic/name", "test_b"), ("seed", "topic/name")):
        assert not torch.equal(first, draw(Rng(*other)))


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_each_draw_is_new_and_leaves_the_global_state_alone(draw):
    rng, torch_state, numpy_state = Rng("seed"), torch.get_rng_state(), np.random.get_state()[1].copy()
    assert not torch.equal(draw(rng), draw(rng))
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()


def test_shapes_dtypes_and_numbers_of_draws():
    rng = Rng("seed")
    assert (rng.normal(2, 3).shape, rng.normal(2, 3).dtype) == ((2, 3), torch.float32)
    assert (rng.normal().shape, rng.uniform().shape, rng.array().shape, rng.boolean().shape) == ((),) * 4
    query, key = rng.normal(0, 3, n=2, dtype=torch.float64)
    assert (query.shape, key.dtype) == ((0, 3), torch.float64)
    assert [x.dtype for x in rng.uniform(2, n=3, dtype=torch.bfloat16)] == [torch.bfloat16] * 3
    assert not torch.equal(*rng.normal(5, n=2))
    assert (rng.integers(0, 2, 3).dtype, rng.permutation(3).dtype) == (torch.int64, torch.int64)
    assert (rng.boolean(2).dtype, rng.array(2).dtype) == (torch.bool, np.float64)


def test_ranges():
    rng = Rng("seed")
    assert set(rng.integers(-2, 3, 500).tolist()) == {-2, -1, 0, 1, 2}
    assert sorted(rng.permutation(50).tolist()) == list(range(50))
    assert all(0 <= rng.seed() < 2**31 for _ in range(100))
    assert {rng.choice("a", "b") for _ in range(100)} == {"a", "b"}
    assert (rng.boolean(9, p=0.0).any(), rng.boolean(9, p=1.0).all()) == (False, True)
    # Each bound lies six standard errors away: a false failure is below 1e-8.
    assert abs(rng.normal(10_000, scale=5.0).std() - 5) < 0.22
    assert abs(rng.boolean(10_000, p=0.25).double().mean() - 0.25) < 0.026


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_uniform_numbers_stay_below_the_upper_end(dtype):
    # In bfloat16 every 512th number would be rounded up to it.
    drawn = Rng("seed").uniform(20_000, low=-1.0, high=1.0, dtype=dtype)
    assert drawn.dtype is dtype
    assert -1 <= drawn.min() < -0.9
    assert 0.9 < drawn.max() < 1
