"""Opens the parts that annotate: the embedded ones, or networks that the user provides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dramatis_lab.annotate.units import Detector, Parts, PoseEstimator, Segmenter


@dataclass(frozen=True)
class PartChoice:
    """The user's own networks; None selects the embedded part.

    detector: a YOLO-class ONNX file.  pose: DWPose's ONNX file.  segmenter: a folder with SAM 2 for videos.
    """

    detector: Path | None = None
    pose: Path | None = None
    segmenter: Path | None = None


@lru_cache(maxsize=1)
def open_parts(choice: PartChoice) -> Parts:
    """The chosen parts, opened once in each process; the user's files first, because only they can be wrong.

    Raises UserError for a file that does not hold the expected network.
    """
    detector: Detector | None = None
    pose: PoseEstimator | None = None
    segmenter: Segmenter | None = None
    if choice.detector is not None:
        from dramatis_lab.annotate.yolo import YoloDetector

        detector = YoloDetector(choice.detector)
    if choice.pose is not None:
        from dramatis_lab.annotate.dwpose import DwPose

        pose = DwPose(choice.pose)
    if choice.segmenter is not None:
        from dramatis_lab.annotate.sam2 import Sam2Segmenter

        segmenter = Sam2Segmenter(choice.segmenter)
    if detector and pose and segmenter:
        return Parts(detector, pose, segmenter)
    from dramatis.senses.seeing.people import FaceDetector
    from dramatis_lab.annotate.embedded import PerceptionDetector, PerceptionPose, PerceptionSegmenter

    faces = FaceDetector.shipped()
    return Parts(
        detector or PerceptionDetector(faces), pose or PerceptionPose(faces), segmenter or PerceptionSegmenter(faces)
    )
