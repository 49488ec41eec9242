"""Colours and patterns of clothes, laid over the light and dark of a garment's own texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.skin import RGB, blend_colour, texture_bytes

CLOTH_PATTERNS = ("plain", "stripes", "bars", "checks", "dots", "print")
_PRINT_SCALE = 700
"""Texels of smoothing of a print for a period of 1: its blots are about a quarter of a period wide."""


def dye_cloth(
    texture: NDArray[np.uint8], colour: RGB | None, pattern: str, accent: RGB, period: float
) -> NDArray[np.uint8]:
    """Cloth texture (h, w, 4) -> albedo (h, w, 3): kept (colour None) or dyed with one of the `CLOTH_PATTERNS`.

    accent: the pattern's colour.  period: in widths of the texture.
    """
    image = texture[..., :3].astype(np.float32) / 255
    if colour is None:
        return texture_bytes(image)
    shade = image.mean(-1)
    relief = shade / np.maximum(gaussian_filter(shade, 24), 0.08)
    dye = np.broadcast_to(np.asarray(colour, np.float32), image.shape)
    for ink, share in _pattern(shade.shape, pattern, accent, period):
        dye = blend_colour(dye.astype(np.float32), ink, share)
    return texture_bytes(dye * np.clip(relief, 0.55, 1.35)[..., None])


def _pattern(shape: tuple[int, ...], pattern: str, accent: RGB, period: float) -> list[tuple[RGB, F32]]:
    """Inks in the order in which they are laid on, each with the share (h, w) that it covers."""
    h, w = shape
    v, u = np.meshgrid(np.arange(h) / h, np.arange(w) / w, indexing="ij")
    if pattern == "dots":
        odd = 0.5 * (np.floor(v / period) % 2)
        dot = np.hypot((u / period + odd) % 1 - 0.5, (v / period) % 1 - 0.5) < 0.3
        return [(accent, dot.astype(np.float32))]
    if pattern == "print":
        rng = np.random.default_rng([int(1e6 * period), 9])
        return [(ink, _blots(rng, (h, w), _PRINT_SCALE * period)) for ink in (accent, accent[::-1], (0.9, 0.9, 0.88))]
    lines = {"stripes": (u,), "bars": (v,), "checks": (u, v)}.get(pattern, ())
    return [(accent, 0.6 * ((axis / period) % 1.0 < 0.4).astype(np.float32)) for axis in lines]


def _blots(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> F32:
    """(h, w) 1 where winding bands of a print lie."""
    field = gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    field = field / (field.std() + 1e-9)
    return (np.abs(field - rng.normal(0, 0.7)) < 0.4).astype(np.float32)
