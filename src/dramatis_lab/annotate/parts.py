"""Opens the parts that annotate: the embedded ones, or networks that the user provides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dramatis_lab.annotate.matting import MattedEye, MattingNetwork
from dramatis_lab.annotate.units import Detector, Parts, PoseEstimator, Segmenter


@dataclass(frozen=True)
class PartChoice:
    """The user's own networks; None selects the embedded part.

    detector: a YOLO-class ONNX file.  pose: DWPose's ONNX file.  segmenter: a folder with SAM 2 for videos.  matting:
    an ONNX file whose outlines the embedded segmenter takes.
    """

    detector: Path | None = None
    pose: Path | None = None
    segmenter: Path | None = None
    matting: Path | None = None


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
    matting: MattingNetwork | None = None
    if choice.matting is not None:
        matting = MattingNetwork(choice.matting)
    embedded = not (detector or pose or segmenter or matting)
    from dramatis.senses.seeing.finder import person_finder
    from dramatis_lab.annotate.embedded import EyeDetector, EyePose, EyeSegmenter, FrameLooks

    finder = person_finder()
    looks = FrameLooks(finder.eye if matting is None else MattedEye(finder.eye, matting))
    # Our own network judges what any other has made, but never itself.
    own_masks = segmenter is None and matting is None and finder.eye is finder.own_eye
    second = None if own_masks else finder.own_eye
    return Parts(
        detector or EyeDetector(looks), pose or EyePose(looks), segmenter or EyeSegmenter(looks), second, embedded
    )
