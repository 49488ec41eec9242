"""How near an outline comes to the truth: over the whole picture, and in a narrow band round the border of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dramatis.media.image import Pictures

BAND = 8
"""Pixels on either side of the border of the head in which errors are summed."""
_CHIN = 8
"""The landmark below which the border is that of clothes."""


@dataclass(frozen=True, eq=False)
class OutlineTruth:
    """A picture (H, W, 3), how much of each pixel is the person's, (H, W) in 0..1, and 68 landmarks, px."""

    picture: Pictures
    alpha: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    @classmethod
    def from_double(cls, picture: Pictures, person: NDArray[np.bool_], landmarks: NDArray[np.float32]) -> OutlineTruth:
        """From a picture rendered at twice the size: borders then have shares in quarters."""
        height, width = person.shape
        cells = (height // 2, 2, width // 2, 2)
        small = picture.reshape(*cells, 3).mean((1, 3)).round().astype(np.uint8)
        return cls(small, person.reshape(cells).mean((1, 3)).astype(np.float32), landmarks / np.float32(2))


def outline_iou(truth: OutlineTruth, outline: NDArray[np.float32]) -> float:
    """Intersection over union of what more than half belongs to the person."""
    seen, true = outline > 0.5, truth.alpha > 0.5
    return float((seen & true).sum() / max((seen | true).sum(), 1))


def hair_band(truth: OutlineTruth) -> NDArray[np.bool_]:
    """(H, W) the pixels within `BAND` of the true border, above the chin."""
    inside = truth.alpha > 0.5
    border = inside ^ ndimage.binary_erosion(inside, border_value=1)
    band = ndimage.distance_transform_edt(~border) <= BAND
    band[int(truth.landmarks[_CHIN, 1]) :] = False
    return np.asarray(band)


def band_error(truth: OutlineTruth, outline: NDArray[np.float32]) -> float:
    """Sum of absolute differences in the band."""
    return float(np.abs(outline - truth.alpha)[hair_band(truth)].sum())
