"""What follows a performance by itself: breath in the shoulders, and hair that lags behind the head.

Every value depends on earlier frames only, and at frame 0 there is none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.performance import Performance
from dramatis.motion.signals import smoothstep
from dramatis.story.values import FPS

_BREATHS = 0.25
"""Breaths a second of somebody who rests and listens (12 to 20 a minute in adults)."""
_INHALES = 0.4
"""Share of a breath at rest that goes in."""
_SPEAKING = (1.8, 0.7)
"""How much faster breath goes in and out in speech: a gasp in, and what is said on the way out."""
_SPEAKS = 0.3
"""Least `Performance.speech` of somebody who speaks."""
_ALIVE = 0.02
"""Motion of the head, in radians and head heights, from which on somebody breathes: a still picture does not."""
_HAIR_HERTZ, _HAIR_DAMPING = 1.8, 0.5
"""Swinging of hair of shoulder length, a pendulum of about 8 cm, and its damping, of the critical one."""


def breath_track(performance: Performance) -> NDArray[np.float64]:
    """(T,) how full the lungs are, 0 to 1.

    Speech is breathed out slowly and breath is fetched fast. Somebody who has not moved yet does not breathe either.
    """
    speaks = performance.speech > _SPEAKS
    phase, phases = 0.0, np.empty(len(performance))
    for frame, speaking in enumerate(speaks):
        phases[frame] = phase
        pace = _SPEAKING[0 if phase < _INHALES else 1] if speaking else 1.0
        phase = (phase + pace * _BREATHS / FPS) % 1.0
    inward, outward = phases / _INHALES, (1 - phases) / (1 - _INHALES)
    moved = np.maximum.accumulate(np.abs(performance.head).max(1))
    return np.clip(smoothstep(np.minimum(inward, outward)) * smoothstep(moved / _ALIVE), 0, 1)


def lagging_track(head: NDArray[np.floating]) -> NDArray[np.float32]:
    """(T, C) the same track, followed by a damped mass on a spring that was at rest before it began."""
    pull, drag = (2 * np.pi * _HAIR_HERTZ) ** 2 / FPS, 4 * np.pi * _HAIR_HERTZ * _HAIR_DAMPING / FPS
    place, speed = np.zeros(head.shape[1]), np.zeros(head.shape[1])
    out = np.empty(head.shape, np.float32)
    for frame, target in enumerate(head):
        speed = (speed + pull * (target - place)) / (1 + drag)
        place = place + speed / FPS
        out[frame] = place
    return out
