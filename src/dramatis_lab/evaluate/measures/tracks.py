"""What is measured of every frame of a finished video, in one pass and in flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.media.video import read_frames
from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis.senses.seeing.measures import laplacian_variance, mean_lab, shape_distance
from dramatis_lab.evaluate.measures.landmarks import face_readings
from dramatis_lab.evaluate.measures.steadiness import frame_change

_Curve = NDArray[np.float64]


@dataclass(frozen=True)
class VideoTrack:
    """One value a frame, (F,).

    opening: of the mouth.  person, face: distance of their mean LAB colour to the reference's.  shape: distance of the
    face's rigid landmarks to the reference's, in interocular distances.  sharpness: Laplacian variance of the face over
    the reference's.  change: (F-1,) grey levels from a frame to the next.
    """

    opening: _Curve
    person: _Curve
    face: _Curve
    shape: _Curve
    sharpness: _Curve
    change: _Curve


def track_video(perception: PerceptionNet, video: Path, reference: NDArray[np.uint8]) -> VideoTrack:
    """Measure every frame of a video. reference: (H, W, 3) uint8, the portrait at the size of the video."""
    reference_face = face_readings(perception, reference[None])[0]
    reference_colours = _mean_colours(reference, reference_face)
    sharp = laplacian_variance(reference, reference_face)
    rows, changes = [], []
    before: NDArray[np.uint8] | None = None
    for frame, face_reading in _read_all(perception, read_frames(video)):
        person, face = (
            float(np.linalg.norm(a - b))
            for a, b in zip(_mean_colours(frame, face_reading), reference_colours, strict=True)
        )
        shape = shape_distance(reference_face, face_reading)
        rows.append(
            (
                face_reading.mouth_opening,
                person,
                face,
                shape,
                laplacian_variance(frame, face_reading) / max(sharp, 1e-6),
            )
        )
        if before is not None:
            changes.append(frame_change(before, frame))
        before = frame
    opening, person, face, shape, sharpness = np.array(rows).T
    return VideoTrack(opening, person, face, shape, sharpness, np.array(changes))


def _mean_colours(frame: NDArray[np.uint8], face_reading: FaceReading) -> Sequence[NDArray[np.floating]]:
    return [mean_lab(frame, mask) for mask in (face_reading.person, face_reading.face_mask)]


def _read_all(
    perception: PerceptionNet, frames: Iterator[NDArray[np.uint8]]
) -> Iterator[tuple[NDArray[np.uint8], FaceReading]]:
    while batch := list(islice(frames, 32)):
        yield from zip(batch, face_readings(perception, np.stack(batch)), strict=True)
