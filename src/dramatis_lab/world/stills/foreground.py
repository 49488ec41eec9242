"""What comes between a person and the camera, and the shadows of people on a wall close behind them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from dramatis_lab.world.arrays import F32

FOREGROUNDS = ("leaves", "table", "post", "balls")


def cast_shadow(frame: NDArray[np.uint8], person: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The frame (H, W, 3) with a shadow of what the mask `person` (H, W) shows on the wall behind."""
    side = len(frame)
    moved = shift(person.astype(np.float32), rng.normal(0, 0.08, 2) * side, order=0, mode="nearest")
    dark = rng.uniform(0.2, 0.75) * gaussian_filter(moved, rng.uniform(0.5, 8)) * (1 - person)
    return np.asarray((frame * (1 - dark)[..., None]).astype(np.uint8))


def draw_foreground(size: int, rng: np.random.Generator) -> F32:
    """(size, size, 4) sRGB 0..1 and coverage 0..1 of one of the `FOREGROUNDS`, sharp or out of focus."""
    cover = np.zeros((size, size, 4), np.float32)
    _PAINTERS[str(rng.choice(FOREGROUNDS))](cover, rng)
    blur = float(rng.choice([0.6, rng.uniform(1, 8)]))
    share = gaussian_filter(cover[..., 3], blur)
    colour = gaussian_filter(cover[..., :3] * cover[..., 3:], (blur, blur, 0)) / np.maximum(share, 1e-3)[..., None]
    return np.concatenate([colour, share[..., None]], -1).astype(np.float32)


@lru_cache(maxsize=2)
def _pixel_grid(size: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The x and the y of every pixel's centre, as fractions of the picture."""
    ys, xs = (np.mgrid[:size, :size] + 0.5) / size
    return xs, ys


def _paint(cover: F32, where: NDArray[np.bool_], colour: Sequence[float] | NDArray[np.floating]) -> None:
    cover[where] = (*np.clip(colour, 0, 1), 1.0)


def _leaves(cover: F32, rng: np.random.Generator) -> None:
    """Leaves or flowers that reach in from one side."""
    xs, ys = _pixel_grid(len(cover))
    x, y = rng.choice([0.0, 1.0]), rng.uniform(0.2, 1.1)
    tint = np.array([0.2, 0.45, 0.15]) if rng.random() < 0.6 else rng.uniform(0.2, 1, 3)
    for _ in range(int(rng.integers(10, 60))):
        dx, dy = xs - x - rng.normal(0, 0.18), ys - y - rng.normal(0, 0.2)
        turn, long, wide = rng.uniform(0, np.pi), rng.uniform(0.02, 0.07), rng.uniform(0.008, 0.03)
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        _paint(cover, (u / long) ** 2 + (v / wide) ** 2 < 1, tint * rng.uniform(0.4, 1.8))


def _table(cover: F32, rng: np.random.Generator) -> None:
    """A table, a counter, or a desk with a screen."""
    xs, ys = _pixel_grid(len(cover))
    top = rng.uniform(0.72, 0.97)
    if rng.random() < 0.5:
        left, wide = rng.uniform(-0.1, 0.8), rng.uniform(0.1, 0.4)
        screen = (ys > top - rng.uniform(0.03, 0.2)) & (xs > left) & (xs < left + wide)
        _paint(cover, screen, rng.uniform(0, 1, 3))
    _paint(cover, ys > top + rng.normal(0, 0.06) * (xs - 0.5), rng.uniform(0.05, 1) * rng.uniform(0.6, 1, 3))


def _post(cover: F32, rng: np.random.Generator) -> None:
    """A post, the edge of a door, or the stand of a microphone."""
    xs, ys = _pixel_grid(len(cover))
    x, wide, lean = rng.uniform(0, 1), rng.uniform(0.01, 0.12), rng.normal(0, 0.15)
    below = ys > rng.uniform(-0.2, 0.9)
    post = (np.abs(xs - x - lean * (ys - 0.5)) < wide / 2) & below
    _paint(cover, post, rng.uniform(0, 1) * rng.uniform(0.6, 1, 3))


def _balls(cover: F32, rng: np.random.Generator) -> None:
    """Balls or, out of focus, lights."""
    xs, ys = _pixel_grid(len(cover))
    for _ in range(int(rng.integers(1, 6))):
        x, y, radius = rng.uniform(-0.1, 1.1), rng.uniform(0.3, 1.2), rng.uniform(0.03, 0.16)
        _paint(cover, (xs - x) ** 2 + (ys - y) ** 2 < radius**2, rng.uniform(0, 1, 3))


_PAINTERS = dict(zip(FOREGROUNDS, (_leaves, _table, _post, _balls), strict=True))
