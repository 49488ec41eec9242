"""What a video model says about the lengths of clips and of seams, in frames."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from dramatis.story.values import GRID, Value

KEYFRAME_SLACK = 4
"""How far, in frames, a keyframe may lie from its planned boundary."""


class Geometry(Value):
    """What a video model says about lengths, in frames; the defaults are the mini's."""

    clip_steps: int = Field(
        default=28, ge=24, multiple_of=GRID, description="between the first and the last frame of the longest clip"
    )
    seam_reach: int = Field(
        default=8, ge=8, multiple_of=GRID, description="on either side of a seam, what its transition looks at"
    )
    seam_given: int = Field(
        default=4, ge=4, multiple_of=GRID, description="of these, how many are given after the gap; before it one more"
    )

    @model_validator(mode="after")
    def _seams_have_a_gap(self) -> Self:
        if self.seam_given >= self.seam_reach:
            raise ValueError(f"seam_given is {self.seam_given}; it must be less than seam_reach, {self.seam_reach}")
        return self

    @property
    def nominal_steps(self) -> int:
        """Planned length of a sub-clip: both ends may move by `KEYFRAME_SLACK` and no clip outgrows `clip_steps`."""
        return self.clip_steps - 2 * KEYFRAME_SLACK


SHORT_CLIPS = Geometry()
"""The mini's."""
