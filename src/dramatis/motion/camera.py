"""The camera's path through all shots: each move starts where the last one ended, and nothing drifts away.

A shot moves in its own direction, fully in four seconds or more gently in up to eight, and then holds. Whatever a shot
does not move drifts back to the framing of the reference image, too slowly to be noticed, so that the picture stays in
bounds however long the video is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.signals import Curve, lag_track, smooth_noise, smoothstep
from dramatis.story.storyline import Shot
from dramatis.story.values import FPS

CAMERA_LOW = np.array([-0.25, -0.12, -0.12, -0.10, -0.25, -0.12])
CAMERA_HIGH = np.array([0.45, 0.12, 0.12, 0.10, 0.25, 0.12])
FULL_MOVE_FRAMES = 4 * FPS
LONGEST_MOVE_FRAMES = 8 * FPS

_SHAKE = np.array([0.010, 0.012, 0.012, 0.014, 0.010, 0.006])
"""Standard deviation of handheld shake at amount 1, in each channel of `Performance.camera`."""
_RETURN_PER_FRAME = np.array([0.008, 0.003, 0.003, 0.003, 0.007, 0.004]) / FPS

# The change over a full move at amount 1. A camera that turns left or up carries the picture's content right
# or down; a camera that travels left shows what a head turned to the image right would (motion/face.py).
_MOVES: dict[str, tuple[int, float]] = {
    "push_in": (0, 0.25),
    "pull_out": (0, -0.25),
    "pan_left": (1, 0.09),
    "pan_right": (1, -0.09),
    "tilt_up": (2, -0.09),
    "tilt_down": (2, 0.09),
    "orbit_left": (4, 0.20),
    "orbit_right": (4, -0.20),
}


def camera_track(shots: Sequence[Shot], rng: np.random.Generator) -> Curve:
    """(T, 6) camera of every frame: 0 at frame 0, continuous over shots, inside CAMERA_LOW..CAMERA_HIGH."""
    frames = shots[-1].span.stop
    return np.clip(_moves(shots, frames) + _shake(shots, frames, rng), CAMERA_LOW, CAMERA_HIGH)


def _moves(shots: Sequence[Shot], frames: int) -> Curve:
    """The planned moves, as eased segments between knots."""
    knots, states = [0], [np.zeros(6)]
    for shot in shots:
        length = len(shot.span)
        moving = min(length, LONGEST_MOVE_FRAMES)
        if shot.camera.move in _MOVES:
            knots.append(shot.span.start + moving)
            states.append(_destination(states[-1], shot, moving))
        if knots[-1] < shot.span.stop:
            rest = shot.span.stop - knots[-1]
            knots.append(shot.span.stop)
            states.append(_relaxed(states[-1], rest))
    time, path = np.arange(frames), np.stack(states)
    segment = np.searchsorted(knots, time, side="right") - 1
    begin, end = np.array(knots)[segment], np.array(knots)[segment + 1]
    share = smoothstep((time - begin) / (end - begin))[:, None]
    return path[segment] * (1.0 - share) + path[segment + 1] * share


def _destination(state: NDArray[np.float64], shot: Shot, moving: int) -> NDArray[np.float64]:
    """Where a shot's move ends: short shots move less, and near a bound moves become ever smaller."""
    channel, full = _MOVES[shot.camera.move]
    change = full * shot.camera.amount * min(moving / FULL_MOVE_FRAMES, 1.0)
    # Handheld shake needs a little room beyond the planned moves.
    bound = 0.9 * (CAMERA_HIGH if change > 0 else CAMERA_LOW)[channel]
    room = max((bound - state[channel]) * np.sign(change), 0.0)
    step = min(abs(change), 0.7 * room)
    reached = _relaxed(state, 2 * moving)
    reached[channel] = state[channel] + np.sign(change) * step
    return reached


def _relaxed(state: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """The state after drifting towards the reference framing for some frames."""
    most = np.minimum(_RETURN_PER_FRAME * frames, 0.3 * np.abs(state))
    return state - np.clip(state, -most, most)


def _shake(shots: Sequence[Shot], frames: int, rng: np.random.Generator) -> Curve:
    """The shake of a handheld camera, faded in and out where such a shot begins and ends."""
    amounts = np.array([shot.camera.amount if shot.camera.move == "handheld" else 0.0 for shot in shots])
    if not amounts.any():
        return np.zeros((frames, 6))
    strength = lag_track(np.repeat(amounts, [len(shot.span) for shot in shots]), 16)
    time = np.arange(frames)
    slow = np.stack([smooth_noise(time / 22.0, stream) for stream in rng.spawn(6)], -1)
    quick = np.stack([smooth_noise(time / 7.0, stream) for stream in rng.spawn(6)], -1)
    return strength[:, None] * _SHAKE * (slow + 0.25 * quick)
