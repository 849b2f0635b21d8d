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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
