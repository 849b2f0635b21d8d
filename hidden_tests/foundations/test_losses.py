import math

import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches, assert_refuses, assert_same, oracle, probe_helper
from hidden_tests.battery import (
    call_and_return_inputs,
    cast,
    check_cuda,
    check_dtypes,
    check_gradients,
    check_strides,
    strided,
)

pytestmark = pytest.mark.numerics

REDUCTIONS = ("none", "mean", "sum")
DELTAS = (1.0, 0.25, 3.0)
BOTH = (torch.float32, torch.float64)


@oracle
def expected(name, options):
    """PyTorch's own loss as a function of the tensors; the binary one from log-sigmoid, which keeps small losses."""

    def loss(*tensors):
        kept = {key: cast(value, tensors[0].dtype) for key, value in options.items()}
        if name == "bce_with_logits":
            logits, targets = tensors
            weight, reduction = kept.get("pos_weight"), kept.get("reduction", "mean")
            weight = torch.ones_like(logits) if weight is None else weight
            losses = -(weight * targets * F.logsigmoid(logits) + (1 - targets) * F.logsigmoid(-logits))
            return losses if reduction == "none" else getattr(losses, reduction)()
        names = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss, "cross_entropy": F.cross_entropy}
        return (names | {"triplet_margin": F.triplet_margin_loss})[name](*tensors, **kept)

    return loss


@probe_helper
def apply(m, name, options, *tensors):
    return getattr(m, name)(*tensors, **options)


def call_of(name, options):
    return lambda m, *tensors: apply(m, name, options, *tensors)


def check(candidate, name, options, *tensors, **checks):
    """A value."""
    result = candidate(apply, name, options, *tensors)
    assert_matches(result, expected(name, options), *tensors, what=f"{name}", **checks)


def check_all(candidate, name, options, *tensors, **checks):
    """A value with every reduction, "mean" also by default."""
    for reduction in REDUCTIONS:
        check(candidate, name, options | {"reduction": reduction}, *tensors, **checks)
    check(candidate, name, options, *tensors, **checks)


def check_slopes(candidate, rng, name, options, names, *tensors, **checks):
    """Gradients with every reduction."""
    for reduction in REDUCTIONS:
        chosen = options | {"reduction": reduction}
        shape = expected(name, chosen)(*tensors).shape
        cotangent = rng.normal(*shape, dtype=tensors[0].dtype)
        check_gradients(
            candidate, call_of(name, chosen), tensors, expected(name, chosen), (cotangent,), names, **checks
        )


def regression(rng, *shape, dtype=torch.float32, scale=2.0):
    return rng.normal(*shape, n=2, scale=scale, dtype=dtype)


def binary(rng, *shape, dtype=torch.float32):
    """Logits and targets, some of which are exactly 0 or 1."""
    return rng.normal(*shape, scale=3.0, dtype=dtype), rng.uniform(*shape, low=-0.5, high=1.5, dtype=dtype).clamp(0, 1)


def classes(rng, *shape, ignored=(), dtype=torch.float32):
    """Logits (batch, classes, …) and targets, in which every number of `ignored` stands a few times."""
    logits = rng.normal(*shape, scale=2.0, dtype=dtype)
    targets = rng.integers(0, shape[1], shape[0], *shape[2:])
    order = rng.permutation(targets.numel())
    for position, number in enumerate(ignored):
        targets.view(-1)[order[2 * position : 2 * position + 2]] = number
    return logits, targets


def shares(rng, *shape, dtype=torch.float32):
    return rng.normal(*shape, scale=2.0, dtype=dtype), torch.softmax(rng.normal(*shape, scale=2.0, dtype=dtype), 1)


def weights(rng, size):
    return rng.uniform(size, low=0.1, high=5.0)


def triplets(rng, *leading, features=6, margin=1.0, dtype=torch.float32):
    """About half of them within the margin, with losses of more than 1, so that rounding of the distances hardly matters, and
    the others so far beyond it that it does not decide."""
    count = math.prod(leading)
    anchor, positive, negative = rng.normal(200 * count + 1000, features, n=3, dtype=torch.float64)
    negative = 2 * negative
    hinge = (anchor - positive).norm(dim=-1) - (anchor - negative).norm(dim=-1) + margin
    inside, outside = (torch.nonzero(side)[:, 0] for side in (hinge > 1, hinge < -0.1))
    rows = torch.cat([inside[: count - count // 2], outside[: count // 2]])
    return [x[rows].reshape(*leading, features).to(dtype) for x in (anchor, positive, negative)]


OPTIONS = [
    {},
    {"weight": True},
    {"label_smoothing": 0.2},
    {"label_smoothing": 1.0},
    {"weight": True, "label_smoothing": 0.3},
]


def filled(options, rng, size):
    """The options with a weight drawn where one is wanted."""
    return {key: weights(rng, size) if key == "weight" else value for key, value in options.items()}


@pytest.mark.points(2)
def test_mse_and_mae(candidate, rng):
    """mse and mae are the mean, the sum or each of the squared and absolute differences."""
    for dtype in BOTH:
        for shape in ((7,), (4, 5), (2, 3, 4)):
            for name in ("mse", "mae"):
                check_all(candidate, name, {}, *regression(rng, *shape, dtype=dtype), hint="mean over all elements")


@pytest.mark.points(2)
def test_huber(candidate, rng):
    """huber is quadratic up to delta and linear with slope delta beyond, for any delta."""
    hint = "both pieces and their slopes meet at delta; smooth L1 is another function"
    for dtype in BOTH:
        for delta in DELTAS:
            check_all(candidate, "huber", {"delta": delta}, *regression(rng, 5, 8, dtype=dtype), hint=hint)
    check_all(candidate, "huber", {}, *regression(rng, 40), hint="delta is 1 if it is not given")


@pytest.mark.points(2)
def test_regression_of_extreme_values(candidate, rng):
    """mse is finite up to 1e12, mae and huber up to 1e30, next to small values."""
    sizes = {"mse": (1e12, 1e-6), "mae": (1e30, 1e-6), "huber": (1e30, 1e15, 1e-3)}
    hint = "does a square overflow that is not even wanted? infinity times zero is NaN"
    for name, scales in sizes.items():
        for dtype in BOTH:
            for scale in scales:
                tensors = regression(rng, 3, 5, dtype=dtype, scale=scale)
                check_all(candidate, name, {}, *tensors, hint=hint)
                mixed = [
                    torch.cat([x.flatten(), y]) for x, y in zip(tensors, regression(rng, 4, dtype=dtype), strict=True)
                ]
                result = candidate(apply, name, {"reduction": "none"}, *(x[:, None] for x in mixed))
                reference = expected(name, {"reduction": "none"})
                assert_matches(result, reference, *(x[:, None] for x in mixed), what=name, hint=hint, per_row=True)


@pytest.mark.points(2)
def test_bce(candidate, rng):
    """bce_with_logits has the right values for targets of 0, of 1 and in between."""
    hint = "both terms count where the target is neither 0 nor 1"
    for dtype in BOTH:
        for shape in ((9,), (6, 4), (2, 3, 5)):
            check_all(candidate, "bce_with_logits", {}, *binary(rng, *shape, dtype=dtype), hint=hint)


@pytest.mark.points(2)
def test_bce_with_pos_weight(candidate, rng):
    """pos_weight multiplies the term of the positive targets and broadcasts; the mean is over the number of elements."""
    hint = "which of both terms is weighted, and what does the mean divide by?"
    for shape in ((4,), (6, 4), (6, 1), (1,), (), (1, 4)):
        options = {"pos_weight": rng.uniform(*shape, low=0.1, high=6.0)}
        for dtype in BOTH:
            logits, targets = binary(rng, 6, 4, dtype=dtype)
            typed = {"pos_weight": options["pos_weight"].to(dtype)}
            check_all(candidate, "bce_with_logits", typed, logits, targets, hint=hint)


@pytest.mark.points(3)
def test_bce_of_extreme_logits(candidate, rng):
    """bce_with_logits is finite for logits up to ±1e4, and a small loss is as accurate as a large one."""
    hint = (
        "log(σ) of a σ that has rounded to 0 or 1 has lost everything, "
        "and so has a difference of two large numbers, or 1 + something tiny, which is 1"
    )
    sizes = {torch.float32: (1.0, 5.0, 12.0, 18.0, 30.0, 60.0, 85.0, 1e4), torch.float64: (1.0, 15.0, 38.0, 300.0, 1e4)}
    for dtype in BOTH:
        size = torch.tensor(sizes[dtype], dtype=dtype)
        for options in ({}, {"pos_weight": torch.tensor(2.5, dtype=dtype)}):
            for target in (0.0, 1.0, 0.3):
                logits = torch.cat([size, -size, torch.zeros(1, dtype=dtype)])[:, None]
                logits = logits * rng.uniform(1, low=0.9, high=1.0, dtype=dtype)
                tensors = (logits, torch.full_like(logits, target))
                check(candidate, "bce_with_logits", options | {"reduction": "none"}, *tensors, hint=hint, per_row=True)
                check(candidate, "bce_with_logits", options, *tensors, hint=hint)


@pytest.mark.points(3)
def test_cross_entropy(candidate, rng):
    """cross_entropy has the right value for each example and position, with class weights and label smoothing."""
    hint = "the mean divides by the weights of the targets; ε is shared by all classes, each with its own weight"
    for shape in ((12, 5), (4, 3, 6), (3, 4, 2, 5), (9, 2)):
        for options in OPTIONS:
            for dtype in BOTH:
                typed = {key: cast(value, dtype) for key, value in filled(options, rng, shape[1]).items()}
                check_all(candidate, "cross_entropy", typed, *classes(rng, *shape, dtype=dtype), hint=hint)


@pytest.mark.points(3)
def test_ignored_targets(candidate, rng):
    """Ignored targets have no loss and no part in the mean, whatever number marks them."""
    hint = "an ignored target is in neither numerator nor denominator, and need not be an index"
    for index in (None, -1, 255, 0, 3):
        for shape in ((10, 5), (3, 4, 2, 5)):
            for options in (OPTIONS[0], OPTIONS[-1]):
                given = filled(options, rng, shape[1]) | ({} if index is None else {"ignore_index": index})
                tensors = classes(rng, *shape, ignored=[-100 if index is None else index])
                check_all(candidate, "cross_entropy", given, *tensors, hint=hint)
    check_all(candidate, "cross_entropy", {}, rng.normal(4, 1), torch.tensor([0, -100, 0, -100]), hint=hint)


@pytest.mark.points(2)
def test_all_targets_ignored(candidate, rng):
    """If all targets are ignored, each loss and the sum are 0 and the mean is NaN, as in PyTorch."""
    logits, targets = rng.normal(4, 3), torch.full((4,), -100)
    for options in OPTIONS:
        given = filled(options, rng, 3)
        losses, total, mean = (
            candidate(apply, "cross_entropy", given | {"reduction": reduction}, logits, targets)
            for reduction in ("none", "sum", "mean")
        )
        assert_close(losses, torch.zeros(4), tolerance=0.0, what="the loss of ignored targets", dtype=torch.float32)
        assert_close(total, torch.tensor(0.0), tolerance=0.0, what="the sum", dtype=torch.float32)
        hint = "a mean of nothing is 0 / 0"
        assert_close(mean, torch.tensor(math.nan), tolerance=0.0, what="the mean of nothing", hint=hint)


@pytest.mark.points(3)
def test_cross_entropy_of_shares(candidate, rng):
    """With shares as targets every class counts with its share and weight, and the mean is over the examples."""
    hint = "smooth the shares, weigh each class, divide by the number of examples and positions"
    for shape in ((10, 5), (3, 4, 6), (2, 3, 4, 2)):
        for options in OPTIONS:
            for dtype in BOTH:
                typed = {key: cast(value, dtype) for key, value in filled(options, rng, shape[1]).items()}
                check_all(candidate, "cross_entropy", typed, *shares(rng, *shape, dtype=dtype), hint=hint)
    logits, targets = shares(rng, 6, 4)
    for index in (0, 1, -1):  # torch refuses the combination, and so cannot be asked
        result = candidate(apply, "cross_entropy", {"ignore_index": index}, logits, targets)
        assert_matches(
            result, expected("cross_entropy", {}), logits, targets, hint="ignore_index is for target classes"
        )


def test_shares_of_one_class_are_its_index(candidate, rng):
    """Shares that are all 1 for one class give the losses of target classes."""
    logits, targets = classes(rng, 8, 4)
    hot = F.one_hot(targets, 4).float()
    for smoothing in (0.0, 0.1):
        options = {"label_smoothing": smoothing, "reduction": "none", "weight": weights(rng, 4)}
        result = candidate(apply, "cross_entropy", options, logits, hot)
        assert_close(
            result,
            expected("cross_entropy", options)(logits.double(), targets),
            tolerance=2e-6,  # a few roundings of float32, 6e-8 each, of terms of the size of the result
            what="cross_entropy of shares",
        )


@pytest.mark.points(2)
def test_cross_entropy_of_extreme_logits(candidate, rng):
    """cross_entropy is finite and right for logits up to ±1e4."""
    hint = "the logarithm of a probability that has become zero is lost: do not take it"
    for dtype in BOTH:
        logits = rng.uniform(8, 5, low=-1e4, high=1e4, dtype=dtype)
        for options in ({}, {"label_smoothing": 0.1}):
            check_all(candidate, "cross_entropy", options, logits, rng.integers(0, 5, 8), hint=hint)
            check_all(candidate, "cross_entropy", options, logits, shares(rng, 8, 5, dtype=dtype)[1], hint=hint)
        near = rng.normal(8, 5, dtype=dtype) + torch.tensor([1e4, -1e4] * 4, dtype=dtype)[:, None]
        targets = rng.integers(0, 5, 8)
        result = candidate(apply, "cross_entropy", {"reduction": "none"}, near, targets)
        wanted = expected("cross_entropy", {"reduction": "none"})(near.double(), targets)
        # The logarithm of a sum of exponentials near 1e4 may be rounded: by 5e-4 in float32, which losses near 1 feel.
        tolerance = 2e-3 if dtype is torch.float32 else 1e-9
        assert_close(result, wanted, tolerance=tolerance, what="cross_entropy", hint=hint, dtype=dtype)


@pytest.mark.points(2)
def test_triplet_margin(candidate, rng):
    """triplet_margin compares Euclidean distances over the last dimension, with any margin."""
    hint = "which distance should be the smaller one, and over which dimension is it taken?"
    for dtype in BOTH:
        # The loss of a single triplet may be what rounding leaves in float32.
        for leading in ((8,), (3, 4), *([()] if dtype is torch.float64 else [])):
            for margin in (1.0, 0.2, 2.5):
                tensors = triplets(rng, *leading, margin=margin, dtype=dtype)
                check_all(candidate, "triplet_margin", {"margin": margin}, *tensors, hint=hint)
    check_all(candidate, "triplet_margin", {}, *triplets(rng, 9), hint="the margin is 1 if it is not given")


def test_triplets_of_small_and_large_distances(candidate, rng):
    """Distances around 1e-6 include the 1e-6 that is added, and values of 1e12 are fine."""
    hint = "1e-6 is added to every feature of the difference, not to its length"
    for dtype in BOTH:
        # Values of the size of the difference itself, so that none is lost to rounding.
        small = [1e-6 * rng.normal(6, 5, dtype=dtype) for _ in range(3)]
        check(candidate, "triplet_margin", {"margin": 1e-6, "reduction": "none"}, *small, hint=hint)
        large = [1e12 * rng.normal(6, 5, dtype=dtype) for _ in range(3)]
        check_all(candidate, "triplet_margin", {}, *large, hint=hint)


def every_loss(rng, *leading):
    """One call of each loss on inputs with three dimensions: (name, options, tensors)."""
    shape = leading or (3, 4, 5)
    options = {"weight": weights(rng, shape[1]), "label_smoothing": 0.1}
    return [
        ("mse", {}, regression(rng, *shape)),
        ("mae", {}, regression(rng, *shape)),
        ("huber", {"delta": 0.7}, regression(rng, *shape)),
        ("bce_with_logits", {"pos_weight": weights(rng, shape[-1])}, binary(rng, *shape)),
        ("cross_entropy", options, classes(rng, *shape)),
        ("cross_entropy", options, shares(rng, *shape)),
        ("triplet_margin", {}, triplets(rng, *shape[:-1], features=shape[-1])),
    ]


@pytest.mark.points(2)
def test_dtypes_and_strides(candidate, rng):
    """float32 and float64 keep their dtype, and strides do not matter."""
    for name, options, tensors in every_loss(rng):
        for reduction in REDUCTIONS:
            chosen = options | {"reduction": reduction}
            check_strides(candidate, call_of(name, chosen), tensors, expected(name, chosen))
            typed = {key: cast(value, torch.float64) for key, value in chosen.items()}
            doubles = [cast(x, torch.float64) for x in tensors]
            check_dtypes(candidate, call_of(name, typed), doubles, expected(name, typed), (torch.float64,))
            loose = {key: strided(value) for key, value in chosen.items()}
            check(candidate, name, loose, *tensors, hint="weights may have any strides, too")


@pytest.mark.points(2)
def test_untouched(candidate, rng):
    """Inputs, targets and weights are left as they were."""
    cases = [*every_loss(rng), ("cross_entropy", {}, classes(rng, 9, 4, ignored=[-100]))]
    # Far from zero, where it is tempting to clamp logits in place.
    for name, (logits, targets) in (("bce_with_logits", binary(rng, 9)), ("cross_entropy", classes(rng, 9, 4))):
        cases.append((name, {}, ((1e3 * logits).clamp(-1e4, 1e4), targets)))
    for name, options, tensors in cases:
        for reduction in REDUCTIONS:
            # float64, too: there the float64 that a loss may compute in is no copy.
            for dtype in BOTH:
                typed = {key: cast(value, dtype) for key, value in options.items()}
                given = tuple(cast(x, dtype) for x in tensors)

                def call(m, *inputs, name=name, options=typed, reduction=reduction):
                    return apply(m, name, {**options, "reduction": reduction}, *inputs), options

                (_, after_options), after = candidate(call_and_return_inputs, call, given)
                for mine, sent in zip(after, given, strict=True):
                    assert_same(mine, sent, f"an input of {name}")
                for key, sent in typed.items():
                    if isinstance(sent, torch.Tensor):
                        assert_same(after_options[key], sent, key)


def test_sizes_of_one(candidate, rng):
    """One example, one class, one feature, and elementwise no dimensions at all."""
    for shape in ((), (1,), (1, 1), (1, 3, 1)):
        for name in ("mse", "mae", "huber"):
            check_all(candidate, name, {}, *regression(rng, *shape, dtype=torch.float64))
        check_all(candidate, "bce_with_logits", {}, *binary(rng, *shape, dtype=torch.float64))
    for shape in ((1, 5), (4, 1), (1, 1), (1, 1, 1), (1, 3, 1, 1)):
        for options in OPTIONS:
            given = {key: cast(value, torch.float64) for key, value in filled(options, rng, shape[1]).items()}
            check_all(candidate, "cross_entropy", given, *classes(rng, *shape, dtype=torch.float64))
            check_all(candidate, "cross_entropy", given, *shares(rng, *shape, dtype=torch.float64))
    for leading, features in (((1,), 5), ((4,), 1), ((1,), 1), ((), 1), ((1, 1), 3)):
        tensors = triplets(rng, *leading, features=features, dtype=torch.float64)
        check_all(candidate, "triplet_margin", {}, *tensors)


@pytest.mark.points(2)
def test_refuses_bad_regression_inputs(candidate, rng):
    """Shapes that only broadcast, other reductions and a delta that is not positive raise ValueError, integers TypeError."""
    x, y = regression(rng, 4, 3)
    for name in ("mse", "mae", "huber", "bce_with_logits"):
        y = y.clamp(0, 1)
        refused = [
            ((name, {}, x, y[:, :1]), ValueError, f"{name} of targets that only broadcast"),
            ((name, {}, x[0], y), ValueError, f"{name} of inputs that only broadcast"),
            ((name, {}, x[:, :, None], y), ValueError, f"{name} of inputs with another dimension"),
            ((name, {"reduction": "average"}, x, y), ValueError, f"{name} with another reduction"),
            ((name, {"reduction": ""}, x, y), ValueError, f"{name} with an empty reduction"),
            ((name, {"reduction": None}, x, y), ValueError, f"{name} with None as reduction"),
            ((name, {}, x.long(), y), TypeError, f"{name} of integer inputs"),
            ((name, {}, x, y.long()), TypeError, f"{name} of integer targets"),
        ]
        if name == "huber":
            refused += [((name, {"delta": d}, x, y), ValueError, f"delta = {d}") for d in (0.0, -1.0, math.nan)]
        if name == "bce_with_logits":
            for shape in ((4,), (5, 4, 3), (1, 4, 3), (2,), (3, 1), (3, 2)):
                refused.append(
                    ((name, {"pos_weight": torch.ones(shape)}, x, y), ValueError, "a pos_weight that does not fit")
                )
            refused.append(((name, {"pos_weight": torch.ones(3).long()}, x, y), TypeError, "an integer pos_weight"))
        assert_refuses(candidate, apply, valid=(name, {"reduction": "sum"}, x, y), refused=refused)


@pytest.mark.points(2)
def test_refuses_bad_classes(candidate, rng):
    """Classes out of range, shapes that do not fit and bad options of cross_entropy raise ValueError, wrong dtypes TypeError."""
    logits, targets = classes(rng, 4, 3)
    bad = targets.clone()
    name, soft = "cross_entropy", torch.softmax(logits, 1)
    refused = []
    for number in (3, -1, 100, -101):
        bad = targets.clone()
        bad[2] = number
        refused.append(((name, {}, logits, bad), ValueError, f"a target of {number} among three classes"))
    bad = targets.clone()
    bad[1] = -100
    refused += [
        ((name, {"ignore_index": -1}, logits, bad), ValueError, "-100 where another number is ignored"),
        ((name, {}, logits, targets[:3]), ValueError, "too few targets"),
        ((name, {}, logits, targets[:, None]), ValueError, "targets with one dimension more"),
        ((name, {}, logits, soft[:, :2]), ValueError, "shares of too few classes"),
        ((name, {}, logits, soft[:1]), ValueError, "shares that only broadcast"),
        ((name, {}, logits, soft[0]), ValueError, "shares without a batch"),
        ((name, {}, logits[0], targets[0]), ValueError, "logits without a batch"),
        ((name, {}, logits[0], soft[0]), ValueError, "logits and shares without a batch"),
        ((name, {"weight": torch.ones(4)}, logits, targets), ValueError, "a weight for another number of classes"),
        ((name, {"weight": torch.ones(1)}, logits, targets), ValueError, "a weight that only broadcasts"),
        ((name, {"weight": torch.ones(4, 3)}, logits, targets), ValueError, "a weight with two dimensions"),
        ((name, {"weight": torch.ones(3).long()}, logits, targets), TypeError, "an integer weight"),
        ((name, {"weight": torch.ones(1)}, logits, soft), ValueError, "a weight that only broadcasts, for shares"),
        ((name, {"weight": torch.ones(3).long()}, logits, soft), TypeError, "an integer weight, for shares"),
        ((name, {"label_smoothing": -0.1}, logits, targets), ValueError, "label_smoothing below 0"),
        ((name, {"label_smoothing": 1.1}, logits, targets), ValueError, "label_smoothing above 1"),
        ((name, {"label_smoothing": math.nan}, logits, targets), ValueError, "label_smoothing that is NaN"),
        ((name, {"label_smoothing": math.nan}, logits, soft), ValueError, "label_smoothing that is NaN, for shares"),
        ((name, {"reduction": "batchmean"}, logits, targets), ValueError, "another reduction"),
        ((name, {"reduction": "batchmean"}, logits, soft), ValueError, "another reduction, for shares"),
        ((name, {"reduction": None}, logits, targets), ValueError, "None as reduction"),
        ((name, {"reduction": None}, logits, soft), ValueError, "None as reduction, for shares"),
        ((name, {}, logits, targets.int()), TypeError, "targets of int32"),
        ((name, {}, logits, targets.to(torch.uint8)), TypeError, "targets of uint8"),
        ((name, {}, logits, targets > 1), TypeError, "boolean targets"),
        ((name, {}, logits.long(), targets), TypeError, "integer logits"),
    ]
    for valid in ((name, {"label_smoothing": 1.0}, logits, bad), (name, {"label_smoothing": 0.0}, logits, soft)):
        assert_refuses(candidate, apply, valid=valid, refused=refused)


def test_refuses_bad_triplets(candidate, rng):
    """Triplets of different shapes, without dimensions or with a margin that is not positive raise ValueError."""
    anchor, positive, negative = rng.normal(4, 3, n=3)
    name, number = "triplet_margin", torch.tensor(1.0)
    refused = [
        ((name, {}, anchor, positive[:1], negative), ValueError, "a positive that only broadcasts"),
        ((name, {}, anchor, positive, negative[0]), ValueError, "a negative that only broadcasts"),
        ((name, {}, anchor[:, :1], positive, negative), ValueError, "an anchor that only broadcasts"),
        ((name, {}, number, number, number), ValueError, "triplets without dimensions"),
        ((name, {"reduction": "max"}, anchor, positive, negative), ValueError, "another reduction"),
        ((name, {"reduction": None}, anchor, positive, negative), ValueError, "None as reduction"),
        ((name, {}, anchor.long(), positive.long(), negative.long()), TypeError, "integer triplets"),
        ((name, {}, anchor, positive, negative.long()), TypeError, "an integer negative"),
    ]
    refused += [
        ((name, {"margin": margin}, anchor, positive, negative), ValueError, f"margin = {margin}")
        for margin in (0.0, -1.0, math.nan)
    ]
    assert_refuses(candidate, apply, valid=(name, {"margin": 1e-3}, anchor, positive, negative), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_regression(candidate, rng):
    """Gradients of mse, mae and huber with respect to inputs and targets are right, and 0 where these are equal."""
    names = ["inputs", "targets"]
    for dtype in BOTH:
        for name, options in [("mse", {}), ("mae", {}), *(("huber", {"delta": delta}) for delta in DELTAS)]:
            inputs, targets = regression(rng, 4, 6, dtype=dtype)
            targets[1, 2:4] = inputs[1, 2:4]
            check_slopes(candidate, rng, name, options, names, inputs, targets, hint="no √ of a square at 0")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_extreme_regression(candidate, rng):
    """Gradients stay finite for values up to 1e12 (mse) and 1e30 (mae, huber)."""
    hint = "a branch that is not taken has a gradient, too: infinity times zero is NaN"
    for name, scale in (("mse", 1e12), ("mae", 1e30), ("huber", 1e30)):
        for dtype in BOTH:
            inputs, targets = regression(rng, 3, 5, dtype=dtype, scale=scale)
            inputs[0, 0], targets[0, 0] = 0.3, 0.1
            check_slopes(candidate, rng, name, {}, ["inputs", "targets"], inputs, targets, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_of_bce(candidate, rng):
    """Gradients of bce_with_logits with respect to logits and targets are right, at a logit of 0 as well."""
    hint = "max and |x| have a kink at 0 that the loss does not have"
    for dtype in BOTH:
        for options in ({}, {"pos_weight": weights(rng, 5).to(dtype)}):
            logits, targets = binary(rng, 6, 5, dtype=dtype)
            logits[2], logits[4, 1:3] = 0.0, 0.0
            check_slopes(candidate, rng, "bce_with_logits", options, ["logits", "targets"], logits, targets, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_extreme_bce(candidate, rng):
    """Gradients of bce_with_logits stay finite and right for logits up to ±1e4."""
    for dtype in BOTH:
        _, targets = binary(rng, 12, dtype=dtype)
        logits = torch.tensor([1e4, -1e4, 900.0, -900.0, 120.0, -120.0] * 2, dtype=dtype)
        targets[:6] = rng.boolean(6).to(dtype)
        hint = "0 / 0 and 0 · ∞ are NaN"
        check_slopes(candidate, rng, "bce_with_logits", {}, ["logits", "targets"], logits, targets, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_of_cross_entropy(candidate, rng):
    """Gradients of cross_entropy with respect to logits are right with all options, and 0 for ignored targets."""
    for shape in ((8, 5), (3, 4, 2, 3)):
        for options in OPTIONS:
            given = filled(options, rng, shape[1])
            for dtype in BOTH:
                typed = {key: cast(value, dtype) for key, value in given.items()}
                tensors = classes(rng, *shape, ignored=[-100], dtype=dtype)
                hint = "what is constant in the loss: the target, the weights, their sum"
                check_slopes(candidate, rng, "cross_entropy", typed, ["logits"], *tensors, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_shares(candidate, rng):
    """Gradients of cross_entropy reach logits and shares (a teacher may be trained, too)."""
    for shape in ((8, 5), (3, 4, 2, 3)):
        for options in OPTIONS[:-2]:
            given = filled(options, rng, shape[1])
            for dtype in BOTH:
                typed = {key: cast(value, dtype) for key, value in given.items()}
                tensors = shares(rng, *shape, dtype=dtype)
                check_slopes(candidate, rng, "cross_entropy", typed, ["logits", "targets"], *tensors, hint="no detach")


@pytest.mark.gradients
def test_gradients_of_extreme_and_ignored_logits(candidate, rng):
    """Gradients are finite for logits up to ±1e4, and 0 where every target is ignored."""
    for dtype in BOTH:
        # Thousands apart: the difference of two logits near 1e4 may be rounded, which close ones would feel.
        spread = rng.uniform(6, 5, low=0.9, dtype=dtype) * torch.tensor([-1e4, -5e3, 0, 5e3, 1e4], dtype=dtype)
        logits, targets = spread[:, rng.permutation(5)], rng.integers(0, 5, 6)
        check_slopes(candidate, rng, "cross_entropy", {"label_smoothing": 0.1}, ["logits"], logits, targets)
    logits, cotangent = rng.normal(4, 3), rng.normal()

    def probe(m):
        leaf = logits.requires_grad_()
        loss = m.cross_entropy(leaf, torch.full((4,), -100), reduction="sum")
        return torch.autograd.grad(loss, leaf, cotangent)[0]

    result = candidate(probe)
    assert_close(result, torch.zeros(4, 3), tolerance=0.0, what="the gradient where everything is ignored")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_triplets(candidate, rng):
    """Gradients of triplet_margin are right for all three inputs, and 0 beyond the margin."""
    names = ["anchor", "positive", "negative"]
    for dtype in BOTH:
        for margin in (1.0, 0.3):
            tensors = triplets(rng, 6, margin=margin, dtype=dtype)
            check_slopes(candidate, rng, "triplet_margin", {"margin": margin}, names, *tensors)


@pytest.mark.gradients
def test_gradients_at_distance_zero(candidate, rng):
    """Where anchor and positive, or anchor and negative, are equal, the gradients of triplet_margin are finite and right."""
    for dtype in BOTH:
        anchor, positive, negative = rng.normal(6, 4, n=3, dtype=dtype)
        positive[:2], negative[2:4] = anchor[:2], anchor[2:4]
        # A margin that no distance reaches.
        hint = "the root of 0 has an infinite derivative: where does the 1e-6 go?"
        names = ["anchor", "positive", "negative"]
        check_slopes(candidate, rng, "triplet_margin", {"margin": 50.0}, names, anchor, positive, negative, hint=hint)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors every loss is computed on the device."""
    for name, options, tensors in every_loss(rng):
        plain = {key: value for key, value in options.items() if not isinstance(value, torch.Tensor)}
        check_cuda(candidate, call_of(name, plain), tensors, expected(name, plain))
