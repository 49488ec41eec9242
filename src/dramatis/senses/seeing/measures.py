"""What pictures of a face tell beyond its landmarks: sharpness, smile, mouth width, and how far two faces differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from dramatis.models.perception import FaceReading
from dramatis.motion.face import RIGID_ANCHORS

EYE_CORNERS = (36, 39, 42, 45)
MOUTH_CORNERS = (48, 54)
LIPS_MIDDLE = (51, 57)
RIGID = list(RIGID_ANCHORS)


def laplacian_variance(frame: NDArray[np.uint8], reading: FaceReading) -> float:
    """Sharpness of the face: variance of the Laplacian of grey levels in the box of the landmarks, of (H, W, 3)."""
    return sharpness_around(frame, reading.landmarks)


def sharpness_around(frame: NDArray[np.uint8], points: NDArray[np.floating]) -> float:
    """Variance of the Laplacian of grey levels in the box of points (K, 2) px, of a frame (H, W, 3)."""
    low = np.floor(points.min(0)).astype(int).clip(1)
    high = np.ceil(points.max(0)).astype(int).clip(0)
    grey = frame[low[1] - 1 : high[1] + 1, low[0] - 1 : high[0] + 1].astype(np.float64).mean(-1)
    if min(grey.shape) < 3:
        return 0.0
    centre = grey[1:-1, 1:-1]
    return float((grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre).var())


def smile(reading: FaceReading) -> float:
    """How far the mouth corners lie above the middle of the lips, in interocular distances (more = smiling)."""
    points = reading.landmarks
    across = points[EYE_CORNERS[3]] - points[EYE_CORNERS[0]]
    down = np.array([-across[1], across[0]]) / max(float(np.linalg.norm(across)), 1e-6)
    corners, middle = points[list(MOUTH_CORNERS)].mean(0), points[list(LIPS_MIDDLE)].mean(0)
    return float((middle - corners) @ down / max(reading.interocular, 1e-6))


def mouth_width(reading: FaceReading) -> float:
    """Distance of the mouth corners in interocular distances."""
    left, right = reading.landmarks[list(MOUTH_CORNERS)]
    return float(np.linalg.norm(left - right) / max(reading.interocular, 1e-6))


def shape_distance(a: FaceReading, b: FaceReading) -> float:
    """Mean distance of the rigid landmarks after the best similarity, in interocular distances."""
    first, second = (_standard(reading.landmarks[RIGID]) for reading in (a, b))
    turn = np.linalg.svd(first.T @ second)
    rotated = second @ (turn.Vh.T @ turn.U.T)
    return float(np.linalg.norm(first - rotated, axis=1).mean())


def _standard(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Centred, outer eye corners at distance one."""
    return (points - points.mean(0)) / max(float(np.linalg.norm(points[0] - points[1])), 1e-6)


def mean_lab(frame: NDArray[np.uint8], mask: NDArray[np.floating]) -> NDArray[np.float64]:
    """(3,) mean LAB of a frame (H, W, 3) under a soft mask (H/2, W/2), as a `FaceReading` holds them."""
    lab = rgb2lab(frame[::2, ::2])
    return np.asarray((lab * mask[..., None]).sum((0, 1)) / max(float(mask.sum()), 1e-6))


def colour_distance(
    a: NDArray[np.uint8], reading_a: FaceReading, b: NDArray[np.uint8], reading_b: FaceReading
) -> float:
    """Distance of the mean LAB colours of the two faces."""
    return float(np.linalg.norm(mean_lab(a, reading_a.face_mask) - mean_lab(b, reading_b.face_mask)))
