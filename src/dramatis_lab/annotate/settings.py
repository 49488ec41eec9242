"""The bounds by which masks are judged and shots are cut."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dramatis.story.values import Unit, Value


class AnnotationSettings(Value):
    """Bounds of the validation. The defaults were chosen on rendered training people (docs/annotation.md).

    least_area: share of the picture below which a mask counts as lost.
    box_overlap: least intersection over union of a mask's box and that of a fresh detection.
    sure: least confidence of a keypoint that counts.
    inside: least share of a person's keypoints that lie in the mask.
    foreign: largest share of another person's keypoints that may lie in the mask.
    slack: distance outside the mask at which a keypoint still counts as inside, relative to the square root of the
        area of the mask's box.
    step: least intersection over union with the last trusted mask.
    own: least overlap of the mask's colour histogram with this person's earlier ones.
    likeness: how much larger the overlap with another person's histograms may be.
    margin: frames next to a fault that are dropped too, because masks go astray before the fault shows.
    least_frames: frames in the shortest segment that is kept.
    cut: least change of brightness between frames, 0..255, that can be a cut.
    cut_ratio: least ratio of a cut to the usual change.
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
