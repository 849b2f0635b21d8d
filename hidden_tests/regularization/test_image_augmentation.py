import itertools
import math

import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import cast, check_cuda, check_dtypes, check_strides, check_untouched

pytestmark = pytest.mark.numerics

FILLS = ["constant", "nearest", "reflect"]


@oracle
def product(angle, shift, shear, zoom, flip):
    """The five steps as matrices of homogeneous coordinates, multiplied image by image."""
    matrices = []
    for degrees, (right, down), slant, size, mirrored in zip(angle, shift, shear, zoom, flip, strict=True):
        radians = degrees * math.pi / 180
        one, zero = torch.ones_like(degrees), torch.zeros_like(degrees)

        def matrix(*entries):
            return torch.stack(entries).reshape(3, 3)

        mirror = matrix(-one if mirrored else one, zero, zero, zero, one, zero, zero, zero, one)
        grow = matrix(size, zero, zero, zero, size, zero, zero, zero, one)
        lean = matrix(one, slant, zero, zero, one, zero, zero, zero, one)
        turn = matrix(radians.cos(), radians.sin(), zero, -radians.sin(), radians.cos(), zero, zero, zero, one)
        move = matrix(one, zero, right, zero, one, down, zero, zero, one)
        matrices.append((move @ turn @ lean @ grow @ mirror)[:2])
    return torch.stack(matrices)


@oracle
def resampled(images, matrices, fill="constant", value=0.0):
    """Image by image: a homogeneous inverse, and the four neighbours of each point looked up one after the other."""
    height, width = images.shape[2:]
    dtype = images.dtype
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    points = torch.stack([columns - (width - 1) / 2, rows - (height - 1) / 2, torch.ones(height, width)]).to(dtype)
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=dtype)
    results = []
    for image, matrix in zip(images, matrices, strict=True):
        back = torch.linalg.inv(torch.cat([matrix, last]))
        u, v, _ = torch.einsum("ij,jhw->ihw", back, points)
        x, y = u + (width - 1) / 2, v + (height - 1) / 2
        left, top = x.floor(), y.floor()
        total = torch.zeros_like(image)
        for dx, dy in itertools.product((0, 1), repeat=2):
            weight = (1 - (x - left - dx).abs()) * (1 - (y - top - dy).abs())
            total = total + weight * looked_up(image, (left + dx).long(), (top + dy).long(), fill, value)
        results.append(total)
    return torch.stack(results)


@oracle
def looked_up(image, column, row, fill, value):
    """Pixels at integer points, inside and outside."""
    height, width = image.shape[1:]
    outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
    if fill == "reflect":
        mirrored_columns = [*range(width), *range(width - 2, 0, -1)]
        mirrored_rows = [*range(height), *range(height - 2, 0, -1)]
        column = torch.tensor(mirrored_columns)[column % len(mirrored_columns)]
        row = torch.tensor(mirrored_rows)[row % len(mirrored_rows)]
    found = image[:, row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return torch.where(outside, torch.full_like(found, value), found) if fill == "constant" else found


def matrices_call(m, angle, shift, shear, zoom, flip):
    return m.affine_matrices(angle=angle, shift=shift, shear=shear, zoom=zoom, flip=flip)


def warp_call(m, images, matrices, fill="constant", value=0.0):
    return m.warp(images, matrices, fill=fill, value=value)


def neutral(batch, dtype=torch.float64):
    """Parameters that do nothing."""
    return {
        "angle": torch.zeros(batch, dtype=dtype),
        "shift": torch.zeros(batch, 2, dtype=dtype),
        "shear": torch.zeros(batch, dtype=dtype),
        "zoom": torch.ones(batch, dtype=dtype),
        "flip": torch.zeros(batch, dtype=torch.bool),
    }


def draw_parameters(rng, batch, dtype=torch.float64):
    return {
        "angle": rng.uniform(batch, low=-200, high=200, dtype=dtype),
        "shift": rng.uniform(batch, 2, low=-3, high=3, dtype=dtype),
        "shear": rng.uniform(batch, low=-0.8, high=0.8, dtype=dtype),
        "zoom": rng.uniform(batch, low=0.5, high=2.0, dtype=dtype),
        "flip": rng.boolean(batch),
    }


def draw_matrices(rng, batch, dtype=torch.float64, far=2.0):
    """Any matrices with a determinant that is not small: turned, stretched along both axes, turned again."""
    first, second = rng.uniform(batch, low=0, high=6.3, n=2, dtype=dtype)
    stretch = rng.uniform(batch, 2, low=0.5, high=2.0, dtype=dtype) * (1.0 - 2.0 * rng.boolean(batch, 2).to(dtype))

    def turn(a):
        return torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).reshape(-1, 2, 2)

    linear = turn(first) @ torch.diag_embed(stretch) @ turn(second)
    return torch.cat([linear, rng.uniform(batch, 2, 1, low=-far, high=far, dtype=dtype)], dim=-1)


@pytest.mark.points(3)
@pytest.mark.parametrize("name", ["angle", "shift", "shear", "zoom", "flip"])
def test_matrix_of_one_parameter(candidate, rng, name):
    """Each parameter on its own gives the matrix of the table, for each image its own."""
    for batch in (4, 1):
        parameters = {**neutral(batch), name: draw_parameters(rng, batch)[name]}
        if name == "flip":
            parameters["flip"] = torch.arange(batch) % 2 == 0
        result = candidate(matrices_call, *parameters.values())
        hint = "degrees, the direction of the turn with y downwards, which of the entries"
        assert_matches(result, product, *parameters.values(), what=f"the matrix of {name}", hint=hint)


@pytest.mark.points(3)
def test_matrix_of_all_parameters(candidate, rng):
    """Flip, zoom, shear, turn and shift come in this order, in the dtype of the parameters."""
    for batch in (5, 1):
        arguments = tuple(draw_parameters(rng, batch).values())
        check_dtypes(candidate, matrices_call, arguments, product, hint="in which order does a product act on a point?")
    arguments = tuple(draw_parameters(rng, 4).values())
    check_strides(candidate, matrices_call, arguments, product)
    check_untouched(candidate, matrices_call, arguments)


@pytest.mark.points(4)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(4, 3, 7, 7), (3, 1, 5, 9), (2, 2, 8, 3)])
def test_resampled_values(candidate, rng, fill, shape):
    """The result takes each pixel from where the inverse of the matrix leads, bilinearly, also where it reaches outside."""
    for value in (0.0, -0.37):
        images, matrices = rng.normal(*shape, dtype=torch.float64), draw_matrices(rng, shape[0])
        hint = (
            "the inverse once; centres of pixels; pixels, not fractions of the sides; the four neighbours of each point"
        )
        check_dtypes(candidate, warp_call, (images, matrices, fill, value), resampled, hint=hint)


@pytest.mark.points(2)
@pytest.mark.parametrize("fill", FILLS)
def test_shapes_of_one(candidate, rng, fill):
    """Images of one row, one column or one pixel, and a batch of one, are resampled like others."""
    for shape in ((2, 2, 1, 6), (2, 1, 5, 1), (3, 2, 1, 1), (1, 1, 2, 2), (1, 4, 3, 4)):
        images, matrices = rng.normal(*shape, dtype=torch.float64), draw_matrices(rng, shape[0], far=0.8)
        result = candidate(warp_call, images, matrices, fill, 1.5)
        what = f"images of shape {shape[2:]}"
        assert_matches(result, resampled, images, matrices, fill, 1.5, what=what, hint="no division by size - 1")


@pytest.mark.points(2)
@pytest.mark.parametrize("fill", FILLS)
def test_far_outside(candidate, rng, fill):
    """Content that is moved far away, or shrunk to a point, leaves what lies outside, mirrored again and again."""
    images = rng.normal(3, 2, 5, 6, dtype=torch.float64)
    away = draw_matrices(rng, 3, far=60.0)
    small = neutral(3)
    small["zoom"] = torch.tensor([0.07, 1e-2, 1e-4], dtype=torch.float64)
    for matrices in (away, plain_matrices(small)):
        result = candidate(warp_call, images, matrices, fill, -1000.0)
        hint = "a determinant may be small, a value any number"
        assert_matches(result, resampled, images, matrices, fill, -1000.0, what="what lies outside", hint=hint)


@probe_helper
def warp_inside(m, images, matrices, value):
    return m.warp(images, matrices, value=value)[:, :, 1:-1, 1:-1]


def test_value_stays_outside(candidate, rng):
    """Where all four neighbours are pixels of the image, `value` plays no part, however large it is."""
    images, parameters = rng.normal(3, 2, 6, 7), neutral(3, torch.float32)
    # By less than a pixel, so that all but the border pixels come from at least a tenth of a pixel inside.
    parameters["shift"] = rng.uniform(3, 2, low=0.1, high=0.9) * rng.choice(-1, 1)
    matrices = plain_matrices(parameters)

    def inside(images, matrices):
        return resampled(images, matrices)[:, :, 1:-1, 1:-1]

    for value in (1e6, -1e30):
        result = candidate(warp_inside, images, matrices, value)
        hint = "how exactly do the weights of four neighbours sum to 1?"
        assert_matches(result, inside, images, matrices, what="the inside of an image", hint=hint)


def plain_matrices(parameters):
    """Of zooms and shifts alone, without an oracle, as they are sent."""
    zoom, shift = parameters["zoom"], parameters["shift"]
    zero = torch.zeros_like(zoom)
    first = torch.stack([zoom, zero, shift[:, 0]], -1)
    return torch.stack([first, torch.stack([zero, zoom, shift[:, 1]], -1)], 1)


@probe_helper
def both(m, images, parameters, fill, value):
    names = ["angle", "shift", "shear", "zoom", "flip"]
    return m.warp(images, m.affine_matrices(**dict(zip(names, parameters, strict=True))), fill=fill, value=value)


@pytest.mark.points(3)
def test_exact_moves(candidate, rng):
    """Flips, quarter turns and whole shifts move pixels exactly where they belong; nothing at all changes nothing."""
    images = rng.normal(4, 2, 6, 6, dtype=torch.float64)
    angle = torch.tensor([0.0, 90.0, 180.0, -90.0], dtype=torch.float64)
    turned = torch.stack([torch.rot90(image, k, (-2, -1)) for k, image in enumerate(images)])
    flip = torch.tensor([True, False, True, False])
    flipped = torch.stack([image.flip(-1) if f else image for f, image in zip(flip, images, strict=True)])
    both_ways = torch.stack([torch.rot90(image, k, (-2, -1)) for k, image in enumerate(flipped)])
    wide = rng.normal(4, 2, 5, 8, dtype=torch.float64)
    shift = torch.tensor([[2.0, 0.0], [0.0, -1.0], [-3.0, 2.0], [0.0, 0.0]], dtype=torch.float64)
    shifted = torch.full_like(wide, 7.0)
    shifted[0, :, :, 2:] = wide[0, :, :, :-2]
    shifted[1, :, :-1] = wide[1, :, 1:]
    shifted[2, :, 2:, :-3] = wide[2, :, :-2, 3:]
    shifted[3] = wide[3]
    mirrored = torch.stack([image.flip(-1) if f else image for f, image in zip(flip, wide, strict=True)])
    cases = [
        ("nothing at all", wide, {}, wide),
        ("a quarter turn", images, {"angle": angle}, turned),
        ("a flip", wide, {"flip": flip}, mirrored),
        ("a turn after a flip", images, {"angle": angle, "flip": flip}, both_ways),
        ("a shift", wide, {"shift": shift}, shifted),
    ]
    for what, sent, changes, expected in cases:
        parameters = {**neutral(4), **changes}
        result = candidate(both, sent, tuple(parameters.values()), "constant", 7.0)
        # Positions are off by some 1e-15 in float64, which blends neighbours by as much.
        hint = "where is the centre, which way is up, and where does the content go?"
        assert_close(result, expected, tolerance=1e-12, what=what, hint=hint)


@pytest.mark.points(2)
def test_parameters_and_resampling_together(candidate, rng):
    """Images warped by the matrices of all parameters are those of a float64 oracle; each image has its own."""
    for dtype in (torch.float32, torch.float64):
        images, parameters = rng.normal(5, 2, 8, 11, dtype=torch.float64), draw_parameters(rng, 5)
        for fill in FILLS:
            typed = [cast(x, dtype) for x in (images, *parameters.values())]
            result = candidate(both, typed[0], tuple(typed[1:]), fill, 0.5)

            def expected(images, *parameters, fill=fill):
                return resampled(images, product(*parameters), fill, 0.5)

            assert_matches(result, expected, *typed, what="the augmented images")


def test_strides_and_untouched_inputs(candidate, rng):
    """Images and matrices may have any strides and huge values, and are left as they were."""
    for fill in FILLS:
        arguments = (rng.normal(3, 2, 5, 6, dtype=torch.float64), draw_matrices(rng, 3), fill, 2.0)
        check_strides(candidate, warp_call, arguments, resampled)
        check_untouched(candidate, warp_call, arguments)
    huge = (1e30 * rng.normal(3, 2, 5, 6), cast(draw_matrices(rng, 3), torch.float32), "nearest")
    assert_matches(candidate(warp_call, *huge), resampled, *huge, what="the result for huge values")


def divergence(share, chance):
    """Kullback-Leibler divergence of two coins."""
    parts = ((share, chance), (1 - share, 1 - chance))
    return sum(a * math.log(a / b) if a > 0 else 0.0 for a, b in parts)


def check_share(hits, chance, what, hint=""):
    """The share of True among independent draws is plausible for `chance`.

    By Chernoff's bound it lies on one side of the chance at a divergence of d or more with probability at most exp(-n d).
    With n d = 22 both sides together are 2 exp(-22) < 6e-10; a test here makes at most 40 such checks.
    """
    share, number = float(hits.double().mean()), hits.numel()
    assert_true(number * divergence(share, chance) < 22, what, hint, f"{share:.4f} of {number}, chance {chance:.4f}")


@probe_helper
def draw(m, batch, options, seed):
    return m.random_parameters(batch, **options, generator=torch.Generator().manual_seed(seed))


def columns(drawn):
    """Every random number of an image."""
    return {
        "the angle": drawn["angle"],
        "the shift to the right": drawn["shift"][:, 0],
        "the shift down": drawn["shift"][:, 1],
        "the shear": drawn["shear"],
        "the zoom": drawn["zoom"],
    }


@pytest.mark.behaviour
@pytest.mark.points(4)
def test_distributions(candidate, rng):
    """Angle, shifts, shear and zoom are uniform over their ranges, flips have their chance, for each image on its own."""
    number = 4000
    options = {"max_angle": 40.0, "max_shift": 3.0, "max_shear": 0.5, "zoom": (0.5, 2.5), "flip": 0.3}
    drawn = candidate(draw, number, options, rng.seed())
    ranges = [(-40.0, 40.0), (-3.0, 3.0), (-3.0, 3.0), (-0.5, 0.5), (0.5, 2.5)]
    positions = {}
    for (name, values), (low, high) in zip(columns(drawn).items(), ranges, strict=True):
        assert_true(values.shape == (number,), f"{name} is not one number for each image")
        # Rounding may reach the ends, and pass them by a unit of the last digit.
        slack = 1e-6 * (high - low)
        assert_true(((values >= low - slack) & (values <= high + slack)).all(), f"{name} leaves its range")
        place = ((values.double() - low) / (high - low)).clamp(0, 1)
        positions[name] = place
        steps = torch.arange(number + 1, dtype=torch.float64) / number
        ordered = place.sort().values
        distance = float(torch.maximum((steps[1:] - ordered).abs(), (steps[:-1] - ordered).abs()).max())
        # Dvoretzky, Kiefer, Wolfowitz: a distance of e or more has a chance of at most 2 exp(-2 n e²); 2 exp(-22) < 6e-10.
        assert_true(
            distance < math.sqrt(11 / number), f"{name} is not uniform over its range", "both signs?", f"{distance:.3f}"
        )
        # Halves of neighbours, and of images half a batch apart, agree as coins do: 2000 independent pairs each.
        upper = place < 0.5
        for one, other in ((upper[::2], upper[1::2]), (upper[: number // 2], upper[number // 2 :])):
            check_share(one == other, 0.5, f"{name} is not drawn for each image on its own", "a draw for each image")
    assert_true(drawn["flip"].dtype == torch.bool, "flip is not boolean")
    check_share(drawn["flip"], 0.3, "images are flipped too often, or not often enough")
    halves = {name: place < 0.5 for name, place in positions.items()}
    for one, other in itertools.combinations(halves, 2):
        check_share(halves[one] == halves[other], 0.5, f"{one} and {other} depend on each other", "a draw for each")
    for name, half in halves.items():
        check_share(half & drawn["flip"], 0.15, f"{name} and the flip depend on each other", "a draw for each")


@pytest.mark.behaviour
def test_parameters_by_default(candidate, rng):
    """What is not asked for does nothing; dtype decides, and a batch may be empty."""
    for dtype in (torch.float32, torch.float64):
        for batch in (3, 1, 0):
            drawn = candidate(draw, batch, {"dtype": dtype}, rng.seed())
            assert_true(set(drawn) == {"angle", "shift", "shear", "zoom", "flip"}, "the names differ from the table's")
            for name, expected in neutral(batch, dtype).items():
                demanded = {} if name == "flip" else {"dtype": dtype}
                assert_close(drawn[name], expected, tolerance=0.0, what=f"{name} by default", **demanded)
    images = torch.zeros(0, 2, 4, 3)
    for fill in FILLS:
        empty = candidate(lambda m, fill: m.random_affine(images, fill=fill), fill)
        hint = "every function takes a batch of 0"
        assert_close(empty, images, tolerance=0.0, what="the result for a batch of 0", hint=hint)
    always = candidate(draw, 50, {"flip": 1.0, "zoom": (2.0, 2.0)}, rng.seed())
    assert_true(
        always["flip"].all() and (always["zoom"] == 2).all(), "a chance of 1, or a range of one value, is missed"
    )
    assert_true(candidate(draw, 3, {}, rng.seed())["zoom"].dtype == torch.float32, "the dtype by default is float32")


@probe_helper
def draw_often(m, seeds, options, images):
    """Parameters twice with one generator for each seed, augmented images, and whether the default generator moved."""
    before = torch.manual_seed(99).get_state()
    drawn, warped = [], []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        drawn.append([m.random_parameters(len(images), **options, generator=generator) for _ in range(2)])
        warped.append(m.random_affine(images, **options, generator=torch.Generator().manual_seed(seed)))
    still = torch.equal(before, torch.get_rng_state())
    defaults = []
    for seed in seeds:
        torch.manual_seed(seed)
        defaults.append(m.random_affine(images, **options))
    return drawn, warped, still, defaults


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_the_generator_decides(candidate, rng):
    """The generator alone decides, the next draw is another one, and without one torch's default generator is the source."""
    options = {"max_angle": 40.0, "max_shift": 3.0, "max_shear": 0.5, "zoom": (0.5, 1.5), "flip": 0.5}
    seed, images = rng.seed(), rng.normal(6, 1, 7, 8)
    drawn, warped, still, defaults = candidate(draw_often, [seed, seed, seed + 1], options, images)
    assert_true(still, "torch's default generator has moved", "pass the generator on to every draw")
    for name in drawn[0][0]:
        one, again, other = ([call[name] for call in pair] for pair in drawn)
        same = torch.equal(one[0], again[0]) and torch.equal(one[1], again[1])
        assert_true(same, f"the same seed gives another {name}", "pass the generator on to every draw")
        if name != "flip":  # six coins agree too often; six floating numbers agree hardly ever
            assert_true(not torch.equal(one[0], one[1]), f"the next call draws the same {name}")
            assert_true(not torch.equal(one[0], other[0]), f"another seed draws the same {name}")
    for results in (warped, defaults):
        assert_true(torch.equal(results[0], results[1]), "the same seed gives other images", "no seed of your own")
        assert_true(not torch.equal(results[0], results[2]), "every seed gives the same images", "no seed of your own")


@probe_helper
def augment_two_ways(m, images, options, fill, value, seed):
    generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
    result = m.random_affine(images, **options, fill=fill, value=value, generator=generators[0])
    drawn = m.random_parameters(len(images), **options, dtype=images.dtype, generator=generators[1])
    same = torch.equal(generators[0].get_state(), generators[1].get_state())
    return result, m.warp(images, m.affine_matrices(**drawn), fill=fill, value=value), same, drawn


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_random_affine_is_its_parts(candidate, rng):
    """`random_affine` makes the draws of `random_parameters` and warps by them, with every option."""
    some = {"max_angle": 40.0, "max_shift": 3.0, "max_shear": 0.5, "zoom": (0.5, 1.5), "flip": 0.5}
    for dtype in (torch.float32, torch.float64):
        for options in (some, {}, *({name: setting} for name, setting in some.items())):
            images, fill = rng.normal(7, 2, 6, 5, dtype=dtype), rng.choice(*FILLS)
            result, parts, same, drawn = candidate(augment_two_ways, images, options, fill, 1.5, rng.seed())
            # The same arithmetic.
            assert_close(result, parts, tolerance=1e-5, what="the augmented images", hint="the same draws", dtype=dtype)
            assert_true(same, "random_affine draws more, or less, than random_parameters")
            typed = [images, *(drawn[name] for name in ("angle", "shift", "shear", "zoom", "flip"))]

            def expected(images, *parameters, fill=fill):
                return resampled(images, product(*parameters), fill, 1.5)

            assert_matches(result, expected, *typed, what="the augmented images")


def test_random_affine_by_default(candidate, rng):
    """By default nothing changes, and what is outside is zero; images are left as they were."""
    images = rng.normal(4, 2, 5, 6)
    # Positions off by 1e-6 blend neighbours by as much.
    assert_close(candidate(lambda m: m.random_affine(images)), images, tolerance=1e-5, what="the images by default")
    seed = rng.seed()

    def shifted(m, images):
        return m.random_affine(images, max_shift=40.0, generator=torch.Generator().manual_seed(seed))

    ones = candidate(shifted, torch.ones(200, 1, 4, 4))
    # A shift of more than 4 along either axis moves everything out: a chance of 0.99. A share of 0.8 of 200 or less has, by
    # Chernoff's bound, a chance of exp(-200 · 0.43) < 1e-37.
    gone = (ones == 0).flatten(1).all(1).double().mean()
    assert_true(gone > 0.8, "what is outside is not zero by default")
    check_untouched(candidate, shifted, (images,))


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate):
    """Wrong shapes, fills, matrices and ranges raise ValueError, wrong dtypes TypeError."""
    good = neutral(2, torch.float32)

    def build(m, changes):
        m.affine_matrices(**{**good, **changes})

    refused = [(({"zoom": torch.tensor([1.0, bad])},), ValueError, f"a zoom of {bad}") for bad in (0.0, -1.0, math.nan)]
    refused += [
        (({name: good[name][:1]},), ValueError, f"{name} of one image for two") for name in ("shear", "zoom", "flip")
    ]
    refused += [
        (({"shift": shift},), ValueError, "a wrong shape of shift") for shift in (torch.zeros(2), torch.zeros(1, 2))
    ]
    refused += [
        (({"shift": torch.zeros(2, 3)},), ValueError, "a shift of three numbers"),
        (({"angle": torch.zeros(2, 1)},), ValueError, "an angle of shape (2, 1)"),
        (({"angle": torch.zeros(1)},), ValueError, "one angle for two images"),
        (({"flip": torch.zeros(2)},), TypeError, "a floating flip"),
        (({"flip": torch.zeros(2, dtype=torch.int64)},), TypeError, "an integer flip"),
    ]
    assert_refuses(candidate, build, valid=({"zoom": torch.tensor([1e-3, 1.0])},), refused=refused)

    images, matrices = torch.ones(2, 1, 3, 4), plain_matrices(good)

    def warp(m, images, matrices, fill):
        m.warp(images, matrices, fill=fill)

    singular, loud = matrices.clone(), matrices.clone()
    singular[1, 1] = 2 * singular[1, 0]
    loud[0, 1, 2] = math.inf
    refused = [((images, matrices, fill), ValueError, f"fill = {fill!r}") for fill in ("zeros", "", "Nearest")]
    refused += [
        ((images[0], matrices, "nearest"), ValueError, "an image without a batch"),
        ((images[None], matrices, "nearest"), ValueError, "images of five dimensions"),
        ((images, matrices[:1], "nearest"), ValueError, "one matrix for two images"),
        ((images, matrices[0], "nearest"), ValueError, "a matrix without a batch"),
        ((images, torch.ones(2, 3, 3), "nearest"), ValueError, "matrices of three rows"),
        ((images, singular, "nearest"), ValueError, "a matrix without an inverse"),
        ((images, loud, "nearest"), ValueError, "a matrix with inf"),
        ((images, loud * math.nan, "nearest"), ValueError, "a matrix of NaN"),
        ((images.long(), matrices, "nearest"), TypeError, "integer images"),
    ]
    for fill in FILLS:
        assert_refuses(candidate, warp, valid=(images, matrices, fill), refused=refused)

    def draws(m, way, options):
        generator = torch.Generator().manual_seed(0)
        if way == "parameters":
            m.random_parameters(2, **options, generator=generator)
        else:
            m.random_affine(images, **options, generator=generator)

    def augment(m, images, fill):
        m.random_affine(images, fill=fill, generator=torch.Generator().manual_seed(0))

    refused = [
        ((images.long(), "nearest"), TypeError, "random_affine of integer images"),
        ((images[0], "nearest"), ValueError, "random_affine of an image without a batch"),
        ((images, "zeros"), ValueError, "random_affine with an unknown fill"),
    ]
    assert_refuses(candidate, augment, valid=(images, "nearest"), refused=refused)
    for way in ("parameters", "images"):
        names = ("max_angle", "max_shift", "max_shear")
        refused = [
            ((way, {name: bad}), ValueError, f"{name} = {bad}") for name in names for bad in (-1.0, -1e-9, math.nan)
        ]
        pairs = [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (1.0, math.nan)]
        refused += [((way, {"zoom": pair}), ValueError, f"zoom = {pair}") for pair in pairs]
        refused += [((way, {"flip": bad}), ValueError, f"flip = {bad}") for bad in (-0.1, 1.1, math.nan)]
        for valid in ({"flip": 0.0, "zoom": (1e-3, 1.0)}, {"flip": 1.0}):
            assert_refuses(candidate, draws, valid=(way, valid), refused=refused)
    refused = [((-1,), ValueError, "a negative batch")]
    assert_refuses(candidate, lambda m, batch: m.random_parameters(batch)["zoom"].shape[0], valid=(0,), refused=refused)


@oracle
def resampled_at_once(images, matrices):
    """For many images, with zeros around them, then with the nearest pixels: torch's own sampling, with matrices for points
    from -1 to 1, which are 2 u / width and 2 v / height."""
    half = torch.tensor(images.shape[:1:-1], dtype=images.dtype) / 2
    back = torch.linalg.inv(matrices[:, :, :2])
    origin = -back @ matrices[:, :, 2:]
    theta = torch.cat([back * half / half[:, None], origin / half[:, None]], dim=-1)
    grid = torch.nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    fills = ("zeros", "border")
    sample = torch.nn.functional.grid_sample
    return torch.cat([sample(images, grid, padding_mode=fill, align_corners=False) for fill in fills])


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """Fast enough to resample the batch at once: no Python loop over images."""
    throughput(
        call=lambda m, *inputs: torch.cat([m.warp(*inputs, fill=fill) for fill in ("constant", "nearest")]),
        inputs=lambda rng: (rng.normal(256, 1, 12, 12), cast(draw_matrices(rng, 256), torch.float32)),
        check=lambda result, *arguments: assert_matches(result, resampled_at_once, *arguments),
        naive="accept_image_loop",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """Images and matrices on CUDA are resampled there."""
    for fill in FILLS:
        arguments = (rng.normal(3, 2, 5, 6), cast(draw_matrices(rng, 3), torch.float32), fill, 2.0)
        check_cuda(candidate, warp_call, arguments, resampled)
    first, again, _, _ = candidate(augment_on_cuda, rng.normal(4, 1, 6, 6), rng.seed())
    assert_same(first, again, "an augmented image of the same seed")


@probe_helper
def augment_on_cuda(m, images, seed):
    results = []
    for _ in range(2):
        generator = torch.Generator("cuda").manual_seed(seed)
        results.append(m.random_affine(images.cuda(), max_angle=30.0, flip=0.5, generator=generator))
    return [*results, results[0].device.type, len(images)]
