"""Everything about one face of a portrait that its articulation needs, in the portrait's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.articulation import NATURAL_GAIN, OUTER_EYE_DISTANCE, Mouth
from dramatis.motion.face import HeadFit
from dramatis.motion.mouth_inside import MouthPictures
from dramatis.motion.mouth_line import MouthLine
from dramatis.motion.two_sided import TwoSidedField

_TURNED, _TURNED_GAIN = (0.5, 1.0), (1.0, 0.85)
"""Between which angles of yaw, rad, the gain falls, and from what to what."""


@dataclass(frozen=True, eq=False)
class Opening:
    """A mouth or an eye: the edges between which it opens, and how the skin on both sides moves."""

    line: MouthLine
    field: TwoSidedField


@dataclass(frozen=True, eq=False)
class ArticulatedFace:
    """One face of a portrait.

    head: the fitted head. mouth: its opening. eyes: the left one and the right one; none where no lids were seen.
    inside: teeth, gums and tongue in the head's pose. own_teeth: (rows, columns) 0..1 over the grid of `inside`, where
    the portrait shows teeth of its own.
    """

    head: HeadFit
    mouth: Opening
    eyes: tuple[Opening, ...]
    inside: MouthPictures
    own_teeth: NDArray[np.float32]

    def mouth_at_rest(self, gain: float = NATURAL_GAIN) -> Mouth:
        """What `articulation_weights` must know of this mouth.

        A turned mouth opens less far: the far half of its lips would tear.
        """
        less = float(np.interp(abs(self.head.angles[0]), _TURNED, _TURNED_GAIN))
        return Mouth(self.mouth.line.gap / (self.head.scale * OUTER_EYE_DISTANCE), gain * less)
