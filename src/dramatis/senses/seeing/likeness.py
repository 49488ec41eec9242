"""Whether two pictures show one face: they are laid over each other by their landmarks, then correlated.

It tells a crop of a picture from its other people, however the crop was scaled, compressed or brightened; it does not
know a person again in another photograph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.feature import match_template

from dramatis.media.image import Pictures
from dramatis.senses.seeing.eye import CropBox, radius_of
from dramatis.senses.seeing.pyramid import crop

SAME_FACE_LIKENESS = 0.9
"""Likeness of one face in two copies of a picture: crops of the synthetic world's portraits, scaled to a half or twice
the size, brightened and saved as JPEG, reach 0.97; two of its people at most 0.80."""
_REACH = 1.6
"""Half the side of what is compared, in radii of the landmarks: brows to chin, without the background."""
_SIDE, _WITHIN = 48, 56
"""Sides of the one face, and of the part of the other picture in which it is searched, px: landmarks are not exact."""
_SCALES = (0.92, 0.96, 1.0, 1.04, 1.08)


def likeness(a: Pictures, face_a: NDArray[np.float32], b: Pictures, face_b: NDArray[np.float32]) -> float:
    """The best normalised cross-correlation, -1..1, of a face in one picture with a face in another.

    The face with landmarks `face_a` (68, 2) px in picture `a` (H, W, 3), and that of `face_b` in `b`.
    """
    template = _patch(a, face_a, 1.0, _SIDE)
    patches = (_patch(b, face_b, scale * _WITHIN / _SIDE, _WITHIN) for scale in _SCALES)
    return max(float(match_template(patch, template).max()) for patch in patches)


def _patch(picture: Pictures, landmarks: NDArray[np.float32], scale: float, side: int) -> NDArray[np.float32]:
    centre = landmarks.mean(0)
    reach = scale * _REACH * radius_of(landmarks)
    square = CropBox(float(centre[0]) - reach, float(centre[1]) - reach, 2 * reach)
    return crop(picture, square, side).astype(np.float32)
