"""Lip sync: how well mouth openings that are measured follow the true ones, and whether lips rest in silence.

True openings come from the renderer. All curves have one value a frame, at 25 fps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.evaluate.measures.steadiness import FrameValues

MAX_LAG = 5
LAGS = range(-MAX_LAG, MAX_LAG + 1)
SPEECH_LEVEL = 0.3
"""A frame counts as speech where the true opening is above this share of the curve's 90th percentile."""
STRETCH_FRAMES = 113
"""Long videos are measured in stretches of this length, which is that of a held-out case."""


def correlation(a: FrameValues, b: FrameValues) -> float:
    """Pearson r; 0 where either is constant, which is what a still mouth deserves."""
    if min(a.std(), b.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def lagged_correlations(measured: FrameValues, true: FrameValues) -> list[float]:
    """r of two curves (F,) at each of `LAGS`; + means that the measured one is late."""
    values = []
    for lag in LAGS:
        late, early = max(lag, 0), max(-lag, 0)
        values.append(correlation(measured[late : len(measured) - early], true[early : len(true) - late]))
    return values


@dataclass(frozen=True)
class LipSync:
    """r: mean Pearson r of the clips at lag 0.

    best: the greatest mean r at any lag.  lag: that of `best`, in frames (+ = lips late).
    """

    r: float
    lag: int
    best: float


def lip_sync(measured: Sequence[FrameValues], true: Sequence[FrameValues]) -> LipSync:
    """Correlate measured and true openings clip by clip, and average: a clip that moves more does not count more."""
    each = [lagged_correlations(a, b) for a, b in zip(measured, true, strict=True)]
    by_lag = {lag: float(value) for lag, value in zip(LAGS, np.mean(each, axis=0), strict=True)}
    best = max(by_lag, key=lambda lag: by_lag[lag])
    return LipSync(by_lag[0], best, by_lag[best])


def silence_ratio(measured: Sequence[FrameValues], true: Sequence[FrameValues]) -> float:
    """Mean mouth opening in pauses over the mean in speech; the true curve decides which frames are which."""
    pauses, speech = [], []
    for curve, truth in zip(measured, true, strict=True):
        level = SPEECH_LEVEL * np.percentile(truth, 90)
        speech.append(curve[truth > level])
        pauses.append(curve[truth < 0.3 * level])
    quiet, loud = np.concatenate(pauses), np.concatenate(speech)
    return float(quiet.mean() / max(loud.mean(), 1e-6)) if len(quiet) and len(loud) else float("nan")


def sync_inside(
    measured: Sequence[FrameValues], true: Sequence[FrameValues], where: Sequence[NDArray[np.bool_]]
) -> float:
    """Lip sync r over the frames of `where` over r elsewhere, all videos' frames pooled.

    nan where either lacks frames or lips do not follow elsewhere.
    """
    all_measured, all_true = np.concatenate(list(measured)), np.concatenate(list(true))
    chosen = np.concatenate(list(where))
    if min(int(chosen.sum()), int((~chosen).sum())) < 3:
        return float("nan")
    elsewhere = correlation(all_measured[~chosen], all_true[~chosen])
    return correlation(all_measured[chosen], all_true[chosen]) / elsewhere if elsewhere > 0 else float("nan")


def cut_curve(values: FrameValues, length: int) -> list[FrameValues]:
    """The values cut into stretches of `length`; the rest is kept if it is at least half as long."""
    stretches = [values[start : start + length] for start in range(0, len(values), length)]
    return [part for part in stretches if 2 * len(part) >= length or len(stretches) == 1]


def long_lip_sync(measured: FrameValues, true: FrameValues) -> float:
    """Lip sync r of a long video: the mean over its stretches."""
    return lip_sync(*(cut_curve(curve, STRETCH_FRAMES) for curve in (measured, true))).r
