"""Contact sheets show every frame once, with its label."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.sheet import contact_sheet


def test_every_frame_is_on_the_sheet(frames: NDArray[np.uint8]) -> None:
    sheet = contact_sheet(list(frames[:7]), [f"frame {k}" for k in range(7)], columns=3)
    assert sheet.mode == "RGB"
    pixels = np.asarray(sheet)
    assert ((pixels == (180, 70, 50)).all(axis=2)).sum() == (frames[:7] == (180, 70, 50)).all(axis=3).sum()
    assert sheet.width == 3 * (96 + 6) + 6


def test_frames_of_several_sizes_and_long_labels(frames: NDArray[np.uint8]) -> None:
    sheet = contact_sheet([frames[0], Image.new("L", (20, 200))], ["x" * 500, "short"])
    assert sheet.height > 200
    assert contact_sheet([frames[0]]).size == (96 + 12, 64 + 12)


def test_wrong_counts_are_errors(frames: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
    with pytest.raises(ValueError, match="labels"):
        contact_sheet([frames[0]], ["a", "b"])
