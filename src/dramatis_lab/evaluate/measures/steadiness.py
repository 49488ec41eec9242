"""How steady a long video is: does it drift from its reference, and do its seams show?

Every measure takes plain arrays with one value a frame, so that all ways of filming are judged by the same lines.

Shape legend: F frames at 25 fps, H W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.story.values import FPS

FrameValues = NDArray[np.floating]
"""(F,) one value a frame."""
_ENDS_SECONDS = 5


def frame_change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two frames, in grey levels."""
    return float(np.abs(after.astype(np.int16) - before.astype(np.int16)).mean())


def slope_per_minute(values: FrameValues) -> float:
    """Slope of the least-squares line through (F,) values, per minute; nan for fewer than two."""
    if len(values) < 2:
        return float("nan")
    minutes = np.arange(len(values)) / (60 * FPS)
    away = minutes - minutes.mean()
    return float((away * values).sum() / (away**2).sum())


def growth(values: FrameValues) -> float:
    """Mean of the last five seconds over the mean of the first five; nan where these overlap."""
    count = _ENDS_SECONDS * FPS
    if len(values) < 2 * count:
        return float("nan")
    return float(values[-count:].mean() / max(float(values[:count].mean()), 1e-9))


def share_of_drift(slope: float, baseline: float) -> float:
    """Absolute slope of a video over the slope of the baseline; inf where the baseline does not grow worse."""
    return abs(slope) / baseline if baseline > 0 else float("inf")


def seam_ratio(changes: FrameValues, hand_overs: Iterable[int]) -> float:
    """Mean frame-to-frame change on both sides of the hand-over frames over the mean of all other changes.

    changes: (F-1,), entry k from frame k to k+1. nan where there is no hand-over, or nothing but hand-overs.
    """
    at_seam = np.zeros(len(changes), bool)
    for frame in hand_overs:
        at_seam[[index for index in (frame - 1, frame) if 0 <= index < len(changes)]] = True
    if not at_seam.any() or at_seam.all():
        return float("nan")
    return float(changes[at_seam].mean() / max(float(changes[~at_seam].mean()), 1e-9))


def frames_inside(ranges: Iterable[range], frames: int) -> NDArray[np.bool_]:
    """(F,) bool: which of `frames` frames lie in one of the ranges."""
    inside = np.zeros(frames, bool)
    for part in ranges:
        inside[part.start : max(part.stop, 0)] = True
    return inside


def mean_of_known(values: Sequence[float]) -> float:
    """The mean of the values that are not nan; nan where there are none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
