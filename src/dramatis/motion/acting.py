"""What a person does besides moving the lips: directed gestures, beats with the voice, blinks, glances, sway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.signals import Curve, pulses, ramp, smooth_noise, smooth_track
from dramatis.story.storyline import Shot
from dramatis.story.values import FPS, Gesture

_BLINK = (0.30, 0.85, 1.0, 0.85, 0.5, 0.22, 0.06)
_BLINKS_PER_SECOND = 0.22
_BLINK_REFRACTORY = 14
_BEAT = np.concatenate([np.sin(np.linspace(0, np.pi / 2, 5))[1:], 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, 11))[1:]])
_BROW_FLASH = ramp(18, 6, 10)
_ATTACK = {"lean_in": 18, "lean_back": 18, "turn_left": 12, "turn_right": 12}
_CYCLE = {"nod": 15, "shake": 14}
"""Frames of one nod or one shake to both sides."""


@dataclass
class Gestures:
    """Offsets of the directed gestures: head (T, 6), gaze (T, 2), gaze_hold (T,) 0..1, raise_brows (T,)."""

    frames: int
    head: Curve = field(init=False)
    gaze: Curve = field(init=False)
    gaze_hold: Curve = field(init=False)
    raise_brows: Curve = field(init=False)

    def __post_init__(self) -> None:
        self.head = np.zeros((self.frames, 6))
        self.gaze = np.zeros((self.frames, 2))
        self.gaze_hold = np.zeros(self.frames)
        self.raise_brows = np.zeros(self.frames)

    def add(self, gesture: Gesture) -> None:
        """Play one gesture inside its span."""
        span, name = slice(gesture.span.start, min(gesture.span.stop, self.frames)), gesture.name
        length = len(gesture.span)
        attack = min(_ATTACK.get(name, 9), max(length // 3, 1))
        # Gestures of less than a second are smaller, since a head has inertia.
        size = gesture.amount * min(1.0, length / FPS)
        envelope = size * ramp(length, attack, min(attack + 3, max(length // 3, 1)))
        envelope = envelope[: span.stop - span.start]
        side = -1.0 if name.endswith(("_left", "_down", "_back")) else 1.0
        if name in _CYCLE:
            turns = max(round(length / _CYCLE[name]), 1)
            angle = 2 * np.pi * turns * (np.arange(len(envelope)) + 0.5) / length
            wave = 0.5 * np.cos(angle) - 0.5 if name == "nod" else np.sin(angle)
            self.head[span, 1 if name == "nod" else 0] += 0.17 * envelope * wave
        elif name.startswith("tilt"):
            self.head[span, 2] += side * 0.17 * envelope
        elif name.startswith("turn"):
            self.head[span, 0] += side * 0.32 * envelope
            self._move_eyes(span, envelope, side * 0.10, 0.0)
        elif name.startswith("lean"):
            self.head[span, 5] += (0.22 if side > 0 else -0.16) * envelope
            self.head[span, 4] -= (0.035 if side > 0 else -0.015) * envelope
            self.head[span, 1] -= (0.05 if side > 0 else -0.05) * envelope
        elif name.startswith("look"):
            across = name in ("look_left", "look_right")
            self.head[span, 0 if across else 1] += side * 0.07 * envelope
            self._move_eyes(span, envelope, side * 0.38 if across else 0.0, 0.0 if across else side * 0.30)
        else:
            self.raise_brows[span] += 0.9 * envelope

    def _move_eyes(self, span: slice, envelope: Curve, yaw: float, pitch: float) -> None:
        self.gaze[span] += envelope[:, None] * (yaw, pitch)
        self.gaze_hold[span] = np.maximum(self.gaze_hold[span], np.minimum(1.0, 2.0 * envelope))


def gesture_tracks(shots: Sequence[Shot], frames: int) -> Gestures:
    """All directed gestures of a video. A gesture that goes on into the next shot is played as one."""
    tracks = Gestures(frames)
    open_gestures: dict[str, Gesture] = {}
    for gesture in sorted((g for shot in shots for g in shot.gestures), key=lambda g: (g.span.start, g.span.stop)):
        before = open_gestures.get(gesture.name)
        if before is not None and gesture.name not in _CYCLE and gesture.span.start - before.span.stop <= 2:
            stop = max(before.span.stop, gesture.span.stop)
            span = type(gesture.span)(before.span.start, stop)
            open_gestures[gesture.name] = Gesture(gesture.name, span, max(before.amount, gesture.amount))
            continue
        if before is not None:
            tracks.add(before)
        open_gestures[gesture.name] = gesture
    for gesture in open_gestures.values():
        tracks.add(gesture)
    return tracks


def sway(tempo: Curve, rng: np.random.Generator) -> Curve:
    """(T, 6) slow restlessness of a living head, in two octaves. tempo: (T,), 1 for an ordinary pace."""
    time = np.cumsum(tempo) - tempo[0]
    size = np.array([0.046, 0.025, 0.022, 0.026, 0.009, 0.020])
    streams = rng.spawn(12)
    slow = np.stack([smooth_noise(time / (48 + 7 * k), streams[k]) for k in range(6)], -1)
    quick = np.stack([smooth_noise(time / (17 + 2 * k), streams[6 + k]) for k in range(6)], -1)
    return size * (slow + 0.28 * quick)


def beat_frames(energy: Curve) -> tuple[NDArray[np.int64], Curve]:
    """Stressed syllables: frames of energy peaks at least 7 apart, and how much each stands out (0..1)."""
    smooth = smooth_track(energy, 5)
    rise = smooth - smooth_track(energy, 25)
    peak = np.flatnonzero((smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:]) & (rise[1:-1] > 0.05)) + 1
    beats: list[int] = []
    for frame in peak.tolist():
        if beats and frame - beats[-1] < 7:
            if rise[frame] > rise[beats[-1]]:
                beats[-1] = frame
        else:
            beats.append(frame)
    at = np.array(beats, np.int64)
    return at, np.clip(rise[at] / 0.3, 0.2, 1.0)


def beat_tracks(energy: Curve, rng: np.random.Generator) -> tuple[Curve, Curve]:
    """Head (T, 6) and brow raise (T,) beats of the voice: small nods at stresses, some with raised brows."""
    frames = len(energy)
    head, brows = np.zeros((frames, 6)), np.zeros(frames)
    if frames < 3:
        return head, brows
    at, strength = beat_frames(energy)
    draws = rng.random((len(at), 3))
    # The head moves slightly ahead of the stressed syllable; not every stress gets a beat.
    start = np.maximum(at - 4, 0)
    strength = strength * (0.45 + 0.55 * draws[:, 0]) * (draws[:, 1] < 0.8)
    side = np.where(draws[:, 2] < 0.5, -1.0, 1.0)
    head[:, 1] = pulses(frames, start, -0.07 * strength, _BEAT)
    head[:, 0] = pulses(frames, start, 0.026 * strength * side, _BEAT)
    head[:, 2] = pulses(frames, start, 0.014 * strength * side, _BEAT)
    head[:, 4] = pulses(frames, start, -0.006 * strength, _BEAT)
    brows[:] = pulses(frames, start, 0.38 * strength * (draws[:, 1] < 0.3), _BROW_FLASH)
    return head, brows


def blink_track(speech: Curve, rate: Curve, rng: np.random.Generator) -> Curve:
    """(T,) eyelids, 0 open to 1 closed: a Poisson process with a refractory time, more likely where speech stops.

    rate: (T,) factor of the ordinary rate. The eyes are open in the first frames, which show the reference image.
    """
    frames = len(speech)
    falling = np.maximum(-np.gradient(smooth_track(speech, 21)), 0.0) if frames > 1 else np.zeros(frames)
    hazard = rate * (_BLINKS_PER_SECOND / FPS + 1.1 * falling)
    total = np.concatenate([[0.0], np.cumsum(hazard)])
    at: list[int] = []
    frame = 6
    while frame < frames:
        frame = int(np.searchsorted(total, total[frame] + rng.exponential()))
        if frame < frames:
            at.append(frame)
            # Now and then a second blink follows at once.
            frame += 9 if rng.random() < 0.07 else _BLINK_REFRACTORY
    starts = np.array(at, np.int64)
    return np.minimum(pulses(frames, starts, 0.88 + 0.12 * rng.random(len(at)), _BLINK), 1.0)


def glance_track(frames: int, avert: Curve, rng: np.random.Generator) -> tuple[Curve, Curve]:
    """Where the eyes rest: (T, 2) offset from the camera (yaw, pitch) in radians, and (T,) 1 while they are off it.

    avert: (T,) how likely the person is to look away, 1 for ordinary. Fixations last about a second and a half on the
    camera and less elsewhere; the eyes jump between them within two frames.
    """
    count = frames // 8 + 2
    draws, sides, sizes = rng.random((3, count))
    jitter = 0.012 * rng.standard_normal((count, 2))
    lengths = np.exp(0.55 * rng.standard_normal(count))
    targets: list[tuple[float, float]] = []
    away: list[bool] = []
    begins: list[int] = []
    frame = 0
    for k in range(count):
        if frame >= frames:
            break
        # The first fixation is on the camera: it continues the reference image.
        off = k > 0 and not away[-1] and draws[k] < 0.36 * avert[frame]
        yaw = (0.10 + 0.16 * sizes[k]) * (1.0 if sides[k] < 0.5 else -1.0)
        pitch = 0.30 * draws[k] - 0.10
        targets.append((yaw, pitch) if off else (jitter[k, 0], jitter[k, 1]) if k else (0.0, 0.0))
        begins.append(frame)
        away.append(off)
        frame += max(8, int((16 if off else 38) * lengths[k]))
    durations = np.diff([*begins, frames])
    track = np.repeat(np.array(targets), durations, axis=0)
    track[1:] = 0.35 * track[:-1] + 0.65 * track[1:]
    return track, np.repeat(np.array(away, np.float64), durations)
