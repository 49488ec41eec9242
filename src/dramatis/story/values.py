"""The smallest values: time in frames, what a face, a camera and a head can do.

Everything here is frozen, typed and serialisable, and knows nothing of models, files or pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

FPS = 25
GRID = 4
"""Shots begin on multiples of the autoencoder's time stride, so that a shot boundary can be a keyframe."""


EmotionName = Literal["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "tender"]
CameraMove = Literal[
    "static", "push_in", "pull_out", "pan_left", "pan_right", "tilt_up", "tilt_down",
    "orbit_left", "orbit_right", "handheld",
]  # fmt: skip
GestureName = Literal[
    "nod", "shake", "tilt_left", "tilt_right", "turn_left", "turn_right", "lean_in", "lean_back",
    "look_up", "look_down", "look_left", "look_right", "raise_brows",
]  # fmt: skip
EMOTIONS: tuple[EmotionName, ...] = get_args(EmotionName)
CAMERA_MOVES: tuple[CameraMove, ...] = get_args(CameraMove)
GESTURES: tuple[GestureName, ...] = get_args(GestureName)
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share, an amount or an intensity: 0 is nothing of it, 1 is all of it."""


class NumberFormat(StrEnum):
    """What the large networks compute in; auto is what the hardware is fast at."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


_STRICT = ConfigDict(extra="forbid")


class Value(BaseModel):
    """Base of the larger values: frozen, and unknown fields are errors, so that a typing slip is never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def is_empty(value: object) -> bool:
    """For `Field(exclude_if=...)`: whether a field that only videos of several people have is left out of files."""
    return value is None or value == ()


@dataclass(frozen=True, order=True, config=_STRICT)
class FrameSpan:
    """Frames start <= t < stop at 25 frames per second."""

    start: Annotated[int, Field(ge=0)]
    stop: Annotated[int, Field(ge=0)]

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise ValueError(f"stop ({self.stop}) must be greater than start ({self.start})")

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, frame: int) -> bool:
        return self.start <= frame < self.stop

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    @property
    def seconds(self) -> float:
        """The span's length in seconds."""
        return len(self) / FPS

    def overlaps(self, other: FrameSpan) -> bool:
        """Whether the two spans share a frame."""
        return self.shared(other) > 0

    def shared(self, other: FrameSpan) -> int:
        """How many frames the two spans share."""
        return max(0, min(self.stop, other.stop) - max(self.start, other.start))


@dataclass(frozen=True, config=_STRICT)
class Emotion:
    """What the face shows, from 0 (not at all) to 1 (as strongly as it can)."""

    name: EmotionName = "neutral"
    intensity: Unit = 0.5


@dataclass(frozen=True, config=_STRICT)
class Camera:
    """How the camera moves over a shot; amount 1 is the largest move that is allowed."""

    move: CameraMove = "static"
    amount: Unit = 0.5


@dataclass(frozen=True, config=_STRICT)
class Gesture:
    """One movement of head, eyes or brows within `span` (frames of the whole video)."""

    name: GestureName
    span: FrameSpan
    amount: Unit = 0.5


def check_tiling(spans: Sequence[FrameSpan], frames: int, name: str) -> None:
    """Raise ValueError unless `spans` cover [0, frames) in order, without gap or overlap."""
    expected = 0
    for position, span in enumerate(spans):
        if span.start != expected:
            fault = "leaves a gap after" if span.start > expected else "overlaps what comes before"
            raise ValueError(
                f"{name}[{position}].span.start is {span.start}, which {fault} frame {expected}; "
                f"write {expected} or change the one before"
            )
        expected = span.stop
    if expected != frames:
        raise ValueError(
            f"{name} end at frame {expected} but the video has {frames} frames; the last must stop at {frames}"
        )
