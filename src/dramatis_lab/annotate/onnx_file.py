"""Opens ONNX files that the user provides, checks their layout and runs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.errors import UserError
from dramatis.media.files import check_input
from dramatis.runtime.files import hash_file
from dramatis.runtime.packages import require_package
from dramatis_lab.annotate.units import Frame

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


class OnnxFile:
    """A network with one picture, (1, 3, H, W), as input.

    what: its name in error messages, such as "detector".  size: (H, W) of the input for networks that accept any size;
    `flexible` says whether this one does.
    Raises UserError for a missing file, a missing onnxruntime, and a file that is no such network.
    """

    def __init__(self, path: Path, what: str, size: tuple[int, int]) -> None:
        self.path = check_input(path, what)
        self.identity = f"{what}:{hash_file(path)}"
        self._what = what
        require_package("onnxruntime", f"the {what} {path}")
        import onnxruntime as runtime

        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # equal results on any number of cores, which several processes share
        providers = [name for name in _PROVIDERS if name in runtime.get_available_providers()]
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise UserError(f"The {what} {path} is not an ONNX network that can be run; export it again.") from error
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
            raise self.fault(f"takes {format_shapes(port.shape for port in inputs)}, not one picture of 1x3xHxW")
        self._input = inputs[0].name
        height, width = (side if isinstance(side, int) else usual for side, usual in zip(shape[2:], size, strict=True))
        self.size: tuple[int, int] = (height, width)
        self.flexible = not all(isinstance(side, int) for side in shape[2:])

    def run(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for a picture (H, W, 3) whose values are already scaled as the network expects."""
        values = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        return list(self._session.run(None, {self._input: values}))

    def fault(self, fault: str) -> UserError:
        """The error to raise for a file that does not fit; `fault` says why."""
        return UserError(f"The {self._what} {self.path} {fault}; docs/annotation.md names the files that fit.")


def format_shapes(shapes: Iterable[Sequence[Any]]) -> str:
    """Shapes as words: "1x3x640x640 and 1x4"."""
    return " and ".join("x".join(map(str, shape)) for shape in shapes)


def resize_frame(frame: Frame, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> Frame:
    """A frame, or a box (left, top, right, bottom) of it, at (height, width); black where the box reaches outside."""
    image = Image.fromarray(frame)
    height, width = size
    if box is None:
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return np.asarray(image.transform((width, height), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR))
