from __future__ import annotations

import numpy as np

from dramatis.media.sheet import PERSON_COLOURS
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.overlay import Overlay, downsample, tint_masks
from dramatis_lab.annotate.records import Segment
from dramatis_lab.annotate.verdicts import Cause
from tests.dramatis_lab.annotate.squares import frame_of


def test_few_frames_are_kept_of_any_length() -> None:
    overlay = Overlay()
    for number in range(1000):
        overlay.add(number, frame_of({}), None)
    numbers = overlay.numbers
    assert 6 <= len(numbers) <= 12
    assert len(set(np.diff(numbers))) == 1


def test_kept_people_are_coloured_and_rejected_ones_grey() -> None:
    frame = frame_of({})
    masks = np.zeros((2, *frame.shape[:2]), bool)
    masks[0, :10], masks[1, 20:30] = True, True
    out = tint_masks(frame, masks, kept={0})
    assert out[0, 0].argmax() == PERSON_COLOURS[0].argmax()
    assert len(set(out[25, 0].tolist())) == 1
    assert np.array_equal(out[50], frame[50])


def test_a_sheet_is_drawn_once_there_is_a_frame() -> None:
    overlay = Overlay()
    assert overlay.draw([]) is None
    overlay.add(0, frame_of({0: (10, 10)}), np.ones((1, 96, 160), bool))
    rejected = Segment(person=0, span=FrameSpan(0, 1), kept=False, cause=Cause.LOST)
    sheet = overlay.draw([rejected])
    assert sheet is not None
    assert sheet.width > 160


def test_wide_frames_become_small() -> None:
    assert downsample(np.zeros((540, 960, 3), np.uint8)).shape == (135, 240, 3)
    assert downsample(np.zeros((96, 160), bool)).shape == (96, 160)
