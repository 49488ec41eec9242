"""Composed clips have exact masks, and say when somebody is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis_lab.evaluate.cases import composed
from dramatis_lab.evaluate.cases.held_out import Case

FRAMES, SIDE = 15, 32


@pytest.fixture(autouse=True)
def small_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composed, "COMPOSED_FRAMES", FRAMES)
    monkeypatch.setattr(composed, "FAULT_ONSET", 7)
    monkeypatch.setattr(composed, "OVERLAP", 20)
    monkeypatch.setattr(composed, "PAN", 1)


def case(level: int) -> Case:
    """A person who is a column of one colour and moves a pixel every other frame."""
    person = np.zeros((FRAMES + 7, SIDE, SIDE), bool)
    for frame_index in range(len(person)):
        person[frame_index, 8:, frame_index // 2 : frame_index // 2 + 16] = True
    frames = np.where(person[..., None], np.uint8(level), np.uint8(20)).repeat(3, -1)
    index = np.arange(0, len(frames), 7)
    empty = np.zeros(0)
    folder = Path(f"{level}")
    return Case(folder, folder, folder, frames, empty, empty, empty, index, empty, person[index])


def test_people_side_by_side_keep_their_masks() -> None:
    clip = composed.side_by_side("two", case(100), case(200))
    assert clip.frames.shape == (FRAMES, SIDE, 2 * SIDE, 3)
    assert clip.truth.shape == (3, 2, SIDE, 2 * SIDE)
    for row, frame_index in enumerate(clip.index):
        assert np.array_equal(clip.truth[row, 0], clip.frames[frame_index, ..., 0] == 100)
        assert np.array_equal(clip.truth[row, 1], clip.frames[frame_index, ..., 0] == 200)


def test_who_stands_in_front_covers_who_stands_behind() -> None:
    clip = composed.one_before_other(case(100), case(200))
    assert clip.frames.shape == (FRAMES, SIDE, 2 * SIDE - 20, 3)
    for row, frame_index in enumerate(clip.index):
        assert np.array_equal(clip.truth[row, 0], clip.frames[frame_index, ..., 0] == 100)
        assert np.array_equal(clip.truth[row, 1], clip.frames[frame_index, ..., 0] == 200)
    assert clip.truth[:, 0].sum((1, 2)).tolist() == [24 * 12] * 3
    assert clip.truth[:, 1].sum((1, 2)).tolist() == [24 * 16] * 3


def test_a_panned_clip_moves_frames_and_masks_alike() -> None:
    clip = composed.panned(composed.side_by_side("two", case(100), case(200)))
    assert clip.frames.shape[2] == 2 * SIDE - (FRAMES - 1)
    for row, frame_index in enumerate(clip.index):
        assert np.array_equal(clip.truth[row, 0], clip.frames[frame_index, ..., 0] == 100)


def test_someone_who_leaves_is_gone_from_the_named_frame_on() -> None:
    clip = composed.with_one_leaving(case(100), case(200))
    gone = clip.wrong[1]
    shown = (clip.frames[:, :, SIDE:, 0] == 200).any((1, 2))
    assert shown[0]
    assert not shown[list(gone)].any()
    assert (clip.frames[:, :, :SIDE, 0] == 100).any((1, 2)).all()
