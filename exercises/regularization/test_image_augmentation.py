"""Public tests: run `pytest exercises/regularization/test_image_augmentation.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true, probe_helper


@probe_helper
def matrices_of(m, batch=1, **changes):
    """Matrices that do nothing but what `changes` say, alike for all images."""
    settings = {
        "angle": torch.zeros(batch),
        "shift": torch.zeros(batch, 2),
        "shear": torch.zeros(batch),
        "zoom": torch.ones(batch),
        "flip": torch.zeros(batch, dtype=torch.bool),
    }
    return m.affine_matrices(**{**settings, **changes})


def test_flip(candidate, rng):
    """Only the image whose flip is True is mirrored."""
    images, flip = rng.normal(2, 3, 4, 5), torch.tensor([True, False])
    result = candidate(lambda m: m.warp(images, matrices_of(m, 2, flip=flip)))
    expected = torch.stack([images[0].flip(-1), images[1]])
    assert_close(result, expected, tolerance=1e-5, hint="where is the centre of a row of pixels?")


def test_quarter_turn(candidate, rng):
    """90 degrees turn a square image counter-clockwise."""
    images = rng.normal(1, 2, 4, 4)
    result = candidate(lambda m: m.warp(images, matrices_of(m, angle=torch.tensor([90.0]))))
    assert_close(result, torch.rot90(images, 1, (-2, -1)), tolerance=1e-5, hint="y points downwards")


def test_shift(candidate):
    """A shift by (1, 0) moves the content one pixel to the right, and the fill comes in from the left."""
    images = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    for fill, expected in (("constant", [9.0, 1.0, 2.0]), ("nearest", [1.0, 1.0, 2.0]), ("reflect", [2.0, 1.0, 2.0])):

        def probe(m, fill=fill):
            return m.warp(images, matrices_of(m, shift=torch.tensor([[1.0, 0.0]])), fill=fill, value=9.0)

        hint = "the matrix says where the content goes"
        assert_close(candidate(probe), torch.tensor([[[expected]]]), tolerance=1e-5, what=f"fill {fill}", hint=hint)


def test_turn_before_shift(candidate):
    """The content is turned first and shifted then."""
    result = candidate(
        lambda m: matrices_of(m, angle=torch.tensor([90.0]), shift=torch.tensor([[3.0, 5.0]]), zoom=torch.tensor([2.0]))
    )
    expected = torch.tensor([[[0.0, 2.0, 3.0], [-2.0, 0.0, 5.0]]])
    assert_close(result, expected, tolerance=1e-5)


def test_random_parameters_stay_in_range(candidate, rng):
    """Parameters of many images fill their range on both sides of zero."""
    seed = rng.seed()
    drawn = candidate(lambda m: m.random_parameters(500, max_angle=30, generator=torch.Generator().manual_seed(seed)))
    angle = drawn["angle"]
    # 500 uniform draws miss an outer tenth of the range with a chance of 0.9^500 < 1e-22.
    assert_true(-30 <= angle.min() < -24 and 24 < angle.max() <= 30, "angles do not fill ±max_angle")
    assert_true((drawn["zoom"] == 1).all() and not drawn["flip"].any(), "nothing else should be drawn by default")


def test_refuses_zoom_of_zero(candidate):
    """A zoom of 0 raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, zoom: matrices_of(m, zoom=zoom),
        valid=(torch.tensor([0.5]),),
        refused=[((torch.tensor([0.0]),), ValueError, "zoom = 0")],
    )
