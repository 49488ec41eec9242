"""A matting network of the user's own, whose outlines take the place of the segmenter's.

It is an ONNX file in the form of MODNet's (Apache-2.0): one RGB picture (1, 3, H, W) in -1..1 with sides that are
multiples of 32, one answer (1, 1, H, W) in 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.division import divide_people
from dramatis.senses.seeing.eye import BodyPose, CropBox, Doubt, Eye, Face
from dramatis_lab.annotate.onnx_file import OnnxFile, format_shapes, resize_frame

_SIDE, _MULTIPLE = 512, 32
"""Shorter side of what the network sees where it takes any size, and what sides are multiples of."""


class MattingNetwork:
    """The user's network. Raises UserError for a file that does not hold one."""

    def __init__(self, path: Path) -> None:
        self._file = OnnxFile(path, "matting network", (_SIDE, _SIDE))
        self.identity = self._file.identity
        height, width = self._file.size
        answer = self._file.run(np.zeros((height, width, 3), np.float32))[0]
        if answer.shape != (1, 1, height, width):
            raise self._file.fault(f"answers with {format_shapes([answer.shape])}, not 1x1x{height}x{width}")

    def alpha(self, picture: Pictures) -> NDArray[np.float32]:
        """(H, W) in 0..1: how much of each pixel is anybody's, of a picture (H, W, 3)."""
        height, width = picture.shape[:2]
        view = resize_frame(picture, self._seen_size(height, width)).astype(np.float32) / np.float32(127.5) - 1
        answer = np.ascontiguousarray(self._file.run(view)[0][0, 0].clip(0, 1), np.float32)
        return np.asarray(Image.fromarray(answer).resize((width, height), Image.Resampling.BILINEAR))

    def _seen_size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of what the network sees of a picture."""
        if not self._file.flexible:
            return self._file.size
        cells = _SIDE / min(height, width) / _MULTIPLE
        return max(1, round(height * cells)) * _MULTIPLE, max(1, round(width * cells)) * _MULTIPLE


class MattedEye:
    """An eye whose outlines come from a matting network; everything else it sees as before."""

    def __init__(self, eye: Eye, network: MattingNetwork) -> None:
        self._eye, self._network = eye, network
        self.name, self.cuts_out, self.sharpest_side = eye.name, True, eye.sharpest_side
        self.identity = f"{eye.identity}, {network.identity}"

    def find(self, frame: Pictures) -> list[Face]:
        """All faces, from left to right."""
        return self._eye.find(frame)

    def face_in(self, frame: Pictures, square: CropBox) -> Face | None:
        """The face that a square surrounds; None where none can be seen."""
        return self._eye.face_in(frame, square)

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        """(N, H, W) in 0..1 by the network, each pixel one person's at most."""
        if not faces:
            return np.zeros((0, *frame.shape[:2]), np.float32)
        return divide_people(frame, faces, self._network.alpha(frame))

    def bodies(self, frame: Pictures, faces: Sequence[Face]) -> list[BodyPose | None]:
        """Shoulders and arms of each person; None where the eye does not see them."""
        return self._eye.bodies(frame, faces)

    def doubts(self, frame: Pictures) -> list[Doubt]:
        """What may be a face but cannot be used, the likeliest first."""
        return self._eye.doubts(frame)
