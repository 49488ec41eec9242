"""What is measured of every frame of a finished video, in one pass and in flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.media.video import read_frames
from dramatis.models.perception import PerceptionNet, Sight
from dramatis.senses.seeing.measures import laplacian_variance, mean_lab, shape_distance
from dramatis_lab.evaluate import measures, steadiness

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """One value a frame (F,). opening: of the mouth.  person, face: distance of the mean LAB colour to the reference.
    shape: of the face's rigid landmarks to the reference, in interocular distances.  sharpness: Laplacian variance of
    the face over the reference's.  change (F-1,): grey levels from a frame to the next.
    """

    opening: Curve
    person: Curve
    face: Curve
    shape: Curve
    sharpness: Curve
    change: Curve


def watch(eye: PerceptionNet, video: Path, reference: NDArray[np.uint8]) -> Track:
    """Look at every frame. reference: (H, W, 3) uint8, the portrait at the size of the video."""
    own = measures.see(eye, reference[None])[0]
    base = _values(reference, own)
    sharp = laplacian_variance(reference, own)
    rows, changes = [], []
    before: NDArray[np.uint8] | None = None
    for frame, sight in _seen(eye, read_frames(video)):
        person, face = (float(np.linalg.norm(a - b)) for a, b in zip(_values(frame, sight), base, strict=True))
        shape = shape_distance(own, sight)
        rows.append((sight.mouth_opening, person, face, shape, laplacian_variance(frame, sight) / max(sharp, 1e-6)))
        if before is not None:
            changes.append(steadiness.change(before, frame))
        before = frame
    return Track(*np.array(rows).T, np.array(changes))


def _values(frame: NDArray[np.uint8], sight: Sight) -> Sequence[NDArray[np.floating]]:
    return [mean_lab(frame, mask) for mask in (sight.person, sight.face_mask)]


def _seen(eye: PerceptionNet, frames: Iterator[NDArray[np.uint8]]) -> Iterator[tuple[NDArray[np.uint8], Sight]]:
    while some := list(islice(frames, 32)):
        yield from zip(some, measures.see(eye, np.stack(some)), strict=True)
