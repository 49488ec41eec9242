"""Which parts annotate: the embedded ones, or networks that the user gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dramatis_lab.annotate.units import Detector, Parts, PoseEstimator, Segmenter


@dataclass(frozen=True)
class Choice:
    """Files of the user's own networks; None takes the embedded part.

    detector: a YOLO-class ONNX file.  pose: DWPose's ONNX file.  segmenter: a folder with SAM 2 for videos.
    """

    detector: Path | None = None
    pose: Path | None = None
    segmenter: Path | None = None


@lru_cache(maxsize=1)
def open_parts(choice: Choice) -> Parts:
    """The parts of a choice, once in each process; the given files first, for they are what can be wrong.

    Raises UserError for files that are not what they should be.
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
    from dramatis.senses.seeing.people import Eye
    from dramatis_lab.annotate.embedded import PerceptionDetector, PerceptionPose, PerceptionSegmenter

    eye = Eye.shipped()
    return Parts(
        detector or PerceptionDetector(eye), pose or PerceptionPose(eye), segmenter or PerceptionSegmenter(eye)
    )
