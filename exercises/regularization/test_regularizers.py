"""Public tests: run `pytest exercises/regularization/test_regularizers.py`."""

import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_true


def test_smoothing_is_spread_over_all_classes(candidate):
    """With ε = 0.2 and four classes each class gets 0.05, and the target's another 0.8."""
    result = candidate(lambda m: m.smooth_labels(torch.tensor([2, 0]), 4, 0.2))
    expected = torch.tensor([[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]])
    assert_close(result, expected, tolerance=1e-6, hint="the target's class gets its part of ε as well")


def test_loss_of_distributions(candidate, rng):
    """The loss is the mean over examples of -Σ target · log softmax(logits)."""
    logits, targets = rng.normal(6, 4), torch.softmax(rng.normal(6, 4), -1)
    result = candidate(lambda m: m.soft_cross_entropy(logits, targets))
    assert_matches(result, torch.nn.functional.cross_entropy, logits, targets)


def test_mixup_mixes_inputs_as_targets(candidate, rng):
    """With one-hot targets each mixed target says which inputs were mixed, and with which weights."""
    inputs, seed = rng.normal(5, 3, 2), rng.seed()
    inputs_after, weights = candidate(
        lambda m: m.mixup(inputs, torch.eye(5), 1.0, generator=torch.Generator().manual_seed(seed))
    )
    assert_close(weights.sum(1), torch.ones(5), tolerance=1e-5, what="the sum of a mixed target")
    expected = torch.einsum("io,o...->i...", weights, inputs)
    assert_close(inputs_after, expected, tolerance=1e-5, hint="the same λ and the same pairs for inputs and targets")


def test_cutmix_weighs_by_area(candidate, rng):
    """The share of the other image in the target is the share of replaced pixels."""
    inputs, seed = torch.arange(4.0)[:, None, None, None].expand(4, 1, 6, 8), rng.seed()
    images, weights = candidate(lambda m: m.cutmix(inputs, torch.eye(4), generator=torch.Generator().manual_seed(seed)))
    kept = (images == inputs).float().mean(dim=(1, 2, 3))
    assert_close(weights.diagonal(), kept, tolerance=1e-5, hint="the border may have cut the box")


def test_stops_and_restores_the_best(candidate):
    """With patience 2 training stops at the second bad step in a row, and the best weights come back."""

    def probe(m):
        model, stopping, stops = torch.nn.Linear(1, 1), m.EarlyStopping(2), []
        for step, value in enumerate([3.0, 1.0, 2.0, 1.5]):
            torch.nn.init.constant_(model.weight, float(step))
            stops.append(stopping.step(value, model))
        stopping.restore(model)
        return stops, model.weight.item(), stopping.best, stopping.best_step

    stops, weight, best, best_step = candidate(probe)
    assert_true(stops == [False, False, False, True], "training stops at another step", "count bad steps in a row")
    assert_true(weight == 1.0, "other weights than those of the best step are restored", "is your copy a copy?")
    assert_true(best == 1.0 and best_step == 1, "best or best_step is wrong")


def test_examples_are_dropped_as_a_whole(candidate):
    """With p = 0.75 an example is zeros or four times what it was."""
    result = candidate(lambda m: m.drop_path(torch.ones(200, 3, 2), 0.75))
    kept = result[:, 0, 0] != 0
    expected = torch.where(kept, 4.0, 0.0)[:, None, None].expand(200, 3, 2)
    assert_close(result, expected, tolerance=1e-6, hint="one draw for each example; divide by the chance to be kept")


def test_refuses_smoothing_above_one(candidate):
    """A smoothing above one raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, smoothing: m.smooth_labels(torch.tensor([0]), 2, smoothing),
        valid=(0.5,),
        refused=[((1.5,), ValueError, "smoothing = 1.5")],
    )
