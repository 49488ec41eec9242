"""How steady a long video is: does it drift from its reference, do its seams show, do lips hold inside transitions?

Every measure takes plain arrays with one value a frame, so that all ways of filming are judged by the same lines.

Shape legend: F frames at 25 fps, H W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.story.values import FPS
from dramatis_lab.evaluate.measures import correlation

Values = NDArray[np.floating]
ENDS_SECONDS = 5


def change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two frames, in grey levels."""
    return float(np.abs(after.astype(np.int16) - before.astype(np.int16)).mean())


def slope_per_minute(values: Values) -> float:
    """Slope of the least-squares line through (F,) values, per minute; nan for fewer than two."""
    if len(values) < 2:
        return float("nan")
    minutes = np.arange(len(values)) / (60 * FPS)
    away = minutes - minutes.mean()
    return float((away * values).sum() / (away**2).sum())


def growth(values: Values) -> float:
    """Mean of the last five seconds over the mean of the first five; nan where these overlap."""
    count = ENDS_SECONDS * FPS
    if len(values) < 2 * count:
        return float("nan")
    return float(values[-count:].mean() / max(float(values[:count].mean()), 1e-9))


def share_of_drift(own: float, other: float) -> float:
    """How much a video drifts, of what another drifts: absolute slopes; inf where the other does not grow worse."""
    return abs(own) / other if other > 0 else float("inf")


def seam_ratio(changes: Values, hand_overs: Iterable[int]) -> float:
    """Mean frame-to-frame change on both sides of the hand-over frames over the mean of all other changes.

    changes: (F-1,), entry k from frame k to k+1. nan where there is no hand-over, or nothing else.
    """
    at = np.zeros(len(changes), bool)
    for frame in hand_overs:
        at[[place for place in (frame - 1, frame) if 0 <= place < len(changes)]] = True
    if not at.any() or at.all():
        return float("nan")
    return float(changes[at].mean() / max(float(changes[~at].mean()), 1e-9))


def inside(ranges: Iterable[range], frames: int) -> NDArray[np.bool_]:
    """(F,) true in the ranges."""
    out = np.zeros(frames, bool)
    for some in ranges:
        out[some.start : max(some.stop, 0)] = True
    return out


def sync_inside(seen: Sequence[Values], true: Sequence[Values], where: Sequence[NDArray[np.bool_]]) -> float:
    """Lip sync r over the frames of `where` over r elsewhere, all videos' frames pooled; nan where either lacks frames
    or lips do not follow elsewhere."""
    a, b = np.concatenate(list(seen)), np.concatenate(list(true))
    chosen = np.concatenate(list(where))
    if min(int(chosen.sum()), int((~chosen).sum())) < 3:
        return float("nan")
    elsewhere = correlation(a[~chosen], b[~chosen])
    return correlation(a[chosen], b[chosen]) / elsewhere if elsewhere > 0 else float("nan")


def pieces(values: Values, length: int) -> list[Values]:
    """The values cut into stretches of `length`; a rest is kept if it is at least half as long."""
    cut = [values[start : start + length] for start in range(0, len(values), length)]
    return [part for part in cut if 2 * len(part) >= length or len(cut) == 1]
