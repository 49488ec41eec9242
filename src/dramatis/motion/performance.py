"""The performance: everything in the picture that audio alone does not decide, planned frame by frame.

Head, eyes, brows, emotion and camera are decided here, once for a whole job, from the storyline's shots and the voice's
rhythm. The synthetic world renders a performance as ground truth, and the cascade gives the same numbers to the video
model, so that it need not guess what sound does not tell, such as when the head turns. Signs and units: see
`dramatis.motion.face`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.acting import beat_tracks, blink_track, gesture_tracks, glance_track, sway
from dramatis.motion.camera import camera_track
from dramatis.motion.prosody import Prosody
from dramatis.motion.signals import Curve, lag_track, smooth_track, smoothstep, soft_limit
from dramatis.story.storyline import Shot
from dramatis.story.values import EMOTIONS

HEAD_LIMITS = np.array([0.45, 0.30, 0.25, 0.20, 0.15, 0.30])
GAZE_LIMITS = np.array([0.55, 0.45])
EMOTION_FRAMES = 8
SETTLE_FRAMES = 12
"""Frames in which a job leaves the pose of its reference image."""

_CONTROL_SCALES: dict[str, tuple[float, ...]] = {
    "head": (0.25, 0.20, 0.15, 0.15, 0.10, 0.20),
    "blink": (1.0,),
    "gaze": (0.35, 0.30),
    "brow": (1.0, 1.0),
    "emotion": (1.0,) * len(EMOTIONS),
    "camera": (0.35, 0.10, 0.10, 0.08, 0.20, 0.10),
    "speech": (1.0,),
}
CONTROL_NAMES = (
    "yaw", "pitch", "roll", "tx", "ty", "tz", "blink", "gaze_yaw", "gaze_pitch", "brow_raise", "brow_furrow",
    *EMOTIONS, "log_zoom", "pan_x", "pan_y", "camera_roll", "orbit_yaw", "orbit_pitch", "speech",
)  # fmt: skip
CONTROL_DIM = len(CONTROL_NAMES)
EMOTION_COLUMNS = slice(CONTROL_NAMES.index(EMOTIONS[0]), CONTROL_NAMES.index(EMOTIONS[0]) + len(EMOTIONS))
"""The emotion's columns in a control vector; all zeros there leave it open."""
_SCALE = np.concatenate([np.array(scale) for scale in _CONTROL_SCALES.values()]).astype(np.float32)


@dataclass(frozen=True)
class Performance:
    """T frames at 25 frames per second, every field float32.

    head: (T, 6) yaw, pitch, roll in radians and tx, ty, tz in head heights, relative to the reference image:
      +yaw turns to the image right, +pitch lifts the chin, +roll tilts clockwise as seen; +tx right, +ty up, +tz near.
    blink: (T,) 0 open to 1 closed.
    gaze: (T, 2) yaw (+ image right) and pitch (+ up) in radians, relative to the head.
    brow: (T, 2) raise and furrow, 0..1.
    emotion: (T, 8) weights in the order of EMOTIONS, each 0..1, summing to 1 (neutral takes the rest).
    camera: (T, 6) log_zoom, pan_x, pan_y (frame widths / heights; + moves the content right / up), roll (+ turns the
      content clockwise), orbit_yaw, orbit_pitch in radians (+ as if the person turned right / lifted the chin).
    speech: (T,) 0..1, how much the person is speaking.
    """

    head: NDArray[np.float32]
    blink: NDArray[np.float32]
    gaze: NDArray[np.float32]
    brow: NDArray[np.float32]
    emotion: NDArray[np.float32]
    camera: NDArray[np.float32]
    speech: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.head)

    def take(self, frames: ArrayLike) -> Performance:
        """The performance at the given frame indices (or a boolean mask), in that order."""
        index = np.asarray(frames)
        return Performance(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def framed_still(self) -> Performance:
        """The same before a camera that keeps its framing: it still orbits, but does not zoom, pan or roll."""
        camera = self.camera.copy()
        camera[:, :4] = 0
        return replace(self, camera=camera)

    def with_emotion(self, emotion: str, frames: slice) -> Performance:
        """The same with everything but neutral given to one emotion, over some frames."""
        weights = self.emotion.copy()
        weights[frames] = replace_emotion(weights[frames], emotion)
        return replace(self, emotion=weights)

    def pack_controls(self) -> NDArray[np.float32]:
        """(T, CONTROL_DIM) float32 in the order of CONTROL_NAMES, each scaled to about unit range."""
        columns = [getattr(self, f.name).reshape(len(self), -1) for f in fields(self)]
        return np.concatenate(columns, 1).astype(np.float32) / _SCALE

    @classmethod
    def from_controls(cls, controls: ArrayLike) -> Performance:
        """The inverse of `pack_controls`, for (T, CONTROL_DIM) controls. Raises ValueError for another width."""
        scaled = np.asarray(controls, np.float32)
        if scaled.ndim != 2 or scaled.shape[1] != CONTROL_DIM:
            raise ValueError(f"Controls must be (frames, {CONTROL_DIM}), not {scaled.shape}.")
        widths = [len(scale) for scale in _CONTROL_SCALES.values()]
        parts = np.split(scaled * _SCALE, np.cumsum(widths)[:-1], axis=1)
        named = dict(zip(_CONTROL_SCALES, parts, strict=True))
        return cls(**named | {name: named[name][:, 0] for name in ("blink", "speech")})

    @classmethod
    def still(cls, frames: int) -> Performance:
        """The reference image throughout: neutral, silent, unmoving."""
        zeros = {name: np.zeros((frames, len(scale)), np.float32) for name, scale in _CONTROL_SCALES.items()}
        zeros["emotion"][:, 0] = 1.0
        return cls(**zeros | {name: zeros[name][:, 0] for name in ("blink", "speech")})


def unpack_controls(controls: ArrayLike) -> tuple[Performance, ...]:
    """The performances of N people, from their control vectors (N, T, CONTROL_DIM)."""
    return tuple(Performance.from_controls(person) for person in np.asarray(controls, np.float32))


def replace_emotion(weights: NDArray[np.float32], emotion: str) -> NDArray[np.float32]:
    """(T, 8) weights as in `Performance.emotion`, with everything that is not neutral moved to one emotion."""
    out = np.zeros_like(weights)
    out[:, 0] = weights[:, 0]
    out[:, EMOTIONS.index(emotion)] += weights[:, 1:].sum(1)
    return out


@dataclass(frozen=True)
class _Style:
    """How a person moves in an emotion of full intensity: a posture, and factors of the ordinary liveliness."""

    pose: tuple[float, float, float, float, float, float] = (0.0,) * 6
    raise_brows: float = 0.0
    furrow: float = 0.0
    gaze_pitch: float = 0.0
    energy: float = 1.0
    tempo: float = 1.0
    blink: float = 1.0
    avert: float = 1.0


_STYLES: dict[str, _Style] = {
    "neutral": _Style(),
    "happy": _Style((0, 0.035, 0.03, 0, 0.008, 0.01), raise_brows=0.22, energy=1.4, tempo=1.25, avert=0.8),
    "sad": _Style(
        (0, -0.10, 0.05, 0, -0.03, -0.02),
        0.30,
        0.30,
        gaze_pitch=-0.08,
        energy=0.55,
        tempo=0.6,
        blink=1.2,
        avert=1.6,
    ),
    "angry": _Style((0, -0.05, 0, 0, -0.01, 0.06), furrow=0.85, energy=1.4, tempo=1.2, blink=0.6, avert=0.3),
    "surprised": _Style((0, 0.04, 0, 0, 0.015, -0.04), raise_brows=0.9, energy=1.15, tempo=1.2, blink=0.5, avert=0.5),
    "afraid": _Style((0, 0.01, -0.02, 0, -0.01, -0.07), 0.7, 0.45, energy=0.8, tempo=1.7, blink=1.6, avert=1.7),
    "disgusted": _Style((0.04, 0.025, -0.05, 0, 0, -0.05), furrow=0.55, energy=0.9, tempo=0.9, avert=1.3),
    "tender": _Style((0, -0.025, 0.075, 0, -0.005, 0.03), raise_brows=0.22, energy=0.75, tempo=0.75, avert=0.7),
}


def perform(shots: Sequence[Shot], prosody: Prosody, seed: int, person: int = 0) -> Performance:
    """The performance of one person in a whole job, in linear time. At frame 0 head and camera are at rest.

    shots: tiling [0, T) in order, as in a storyline.  prosody: of the person's own voice; cut or padded to T.
    seed: equal inputs give equal performances.  person: index of the person; people of one seed move differently, but
    with the same camera moves they share the camera.
    Raises ValueError if the shots do not tile.
    """
    frames = _tiled_frames(shots)
    voice = prosody.padded(frames)
    streams = [np.random.default_rng([seed, k, person] if k and person else [seed, k]) for k in range(5)]
    emotion = _emotion_track(shots)
    style = _blended_style(emotion)
    speech = np.clip(smooth_track(voice.energy * (0.35 + 0.65 * voice.voiced.astype(np.float64)), 5) * 1.25, 0.0, 1.0)
    camera = camera_track(shots, streams[0])
    gestures = gesture_tracks(shots, frames)
    beats, flashes = beat_tracks(voice.energy.astype(np.float64), streams[1])
    melody = smooth_track(voice.pitch.astype(np.float64), 9)

    lively = style["energy"][:, None]
    activity = 0.6 + 0.4 * smooth_track(speech, 25)[:, None]
    drift = sway(style["tempo"], streams[2])
    head = style["pose"] + lively * (activity * (drift - drift[0]) + beats) + gestures.head
    head[:, 1] += 0.05 * style["energy"] * melody
    settle = smoothstep((np.arange(frames)) / SETTLE_FRAMES)
    head = soft_limit(head * settle[:, None], HEAD_LIMITS)

    lift = flashes + 0.5 * np.maximum(melody, 0.0) * style["energy"] + style["raise_brows"] + gestures.raise_brows
    brow = np.clip(np.stack([lift, style["furrow"] + 0.08 * speech * style["furrow"]], -1) * settle[:, None], 0.0, 1.0)
    gaze = _gaze_track(head, camera, gestures.gaze, gestures.gaze_hold, style, streams[3])
    blink = blink_track(speech, style["blink"], streams[4])
    return Performance(*(a.astype(np.float32) for a in (head, blink, gaze, brow, emotion, camera, speech)))


def _tiled_frames(shots: Sequence[Shot]) -> int:
    expected = 0
    for shot in shots:
        if shot.span.start != expected:
            raise ValueError(f"Shots must tile the video: one starts at frame {shot.span.start}, not {expected}.")
        expected = shot.span.stop
    if not expected:
        raise ValueError("A performance needs at least one shot.")
    return expected


def _emotion_track(shots: Sequence[Shot]) -> Curve:
    """(T, 8) weights that follow the shots with a short lag, from neutral before frame 0."""
    steps = np.zeros((len(shots), len(EMOTIONS)))
    for row, shot in zip(steps, shots, strict=True):
        row[EMOTIONS.index(shot.emotion.name)] = shot.emotion.intensity
    steps[:, 0] = 0.0
    weights = lag_track(np.repeat(steps, [len(shot.span) for shot in shots], axis=0), EMOTION_FRAMES)
    weights = np.clip(weights, 0.0, 1.0)
    weights[:, 0] = np.clip(1.0 - weights[:, 1:].sum(1), 0.0, 1.0)
    return weights


def _blended_style(emotion: Curve) -> dict[str, Curve]:
    """Posture (T, 6) and factors (T,) of the emotions' mixture; posture changes more slowly than the face."""
    slow = lag_track(emotion, 20, before=emotion[0])
    styles = [_STYLES[name] for name in EMOTIONS]
    names = [f.name for f in fields(_Style)]
    return {name: slow @ np.array([getattr(style, name) for style in styles]) for name in names}


def _gaze_track(
    head: Curve,
    camera: Curve,
    directed: Curve,
    hold: Curve,
    style: dict[str, Curve],
    rng: np.random.Generator,
) -> Curve:
    """(T, 2) eyes relative to the head: on the camera while head and camera move, or where directed."""
    glance, _ = glance_track(len(head), style["avert"], rng)
    # The camera lies opposite to its orbit; eyes make up for the head's own turns (the vestibulo-ocular reflex).
    to_camera = glance - camera[:, 4:6] - 0.9 * head[:, :2]
    free = to_camera + np.stack([np.zeros(len(head)), style["gaze_pitch"]], -1)
    gaze = free * (1.0 - hold[:, None]) + directed
    return soft_limit(gaze, GAZE_LIMITS)
