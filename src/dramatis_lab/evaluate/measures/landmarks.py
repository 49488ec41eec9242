"""What the landmarks of the perception network tell of a video: mouth openings, smile, camera moves, trembling.

Every measure takes plain arrays or one reading a frame, so that generated, true and foreign videos are judged by the
same lines of code.

Shape legend: F frames, H W pixels, frames (F, H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.models.perception import FaceReading, PerceptionNet, read_faces
from dramatis.senses.seeing.measures import EYE_CORNERS, laplacian_variance, smile

_NOSE = (27, 30, 33)
SETTLING_FRAMES = 12
"""Frames at the beginning in which the face leaves the expression of the portrait."""


def face_readings(perception: PerceptionNet, frames: Pictures, batch: int = 32) -> list[FaceReading]:
    """One reading for each frame."""
    faces: list[FaceReading] = []
    for start in range(0, len(frames), batch):
        part = torch.from_numpy(np.ascontiguousarray(frames[start : start + batch]))
        faces += read_faces(perception, part.permute(0, 3, 1, 2).float() / 127.5 - 1)
    return faces


def mouth_openings(faces: Sequence[FaceReading]) -> NDArray[np.float64]:
    """(F,) gap of the inner lips, in interocular distances."""
    return np.array([face.mouth_opening for face in faces])


def zoom_and_pan(faces: Sequence[FaceReading], size: tuple[int, int]) -> tuple[float, float]:
    """(log zoom, pan): growth of the face, and its sideways shift in frame widths, from the first fifth to the last."""
    fifth = max(1, len(faces) // 5)

    def width_and_middle(part: Sequence[FaceReading]) -> tuple[float, float]:
        width = np.mean([face.interocular for face in part])
        return float(width), float(np.mean([face.landmarks[list(EYE_CORNERS)].mean(0)[0] for face in part]))

    first, last = width_and_middle(faces[:fifth]), width_and_middle(faces[-fifth:])
    return float(np.log(max(last[0], 1e-6) / max(first[0], 1e-6))), (last[1] - first[1]) / size[1]


def head_jitter(faces: Sequence[FaceReading]) -> float:
    """How much the head trembles: mean acceleration of eye corners and nose, in interocular distances per frame^2."""
    points = np.stack([face.landmarks[[*EYE_CORNERS, *_NOSE]] for face in faces])
    span = np.mean([face.interocular for face in faces])
    return float(np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1).mean() / max(span, 1e-6))


def mean_smile(faces: Sequence[FaceReading]) -> float:
    """Mean of `smile` once the face has settled."""
    return float(np.mean([smile(face) for face in faces[SETTLING_FRAMES:]]))


def face_sharpness(frames: Pictures, faces: Sequence[FaceReading]) -> list[float]:
    """Laplacian variance of the face in each frame."""
    return [laplacian_variance(frame, face) for frame, face in zip(frames, faces, strict=True)]
