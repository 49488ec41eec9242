"""The ways of filming, and what a filmed video says of itself beside its pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dramatis.cascade.pipeline import RenderedVideo
from dramatis.cascade.plan import clips_from_keyframes, plan_cascade
from dramatis.runtime.progress import Progress

SHARED_STAGES = ("sub-clips", "transitions", "anchors", "super-resolution")
"""Stages that workers share, in one pass."""


class FilmingWay(StrEnum):
    """How a video is filmed; `chains` says what the last two are."""

    CASCADE = "cascade"
    CHAINED = "chained"
    SINGLE = "single"


@dataclass(frozen=True)
class FilmingRecord:
    """hand_overs: frames at which one clip hands over to the next.

    gaps: (first, stop) of the frames that transitions made.  filming: seconds that the stages took that workers
    share (0 for chains).
    """

    hand_overs: list[int]
    gaps: list[tuple[int, int]] = field(default_factory=list)
    filming: float = 0.0

    @classmethod
    def of(cls, video: RenderedVideo, filming: float = 0.0) -> FilmingRecord:
        """The record of a video of the cascade."""
        seams = clips_from_keyframes(plan_cascade(video.storyline), video.keyframes).seams
        gaps = [(seam.gap.start, seam.gap.stop) for seam in seams if seam.gap]
        return cls([seam.frame for seam in seams], gaps, filming)


class StageClock:
    """A progress reporter that times the stages that workers share, from the first begin to the last end."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def report(self, event: Progress) -> None:
        if event.stage in SHARED_STAGES:
            self.times.append(time.monotonic())

    def close(self) -> None:
        return None

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]


def record_path(output: Path) -> Path:
    """Where the record of a video is stored."""
    return output.with_suffix(".record.json")
