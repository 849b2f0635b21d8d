"""reject numerics: asks where a pixel goes instead of where it comes from."""

import math

import torch


def affine_matrices(*, angle, shift, shear, zoom, flip):
    if flip.dtype != torch.bool:
        raise TypeError("flip must be boolean")
    n = angle.shape[0]
    if any(t.shape != (n,) for t in (angle, shear, zoom, flip)) or shift.shape != (n, 2):
        raise ValueError("shapes differ")
    if not bool((zoom > 0).all()):
        raise ValueError("zoom must be positive")
    eye = torch.eye(2, dtype=angle.dtype, device=angle.device).repeat(n, 1, 1)
    mirror, grow, lean, turn = eye.clone(), eye * zoom[:, None, None], eye.clone(), eye.clone()
    mirror[:, 0, 0] = 1 - 2 * flip.to(angle.dtype)
    lean[:, 0, 1] = shear
    phi = torch.deg2rad(angle)
    turn[:, 0, 0], turn[:, 0, 1] = torch.cos(phi), torch.sin(phi)
    turn[:, 1, 0], turn[:, 1, 1] = -torch.sin(phi), torch.cos(phi)
    linear = turn @ lean @ grow @ mirror
    return torch.cat([linear, shift.unsqueeze(-1)], dim=-1)


def mirrored(index, size):
    if size == 1:
        return torch.zeros_like(index)
    index = index.remainder(2 * size - 2)
    return torch.where(index < size, index, 2 * size - 2 - index)


def warp(images, matrices, *, fill="constant", value=0.0):
    if not torch.is_floating_point(images):
        raise TypeError("images must be floating")
    if images.dim() != 4 or matrices.shape != (images.shape[0], 2, 3):
        raise ValueError("shapes")
    if fill not in ("constant", "nearest", "reflect"):
        raise ValueError("unknown fill")
    linear = matrices[:, :, :2]
    if not bool(torch.isfinite(matrices).all()) or bool((torch.linalg.det(linear) == 0).any()):
        raise ValueError("singular")
    n, channels, height, width = images.shape
    cy, cx = (height - 1) / 2, (width - 1) / 2
    back = torch.linalg.inv(linear)
    ys, xs = torch.meshgrid(
        torch.arange(height, dtype=images.dtype, device=images.device) - cy,
        torch.arange(width, dtype=images.dtype, device=images.device) - cx,
        indexing="ij",
    )
    points = torch.stack([xs.flatten(), ys.flatten()])
    source = linear @ points + matrices[:, :, 2:]
    x, y = source[:, 0] + cx, source[:, 1] + cy
    left, top = torch.floor(x), torch.floor(y)
    fx, fy = x - left, y - top
    left, top = left.long(), top.long()
    flat = images.reshape(n, channels, height * width)

    def pixel(column, row):
        outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
        if fill == "reflect":
            column, row = mirrored(column, width), mirrored(row, height)
        column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
        index = (row * width + column)[:, None].expand(n, channels, height * width)
        found = flat.gather(2, index)
        return found.masked_fill(outside[:, None], value) if fill == "constant" else found

    fx, fy = fx[:, None], fy[:, None]
    upper = pixel(left, top) * (1 - fx) + pixel(left + 1, top) * fx
    lower = pixel(left, top + 1) * (1 - fx) + pixel(left + 1, top + 1) * fx
    return (upper * (1 - fy) + lower * fy).reshape(n, channels, height, width)


def random_parameters(batch, *, max_angle=0.0, max_shift=0.0, max_shear=0.0, zoom=(1.0, 1.0), flip=0.0, dtype=torch.float32, generator=None):
    if not (batch >= 0 and max_angle >= 0 and max_shift >= 0 and max_shear >= 0 and zoom[0] > 0 and zoom[0] <= zoom[1]):
        raise ValueError("out of range")
    if not (flip >= 0 and flip <= 1):
        raise ValueError("flip out of range")
    device = generator.device if generator is not None else torch.device("cpu")
    numbers = torch.rand(6, batch, dtype=dtype, device=device, generator=generator)
    return {
        "angle": (numbers[0] - 0.5) * 2 * max_angle,
        "shift": ((numbers[1:3] - 0.5) * 2 * max_shift).T,
        "shear": (numbers[3] - 0.5) * 2 * max_shear,
        "zoom": zoom[0] + numbers[4] * (zoom[1] - zoom[0]),
        "flip": numbers[5] < flip,
    }


def random_affine(images, *, fill="constant", value=0.0, generator=None, **ranges):
    if not torch.is_floating_point(images):
        raise TypeError("images must be floating")
    drawn = random_parameters(images.shape[0], **ranges, dtype=images.dtype, generator=generator)
    return warp(images, affine_matrices(**drawn).to(images.device), fill=fill, value=value)
