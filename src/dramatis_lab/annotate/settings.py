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
    holes: largest area of a mask's holes, over its own: an arm on the hip leaves 0.02.
    area_change: largest change of area since the last trusted mask, over that one's.
    beyond_reach: largest share of a mask that head, shoulders and arms cannot reach: 0.01 in good masks.
    second_look: frames from one look of the second eye to the next.
    beyond_second: largest share of a mask that lies a quarter of the face's radius beyond what the second eye and the
        network that finds the joints see of the person: on rendered training people 0.001 in good masks, and 0.15 and
        more in those that have leaked by half of their area.
    missed: largest area that both of them see a quarter of a radius beyond the mask, over the mask's: 0.009 in good
        masks of rendered training people.
    beside_second: share from which it matters whether what lies there moves.
    watched: frames over which it is watched what moves.
    moved: how far a face must come meanwhile, in its radii, for anything to be said.
    still: largest share of the edges there that may stay in place.
    side: shorter side, px, to which frames are shrunk for the embedded parts; masks are enlarged again.
    newcomer: frames for which somebody must be seen whom nobody follows, until everybody is followed anew.
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
    holes: Unit = 0.04
    area_change: Unit = 0.2
    beyond_reach: Unit = 0.04
    second_look: Annotated[int, Field(ge=1)] = 4
    beyond_second: Unit = 0.06
    missed: Unit = 0.06
    beside_second: Unit = 0.02
    watched: Annotated[int, Field(ge=2)] = 12
    moved: Annotated[float, Field(gt=0)] = 0.12
    still: Unit = 0.7
    side: Annotated[int, Field(ge=64)] = 360
    newcomer: Annotated[int, Field(ge=1)] = 8
    margin: Annotated[int, Field(ge=0)] = 3
    least_frames: Annotated[int, Field(ge=1)] = 25
    cut: Annotated[float, Field(gt=0)] = 12.0
    cut_ratio: Annotated[float, Field(ge=1)] = 4.0
