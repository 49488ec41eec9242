"""The smallest values: time in frames, what a face, a camera and a head can do.

Everything here is frozen, typed and serialisable, and knows nothing of models, files or pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

FPS = 25
AUDIO_RATE = 16_000
"""Samples a second of the mono sound that the models hear."""
SAMPLES_PER_FRAME = AUDIO_RATE // FPS
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


class Box(NamedTuple):
    """A rectangle, in pixels or as shares of a picture's width and height; right and bottom lie outside it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """0 for a box without extent."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    @property
    def centre(self) -> tuple[float, float]:
        """x and y of the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shared_area(self, other: Box) -> float:
        """Of the part that lies in both."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(left, top, min(self.right, other.right), min(self.bottom, other.bottom)).area

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        shared = self.shared_area(other)
        return shared / max(self.area + other.area - shared, 1e-9)

    def within(self, size: tuple[int, int]) -> Box:
        """The part inside a picture of (width, height)."""
        width, height = size
        left, right = (min(max(0.0, x), width) for x in (self.left, self.right))
        top, bottom = (min(max(0.0, y), height) for y in (self.top, self.bottom))
        return Box(left, top, right, bottom)

    def pixels(self, size: tuple[int, int]) -> Box:
        """A box of shares in pixels of a picture of (width, height)."""
        width, height = size
        return Box(self.left * width, self.top * height, self.right * width, self.bottom * height)

    def shares(self, size: tuple[int, int]) -> Box:
        """A box of pixels as shares of a picture of (width, height), rounded to four digits and cut at its borders."""
        width, height = size
        extents = (width, height, width, height)
        return Box(*(round(min(1.0, max(0.0, side / extent)), 4) for side, extent in zip(self, extents, strict=True)))


def _box(sides: tuple[float, float, float, float]) -> Box:
    return Box(*sides)


if TYPE_CHECKING:
    UnitBox = Box
else:
    UnitBox = Annotated[tuple[Unit, Unit, Unit, Unit], AfterValidator(_box)]
    """A box in shares of a picture's width and height. Each side is checked by itself, so that a fault names it."""


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
