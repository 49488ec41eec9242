"""The window that the networks film: the part of the frame around the heads, at the size that they know faces in.

A photograph shows faces of any size, and networks have learnt theirs. So they film what surrounds the heads and nothing
else; `whole_frame` sets it into the portrait, which may be of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from dramatis.backbones.profile import Profile
from dramatis.media.image import Pictures, choose_size
from dramatis.motion.articulation import OUTER_EYE_DISTANCE
from dramatis.motion.face import HeadFit
from dramatis.senses.seeing.eye import Face

_WINDOW_OF_EYES = 128 / 31
"""Side of the window around one head over the distance of its outer eye corners, as in the training pictures."""
_EYES_HEIGHT = 0.42
"""How far down in the window the eyes are."""
_EYES_ABOVE = 0.22
"""Height of the eyes above the middle of a head, in head heights."""


@dataclass(frozen=True)
class FilmWindow:
    """A part of the frame, and the size of the networks' low-resolution frames that show it.

    left, top, width, height: px of the frame, not whole ones. low: (width, height) px, in the same proportions.
    """

    left: float
    top: float
    width: float
    height: float
    low: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, px of the frame."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    def cut(self, picture: Pictures, scale: int = 1) -> Pictures:
        """What a frame-sized picture (H, W, 3) uint8 shows in the window, at `scale` times the low resolution."""
        size = self.low[0] * scale, self.low[1] * scale
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, box=self.box))

    def head(self, head: HeadFit) -> HeadFit:
        """A head in the frame, in pixels of the low-resolution frames."""
        factor = self.low[0] / self.width
        return replace(head, scale=head.scale * factor, centre=(head.centre - (self.left, self.top)) * factor)

    def face(self, face: Face, scale: int) -> Face:
        """A face in the frame, in pixels of frames at `scale` times the low resolution."""
        factor = self.low[0] * scale / self.width
        return face.placed(factor, (-self.left * factor, -self.top * factor))


def film_window(heads: Sequence[HeadFit], size: tuple[int, int], profile: Profile) -> FilmWindow:
    """The window around everybody's head in a frame of `size` (width, height) px, in whose pixels the heads are.

    Without `framing.target_interocular_px` it is the whole frame, at the scale of the profile.
    """
    wanted = profile.framing.target_interocular_px
    if wanted is None:
        return FilmWindow(0, 0, *size, (size[0] // profile.scale, size[1] // profile.scale))
    boxes = np.array([_around(head, size) for head in heads])
    left, top = boxes[:, :2].min(0)
    right, bottom = boxes[:, 2:].max(0)
    apart = [head.scale * OUTER_EYE_DISTANCE for head in heads]
    middle = (min(apart) * max(apart)) ** 0.5
    area = (right - left) * (bottom - top) * (wanted / middle) ** 2
    low = choose_size(
        round(right - left), round(bottom - top), round(min(area, profile.most_area(len(heads)))),
        profile.low.size_multiple, len(heads),
    )  # fmt: skip
    # The sides of low-resolution frames come in steps: the window takes their proportions, within the frame.
    scale = min(max((right - left) / low[0], (bottom - top) / low[1]), size[0] / low[0], size[1] / low[1])
    width, height = scale * low[0], scale * low[1]
    x = float(np.clip((left + right - width) / 2, 0, size[0] - width))
    y = float(np.clip((top + bottom - height) / 2, 0, size[1] - height))
    return FilmWindow(x, y, float(width), float(height), low)


def _around(head: HeadFit, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The square around one head, as much of it as the frame shows."""
    side = head.scale * OUTER_EYE_DISTANCE * _WINDOW_OF_EYES
    eyes = head.centre + head.scale * (head.rotation @ np.array([0.0, _EYES_ABOVE, 0.0]))[:2] * (1, -1)
    width, height = min(side, size[0]), min(side, size[1])
    left = float(np.clip(eyes[0] - width / 2, 0, size[0] - width))
    top = float(np.clip(eyes[1] - _EYES_HEIGHT * height, 0, size[1] - height))
    return left, top, left + width, top + height
