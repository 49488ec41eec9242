"""How a film of a photograph looks beside the photograph: sharpness of the face, and stillness of what surrounds it.

Shape legend: F frames, H W pixels, frames (H, W, 3) uint8, points (K, 2) px.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import dilation, disk

from dramatis.media.image import Pictures
from dramatis.senses.seeing.measures import sharpness_around
from dramatis_lab.evaluate.measures.steadiness import FrameValues

_SOFT = 0.05
"""Least share of a pixel that makes it the person's."""
_REACH = 0.25
"""How far around the person pixels may change, of the face's height: heads sway, and hair moves with them."""
_LEAST_OUTSIDE = 0.02
"""Share of the picture below which there is no surrounding to speak of."""
_SHRUNK = 4
"""Pixels of one cell of the map in which the outline is made wider; a disk of full size would take seconds."""


@dataclass(frozen=True)
class FaceSharpness:
    """kept: mean sharpness of the face over the portrait's.  jump: its largest step between frames over its mean."""

    kept: float
    jump: float


def face_sharpness_kept(
    frames: Sequence[Pictures], faces: Sequence[NDArray[np.floating]], portrait: Pictures, rest: NDArray[np.floating]
) -> FaceSharpness:
    """Sharpness in the box of each frame's points, against that of the portrait, which is as large as the frames.

    faces: points of every frame.  rest: points of the portrait.
    """
    values = np.array([sharpness_around(frame, points) for frame, points in zip(frames, faces, strict=True)])
    mean = max(float(values.mean()), 1e-6)
    jump = float(np.abs(np.diff(values)).max(initial=0.0)) / mean
    return FaceSharpness(mean / max(sharpness_around(portrait, rest), 1e-6), jump)


def surroundings(outline: NDArray[np.floating], face_height: float) -> NDArray[np.bool_] | None:
    """(H, W): the pixels well outside the person of an outline (H, W) in 0..1; None where hardly any are.

    face_height: px.
    """
    height, width = outline.shape
    rows, columns = -(-height // _SHRUNK), -(-width // _SHRUNK)
    padded = np.zeros((rows * _SHRUNK, columns * _SHRUNK), bool)
    padded[:height, :width] = outline > _SOFT
    cells = padded.reshape(rows, _SHRUNK, columns, _SHRUNK).any((1, 3))
    wide = dilation(cells, disk(int(np.ceil(_REACH * face_height / _SHRUNK))))
    outside = ~wide.repeat(_SHRUNK, 0).repeat(_SHRUNK, 1)[:height, :width]
    return outside if outside.mean() >= _LEAST_OUTSIDE else None


def change_outside(frames: Iterable[Pictures], outside: NDArray[np.bool_]) -> float:
    """Mean absolute difference of every frame to the first one where `outside` (H, W) is true, in grey levels."""
    first: FrameValues | None = None
    changes = []
    for frame in frames:
        grey = frame[outside].astype(np.float32).mean(-1)
        if first is None:
            first = grey
        else:
            changes.append(float(np.abs(grey - first).mean()))
    return float(np.mean(changes)) if changes else 0.0
