"""The numbers by which frames are judged and shots are cut."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dramatis.story.values import Unit, Value


class Settings(Value):
    """Bounds of the validation; the defaults were set on rendered training people (docs/annotation.md).

    least_area: share of the picture below which a mask counts as lost.
    box_overlap: least intersection over union of a mask's box and that of a fresh detection.
    sure: least confidence of the keypoints that count.
    inside: least share of a person's keypoints that lie in the mask.
    foreign: most of another person's keypoints that may lie in it.
    slack: how far outside a mask a keypoint still counts as inside, in sides of the square with its box's area.
    step: least intersection over union with the last mask that was trusted.
    own: least share of colours that a mask has in common with this person before.
    likeness: how much larger the share in common with another person may be.
    margin: frames next to a fault that are dropped with it, for masks go astray before it shows.
    least_frames: frames of the shortest segment that is kept.
    cut: change of brightness from frame to frame, 0..255, that can be a cut.
    cut_ratio: how many times the usual change a cut is.
    """

    least_area: Unit = 0.004
    box_overlap: Unit = 0.75
    sure: Unit = 0.3
    inside: Unit = 0.9
    foreign: Unit = 0.2
    slack: Unit = 0.03
    step: Unit = 0.5
    own: Unit = 0.6
    likeness: Unit = 0.1
    margin: Annotated[int, Field(ge=0)] = 3
    least_frames: Annotated[int, Field(ge=1)] = 25
    cut: Annotated[float, Field(gt=0)] = 12.0
    cut_ratio: Annotated[float, Field(ge=1)] = 4.0
