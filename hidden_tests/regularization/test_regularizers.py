import itertools
import math

import pytest
import torch

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import check_cuda, check_dtypes, check_gradients, check_strides, check_untouched, strided

pytestmark = pytest.mark.numerics

# Shares of the mixture by its parameter: cumulative distributions of Beta(alpha, alpha) in closed form.
SHARES = {
    0.5: lambda x: 2 / math.pi * math.asin(math.sqrt(x)),
    1.0: lambda x: x,
    2.0: lambda x: 3 * x**2 - 2 * x**3,
}
DRAWS = 1200


def divergence(share, chance):
    """Kullback-Leibler divergence of two coins."""
    parts = ((share, chance), (1 - share, 1 - chance))
    return sum(a * math.log(a / b) if a > 0 else 0.0 for a, b in parts)


def check_share(hits, number, chance, what, hint=""):
    """`hits` of `number` independent draws are plausible for `chance`.

    By Chernoff's bound a binomial share lies on one side of the chance at a divergence of d or more with probability at
    most exp(-n d). With n d = 22 both sides together are 2 exp(-22) < 6e-10; a test here makes at most 200 such checks.
    """
    if chance <= 1e-12 or chance >= 1 - 1e-12:
        assert_true(hits == round(number * chance), what, hint, f"{hits} of {number}, chance {chance}")
        return
    evidence = number * divergence(hits / number, chance)
    assert_true(evidence < 22, what, hint, f"{hits} of {number}, chance {chance:.4f}")


@oracle
def smoothed(targets, num_classes, smoothing):
    """Entry by entry."""
    rows = [
        [smoothing / num_classes + (1 - smoothing) * (k == t) for k in range(num_classes)]
        for t in targets.flatten().tolist()
    ]
    return torch.tensor(rows, dtype=torch.float64).reshape(*targets.shape, num_classes)


@oracle
def soft_loss(logits, targets):
    shifted = logits - logits.amax(-1, keepdim=True)
    logs = shifted - shifted.exp().sum(-1, keepdim=True).log()
    return -(targets * logs).sum() / logits[..., 0].numel()


def call_loss(m, logits, targets):
    return m.soft_cross_entropy(logits, targets)


@pytest.mark.points(2)
@pytest.mark.parametrize("num_classes", [2, 3, 10, 1])
def test_smoothed_labels(candidate, rng, num_classes):
    """Each class gets ε / K and the target's another 1 - ε, for any ε and shape, in the dtype that is asked for."""
    for shape in ((7,), (2, 3), (), (1,), (0,)):
        targets = rng.integers(0, num_classes, *shape)
        for smoothing in (0.0, 0.1, 0.5, 1.0):
            for dtype in (torch.float32, torch.float64):
                result = candidate(
                    lambda m, *a, dtype=dtype: m.smooth_labels(*a, dtype=dtype), targets, num_classes, smoothing
                )
                hint = "ε is spread over all classes, the target's included"
                # Two roundings of the dtype.
                tolerance = 4 * torch.finfo(dtype).eps
                expected = smoothed(targets, num_classes, smoothing)
                assert_close(result, expected, tolerance=tolerance, what="the labels", hint=hint, dtype=dtype)
    targets = rng.integers(0, num_classes, 2, 3)
    result = candidate(lambda m, targets: m.smooth_labels(targets, num_classes), strided(targets))
    expected = smoothed(targets, num_classes, 0.1)
    assert_close(result, expected, tolerance=1e-6, what="the labels of non-contiguous targets")
    check_untouched(candidate, lambda m, targets: m.smooth_labels(targets, num_classes), (targets,))
    targets = rng.integers(0, num_classes, 4)
    result = candidate(lambda m: m.smooth_labels(targets, num_classes))
    what = "the labels by default"
    assert_close(result, smoothed(targets, num_classes, 0.1), tolerance=1e-6, what=what, dtype=torch.float32)


@pytest.mark.points(2)
def test_loss_of_soft_targets(candidate, rng):
    """The loss is the mean over all examples of the cross-entropy with distributions, also for logits of ±1e4."""
    for shape in ((6, 4), (2, 3, 5), (4,), (1, 1), (3, 1)):
        inputs = (rng.normal(*shape, scale=3.0), torch.softmax(rng.normal(*shape), -1))
        check_dtypes(candidate, call_loss, inputs, soft_loss, hint="a mean over examples, not over entries")
    for scale in (1e4, 1e30):
        inputs = (rng.normal(6, 4, scale=scale), torch.softmax(rng.normal(6, 4), -1))
        assert_matches(
            candidate(call_loss, *inputs), soft_loss, *inputs, what="the loss of large logits", hint="log_softmax"
        )
    inputs = (rng.normal(2, 3, 5), torch.softmax(rng.normal(2, 3, 5), -1))
    check_strides(candidate, call_loss, inputs, soft_loss)
    check_untouched(candidate, call_loss, inputs)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_the_loss(candidate, rng):
    """Gradients of logits and of soft targets agree with a float64 oracle, also for logits of ±1e4."""
    for dtype in (torch.float32, torch.float64):
        for scale in (1.0, 1e4):
            inputs = (rng.normal(5, 4, scale=scale, dtype=dtype), torch.softmax(rng.normal(5, 4, dtype=dtype), -1))
            check_gradients(candidate, call_loss, inputs, soft_loss, (rng.normal(dtype=dtype),), ["logits", "targets"])


@probe_helper
def mix(m, how, inputs, targets, alpha, seed):
    return getattr(m, how)(inputs, targets, alpha, generator=torch.Generator().manual_seed(seed))


@probe_helper
def mix_often(m, how, inputs, targets, alpha, seed, number):
    """Mixed targets of many calls with one generator, and the mixed inputs."""
    generator = torch.Generator().manual_seed(seed)
    pairs = [getattr(m, how)(inputs, targets, alpha, generator=generator) for _ in range(number)]
    return torch.stack([images for images, _ in pairs]), torch.stack([weights for _, weights in pairs])


def check_weights(weights, what="the mixed targets"):
    """Rows say with which weights examples were mixed: (1 - w) own + w other, w alike for all, others a permutation."""
    batch = len(weights)
    eye = torch.eye(batch, dtype=weights.dtype)
    other = weights * (1 - eye)
    # A few roundings of numbers below 1.
    close = 8 * torch.finfo(weights.dtype).eps
    assert_true(((weights >= -close) & (weights <= 1 + close)).all(), f"{what} leave [0, 1]")
    assert_close(weights.sum(1), torch.ones(batch), tolerance=close, what=f"the sum of {what}")
    pairs = (other > close).sum(1)
    assert_true((pairs <= 1).all(), f"{what} mix more than two examples")
    assert_close(
        weights.sum(0), torch.ones(batch), tolerance=close, what="the use of each example", hint="a permutation"
    )
    shares = other.sum(1)[pairs == 1]
    hint = "λ is drawn once for the batch"
    assert_true(shares.numel() == 0 or shares.max() - shares.min() <= close, f"{what} have several λ", hint)


@oracle
def mixed(inputs, weights):
    return torch.einsum("io,o...->i...", weights, inputs)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", [(6,), (5, 3), (4, 3, 5, 2), (2, 1), (1, 3)])
def test_mixup_treats_inputs_as_targets(candidate, rng, shape):
    """Inputs of any shape are mixed with the λ and the pairs of the targets, in their own dtype."""
    for dtype in (torch.float32, torch.float64):
        for alpha in (0.1, 1.0, 5.0):
            inputs, targets = rng.normal(*shape, dtype=dtype), torch.eye(shape[0], dtype=dtype)
            images, weights = candidate(mix, "mixup", inputs, targets, alpha, rng.seed())
            check_weights(weights)
            hint = "the same λ and the same pairs for inputs and targets"
            assert_matches(images, mixed, inputs, weights, what="the mixed inputs", hint=hint)
    inputs, targets = rng.normal(6, 4), torch.eye(6, dtype=torch.float64)
    images, weights = candidate(mix, "mixup", inputs, targets, 1.0, rng.seed())
    assert_true(weights.dtype == torch.float64, "the mixed targets have another dtype than targets")
    expected = mixed(inputs.double(), weights).float()
    assert_close(images, expected, tolerance=1e-5, what="inputs of another dtype than targets", dtype=torch.float32)


def test_mixed_targets_of_any_kind(candidate, rng):
    """Targets that are soft, or not distributions at all, are mixed like one-hot ones of the same draw."""
    seed, targets = rng.seed(), rng.normal(6, 3, dtype=torch.float64)
    for how, inputs in (("mixup", rng.normal(6, 2)), ("cutmix", rng.normal(6, 2, 4, 5))):
        _, weights = candidate(mix, how, inputs, torch.eye(6, dtype=torch.float64), 1.0, seed)
        for values in (targets, targets[:, 0], targets[:, :, None]):
            _, result = candidate(mix, how, inputs, values, 1.0, seed)
            # Sums of two products in float64.
            assert_close(result, mixed(values, weights), tolerance=1e-13, what=f"the targets of {how}")


@probe_helper
def differentiate_mixture(m, how, inputs, targets, seed, cotangents):
    leaves = [inputs.requires_grad_(), targets.requires_grad_()]
    outputs = getattr(m, how)(*leaves, 1.0, generator=torch.Generator().manual_seed(seed))
    return outputs, list(torch.autograd.grad(outputs, leaves, cotangents, allow_unused=True))


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_mixup(candidate, rng):
    """Gradients flow back to both examples of each pair, for inputs and targets."""
    for dtype in (torch.float32, torch.float64):
        inputs, targets = rng.normal(6, 3, dtype=dtype), torch.eye(6, dtype=dtype)
        cotangents = (rng.normal(6, 3, dtype=dtype), rng.normal(6, 6, dtype=dtype))
        (_, weights), gradients = candidate(differentiate_mixture, "mixup", inputs, targets, rng.seed(), cotangents)

        def both(x, y, weights=weights):
            return mixed(x, weights.to(x)), mixed(y, weights.to(y))

        assert_gradients(gradients, both, (inputs, targets), cotangents, names=["inputs", "targets"])


@pytest.mark.behaviour
@pytest.mark.points(3)
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_shares_of_mixup(candidate, rng, alpha):
    """λ has the distribution Beta(alpha, alpha)."""
    targets = torch.eye(8, dtype=torch.float64)
    _, weights = candidate(mix_often, "mixup", torch.ones(8, 1), targets, alpha, rng.seed(), DRAWS, deadline=60)
    off = (weights * (1 - targets)).amax((1, 2))
    # All eight meet themselves once in 40 320 draws: then λ is not seen, and the draw left out.
    shares = (1 - off[off > 0]).sort().values.tolist()
    number = len(shares)
    assert_true(number > DRAWS - 20, "hardly any example meets another")
    distance = max(
        max(abs(SHARES[alpha](x) - index / number), abs(SHARES[alpha](x) - (index + 1) / number))
        for index, x in enumerate(shares)
    )
    # Dvoretzky, Kiefer, Wolfowitz: a distance of e or more has a chance of at most 2 exp(-2 n e²); 2 exp(-22) < 6e-10.
    bound = math.sqrt(11 / number)
    assert_true(
        distance < bound, "λ has another distribution", "Beta, with alpha twice", f"{distance:.3f} of {bound:.3f}"
    )


@pytest.mark.behaviour
@pytest.mark.points(2)
@pytest.mark.parametrize("how", ["mixup", "cutmix"])
def test_pairs_are_a_random_permutation(candidate, rng, how):
    """Every permutation of the batch is equally likely."""
    inputs = torch.arange(3.0)[:, None, None, None].expand(3, 1, 8, 8).contiguous()
    _, weights = candidate(mix_often, how, inputs, torch.eye(3, dtype=torch.float64), 2.0, rng.seed(), 600, deadline=60)
    other = weights * (1 - torch.eye(3, dtype=torch.float64))
    # A box may be empty, or λ round to 1: such draws say nothing. What is left of the identity is not told apart from them.
    moved = other[(other > 0).any(-1).any(-1)]
    orders = torch.where(moved.amax(-1) > 0, moved.argmax(-1), torch.arange(3)).tolist()
    counts = {order: 0 for order in itertools.permutations(range(3)) if order != (0, 1, 2)}
    for order in map(tuple, orders):
        assert_true(order in counts, "the others are not a permutation")
        counts[order] += 1
    assert_true(len(moved) > 300, "hardly any example meets another")
    for count in counts.values():
        check_share(
            count, len(moved), 1 / 5, "some pairs are likelier than others", "a random permutation, not a shift"
        )


def image_batch(batch, channels, height, width, dtype=torch.float32):
    """Every pixel of every image differs from that of all others at its place."""
    return torch.arange(batch * channels * height * width, dtype=dtype).reshape(batch, channels, height, width) + 1


def box_of(inputs, images):
    """Rows (top, bottom) and columns (left, right) of what is replaced in any image, ends excluded; None if nothing is."""
    return boxes_of(inputs, images[None])[0]


def boxes_of(inputs, images):
    """The same for many draws: images (draws, batch, channels, height, width)."""
    changed = (images != inputs).any(2).any(1)
    boxes, areas = [], changed.sum((1, 2)).tolist()
    for rows, columns, area in zip(changed.any(2).tolist(), changed.any(1).tolist(), areas, strict=True):
        ends = [
            (each.index(True), len(each) - each[::-1].index(True)) if any(each) else (0, 0) for each in (rows, columns)
        ]
        assert_true(area == math.prod(end - start for start, end in ends), "what is replaced is not a box")
        boxes.append(tuple(ends) if area else None)
    return boxes


@oracle
def pasted(inputs, weights, box):
    """Image by image: the pixels of the box come from the image that the targets name."""
    result = inputs.clone()
    for index, row in enumerate(weights * (1 - torch.eye(len(weights), dtype=weights.dtype))):
        if box is not None and row.max() > 0:
            (top, bottom), (left, right) = box
            result[index, :, top:bottom, left:right] = inputs[int(row.argmax()), :, top:bottom, left:right]
    return result


@pytest.mark.points(4)
@pytest.mark.parametrize("shape", [(6, 3, 8, 5), (4, 1, 1, 7), (5, 2, 6, 1), (2, 1, 3, 3), (1, 2, 4, 4)])
def test_cutmix_replaces_a_box(candidate, rng, shape):
    """One box, in the same place of all images, comes from the others; targets are mixed by its share of the area."""
    for dtype in (torch.float32, torch.float64):
        for seed in [rng.seed() for _ in range(12)]:
            inputs, targets = image_batch(*shape, dtype=dtype), torch.eye(shape[0], dtype=dtype)
            images, weights = candidate(mix, "cutmix", inputs, targets, 1.0, seed)
            check_weights(weights)
            box = box_of(inputs, images)
            expected = pasted(inputs, weights, box)
            hint = "one box for the batch; pixels from the images as they were"
            assert_close(images, expected, tolerance=0.0, what="the mixed images", hint=hint, dtype=dtype)
            area = 0 if box is None else math.prod(end - start for start, end in box)
            off = (weights * (1 - torch.eye(shape[0], dtype=dtype))).max()
            share = torch.tensor(area / (shape[2] * shape[3]), dtype=dtype)
            # A quotient and a difference in the dtype. Zero where all meet themselves, then nothing is replaced either.
            tolerance = 8 * torch.finfo(dtype).eps
            assert_close(
                off, share, tolerance=tolerance, what="the share in the targets", hint="the area after the border"
            )


@oracle
def interval_chances(size, other_size, alpha):
    """Chances of the rows (top, bottom) that are replaced, None for no box, with λ and the centre summed over."""
    points = sorted({i / size for i in range(size + 1)} | {j / other_size for j in range(other_size + 1)})
    chances = {}
    for low, high in itertools.pairwise(points):
        # side = √(1 - λ) lies between two points where a length changes; 1 - λ is distributed as λ.
        chance = SHARES[alpha](high**2) - SHARES[alpha](low**2)
        middle = (low + high) / 2
        length, other_length = int(size * middle), int(other_size * middle)
        for centre in range(size):
            top = max(centre - length // 2, 0)
            bottom = min(centre - length // 2 + length, size)
            key = (top, bottom) if length and other_length else None
            chances[key] = chances.get(key, 0.0) + chance / size
    return chances


@pytest.mark.behaviour
@pytest.mark.points(3)
@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_boxes_of_cutmix(candidate, rng, alpha):
    """Boxes have the size that λ gives, a centre that is uniform over the pixels, and are cut off at the border."""
    height, width = 5, 4
    inputs, targets = image_batch(8, 1, height, width), torch.eye(8)
    images, _ = candidate(mix_often, "cutmix", inputs, targets, alpha, rng.seed(), DRAWS, deadline=60)
    boxes = boxes_of(inputs, images)
    for axis, size, other in ((0, height, width), (1, width, height)):
        chances = interval_chances(size, other, alpha)
        counts = {}
        for box in boxes:
            key = None if box is None else box[axis]
            counts[key] = counts.get(key, 0) + 1
        hint = "⌊size · √(1 - λ)⌋ pixels, from the centre minus half of them on; the border cuts"
        assert_true(set(counts) <= {*chances, None}, "there are boxes that cannot be", hint)
        for key, chance in chances.items():
            # All eight meet themselves once in 40 320 draws, which looks like no box: far less than the bound can see.
            what = f"some {('rows', 'columns')[axis]} are replaced too often, or not often enough"
            if chance > 1e-12:
                check_share(counts.get(key, 0), DRAWS, chance, what, hint)
    # Rows and columns have their centres apart: of boxes of one pixel (both lengths 1), each pixel is equally likely.
    single = [(b[0][0], b[1][0]) for b in boxes if b is not None and b[0][1] - b[0][0] == b[1][1] - b[1][0] == 1]
    inner = [(y, x) for y, x in single if 0 < y < height - 1 and 0 < x < width - 1]
    for pixel in itertools.product(range(1, height - 1), range(1, width - 1)):
        check_share(inner.count(pixel), max(len(inner), 1), 1 / 6, "rows and columns depend on each other", "two draws")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_cutmix(candidate, rng):
    """Gradients of the images go back to the image that each pixel is from, those of targets by area."""
    for dtype in (torch.float32, torch.float64):
        inputs, targets = image_batch(5, 2, 6, 7, dtype), torch.eye(5, dtype=dtype)
        cotangents = (rng.normal(5, 2, 6, 7, dtype=dtype), rng.normal(5, 5, dtype=dtype))
        for seed in [rng.seed() for _ in range(4)]:
            (images, weights), gradients = candidate(differentiate_mixture, "cutmix", inputs, targets, seed, cotangents)
            box = box_of(inputs, images)

            def both(x, y, weights=weights, box=box):
                return pasted(x, weights, box), mixed(y, weights.to(y))

            assert_gradients(gradients, both, (inputs, targets), cotangents, names=["inputs", "targets"])


def test_mixtures_of_any_strides(candidate, rng):
    """Inputs and targets may have any strides and huge values, and are left as they were."""
    for how in ("mixup", "cutmix"):
        seed, inputs, targets = rng.seed(), rng.normal(4, 3, 6, 5), torch.softmax(rng.normal(4, 4), -1)
        plain = candidate(mix, how, inputs, targets, 1.0, seed)
        other = candidate(mix, how, strided(inputs), strided(targets), 1.0, seed)
        for mine, theirs in zip(other, plain, strict=True):
            # The same arithmetic on other memory.
            assert_close(mine, theirs, tolerance=1e-6, what=f"the result of {how} for non-contiguous inputs")
        for other_seed in [rng.seed() for _ in range(8)]:  # some boxes are empty, and some examples meet themselves
            check_untouched(candidate, mix, (how, inputs, targets, 1.0, other_seed))
        huge, _ = candidate(mix, how, 1e30 * inputs, targets, 1.0, seed)
        assert_close(huge, 1e30 * plain[0], tolerance=1e-5, what=f"the result of {how} for huge inputs")
        _, weights = candidate(mix, how, inputs, torch.eye(4), 1.0, seed)
        check_weights(weights)


@probe_helper
def draw_with_seeds(m, what, seeds):
    """Results of two calls for each seed, and whether torch's default generator moved."""
    torch.manual_seed(1234)
    before = torch.get_rng_state()
    x = torch.arange(192.0).reshape(6, 2, 4, 4) + 1
    pairs = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        two = []
        for _ in range(2):
            if what in ("mixup", "cutmix"):
                two.append(
                    torch.cat([part.flatten() for part in getattr(m, what)(x, torch.eye(6), 1.0, generator=generator)])
                )
            elif what == "drop_path":
                two.append(m.drop_path(torch.ones(60, 2), 0.5, generator=generator))
            else:
                block = m.StochasticDepth(torch.nn.Identity(), 0.5)
                two.append(block(torch.ones(60, 2), generator=generator))
        pairs.append(two)
    return pairs, torch.equal(before, torch.get_rng_state())


@pytest.mark.behaviour
@pytest.mark.points(3)
@pytest.mark.parametrize("what", ["mixup", "cutmix", "drop_path", "StochasticDepth"])
def test_the_generator_decides(candidate, rng, what):
    """The generator alone decides, the next draw is another one, and torch's default generator does not move."""
    seeds = [rng.seed() for _ in range(12)]
    pairs, still = candidate(draw_with_seeds, what, [*seeds, *seeds])
    assert_true(still, "torch's default generator has moved", "pass the generator on to every draw")
    half = len(seeds)
    for one, again in zip(pairs[:half], pairs[half:], strict=True):
        same = all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
        assert_true(same, "the same seed gives other results", "pass the generator on to every draw")
    # Two draws of cutmix agree if neither has a box (side below 1/4: (1/16)²) or both permutations agree (1/720): less than
    # 0.006, and all twelve pairs less than 0.006^12. Of mixup they agree less often, of 60 coins hardly ever.
    differ = any(not torch.equal(*two) for two in pairs)
    assert_true(differ, "the next call draws the same", "the generator goes on by itself")
    assert_true(any(not torch.equal(pairs[0][0], two[0]) for two in pairs[1:half]), "every seed gives the same")


@probe_helper
def draw_from_default(m, what, seed):
    torch.manual_seed(seed)
    x = torch.arange(192.0).reshape(6, 2, 4, 4) + 1
    if what in ("mixup", "cutmix"):
        return torch.cat([part.flatten() for _ in range(8) for part in getattr(m, what)(x, torch.eye(6))])
    if what == "drop_path":
        return m.drop_path(torch.ones(60, 2), 0.5)
    return m.StochasticDepth(torch.nn.Identity(), 0.5)(torch.ones(60, 2))


@pytest.mark.behaviour
@pytest.mark.parametrize("what", ["mixup", "cutmix", "drop_path", "StochasticDepth"])
def test_the_default_generator(candidate, rng, what):
    """Without a generator torch's default one is the source; alpha has its default."""
    seed = rng.seed()
    one, again, other = (candidate(draw_from_default, what, s) for s in (seed, seed, seed + 1))
    assert_true(torch.equal(one, again), "without a generator torch.manual_seed does not decide")
    # Eight draws of mixup or cutmix, or 60 coins, agree with a chance far below 1e-6.
    assert_true(not torch.equal(one, other), "without a generator the draw is always the same", "no seed of your own")


@oracle
def stopped(values, patience, min_delta, mode):
    """For each step: whether to stop; then best and best_step, found by looking at all earlier values again."""
    improvements, stops = [], []
    for step, value in enumerate(values):
        sign = 1.0 if mode == "min" else -1.0
        if not math.isnan(value) and (not improvements or sign * value < sign * values[improvements[-1]] - min_delta):
            improvements.append(step)
        stops.append(step - (improvements[-1] if improvements else -1) >= patience)
    return stops, values[improvements[-1]] if improvements else None, improvements[-1] if improvements else None


@probe_helper
def run_stopping(m, values, options, as_tensors):
    """Stops, what is noted, and the weight that is restored at the end; the weight of step s is s."""
    model = torch.nn.Linear(1, 1, bias=False)
    stopping, stops = m.EarlyStopping(**options), []
    noted = [stopping.best, stopping.best_step]
    for step, value in enumerate(values):
        with torch.no_grad():
            model.weight.fill_(float(step))
        given = torch.tensor(value, dtype=torch.float64)
        stops.append(stopping.step(given if as_tensors else value, model))
        given.fill_(0.125)  # what the caller does with its tensor later is its own affair
    restored = stopping.restore(model)
    plain = stopping.best is None or isinstance(stopping.best, float)
    return stops, noted, [stopping.best if plain else "no float", stopping.best_step], restored, model.weight.item()


def check_stopping(candidate, values, hint="", as_tensors=False, **options):
    stops, before, after, restored, weight = candidate(run_stopping, values, options, as_tensors)
    expected, best, best_step = stopped(
        values, options["patience"], options.get("min_delta", 0.0), options.get("mode", "min")
    )
    assert_true(before == [None, None], "best and best_step should be None at first")
    assert_true(all(isinstance(stop, bool) for stop in stops), "step does not return a bool")
    assert_true(stops == expected, "training stops at another step", hint, f"{stops}, expected {expected}")
    assert_true(
        after == [best, best_step], "best or best_step is wrong", hint, f"{after}, expected {best}, {best_step}"
    )
    assert_true(restored is (best is not None), "restore does not say whether it did something")
    kept = len(values) - 1 if best_step is None else best_step
    assert_true(weight == kept, "other weights than those of the best step are restored", hint)


@pytest.mark.behaviour
@pytest.mark.points(4)
@pytest.mark.parametrize("mode", ["min", "max"])
def test_when_training_stops(candidate, rng, mode):
    """Training stops at the patience-th bad step in a row, counted anew after each improvement of more than min_delta."""
    for patience in (1, 2, 3, 5):
        for min_delta in (0.0, 0.5, 1.0):
            # Multiples of 1/4, so that differences of exactly min_delta are common, and exact.
            values = (rng.integers(-8, 8, 20) / 4).tolist()
            hint = "an improvement is by more than min_delta, over the best, not over the last value"
            options = {"patience": patience, "min_delta": min_delta, "mode": mode}
            check_stopping(candidate, values, hint=hint, as_tensors=patience == 2, **options)
    sign = 1.0 if mode == "min" else -1.0
    slowly = [sign * -step / 8 for step in range(12)]
    check_stopping(candidate, slowly, "small steps add up, seen from the best", patience=3, min_delta=0.25, mode=mode)
    check_stopping(candidate, [sign * 2.0] * 4, "no change is no improvement", patience=2, mode=mode)
    check_stopping(candidate, [sign * v for v in (3, 2, 2.5, 2.5, 1, 4, 4, 0.5, 9)], patience=3, mode=mode)


def test_stopping_by_default(candidate):
    """By default smaller is better, and every improvement counts."""
    check_stopping(candidate, [1.0, 0.999, 1.5, 0.998, 2.0, 2.0], patience=2)
    hint = "min_delta is 0: the smallest improvement counts"
    check_stopping(candidate, [1.0, 1.0 - 1e-9, 1.0 - 2e-9, 1.0], hint, patience=2)


@pytest.mark.behaviour
@pytest.mark.points(2)
@pytest.mark.parametrize("mode", ["min", "max"])
def test_nan_is_never_an_improvement(candidate, mode):
    """NaN is a bad step, as the first value, too; the first number after it is an improvement, even if it is infinite."""
    nan, inf = math.nan, math.inf
    for values in ([nan, nan, 1.0, nan, nan], [nan, nan, nan], [inf, 5.0, nan, 3.0], [-inf, 5.0, 3.0], [inf, inf, nan]):
        for patience in (2, 3):
            check_stopping(candidate, values, "comparisons with NaN are False either way", patience=patience, mode=mode)


@probe_helper
def restore_in_training(m, x):
    """States of a model with buffers: at the best step, after more training, restored, restored once more, and in a new one.
    Another object watches the model beside it and prefers another step."""

    def state(model):
        return {name: value.clone() for name, value in model.state_dict().items()}

    def build():
        layers = torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
        return torch.nn.Sequential(*layers).to(x.dtype)

    model, new = build(), build()
    stopping, other = m.EarlyStopping(2), m.EarlyStopping(2)

    def train(model):
        for _ in range(3):
            gradients = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
            with torch.no_grad():
                for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                    parameter.sub_(0.01 * gradient + 0.01)

    train(model)
    stopping.step(1.0, model)
    best = state(model)
    train(model)
    stopping.step(2.0, model)
    other.step(0.0, model)
    later = state(model)
    places = [value.data_ptr() for value in model.state_dict().values()]
    objects = [id(parameter) for parameter in model.parameters()]
    stopping.restore(model)
    first = state(model)
    train(model)
    stopping.restore(model)
    second = state(model)
    same = places == [v.data_ptr() for v in model.state_dict().values()] and objects == [
        id(p) for p in model.parameters()
    ]
    stopping.restore(new)
    return best, later, [first, second, state(new)], same, all(p.requires_grad for p in model.parameters())


@pytest.mark.behaviour
@pytest.mark.points(4)
def test_best_weights_are_a_copy(candidate, rng):
    """Parameters and buffers of the best step come back, however the model was trained since, into its own tensors."""
    for dtype in (torch.float32, torch.float64):
        best, later, restored, same, trainable = candidate(restore_in_training, rng.normal(16, 3, dtype=dtype))
        moved = all(not torch.equal(best[name], later[name]) for name in best)
        assert_true(moved, "the training of this test moves nothing")
        for name, value in best.items():
            for found, when in zip(restored, ("restore", "another restore", "restore into a new model"), strict=True):
                hint = "state_dict() refers to the tensors that training changes; each object keeps a copy of its own"
                assert_close(found[name], value, tolerance=0.0, what=f"{name} after {when}", hint=hint)
        assert_true(same, "the model has other tensors after restore", "an optimizer holds the model's own parameters")
        assert_true(trainable, "parameters no longer need a gradient after restore")


@probe_helper
def drop(m, x, p, seed):
    return m.drop_path(x, p, generator=torch.Generator().manual_seed(seed))


@oracle
def dropped(x, kept, p):
    """Kept examples divided by the chance of being kept, the others zero."""
    result = torch.zeros_like(x)
    result[kept] = x[kept] / (1 - p)
    return result


def away_from_zero(rng, *shape, dtype=torch.float32):
    return (1.0 - 2.0 * rng.boolean(*shape).to(dtype)) * rng.uniform(*shape, low=0.5, high=2.0, dtype=dtype)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", [(2000,), (2000, 3), (2000, 2, 3, 2), (1, 4), (3, 0)])
def test_examples_are_dropped_or_scaled(candidate, rng, shape):
    """Each example of a batch is dropped as a whole with chance p, each on its own, or divided by 1 - p."""
    for dtype in (torch.float32, torch.float64):
        for p in (0.1, 0.5, 0.8):
            x = away_from_zero(rng, *shape, dtype=dtype)
            result = candidate(drop, x, p, rng.seed())
            kept = (result != 0).flatten(1).any(1) if len(shape) > 1 else result != 0
            hint = "one draw for each example; divide by the chance of being kept"
            assert_matches(result, dropped, x, kept, p, what="the result of drop_path", hint=hint)
            if shape[0] == 2000:
                check_share(
                    int((~kept).sum()), 2000, p, "examples are dropped too often, or not often enough", "p is dropped"
                )
                pairs = int((~kept[::2] & ~kept[1::2]).sum())
                check_share(pairs, 1000, p * p, "examples are not dropped independently")


@pytest.mark.points(2)
def test_dropped_examples_whatever_they_are(candidate, rng):
    """p = 0 changes nothing, p = 1 gives zeros, and a dropped example is zeros even where it is inf or NaN."""
    x = rng.normal(5, 4)
    x[0, 0], x[1, 1], x[4, 2] = math.inf, math.nan, -math.inf
    assert_close(candidate(drop, x, 0.0, rng.seed()), x, tolerance=0.0, what="the result for p = 0")
    zeros = torch.zeros(5, 4)
    assert_close(
        candidate(drop, x, 1.0, rng.seed()), zeros, tolerance=0.0, what="the result for p = 1", hint="mind 1 / 0"
    )
    for loud in (math.inf, math.nan):
        result = candidate(drop, torch.full((400, 2), loud), 0.5, rng.seed())
        gone = int((result == 0).all(1).sum())
        check_share(
            gone, 400, 0.5, f"examples of {loud} are not dropped like others", "a product with a mask is no choice"
        )
    x = 1e30 * away_from_zero(rng, 40, 3)
    result = candidate(drop, strided(x), 0.3, rng.seed())
    assert_matches(result, dropped, x, (result != 0).all(1), 0.3, what="the result for huge x with strides")
    check_untouched(candidate, drop, (x, 0.3, rng.seed()))


@probe_helper
def differentiate_drop(m, x, p, seed, cotangent):
    leaf = x.requires_grad_()
    result = m.drop_path(leaf, p, generator=torch.Generator().manual_seed(seed))
    return result, torch.autograd.grad(result, leaf, cotangent, allow_unused=True)[0] if result.requires_grad else None


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_drop_path(candidate, rng):
    """Gradients of kept examples are scaled as they are, those of dropped ones are zero, for p = 0 and p = 1, too."""
    for dtype in (torch.float32, torch.float64):
        for p in (0.0, 0.4, 1.0):
            x, cotangent = away_from_zero(rng, 30, 2, 3, dtype=dtype), rng.normal(30, 2, 3, dtype=dtype)
            result, gradient = candidate(differentiate_drop, x, p, rng.seed(), cotangent)
            if p == 1 and gradient is None:  # zeros without a graph have no gradient
                continue
            kept = (result != 0).flatten(1).all(1)
            assert_true(gradient is not None, "the gradient of x is missing")
            expected = dropped(cotangent, kept, 0.0 if p == 1 else p)
            # One quotient of the dtype.
            tolerance = 4 * torch.finfo(dtype).eps
            assert_close(
                gradient, expected, tolerance=tolerance, what="the gradient of x", hint="mind 1 / 0", dtype=dtype
            )


@probe_helper
def evaluate(m, x, p, seed):
    """Function and module in evaluation, and whether a generator moved."""
    generators = [torch.Generator().manual_seed(seed), torch.default_generator]
    before = [generator.get_state() for generator in generators]
    block = m.StochasticDepth(torch.nn.Tanh(), p).eval()
    results = []
    for generator in (generators[0], None):
        results.append(m.drop_path(x, p, training=False, generator=generator))
        results.append(block(x, generator=generator))
    return results, [torch.equal(b, g.get_state()) for b, g in zip(before, generators, strict=True)]


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_evaluation(candidate, rng):
    """In evaluation nothing is dropped, scaled or drawn."""
    for p in (0.0, 0.6, 1.0):
        x = rng.normal(50, 3)
        results, still = candidate(evaluate, x, p, rng.seed())
        for index, result in enumerate(results):
            expected = x + x.tanh() if index % 2 else x
            # A sum and a tanh in float32.
            assert_close(
                result, expected, tolerance=1e-6, what="a result in evaluation", hint="the scale is for training"
            )
        assert_true(all(still), "evaluation draws from a generator")


@probe_helper
def run_blocks(m, x, p, seed, weight, cotangent):
    """A block as built, after eval() and train() of a model around it, with the gradients of x and of its weight."""
    branch = torch.nn.Linear(3, 3, bias=False).to(x.dtype)
    branch.load_state_dict({"weight": weight})
    block = m.StochasticDepth(branch, p)
    training, model = branch.training, torch.nn.Sequential(block)
    leaf = x.requires_grad_()
    result = block(leaf, generator=torch.Generator().manual_seed(seed))
    gradients = torch.autograd.grad(result, [leaf, branch.weight], cotangent)
    torch.manual_seed(seed)
    modes = [model.eval()(x), model.train()(x)]
    names = [name for name, _ in block.named_parameters()]
    return result, list(gradients), modes, names, block.branch is branch and training


@pytest.mark.gradients
@pytest.mark.points(3)
def test_stochastic_depth(candidate, rng):
    """The block adds the branch, dropped for some examples, to x; gradients always flow along x, and the mode decides."""
    p = 0.4
    for dtype in (torch.float32, torch.float64):
        x, cotangent = rng.normal(400, 3, n=2, dtype=dtype)
        weight = rng.normal(3, 3, dtype=dtype)
        result, gradients, modes, names, same = candidate(run_blocks, x, p, rng.seed(), weight, cotangent)
        branch = x @ weight.T

        def kept_in(result, x=x):
            return ((result - x).abs() > 1e-6).any(1)  # the branch is larger but for a chance of (1e-6)³ · 400

        def block(x, weight, kept):
            return x + dropped(x @ weight.T, kept, p)

        kept = kept_in(result)
        assert_matches(result, block, x, weight, kept, what="the result of the block", hint="x itself is never dropped")
        check_share(int((~kept).sum()), 400, p, "branches are dropped too often, or not often enough")
        assert_gradients(
            gradients,
            lambda x, w, kept=kept: block(x, w, kept),
            (x, weight),
            (cotangent,),
            names=["x", "the branch's weight"],
        )
        assert_matches(modes[0], lambda x, b: x + b, x, branch, what="the block after eval()")
        assert_matches(modes[1], block, x, weight, kept_in(modes[1]), what="the block after train()")
        check_share(
            int((~kept_in(modes[1])).sum()), 400, p, "after train() the block drops too often, or not often enough"
        )
        assert_true(
            names == ["branch.weight"] and same,
            "the branch is not the attribute `branch`, has another mode than before, or there is more than it",
        )


@pytest.mark.points(2)
def test_rates_by_depth(candidate):
    """`depth_rates` climbs in a straight line to max_rate at the last block."""
    for depth, rate in ((1, 0.3), (4, 0.2), (10, 1.0), (3, 0.0)):
        result = candidate(lambda m, *a: m.depth_rates(*a), depth, rate)
        assert_true(isinstance(result, list) and len(result) == depth, "there is not one rate for each block")
        expected = torch.linspace(0, rate, depth + 1, dtype=torch.float64)[1:]
        result = torch.tensor(result, dtype=torch.float64)
        assert_close(result, expected, tolerance=1e-12, what="the rates", hint="block l of L has max_rate · l / L")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_labels_and_mixtures_refuse_bad_arguments(candidate):
    """Labels, smoothing, alpha and shapes out of range raise ValueError, wrong dtypes TypeError."""
    labels = torch.tensor([0, 2])

    def smooth(m, targets, num_classes, smoothing):
        m.smooth_labels(targets, num_classes, smoothing)

    refused = [((labels, 3, s), ValueError, f"smoothing = {s}") for s in (-0.1, 1.1, math.nan, -1e-9)]
    refused += [
        ((labels, 2, 0.1), ValueError, "a target of num_classes"),
        ((labels - 1, 3, 0.1), ValueError, "a negative target"),
        ((labels[:0], 0, 0.1), ValueError, "num_classes = 0"),
        ((labels.float(), 3, 0.1), TypeError, "floating targets"),
        ((labels.int(), 3, 0.1), TypeError, "int32 targets"),
    ]
    for valid in ((labels, 3, 0.0), (labels, 3, 1.0), (labels[:0], 1, 0.5)):
        assert_refuses(candidate, smooth, valid=valid, refused=refused)

    def loss(m, logits, targets):
        m.soft_cross_entropy(logits, targets)

    x = torch.ones(2, 3)
    refused = [
        ((x, x[:1]), ValueError, "one target for two logits"),
        ((x, x[:, :1]), ValueError, "targets of one class"),
    ]
    assert_refuses(candidate, loss, valid=(x, x), refused=refused)

    def mixture(m, how, inputs, targets, alpha):
        getattr(m, how)(inputs, targets, alpha)

    images = torch.ones(2, 1, 3, 3)
    for how in ("mixup", "cutmix"):
        refused = [
            ((how, images, x, alpha), ValueError, f"alpha = {alpha}") for alpha in (0.0, -1.0, math.nan, math.inf)
        ]
        refused += [
            ((how, images, x[:1], 1.0), ValueError, "one target for two inputs"),
            ((how, images, labels, 1.0), TypeError, "targets that are class indices"),
            ((how, images.long(), x, 1.0), TypeError, "integer inputs"),
            ((how, images > 0, x, 1.0), TypeError, "boolean inputs"),
        ]
        if how == "cutmix":
            refused += [
                ((how, images[0], x[:1], 1.0), ValueError, "an image without a batch"),
                ((how, images[..., None], x, 1.0), ValueError, "inputs of five dimensions"),
            ]
        assert_refuses(candidate, mixture, valid=(how, images, x, 1e-3), refused=refused)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_stopping_and_depth_refuse_bad_arguments(candidate):
    """Arguments of EarlyStopping, drop_path, StochasticDepth and depth_rates out of range raise ValueError."""

    def stopping(m, patience, min_delta, mode):
        str(m.EarlyStopping(patience, min_delta=min_delta, mode=mode).best)

    refused = [((patience, 0.0, "min"), ValueError, f"patience = {patience}") for patience in (0, -1)]
    refused += [((1, delta, "min"), ValueError, f"min_delta = {delta}") for delta in (-1e-9, -1.0, math.nan)]
    refused += [((1, 0.0, mode), ValueError, f"mode = {mode!r}") for mode in ("maximum", "", "Min")]
    for valid in ((1, 0.0, "min"), (3, 1.0, "max")):
        assert_refuses(candidate, stopping, valid=valid, refused=refused)

    def path(m, shape, p, training):
        m.drop_path(torch.ones(shape), p, training=training)

    for training in (True, False):
        refused = [(((2, 3), p, training), ValueError, f"p = {p}") for p in (-0.1, 1.1, math.nan, -1e-9, 1 + 1e-9)]
        refused += [(((), 0.5, training), ValueError, "an x without dimensions")]
        for valid in (((2, 3), 0.0, training), ((2,), 1.0, training)):
            assert_refuses(candidate, path, valid=valid, refused=refused)

    def block(m, p):
        m.StochasticDepth(torch.nn.Identity(), p)
        return m.depth_rates(1, 0.5)

    refused = [((p,), ValueError, f"p = {p}") for p in (-0.1, 1.1, math.nan)]
    for p in (0.0, 1.0):
        assert_refuses(candidate, block, valid=(p,), refused=refused)
    rates = [((0, 0.5), ValueError, "depth = 0"), ((-1, 0.5), ValueError, "a negative depth")]
    rates += [((3, p), ValueError, f"max_rate = {p}") for p in (-0.1, 1.1, math.nan)]
    assert_refuses(candidate, lambda m, *a: m.depth_rates(*a), valid=(3, 1.0), refused=rates)


@probe_helper
def mix_on_cuda(m, how, inputs, targets, seed):
    images, weights = getattr(m, how)(
        inputs.cuda(), targets.cuda(), 1.0, generator=torch.Generator("cuda").manual_seed(seed)
    )
    return images, weights, images.device.type


@probe_helper
def smooth_on_cuda(m, targets):
    return m.smooth_labels(targets.long(), 4, 0.3)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors, with a generator of that device, results are computed there."""
    check_cuda(candidate, call_loss, (rng.normal(5, 4), torch.softmax(rng.normal(5, 4), -1)), soft_loss)
    for how in ("mixup", "cutmix"):
        inputs, targets = image_batch(5, 2, 6, 7), torch.eye(5)
        images, weights, device = candidate(mix_on_cuda, how, inputs, targets, rng.seed())
        assert_true(device == "cuda", f"the result is on the {device}, not on the device of the inputs")
        check_weights(weights)
        if how == "mixup":
            assert_matches(images, mixed, inputs, weights, what="the mixed inputs on CUDA", margin=64)
        else:
            assert_same(images, pasted(inputs, weights, box_of(inputs, images)), "an image on CUDA")
