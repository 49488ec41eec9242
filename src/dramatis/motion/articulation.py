"""How far a portrait's mouth moves in every frame: weights of its shapes, by what the speech encoder hears.

The encoder predicts visemes and how far the mouth is open. Visemes give the lips their shape; the jaw then opens as far
as the predicted opening asks beyond that, and where lips must meet (m, b, p and pauses) they meet, whatever the
portrait's own mouth does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.face import TEMPLATE_68
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.signals import smooth_track, smoothstep
from dramatis.motion.visemes import GAP_OF_SHAPE, JAW, LOWER, SMILE, STRETCH, UPPER, VISEME_SHAPES, VISEMES

NATURAL_GAIN = 0.7
"""How far a portrait opens its mouth, of what the encoder predicts: judged by eye, as 1 looks exaggerated."""
OUTER_EYE_DISTANCE = float(np.linalg.norm(TEMPLATE_68[45, :2] - TEMPLATE_68[36, :2]))
"""Distance of the outer eye corners in head heights: openings are measured in it."""
CLOSE = SHAPE_CHANNELS.index("mouthClose")
_WIDEST_JAW, _MOST_CLOSING = 0.85, 0.7
_SMOOTH_OPENING, _SMOOTH_VISEMES = 7, 5
"""Frames of the windows that keep a mouth from trembling: the encoder's curve turns round in a third of all frames."""
_SHUT, _LIPS_SEALED = (0.30, 0.60), 0.02
"""Between which probabilities of m, b or p the lips meet, and how far they then press beyond touching."""
_PAUSE = (0.55, 0.9)
"""Between which probabilities of silence the mouth comes to rest."""
_START_FRAMES = 5
"""Frames in which a mouth leaves the place where the portrait holds it."""
_SMILING = 0.6
"""How much spreading and smiling of visemes is left: a portrait has its own expression."""


@dataclass(frozen=True)
class Mouth:
    """What one portrait's mouth brings to its articulation.

    rest: how far it is open in the portrait, in distances of the outer eye corners. gain: how far it opens, of what
    the encoder predicts.
    """

    rest: float = 0.0
    gain: float = NATURAL_GAIN


def articulation_weights(visemes: ArrayLike, openings: ArrayLike, mouth: Mouth | None = None) -> NDArray[np.float32]:
    """(T, 11) weights of `SHAPE_CHANNELS` for a portrait in every frame.

    visemes: (T, 16) probabilities of `VISEMES`. openings: (T,) predicted openings, in distances of the outer eye
    corners. Raises ValueError if the two differ in length.
    """
    mouth = mouth or Mouth()
    shares, opening = np.asarray(visemes, np.float64), np.asarray(openings, np.float64)
    if shares.shape != (len(opening), len(VISEMES)):
        raise ValueError(f"Visemes of {shares.shape} do not fit {len(opening)} openings: they must be (frames, 16).")
    steady = np.stack([smooth_track(share, _SMOOTH_VISEMES) for share in shares.T], -1)
    weights = np.zeros((len(opening), len(SHAPE_CHANNELS)))
    weights[:, : VISEME_SHAPES.shape[1]] = steady @ VISEME_SHAPES
    weights[:, [STRETCH, SMILE]] *= _SMILING
    shut = _meeting(shares)
    wanted = mouth.gain * smooth_track(np.maximum(opening, 0.0), _SMOOTH_OPENING) * (1 - shut)
    weights[:, [LOWER, UPPER]] *= (1 - shut)[:, None]
    weights[:, JAW] = 0.0
    by_lips = weights @ _GAPS
    weights[:, JAW] = np.clip((wanted - by_lips) / _GAPS[JAW], 0.0, _WIDEST_JAW)
    left = mouth.rest + weights @ _GAPS - wanted + _LIPS_SEALED * shut
    weights[:, CLOSE] = np.clip(left / -_GAPS[CLOSE], 0.0, _MOST_CLOSING)
    start = smoothstep(np.arange(1, len(opening) + 1) / _START_FRAMES)
    return (weights * start[:, None]).astype(np.float32)


def lip_gap(weights: ArrayLike) -> NDArray[np.float64]:
    """(T,) by how much weights (T, 11) open the lips, in distances of the outer eye corners, beyond their rest."""
    return np.asarray(np.asarray(weights, np.float64) @ _GAPS)


def _meeting(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) 0..1: how surely the lips are together, for m, b, p or in a pause."""
    closed = _ease(shares[:, VISEMES.index("PP")], _SHUT)
    silent = _ease(smooth_track(shares[:, VISEMES.index("sil")], _SMOOTH_OPENING), _PAUSE)
    return np.asarray(np.maximum(closed, silent))


def _ease(values: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.float64]:
    return smoothstep((values - bounds[0]) / (bounds[1] - bounds[0]))


def _gap(channel: str) -> float:
    halves = (channel, f"{channel}_L", f"{channel}_R")
    return sum(GAP_OF_SHAPE.get(name, 0.0) for name in halves)


_GAPS = np.array([_gap(channel) for channel in SHAPE_CHANNELS])
"""(11,) how far each shape at full weight opens the mouth, in distances of the outer eye corners."""
