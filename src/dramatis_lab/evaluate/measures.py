"""Figures of merit of talking video, all through the perception network's landmarks.

Every measure takes plain arrays, so that generated, true and foreign videos are judged by the same lines of code.

Shape legend: F frames, H W pixels, frames (F, H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.models.perception import PerceptionNet, Sight, look
from dramatis.senses.seeing.measures import EYE_CORNERS

Frames = NDArray[np.uint8]
MAX_LAG = 5
SPEECH_LEVEL = 0.3
"""A frame counts as speech where the true opening is above this share of its own 90th percentile."""

_NOSE = (27, 30, 33)


def see(eye: PerceptionNet, frames: Frames, batch: int = 32) -> list[Sight]:
    """One `Sight` a frame."""
    sights: list[Sight] = []
    for start in range(0, len(frames), batch):
        part = torch.from_numpy(np.ascontiguousarray(frames[start : start + batch]))
        sights += look(eye, part.permute(0, 3, 1, 2).float() / 127.5 - 1)
    return sights


def openings(sights: Sequence[Sight]) -> NDArray[np.float64]:
    """(F,) inner-lip gap in interocular distances."""
    return np.array([sight.mouth_opening for sight in sights])


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Pearson r; 0 where either is constant, which is what a still mouth deserves."""
    if min(a.std(), b.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True)
class Sync:
    """Lip sync: mean Pearson r of the clips at lag 0, the lag (frames, + = lips late) of the best, and that r."""

    r: float
    lag: int
    best: float


def lip_sync(seen: Sequence[NDArray[np.floating]], true: Sequence[NDArray[np.floating]]) -> Sync:
    """Correlate seen and true mouth openings, clip by clip, and average: no clip counts more for moving more."""
    by_lag = {}
    for lag in range(-MAX_LAG, MAX_LAG + 1):
        by_lag[lag] = float(
            np.mean(
                [
                    correlation(s[max(lag, 0) : len(s) + min(lag, 0)], t[max(-lag, 0) : len(t) + min(-lag, 0)])
                    for s, t in zip(seen, true, strict=True)
                ]
            )
        )
    best = max(by_lag, key=lambda lag: by_lag[lag])
    return Sync(by_lag[0], best, by_lag[best])


def silence_ratio(seen: Sequence[NDArray[np.floating]], true: Sequence[NDArray[np.floating]]) -> float:
    """Mean mouth opening in pauses over the mean in speech; which frames are which is told by the true curve."""
    pauses, speech = [], []
    for s, t in zip(seen, true, strict=True):
        level = SPEECH_LEVEL * np.percentile(t, 90)
        speech.append(s[t > level])
        pauses.append(s[t < 0.3 * level])
    quiet, loud = np.concatenate(pauses), np.concatenate(speech)
    return float(quiet.mean() / max(loud.mean(), 1e-6)) if len(quiet) and len(loud) else float("nan")


def framing(sights: Sequence[Sight], size: tuple[int, int]) -> tuple[float, float]:
    """(log zoom, pan): growth of the face, and its sideways shift in frame widths, last against first fifth."""
    part = max(1, len(sights) // 5)

    def middle(some: Sequence[Sight]) -> tuple[float, float]:
        span = np.mean([s.interocular for s in some])
        return float(span), float(np.mean([s.landmarks[list(EYE_CORNERS)].mean(0)[0] for s in some]))

    first, last = middle(sights[:part]), middle(sights[-part:])
    return float(np.log(max(last[0], 1e-6) / max(first[0], 1e-6))), (last[1] - first[1]) / size[1]


def jitter(sights: Sequence[Sight]) -> float:
    """How much the head trembles: mean acceleration of eye corners and nose, in interocular distances a frame^2."""
    points = np.stack([sight.landmarks[[*EYE_CORNERS, *_NOSE]] for sight in sights])
    span = np.mean([sight.interocular for sight in sights])
    return float(np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1).mean() / max(span, 1e-6))


def psnr(a: Frames, b: Frames, where: NDArray[np.bool_] | None = None) -> float:
    """dB between two stacks of frames, over the pixels of `where` (F, H, W) if given."""
    error = ((a.astype(np.float64) - b.astype(np.float64)) / 255.0) ** 2
    mean = error.mean() if where is None else error[where].mean()
    return float(-10 * np.log10(max(mean, 1e-10)))
