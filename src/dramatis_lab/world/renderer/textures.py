"""Material textures as mip pyramids in one flat array, so that compiled loops can sample any of them by number.

Faces are a tenth of the size of their textures when they are rendered small; without the pyramids skin would
sparkle and hair would break into dots.
"""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dramatis_lab.world.renderer.mesh import RenderMaterial

MAX_LEVELS = 12
LARGEST_SIDE = 2048
"""Larger textures start their pyramid at the first level that fits."""

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
"""For the compiled loops: a plain literal, or a whole number, would turn their arithmetic into float64."""

# Columns of the texture table: pyramid depth, then (offset, height, width) of every level.
_HEADER = 1


class Textures(NamedTuple):
    """The pyramids of M materials, N texels altogether.

    table: (M, 1 + 3 * MAX_LEVELS) int64, the depth of each pyramid, then offset, height and width of its levels.
    texels: (N, 4) uint8 sRGB and alpha.  bump: (N,) float32 height in metres at the same texels; (0,) if no material
    has one.  bumpy: (M,) bool, which materials have one.
    """

    table: NDArray[np.int64]
    texels: NDArray[np.uint8]
    bump: NDArray[np.float32]
    bumpy: NDArray[np.bool_]


def pack_textures(materials: tuple[RenderMaterial, ...]) -> Textures:
    """Pyramids of the albedo, alpha and bump of all materials.

    Raises ValueError for an albedo that is not (h, w, 3) uint8.
    """
    table = np.zeros((len(materials), _HEADER + 3 * MAX_LEVELS), np.int64)
    colours: list[NDArray[np.uint8]] = []
    heights: list[NDArray[np.float32]] = []
    any_bump = any(material.bump is not None for material in materials)
    offset = 0
    for row, material in zip(table, materials, strict=True):
        rgba, bump = _base_level(material)
        while True:
            level = row[0]
            row[_HEADER + 3 * level : _HEADER + 3 * level + 3] = offset, *rgba.shape[:2]
            row[0] += 1
            colours.append(rgba.reshape(-1, 4))
            if any_bump:
                heights.append(bump.ravel())
            offset += rgba.shape[0] * rgba.shape[1]
            if max(rgba.shape[:2]) <= 2 or row[0] == MAX_LEVELS:
                break
            rgba, bump = _halve(rgba), _halve_heights(bump) if any_bump else bump
    return Textures(
        table,
        np.concatenate(colours),
        np.concatenate(heights) if any_bump else np.zeros(0, np.float32),
        np.array([material.bump is not None for material in materials]),
    )


def _base_level(material: RenderMaterial) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    albedo = material.albedo
    if albedo.ndim != 3 or albedo.shape[2] != 3 or albedo.dtype != np.uint8:
        raise ValueError(
            f"The albedo of the material {material.name} must be (h, w, 3) uint8, not {albedo.shape} {albedo.dtype}."
        )
    shape = albedo.shape[:2]
    alpha = np.full(shape, 255, np.uint8) if material.alpha is None else _fit(material.alpha, shape)
    rgba = np.ascontiguousarray(np.concatenate([albedo, alpha[..., None]], -1))
    bump = np.zeros(shape, np.float32) if material.bump is None else _fit(material.bump, shape)
    while max(rgba.shape[:2]) > LARGEST_SIDE:
        rgba, bump = _halve(rgba), _halve_heights(bump)
    return rgba, np.ascontiguousarray(bump, np.float32)


def _fit(texture: NDArray, shape: tuple[int, int]) -> NDArray:
    """Nearest-neighbour resampling of (h, w) to `shape`; alpha and bump may come at another size than the colour."""
    rows = np.arange(shape[0]) * texture.shape[0] // shape[0]
    columns = np.arange(shape[1]) * texture.shape[1] // shape[1]
    return texture if texture.shape == shape else texture[rows[:, None], columns]


@njit(cache=True, nogil=True)
def _halve(rgba):
    """Next level of a pyramid. Colours are weighted by alpha: the empty texels between hairs must not tint them."""
    height, width = max(rgba.shape[0] // 2, 1), max(rgba.shape[1] // 2, 1)
    out = np.empty((height, width, 4), np.uint8)
    for y in range(height):
        for x in range(width):
            total = 0
            red, green, blue = 0, 0, 0
            for dy in range(2):
                for dx in range(2):
                    source = rgba[min(2 * y + dy, rgba.shape[0] - 1), min(2 * x + dx, rgba.shape[1] - 1)]
                    # One is added so that wholly transparent texels keep their colour.
                    weight = int(source[3]) * 16 + 1
                    total += weight
                    red += weight * source[0]
                    green += weight * source[1]
                    blue += weight * source[2]
            out[y, x, 0] = red // total
            out[y, x, 1] = green // total
            out[y, x, 2] = blue // total
            out[y, x, 3] = (total - 4) // 64
    return out


@njit(cache=True, nogil=True)
def _halve_heights(bump):
    height, width = max(bump.shape[0] // 2, 1), max(bump.shape[1] // 2, 1)
    out = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            low, right = min(2 * y + 1, bump.shape[0] - 1), min(2 * x + 1, bump.shape[1] - 1)
            out[y, x] = 0.25 * (bump[2 * y, 2 * x] + bump[low, 2 * x] + bump[2 * y, right] + bump[low, right])
    return out


@njit(cache=True, fastmath=True, nogil=True, inline="always", error_model="numpy")
def level_of_detail(table, m, uv_area, sample_area):
    """Mip level at which a texel is about as large as a sample.

    uv_area, sample_area: twice the area of the face in texture coordinates and in samples.
    """
    ratio = uv_area * np.float32(table[m, 2] * table[m, 3]) / (sample_area + np.float32(1e-6))
    level = 0
    # A ratio of two texels to the sample still reads level 0: a face seen at a slant would blur otherwise.
    while ratio > np.float32(2.5) and level < table[m, 0] - 1:
        ratio *= np.float32(0.25)
        level += 1
    return level


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def sample_alpha(table, texels, m, level, u, v):
    """Alpha 0..255 at the nearest texel; coordinates outside the texture are clamped."""
    offset, height, width = table[m, 1 + 3 * level], table[m, 2 + 3 * level], table[m, 3 + 3 * level]
    x = min(max(int(u * np.float32(width)), 0), width - 1)
    y = min(max(int((ONE - v) * np.float32(height)), 0), height - 1)
    return texels[offset + y * width + x, 3]


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def sample_colour(table, texels, linear, m, level, u, v):
    """Bilinear linear-light (r, g, b) in 0..1; `linear` is the (256,) table from sRGB."""
    offset, height, width = table[m, 1 + 3 * level], table[m, 2 + 3 * level], table[m, 3 + 3 * level]
    x = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1.001))
    y = min(max((ONE - v) * np.float32(height) - HALF, ZERO), np.float32(height - 1.001))
    x0, y0 = int(x), int(y)
    fx, fy = x - np.float32(x0), y - np.float32(y0)
    a = offset + y0 * width + x0
    b = a + min(1, width - 1)
    c = a + width * min(1, height - 1)
    d = c + min(1, width - 1)
    wa, wb, wc, wd = (ONE - fx) * (ONE - fy), fx * (ONE - fy), (ONE - fx) * fy, fx * fy
    red = wa * linear[texels[a, 0]] + wb * linear[texels[b, 0]] + wc * linear[texels[c, 0]] + wd * linear[texels[d, 0]]
    green = (
        wa * linear[texels[a, 1]] + wb * linear[texels[b, 1]] + wc * linear[texels[c, 1]] + wd * linear[texels[d, 1]]
    )
    blue = wa * linear[texels[a, 2]] + wb * linear[texels[b, 2]] + wc * linear[texels[c, 2]] + wd * linear[texels[d, 2]]
    return red, green, blue


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def bump_slope(table, bump, m, level, u, v):
    """Height differences per unit of u and of v at the nearest texel."""
    offset, height, width = table[m, 1 + 3 * level], table[m, 2 + 3 * level], table[m, 3 + 3 * level]
    x = min(max(int(u * np.float32(width)), 0), width - 2)
    y = min(max(int((ONE - v) * np.float32(height)), 0), height - 2)
    here = offset + y * width + x
    return (
        (bump[here + 1] - bump[here]) * np.float32(width),
        (bump[here] - bump[here + width]) * np.float32(height),
    )


def srgb_to_linear(values: NDArray) -> NDArray[np.float32]:
    """Linear light 0..1 of sRGB values 0..1, any shape."""
    values = np.asarray(values, np.float32)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(values: NDArray) -> NDArray[np.float32]:
    """sRGB 0..1 of linear light, clipped to 0..1, any shape."""
    values = np.clip(np.asarray(values, np.float32), 0.0, 1.0)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055).astype(np.float32)


SRGB_TO_LINEAR = srgb_to_linear(np.arange(256) / 255.0)
"""(256,) linear light of each sRGB byte."""
