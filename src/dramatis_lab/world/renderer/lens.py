"""What a real camera adds to a rendered picture: exposure, white balance, vignette, softness, noise and compression."""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from dramatis_lab.world.renderer.textures import linear_to_srgb

_CURVE_SIZE = 4096
_CURVE = (linear_to_srgb(np.arange(_CURVE_SIZE) / (_CURVE_SIZE - 1)) * 255).astype(np.float32)


@dataclass(frozen=True)
class Lens:
    """What a lens and a sensor do to a picture.

    gain: (3,) exposure times white balance per channel.  vignette: 0..1 darkening in the corners.  softness: 0..1 share
    of a 3x3 blur.  noise: standard deviation in sRGB steps of 255.  quality: JPEG quality, or 0 for no compression.
    seed: of the noise.
    """

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    softness: float = 0.0
    noise: float = 0.0
    quality: int = 0
    seed: int = 0


@dataclass(frozen=True)
class LensRanges:
    """Bounds of `random_lens`; each fault is present in a `share` of the lenses."""

    share: float = 0.4
    stops: tuple[float, float] = (-0.35, 0.3)
    balance: tuple[float, float] = (0.94, 1.06)
    vignette: tuple[float, float] = (0.05, 0.3)
    softness: tuple[float, float] = (0.1, 0.6)
    noise: tuple[float, float] = (0.5, 2.5)
    quality: tuple[int, int] = (60, 95)


def random_lens(rng: np.random.Generator, ranges: LensRanges | None = None) -> Lens:
    """A lens with faults drawn from the ranges."""
    ranges = ranges or LensRanges()
    gain = 2 ** rng.uniform(*ranges.stops) * rng.uniform(*ranges.balance, 3)
    present = rng.random(4) < ranges.share
    return Lens(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        vignette=float(present[0] * rng.uniform(*ranges.vignette)),
        softness=float(present[1] * rng.uniform(*ranges.softness)),
        noise=float(present[2] * rng.uniform(*ranges.noise)),
        quality=int(present[3] * rng.integers(ranges.quality[0], ranges.quality[1] + 1)),
        seed=int(rng.integers(2**31)),
    )


def expose(picture: NDArray[np.float32], lens: Lens, frame: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of linear light (H, W, 3).

    The noise differs from frame to frame and repeats with the seed.
    """
    if lens.softness > 0:
        picture = _soften(picture, np.float32(lens.softness))
    out = np.empty(picture.shape, np.uint8)
    seed = np.uint32((lens.seed * 2654435761 + frame * 40503) & 0xFFFFFFFF)
    _develop(picture, np.array(lens.gain, np.float32), lens.vignette, lens.noise, seed, _CURVE, out)
    return _compress(out, lens.quality) if lens.quality else out


@njit(cache=True, fastmath=True, nogil=True)
def _soften(picture, share):
    """Mix with a 3x3 binomial blur."""
    height, width = picture.shape[:2]
    out = np.empty_like(picture)
    for y in range(height):
        up, down = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            for c in range(3):
                edges = picture[up, x, c] + picture[down, x, c] + picture[y, left, c] + picture[y, right, c]
                corners = (
                    picture[up, left, c] + picture[up, right, c] + picture[down, left, c] + picture[down, right, c]
                )
                blurred = np.float32(0.25) * picture[y, x, c] + np.float32(0.125) * edges + np.float32(0.0625) * corners
                out[y, x, c] = picture[y, x, c] + share * (blurred - picture[y, x, c])
    return out


@njit(cache=True, fastmath=True, nogil=True)
def _develop(picture, gain, vignette, noise, seed, curve, out):
    height, width = picture.shape[:2]
    state = np.uint32(seed | np.uint32(1))
    last = np.float32(curve.shape[0] - 1)
    for y in range(height):
        v = np.float32(2.0 * (y + 0.5) / height - 1.0)
        for x in range(width):
            u = np.float32(2.0 * (x + 0.5) / width - 1.0)
            shade = np.float32(1.0) - np.float32(vignette) * np.float32(0.5) * (u * u + v * v)
            for c in range(3):
                light = min(max(picture[y, x, c] * gain[c] * shade, np.float32(0.0)), np.float32(1.0))
                value = curve[int(light * last)]
                if noise > 0:
                    # The sum of four xorshift bytes is near enough to a normal deviate of standard deviation 147.8.
                    state ^= np.uint32(state << np.uint32(13))
                    state ^= np.uint32(state >> np.uint32(17))
                    state ^= np.uint32(state << np.uint32(5))
                    total = (state & 255) + ((state >> 8) & 255) + ((state >> 16) & 255) + ((state >> 24) & 255)
                    value += np.float32(noise) * (np.float32(total) - np.float32(510.0)) * np.float32(1.0 / 147.8)
                out[y, x, c] = np.uint8(min(max(value + np.float32(0.5), np.float32(0.0)), np.float32(255.0)))


def _compress(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))
