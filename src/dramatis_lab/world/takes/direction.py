"""Draws the shots of a take: emotions, camera moves and gestures, all evenly distributed.

The result has the same `Shot` values that the director writes, so that training sees the same kind of performances as a
job.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dramatis.story.storyline import Shot
from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES, GRID, Camera, Emotion, FrameSpan, Gesture

NEUTRAL_SHARE = 0.30
STATIC_SHARE = 0.35
TWO_SHOTS_SHARE = 0.4
MIN_SHOT_FRAMES = 44
SHOT_FRAMES = 125
"""Long timelines are cut into shots of about this length."""
_GESTURE_COUNTS = (0.45, 0.40, 0.15)


def draw_shots(frames: int, rng: np.random.Generator, speaker: str = "") -> tuple[Shot, ...]:
    """Shots that tile [0, `frames`): one or two, or one for about every five seconds of a long timeline."""
    shots: list[Shot] = []
    for start, stop in _spans(frames, rng):
        span = FrameSpan(start, stop)
        shot = Shot(
            index=len(shots),
            span=span,
            emotion=_emotion(rng),
            camera=_camera(rng),
            gestures=_gestures(span, rng),
            speakers=(speaker,) if speaker else (),
        )
        shots.append(shot)
    return tuple(shots)


def draw_listener_shots(shots: Sequence[Shot], rng: np.random.Generator) -> tuple[Shot, ...]:
    """Shots of a bystander in the same take: the same camera, mostly calm, few gestures."""
    return tuple(
        shot.model_copy(
            update={
                "emotion": _emotion(rng) if rng.random() < 0.4 else Emotion("neutral", 0.5),
                "gestures": _gestures(shot.span, rng)[:1] if rng.random() < 0.4 else (),
                "speakers": (),
            }
        )
        for shot in shots
    )


def _spans(frames: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    if frames > 3 * SHOT_FRAMES:
        cuts = np.arange(SHOT_FRAMES, frames - MIN_SHOT_FRAMES, SHOT_FRAMES)
        cuts = cuts + rng.integers(-30, 31, len(cuts))
    elif frames >= 2 * MIN_SHOT_FRAMES and rng.random() < TWO_SHOTS_SHARE:
        cuts = rng.integers(MIN_SHOT_FRAMES, frames - MIN_SHOT_FRAMES + 1, 1)
    else:
        cuts = np.empty(0, np.int64)
    edges = [0, *(int(cut) // GRID * GRID for cut in cuts), frames]
    return list(pairwise(edges))


def _emotion(rng: np.random.Generator) -> Emotion:
    name = "neutral" if rng.random() < NEUTRAL_SHARE else str(rng.choice(EMOTIONS[1:]))
    # Strong feelings more often than faint ones, which hardly show in a small picture.
    return Emotion(name, round(1.0 - 0.65 * float(rng.random()) ** 1.5, 2))  # type: ignore[arg-type]


def _camera(rng: np.random.Generator) -> Camera:
    move = "static" if rng.random() < STATIC_SHARE else str(rng.choice(CAMERA_MOVES[1:]))
    return Camera(move, round(float(rng.uniform(0.35, 1.0)), 2))  # type: ignore[arg-type]


def _gestures(span: FrameSpan, rng: np.random.Generator) -> tuple[Gesture, ...]:
    """Up to two different gestures, one after the other."""
    count = int(rng.choice(len(_GESTURE_COUNTS), p=_GESTURE_COUNTS))
    names = rng.choice(GESTURES, size=count, replace=False)
    gestures = []
    room = len(span) // max(count, 1)
    for index, name in enumerate(names):
        length = min(int(rng.integers(16, 36)), room)
        start = span.start + index * room + int(rng.integers(0, room - length + 1))
        amount = round(float(rng.uniform(0.5, 1.0)), 2)
        gestures.append(Gesture(str(name), FrameSpan(start, start + length), amount))  # type: ignore[arg-type]
    return tuple(gestures)
