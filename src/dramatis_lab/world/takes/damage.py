"""Deliberate faults, from which negative prompts can steer away.

A damaged clip keeps its direction and its ground truth but has one named fault, which its caption mentions. Faults of
the picture are functions of a frame array. Three more kinds are applied elsewhere and only named here: a frozen face or
frozen lips (the pose stands still while the audio goes on) and a wrong emotion (in the caption). The names are
those of `dramatis.story.vocabulary.DAMAGE_WORDS`, and "flicker", which those words call "flickering".
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

_Frames = NDArray[np.uint8]

POSE_DAMAGES = ("frozen", "frozen_lips")
CAPTION_DAMAGES = ("wrong_emotion",)
FRAME_DAMAGES = (
    "blur",
    "jitter",
    "overexposed",
    "underexposed",
    "color_shift",
    "compression",
    "noise",
    "flicker",
    "distorted",
)
DAMAGES = FRAME_DAMAGES + POSE_DAMAGES + CAPTION_DAMAGES


@dataclass(frozen=True)
class Damaged:
    """A spoilt clip: `frames` (T, H, W, 3) uint8 and `shift` (T, 2) px, how far the picture moved right and down."""

    frames: _Frames
    shift: NDArray[np.float32]


def apply_damage(frames: _Frames, kind: str, severity: float, rng: np.random.Generator) -> Damaged:
    """Spoil `frames` (T, H, W, 3) uint8 by `kind` (one of FRAME_DAMAGES) with `severity` in 0..1.

    Only jitter moves the picture; its `shift` tells by how much, so that landmarks and masks can follow.
    Raises ValueError for an unknown kind or a severity outside 0..1.
    """
    if kind not in FRAME_DAMAGES:
        raise ValueError(f"{kind!r} is an unknown damage; choose one of {', '.join(FRAME_DAMAGES)}.")
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"The severity {severity} is outside 0..1.")
    still = np.zeros((len(frames), 2), np.float32)
    if severity == 0.0 or len(frames) == 0:
        return Damaged(frames.copy(), still)
    if kind == "jitter":
        shift = jitter_offsets(len(frames), severity, frames.shape[1:3], rng)
        return Damaged(shift_pictures(frames, shift), shift)
    return Damaged(_FAULTS[kind](frames, severity, rng), still)


def jitter_offsets(count: int, severity: float, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Whole-pixel shakes (count, 2) right and down, up to about 4 % of the frame's side at severity 1."""
    reach = (0.008 + 0.03 * severity) * min(size)
    return np.round(rng.normal(0.0, reach, (count, 2)).clip(-2 * reach, 2 * reach)).astype(np.float32)


def shift_pictures(pictures: NDArray, shift: NDArray[np.float32]) -> NDArray:
    """Move each picture of (T, H, W, ...) by whole pixels `shift` (T, 2) right and down; the edge is repeated."""
    height, width = pictures.shape[1:3]
    moved = np.empty_like(pictures)
    for picture, (right, down), target in zip(pictures, shift.astype(int), moved, strict=True):
        rows = (np.arange(height) - down).clip(0, height - 1)
        columns = (np.arange(width) - right).clip(0, width - 1)
        target[...] = picture[rows][:, columns]
    return moved


def compress_jpeg(frame: _Frames, quality: int) -> _Frames:
    """One (H, W, 3) picture through JPEG at `quality` 1..95."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def _blur(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    height = frames.shape[1]
    sigma = (0.005 + 0.014 * severity) * height
    # Focus that wanders a little: a constant blur looks like a low-resolution camera rather than a fault.
    wander = 1.0 + 0.25 * np.sin(np.arange(len(frames)) * rng.uniform(0.1, 0.4) + rng.uniform(0, 6.28))
    blurred = [ndimage.gaussian_filter(f, (s, s, 0)) for f, s in zip(frames, sigma * wander, strict=True)]
    return np.stack(blurred)


def _expose(frames: _Frames, stops: NDArray[np.float32]) -> _Frames:
    """Scale the light of each frame by 2 ** stops (T,), clipping like a sensor does."""
    linear = (np.arange(256, dtype=np.float32) / 255.0) ** 2.2
    tables = (linear[None] * 2.0 ** stops[:, None]).clip(0, 1) ** (1 / 2.2)
    tables = (255.0 * tables + 0.5).astype(np.uint8)
    return np.stack([table[frame] for table, frame in zip(tables, frames, strict=True)])


def _overexposed(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    stops = 1.0 + 1.6 * severity + rng.normal(0, 0.05)
    return _expose(frames, np.full(len(frames), stops, np.float32))


def _underexposed(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    stops = -1.4 - 2.2 * severity + rng.normal(0, 0.05)
    return _expose(frames, np.full(len(frames), stops, np.float32))


def _flicker(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    stops = rng.normal(0.0, 0.25 + 0.55 * severity, len(frames)).clip(-1.6, 1.6)
    return _expose(frames, stops.astype(np.float32))


def _color_shift(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    # A cast is a gain per channel whose product is one; a random direction on the plane of equal brightness.
    cast = rng.normal(0, 1, 3)
    cast = (cast - cast.mean()) / max(float(np.abs(cast - cast.mean()).max()), 1e-6)
    gain = np.exp((0.25 + 0.45 * severity) * cast).astype(np.float32)
    levels = np.arange(256, dtype=np.float32)
    tables = (levels[:, None] * gain + 0.5).clip(0, 255).astype(np.uint8)
    return np.stack([tables[frames[..., channel], channel] for channel in range(3)], axis=-1)


def _compression(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    quality = round(14 - 11 * severity)
    return np.stack([compress_jpeg(frame, max(2, quality + int(rng.integers(-1, 2)))) for frame in frames])


def _noise(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    sigma = 8.0 + 24.0 * severity
    grain = rng.standard_normal(frames.shape, dtype=np.float32) * sigma
    return (frames + grain).clip(0, 255).astype(np.uint8)


def _distorted(frames: _Frames, severity: float, rng: np.random.Generator) -> _Frames:
    """A smooth warp that crawls over the picture; ground truth does not follow it (a few per cent of the side)."""
    height, width = frames.shape[1:3]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = (0.014 + 0.03 * severity) * height
    waves = rng.uniform(1.5, 4.0, (2, 3, 2)) * 2 * np.pi / height
    phases, speeds = rng.uniform(0, 2 * np.pi, (2, 3)), rng.uniform(0.1, 0.6, (2, 3))
    warped = np.empty_like(frames)
    for t, frame in enumerate(frames):
        angles = waves[..., 0, None, None] * rows + waves[..., 1, None, None] * columns
        push = reach * np.sin(angles + (phases + speeds * t)[..., None, None]).mean(axis=1)
        y = np.round(rows + push[0]).astype(np.intp).clip(0, height - 1)
        x = np.round(columns + push[1]).astype(np.intp).clip(0, width - 1)
        warped[t] = frame[y, x]
    return warped


_FAULTS: dict[str, Callable[[_Frames, float, np.random.Generator], _Frames]] = {
    "blur": _blur,
    "overexposed": _overexposed,
    "underexposed": _underexposed,
    "color_shift": _color_shift,
    "compression": _compression,
    "noise": _noise,
    "flicker": _flicker,
    "distorted": _distorted,
}
