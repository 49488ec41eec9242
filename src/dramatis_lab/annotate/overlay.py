"""Contact sheets of annotated videos: frames side by side, each person's mask in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from dramatis.media.sheet import PERSON_COLOURS, contact_sheet
from dramatis_lab.annotate.records import Segment
from dramatis_lab.annotate.units import Frame, Masks

_GREY = np.array((128, 128, 128))
_MOST, _WIDTH = 12, 256
_TINT = 0.45


class Overlay:
    """Collects at most 12 small frames, spread evenly over a video, and draws them when the verdicts are known."""

    def __init__(self) -> None:
        self._stride = 1
        self._frames: list[tuple[int, Frame, Masks | None]] = []

    def add(self, number: int, frame: Frame, masks: Masks | None) -> None:
        """Keep a frame and its masks if it is one of those to show."""
        if number % self._stride:
            return
        self._frames.append(
            (number, downsample(frame), None if masks is None else np.stack([downsample(m) for m in masks]))
        )
        if len(self._frames) > _MOST:
            self._frames, self._stride = self._frames[::2], self._stride * 2

    @property
    def numbers(self) -> list[int]:
        """Numbers of the frames that are shown."""
        return [number for number, _, _ in self._frames]

    def draw(self, segments: Sequence[Segment]) -> Image.Image | None:
        """A contact sheet: kept masks in colour, rejected ones in grey with their cause. None without frames."""
        if not self._frames:
            return None
        pictures, labels = [], []
        for number, frame, masks in self._frames:
            present = {segment.person: segment for segment in segments if number in segment.span}
            pictures.append(tint_masks(frame, masks, {person for person, segment in present.items() if segment.kept}))
            causes = [f"{person + 1}: {segment.cause}" for person, segment in present.items() if not segment.kept]
            labels.append("; ".join([f"frame {number}", *causes]))
        return contact_sheet(pictures, labels)


def downsample(picture: np.ndarray) -> np.ndarray:
    """A frame or a mask at no more than 256 pixels of width."""
    step = -(-picture.shape[1] // _WIDTH)
    return np.ascontiguousarray(picture[::step, ::step])


def tint_masks(frame: Frame, masks: Masks | None, kept: set[int]) -> Frame:
    """A frame with masks (N, H, W) over it: those of the people `kept` in colour, the others in grey."""
    out = frame.astype(np.float32)
    for person, mask in enumerate(() if masks is None else masks):
        colour = PERSON_COLOURS[person % len(PERSON_COLOURS)] if person in kept else _GREY
        out[mask] += _TINT * (colour - out[mask])
    return out.round().astype(np.uint8)
