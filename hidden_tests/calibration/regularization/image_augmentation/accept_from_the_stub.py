"""accept: written from the stub and the public tests alone."""

import math

import torch


FILLS = ("constant", "nearest", "reflect")


def _check_images(images: torch.Tensor, fill: str) -> None:
    if not images.is_floating_point():
        raise TypeError(f"images must be floating, not {images.dtype}")
    if images.dim() != 4:
        raise ValueError(f"images must have four dimensions, not {images.dim()}")
    if fill not in FILLS:
        raise ValueError(f"fill must be one of {FILLS}, not {fill!r}")


def _power(m: torch.Tensor) -> torch.Tensor:
    """The largest power of two that is at most m, exactly; one where there is none."""
    mantissa, _ = torch.frexp(m)
    return torch.where(m > 0, m / (2 * mantissa), torch.ones_like(m))


def _neighbours(x: torch.Tensor, size: int, fill: str) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Index, weight and presence of the two pixels around each coordinate."""
    if fill == "constant":
        # Further out there is nothing else.
        x = x.nan_to_num(nan=-2.0).clamp(-2, size + 1)
    elif fill == "nearest" or size == 1:
        x = x.nan_to_num(nan=0.0).clamp(0, size - 1)
    else:
        period = 2 * (size - 1)
        x = torch.remainder(x, period).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        x = torch.minimum(x, period - x).clamp(0, size - 1)
    floor = x.floor()
    index, part = floor.long(), x - floor
    result = []
    for i, weight in ((index, 1 - part), (index + 1, part)):
        result.append((i.clamp(0, size - 1), weight, (i >= 0) & (i < size)))
    return result


def affine_matrices(
    *, angle: torch.Tensor, shift: torch.Tensor, shear: torch.Tensor, zoom: torch.Tensor, flip: torch.Tensor
) -> torch.Tensor:
    """One matrix for each image, which says where its content goes: (u, v) moves to matrix · (u, v, 1).

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | angle | (batch,) | floating | degrees; positive turns the content counter-clockwise as one sees it: right goes up |
    | shift | (batch, 2) | as angle | pixels to the right, pixels down |
    | shear | (batch,) | as angle | (u, v) goes to (u + shear · v, v) |
    | zoom | (batch,) | as angle, > 0 | (u, v) goes to (zoom · u, zoom · v): above 1 the content grows |
    | flip | (batch,) | bool | True: (u, v) goes to (-u, v) |
    | result | (batch, 2, 3) | as angle | |

    The content is first flipped, then zoomed, then sheared, then turned, then shifted, all about the centre.

    Raises:
        TypeError: flip is not boolean.
        ValueError: a shape is wrong, or a zoom is not above 0 (NaN is not).
    """
    if flip.dtype != torch.bool:
        raise TypeError(f"flip must be boolean, not {flip.dtype}")
    if angle.dim() != 1:
        raise ValueError(f"angle must have one dimension, not {angle.dim()}")
    batch = angle.shape[0]
    for name, x, shape in (
        ("shift", shift, (batch, 2)),
        ("shear", shear, (batch,)),
        ("zoom", zoom, (batch,)),
        ("flip", flip, (batch,)),
    ):
        if tuple(x.shape) != shape:
            raise ValueError(f"{name} must have the shape {shape}, not {tuple(x.shape)}")
    if not bool((zoom > 0).all()):
        raise ValueError("every zoom must be above 0")

    # Whole quarter turns apart, so that they are exact.
    degrees = torch.fmod(angle.double(), 360.0)
    quarters = torch.round(degrees / 90)
    rest = torch.deg2rad(degrees - 90 * quarters)
    cos, sin = rest.cos(), rest.sin()
    quarters = quarters.long() % 4
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    cos_quarter = torch.where(quarters == 0, one, torch.where(quarters == 2, -one, zero))
    sin_quarter = torch.where(quarters == 1, one, torch.where(quarters == 3, -one, zero))
    cos, sin = cos * cos_quarter - sin * sin_quarter, sin * cos_quarter + cos * sin_quarter

    zoom, shear, shift = zoom.double(), shear.double(), shift.double()
    mirrored = torch.where(flip, -zoom, zoom)
    first = torch.stack([cos * mirrored, (cos * shear + sin) * zoom, shift[:, 0]], -1)
    second = torch.stack([-sin * mirrored, (cos - sin * shear) * zoom, shift[:, 1]], -1)
    return torch.stack([first, second], 1).to(angle.dtype)


def warp(images: torch.Tensor, matrices: torch.Tensor, *, fill: str = "constant", value: float = 0.0) -> torch.Tensor:
    """Moves the content of each image by its matrix: the whole batch in one bilinear resampling.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | images | (batch, channels, height, width) | floating | |
    | matrices | (batch, 2, 3) | as images | where the content goes, as from `affine_matrices` |
    | fill | | "constant", "nearest", "reflect" | what lies outside of an image, see below |
    | value | | float | for "constant" |
    | result | as images | as images | |

    The pixel of the result at a point p has the value of the image at the point from which the matrix leads to p. Between
    pixels the image is bilinear in its four neighbours. Outside of the image there are more pixels, at all integer points: for
    "constant" each has the value `value`, for "nearest" that of the nearest pixel of the image, for "reflect" the image is
    mirrored at the centres of its border pixels, again and again: the row 1 2 3 goes on 2 1 2 3 …, and a row of one pixel
    repeats it.

    Raises:
        TypeError: images are not floating.
        ValueError: a shape is wrong, fill is none of the three, or a matrix is not finite or cannot be inverted (determinant 0).
    """
    _check_images(images, fill)
    batch, channels, height, width = images.shape
    if tuple(matrices.shape) != (batch, 2, 3):
        raise ValueError(f"matrices must have the shape ({batch}, 2, 3), not {tuple(matrices.shape)}")
    if not bool(matrices.isfinite().all()):
        raise ValueError("a matrix is not finite")
    matrices = matrices.double()
    # Rows over a power of two each, so that the determinant neither overflows nor underflows.
    power = _power(matrices[:, :, :2].abs().amax(2))
    linear = matrices[:, :, :2] / power[:, :, None]
    determinant = linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]
    if bool((determinant == 0).any()):
        raise ValueError("a matrix cannot be inverted")

    # Where each pixel of the result comes from.
    kind = {"dtype": torch.float64, "device": images.device}
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    u, v = torch.arange(width, **kind) - middle_x, torch.arange(height, **kind) - middle_y
    u = ((u - matrices[:, 0, 2:]) / power[:, :1])[:, None, :]
    v = ((v - matrices[:, 1, 2:]) / power[:, 1:])[:, :, None]
    a, b, c, d = (linear[:, i, j, None, None] for i in (0, 1) for j in (0, 1))
    determinant = determinant[:, None, None]
    x = (d * u - b * v) / determinant + middle_x
    y = (a * v - c * u) / determinant + middle_y

    pixels = images.reshape(batch, channels, height * width)
    result = torch.zeros(batch, channels, height * width, **kind)
    for row, row_weight, row_there in _neighbours(y, height, fill):
        for column, column_weight, column_there in _neighbours(x, width, fill):
            index = (row * width + column).reshape(batch, 1, height * width).expand(-1, channels, -1)
            weight = (row_weight * column_weight).reshape(batch, 1, height * width)
            found = pixels.gather(2, index).double()
            if fill == "constant":
                found = torch.where((row_there & column_there).reshape(batch, 1, height * width), found, value)
            # What has no weight counts for nothing, even where it is not finite.
            result = result + torch.where(weight == 0, 0.0, weight * found)
    return result.reshape(images.shape).to(images.dtype)


def random_parameters(
    batch: int,
    *,
    max_angle: float = 0.0,
    max_shift: float = 0.0,
    max_shear: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    flip: float = 0.0,
    dtype: torch.dtype = torch.float32,
    generator: torch.Generator | None = None,
) -> dict[str, torch.Tensor]:
    """Parameters for `affine_matrices`, all drawn on their own, for each image on its own.

    | name | kind | meaning |
    |---|---|---|
    | batch | int ≥ 0 | number of images |
    | max_angle, max_shear | float ≥ 0 | angle and shear are uniform between minus and plus this |
    | max_shift | float ≥ 0 | so are the shift to the right and that down, in pixels |
    | zoom | (low, high), 0 < low ≤ high | zoom is uniform between them |
    | flip | float in [0, 1] | the chance of a flip |
    | dtype | | of the result; flip is boolean |
    | result | dict | "angle", "shift", "shear", "zoom", "flip", as `affine_matrices` takes them, on the generator's device |

    Raises:
        ValueError: a number is out of its range; NaN is.
    """
    low, high = zoom
    if batch < 0:
        raise ValueError(f"batch must be at least 0, not {batch}")
    for name, number in (("max_angle", max_angle), ("max_shift", max_shift), ("max_shear", max_shear)):
        if not 0 <= number < math.inf:
            raise ValueError(f"{name} must be at least 0 and finite, not {number}")
    if not 0 < low <= high < math.inf:
        raise ValueError(f"zoom must be (low, high) with 0 < low <= high, not {zoom}")
    if not 0 <= flip <= 1:
        raise ValueError(f"flip must be in [0, 1], not {flip}")
    device = torch.device("cpu") if generator is None else generator.device
    draws = torch.rand(6, batch, dtype=torch.float64, device=device, generator=generator)
    signed = 2 * draws - 1
    return {
        "angle": (max_angle * signed[0]).to(dtype),
        "shift": (max_shift * signed[1:3].T).to(dtype).contiguous(),
        "shear": (max_shear * signed[3]).to(dtype),
        "zoom": (low + (high - low) * draws[4]).clamp(low, high).to(dtype),
        "flip": draws[5] < flip,
    }


def random_affine(
    images: torch.Tensor,
    *,
    max_angle: float = 0.0,
    max_shift: float = 0.0,
    max_shear: float = 0.0,
    zoom: tuple[float, float] = (1.0, 1.0),
    flip: float = 0.0,
    fill: str = "constant",
    value: float = 0.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Warps each image by random parameters of its own.

    The same as `random_parameters` for the number of images, in their dtype, with a generator in the same state, then
    `affine_matrices`, then `warp`: the same draws and nothing more. Arguments and errors are theirs.
    """
    _check_images(images, fill)
    parameters = random_parameters(
        images.shape[0],
        max_angle=max_angle,
        max_shift=max_shift,
        max_shear=max_shear,
        zoom=zoom,
        flip=flip,
        dtype=images.dtype,
        generator=generator,
    )
    matrices = affine_matrices(**{name: x.to(images.device) for name, x in parameters.items()})
    return warp(images, matrices, fill=fill, value=value)
