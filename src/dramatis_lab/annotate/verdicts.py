"""What is said of a mask: that it is sound, or why it is rejected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a mask, a segment or a video is rejected."""

    LOST = "lost"
    JUMP = "jump"
    UNDETECTED = "undetected"
    LOW_OVERLAP = "low overlap"
    MISALIGNED = "misaligned keypoints"
    SECOND_PERSON = "second person"
    IDENTITY = "other identity"
    HOLES = "holes"
    AREA = "area changes"
    REACH = "beyond the body's reach"
    MISSING = "misses what others see"
    SECOND_EYE = "beyond the second eye's outline"
    STILL = "does not move with the person"
    TOO_SHORT = "too short"
    NOBODY = "nobody"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class MaskVerdict:
    """The result for one mask in one frame: no cause, or the first check that failed and the value measured."""

    cause: Cause | None = None
    value: float = 0.0


SOUND = MaskVerdict()
