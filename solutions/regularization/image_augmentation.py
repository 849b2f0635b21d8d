"""Affine image augmentation

Interview question: "Augment a batch of images by random rotation, shift, shear, zoom and flip. Why as one resampling for the
whole batch, in which direction does the matrix go, and where exactly are the pixels?"

Build `affine_matrices`, `warp`, `random_parameters` and `random_affine`: every image of a batch has parameters of its own, which
become one matrix, by which the image is resampled once.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched. All randomness comes from `generator`, which is
on the device of the images; None is torch's default one.

Conventions. The pixel in row i and column j is a sample at the point x = j, y = i: x to the right, y downwards, in pixels.
The centre of an image is the point ((width - 1) / 2, (height - 1) / 2). From it are measured u = x - (width - 1) / 2 and
v = y - (height - 1) / 2.

Limits: `torch.nn.functional.grid_sample` and `affine_grid` are allowed (mind their own conventions); `torchvision`, `kornia`,
`skimage`, `PIL`, `cv2` and `scipy` are not; each call within 2 s; throughput: no Python loop over images (the step lies between
such a loop and one resampling of the batch).

The tests look at
- numerics: matrices of each parameter and of all together; resampled values against float64 for images of any shape,
  every fill, points far outside, sizes of one; flips, quarter turns and whole shifts, which move pixels exactly;
- behaviour: distribution and independence of random parameters, reproducibility by generator, one draw for both ways,
  refused arguments;
- throughput as above.

References: Simard et al., "Best Practices for Convolutional Neural Networks" (2003); Jaderberg et al., "Spatial Transformer
Networks" (2015), section 3.
"""

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
import torch


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
    ### BEGIN SOLUTION
    if flip.dtype is not torch.bool:
        raise TypeError(f"flip must be boolean, not {flip.dtype}")
    batch = len(angle)
    shapes = {"angle": angle, "shear": shear, "zoom": zoom, "flip": flip}
    for name, value in shapes.items():
        if value.shape != (batch,):
            raise ValueError(f"{name} must have shape ({batch},), not {tuple(value.shape)}")
    if shift.shape != (batch, 2):
        raise ValueError(f"shift must have shape ({batch}, 2), not {tuple(shift.shape)}")
    if not (zoom > 0).all():
        raise ValueError("zoom must be above 0")
    radians = angle * (math.pi / 180)
    cosine, sine = zoom * radians.cos(), zoom * radians.sin()
    sign = torch.where(flip, -1.0, 1.0).to(angle.dtype)
    # Turn · shear · zoom · flip, written out.
    first = torch.stack([sign * cosine, shear * cosine + sine, shift[:, 0]], dim=-1)
    second = torch.stack([-sign * sine, cosine - shear * sine, shift[:, 1]], dim=-1)
    return torch.stack([first, second], dim=1)
    ### END SOLUTION


def warp(images: torch.Tensor, matrices: torch.Tensor, *, fill: str = "constant", value: float = 0.0) -> torch.Tensor:
    """Moves the content of each image by its matrix: the whole batch in one bilinear resampling.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | images | (batch, channels, height, width) | floating | a batch of 0 is fine |
    | matrices | (batch, 2, 3) | as images | where the content goes, as from `affine_matrices` |
    | fill | | "constant", "nearest", "reflect" | what lies outside of an image, see below |
    | value | | float, finite in the dtype of images | for "constant" |
    | result | as images | as images | |

    The pixel of the result at a point p has the value of the image at the point from which the matrix leads to p. Between
    pixels the image is bilinear in its four neighbours. Outside of the image there are more pixels, at all integer points: for
    "constant" each has the value `value`, for "nearest" that of the nearest pixel of the image, for "reflect" the image is
    mirrored at the centres of its border pixels, again and again: the row 1 2 3 goes on 2 1 2 3 …, and a row of one pixel
    repeats it. A point whose four neighbours are in the image owes nothing to `value`, however large it is. All points are
    within 10⁹ pixels.

    Raises:
        TypeError: images are not floating.
        ValueError: a shape is wrong, fill is none of the three, or a matrix is not finite or cannot be inverted (its
            determinant is 0 in its dtype; one that is merely small is fine).
    """
    ### BEGIN SOLUTION
    _check_images(images)
    if matrices.shape != (len(images), 2, 3):
        raise ValueError(f"matrices must have shape ({len(images)}, 2, 3), not {tuple(matrices.shape)}")
    if fill not in ("constant", "nearest", "reflect"):
        raise ValueError(f'fill must be "constant", "nearest" or "reflect", not {fill!r}')
    height, width = images.shape[2:]
    (a, b, right), (c, d, down) = (row.unbind(1) for row in matrices[..., None, None].unbind(1))
    determinant = a * d - b * c
    if not (matrices.isfinite().all() and (determinant != 0).all()):
        raise ValueError("matrices must be finite and have an inverse")
    # Each pixel of the result asks where its content comes from: the inverse of the matrix, written out.
    u = torch.arange(width, dtype=images.dtype, device=images.device) - (width - 1) / 2 - right
    v = torch.arange(height, dtype=images.dtype, device=images.device)[:, None] - (height - 1) / 2 - down
    x = (d * u - b * v) / determinant + (width - 1) / 2
    y = (a * v - c * u) / determinant + (height - 1) / 2
    if fill == "reflect":
        x, y = _reflected(x, width), _reflected(y, height)
    elif fill == "constant":
        # A frame of one pixel of `value`, which padding_mode="border" repeats for ever.
        images = torch.nn.functional.pad(images, (1, 1, 1, 1), value=value)
        x, y, width, height = x + 1, y + 1, width + 2, height + 2
    # grid_sample with align_corners=False counts from -1 to 1 between the outer edges of the border pixels.
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _check_images(images: torch.Tensor) -> None:
    if not images.is_floating_point():
        raise TypeError(f"images must be floating, not {images.dtype}")
    if images.ndim != 4:
        raise ValueError(f"images must be (batch, channels, height, width), not of {images.ndim} dimensions")


def _reflected(position: torch.Tensor, size: int) -> torch.Tensor:
    """The point within the image that a mirrored one repeats."""
    if size == 1:
        return torch.zeros_like(position)
    period = 2 * (size - 1)
    position = position.abs() % period
    return torch.minimum(position, period - position)


### END REFERENCE ONLY
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
    | dtype | floating | of the result; flip is boolean |
    | result | dict | "angle", "shift", "shear", "zoom", "flip", as `affine_matrices` takes them, on the generator's device |

    Raises:
        ValueError: a number is out of its range; NaN is.
    """
    ### BEGIN SOLUTION
    limits = {"max_angle": max_angle, "max_shift": max_shift, "max_shear": max_shear}
    for name, limit in limits.items():
        if not limit >= 0:
            raise ValueError(f"{name} must be at least 0, not {limit}")
    low, high = zoom
    if batch < 0 or not 0 < low <= high or not 0 <= flip <= 1:
        raise ValueError(f"batch ({batch}), zoom ({low}, {high}) or flip ({flip}) is out of range")
    device = "cpu" if generator is None else generator.device

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(shape, dtype=dtype, device=device, generator=generator)

    return {
        "angle": max_angle * (2 * uniform(batch) - 1),
        "shift": max_shift * (2 * uniform(batch, 2) - 1),
        "shear": max_shear * (2 * uniform(batch) - 1),
        "zoom": low + (high - low) * uniform(batch),
        "flip": uniform(batch) < flip,
    }
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_images(images)
    parameters = random_parameters(
        len(images),
        max_angle=max_angle,
        max_shift=max_shift,
        max_shear=max_shear,
        zoom=zoom,
        flip=flip,
        dtype=images.dtype,
        generator=generator,
    )
    matrices = affine_matrices(**parameters).to(images.device)
    return warp(images, matrices, fill=fill, value=value)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
One resampling: each bilinear interpolation blurs, so rotating, then shifting, then zooming blurs three times, and what was
cut off by the first step is missing in the last. Affine maps compose: multiply the matrices and resample once. And once for
the batch: a loop over images starts a dozen small operations for each, and the time is spent on starting them.

Direction: the matrix says where content goes, but resampling asks, for each pixel of the result, where its content comes
from. (Going forwards leaves holes.) So the inverse is applied, exactly once. Mistakes come in pairs here: an inverse that is
forgotten makes zoom shrink and turns the wrong way; one that is taken twice looks the same. Symmetric tests (a flip, a half turn)
do not notice.

Order: shift after turn is not turn after shift. Aspect: affine_grid works in coordinates from -1 to 1 along both sides. In
these a rotation matrix is a rotation only for square images; otherwise it shears. Convert to pixels first.

Where the pixels are: samples at 0 … n - 1 have their centre at (n - 1) / 2, not n / 2; half a pixel of drift is invisible to
the eye and spoils labels such as key points. align_corners says what ±1 means: centres of the border pixels (True; then the
scale is n - 1, and 0/0 for one pixel), or their outer edges (False; scale n). Either is right if the grid is built for it.

Outside: with constant fill the outside consists of pixels of that value, so the border fades over one pixel; a hard
cut at the outermost sample points is a different image. Adding value · (1 - what an image of ones gives) looks right, too, but
the four weights of a point sum to 1 up to rounding only, so a large value leaks into every pixel inside. Negative positions need
floor, not truncation towards zero.

Labels: a flip is harmless for cats and ruins digits and text; boxes and masks have to move along, by the same matrix.
"""
### END REFERENCE ONLY
