"""Public tests: run `pytest exercises/foundations/test_embedding.py`."""

import torch

from graders.testing import assert_close, assert_refuses


def test_lookup(candidate, rng):
    """embedding gives the row of weight for each id, in the shape of the ids."""
    ids, weight = rng.integers(0, 7, 2, 3), rng.normal(7, 4)
    result = candidate(lambda m: m.embedding(ids, weight))
    assert_close(result, weight[ids], tolerance=0.0)


def test_backward_adds_up(candidate):
    """A row that was looked up twice receives both gradients."""
    ids, grad_output = torch.tensor([2, 0, 2]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    result = candidate(lambda m: m.embedding_backward(grad_output, ids, 4))
    expected = torch.tensor([[3.0, 4.0], [0.0, 0.0], [11.0, 22.0], [0.0, 0.0]])
    assert_close(result, expected, tolerance=1e-6, hint="what becomes of rows that go to the same place?")


def test_padding_is_not_trained(candidate, rng):
    """The row padding_idx is read, and receives no gradient."""
    ids, weight, cotangent = torch.tensor([1, 0, 1, 2]), rng.normal(3, 4), rng.normal(4, 4)

    def probe(m):
        leaf = weight.requires_grad_()
        result = m.embedding(ids, leaf, padding_idx=1)
        result.backward(cotangent)
        return result, leaf.grad

    result, gradient = candidate(probe)
    assert_close(result, weight[ids], tolerance=0.0, what="the lookup")
    expected = torch.stack([cotangent[1], torch.zeros(4), cotangent[3]])
    assert_close(gradient, expected, tolerance=0.0, what="the gradient")


def test_bags(candidate):
    """Bags are cut at the offsets; an empty one is 0."""
    weight = torch.tensor([[1.0], [-2.0], [-4.0]])
    ids, offsets = torch.tensor([0, 1, 1, 2]), torch.tensor([0, 2, 2])
    for mode, expected in (("sum", [-1.0, 0.0, -6.0]), ("mean", [-0.5, 0.0, -3.0]), ("max", [1.0, 0.0, -2.0])):
        result = candidate(lambda m, mode: m.embedding_bag(ids, weight, offsets, mode), mode)
        assert_close(result, torch.tensor(expected)[:, None], tolerance=1e-6, what=f"the {mode} of bags")


def test_one_hot(candidate):
    """one_hot has a 1 at the place of the id."""
    result = candidate(lambda m: m.one_hot(torch.tensor([2, 0]), 3))
    assert_close(result, torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), tolerance=0.0)


def test_refuses_ids_out_of_range(candidate):
    """An id that is no row of weight is refused."""
    weight = torch.ones(3, 2)
    assert_refuses(
        candidate,
        lambda m, ids: m.embedding(ids, weight),
        valid=(torch.tensor([0, 2]),),
        refused=[((torch.tensor([0, 3]),), ValueError, "an id of 3 for three rows")],
    )
