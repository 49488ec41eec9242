"""The curves of a performance: smooth noise, eases, pulses and soft limits, all in linear time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Curve = NDArray[np.float64]


def smoothstep(x: ArrayLike) -> Curve:
    """Quintic ease from 0 to 1 on [0, 1], flat in velocity and acceleration at both ends."""
    u = np.clip(np.asarray(x, np.float64), 0.0, 1.0)
    return u * u * u * (u * (6.0 * u - 15.0) + 10.0)


def smooth_noise(phase: ArrayLike, rng: np.random.Generator) -> Curve:
    """Smooth noise of about unit variance at non-decreasing positions `phase` (T,), one random value per unit.

    A longer track of the same generator begins with the shorter one.
    """
    position = np.asarray(phase, np.float64)
    cell = np.floor(position).astype(np.int64)
    knots = rng.standard_normal(int(cell[-1]) + 4 if len(cell) else 4)
    u = position - cell
    p0, p1, p2, p3 = (knots[cell + k] for k in range(4))
    # Catmull-Rom through the knots: no sudden change of velocity, and linear time at any length.
    return 0.5 * (2 * p1 + u * (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0))))


def ramp(length: int, attack: int, release: int) -> Curve:
    """(length,) envelope: eases from 0 to 1 over `attack` frames, holds, and eases back over `release`."""
    t = np.arange(length) + 0.5
    return smoothstep(t / max(attack, 1)) * smoothstep((length - t) / max(release, 1))


def lag_track(values: NDArray[np.float64], frames: int, before: float | NDArray[np.float64] = 0.0) -> Curve:
    """Follow (T, ...) steps with a raised-cosine lag of `frames`, as if `before` had held until frame 0."""
    window = np.hanning(frames + 2)[1:-1]
    window /= window.sum()
    start = np.broadcast_to(before, values.shape[1:]).astype(np.float64)
    padded = np.concatenate([np.broadcast_to(start, (frames, *values.shape[1:])), values])
    flat = padded.reshape(len(padded), -1)
    columns = [np.convolve(flat[:, k], window, "valid")[: len(values)] for k in range(flat.shape[1])]
    return np.stack(columns, -1).reshape(values.shape)


def smooth_track(values: Curve, frames: int) -> Curve:
    """Smooth a (T,) track with a raised cosine of `frames` (odd) about each frame; the edges are repeated."""
    window = np.hanning(frames + 2)[1:-1]
    return np.convolve(np.pad(values, frames // 2, mode="edge"), window / window.sum(), "valid")


def pulses(length: int, at: NDArray[np.int64], heights: ArrayLike, shape: ArrayLike) -> Curve:
    """(length,) sum of copies of `shape` that start at the frames `at`, scaled by `heights`."""
    train = np.zeros(length)
    np.add.at(train, at, heights)
    return np.convolve(train, np.asarray(shape, np.float64))[:length]


def soft_limit(values: ArrayLike, bound: ArrayLike) -> Curve:
    """Keep values inside +-bound: unchanged up to 70 % of it, then bent smoothly towards it."""
    x, limit = np.asarray(values, np.float64), np.asarray(bound, np.float64)
    knee = 0.7 * limit
    excess = np.maximum(np.abs(x) - knee, 0.0)
    return np.sign(x) * (np.minimum(np.abs(x), knee) + (limit - knee) * np.tanh(excess / (limit - knee)))
