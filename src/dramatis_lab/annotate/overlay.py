"""What was annotated, to look at: frames of a video side by side with everybody's mask in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from dramatis.media.sheet import COLOURS, contact_sheet
from dramatis_lab.annotate.records import Segment
from dramatis_lab.annotate.units import Frame, Masks

_GREY = np.array((128, 128, 128))
_MOST, _WIDTH = 12, 256
_TINT = 0.45


class Overlay:
    """Collects at most 12 small frames, evenly over a video of any length, and draws them when the verdict is known."""

    def __init__(self) -> None:
        self._stride = 1
        self._kept: list[tuple[int, Frame, Masks | None]] = []

    def watch(self, number: int, frame: Frame, masks: Masks | None) -> None:
        """Take a frame and its masks, if it is one of those that are shown."""
        if number % self._stride:
            return
        self._kept.append((number, shrink(frame), None if masks is None else np.stack([shrink(m) for m in masks])))
        if len(self._kept) > _MOST:
            self._kept, self._stride = self._kept[::2], self._stride * 2

    def draw(self, segments: Sequence[Segment]) -> Image.Image | None:
        """A contact sheet: kept masks in colour, rejected ones in grey with their cause; None without any frame."""
        if not self._kept:
            return None
        pictures, labels = [], []
        for number, frame, masks in self._kept:
            present = {segment.person: segment for segment in segments if number in segment.span}
            pictures.append(tinted(frame, masks, {person for person, segment in present.items() if segment.kept}))
            causes = [f"{person + 1}: {segment.cause}" for person, segment in present.items() if not segment.kept]
            labels.append("; ".join([f"frame {number}", *causes]))
        return contact_sheet(pictures, labels)


def shrink(picture: np.ndarray) -> np.ndarray:
    """A frame or a mask at no more than 256 pixels across."""
    step = -(-picture.shape[1] // _WIDTH)
    return np.ascontiguousarray(picture[::step, ::step])


def tinted(frame: Frame, masks: Masks | None, kept: set[int]) -> Frame:
    """A frame with masks (N, H, W) laid over it: those of `kept` in colour, the others in grey."""
    out = frame.astype(np.float32)
    for person, mask in enumerate(() if masks is None else masks):
        colour = COLOURS[person % len(COLOURS)] if person in kept else _GREY
        out[mask] += _TINT * (colour - out[mask])
    return out.round().astype(np.uint8)
