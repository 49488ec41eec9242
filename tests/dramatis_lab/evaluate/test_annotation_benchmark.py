"""The annotation benchmark: composed clips have exact masks, and planted faults are told from good masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.dramatis_lab.annotate import squares

from dramatis_lab.annotate.settings import Settings

FRAMES, SIDE = 15, 32


@pytest.fixture
def annotation(load_benchmark: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    annotation = load_benchmark("annotation")
    monkeypatch.setattr(annotation, "FRAMES", FRAMES)
    monkeypatch.setattr(annotation, "ONSET", 7)
    monkeypatch.setattr(annotation, "OVERLAP", 20)
    monkeypatch.setattr(annotation, "PAN", 1)
    monkeypatch.setattr(annotation, "Settings", lambda: Settings(least_frames=3, margin=1))
    return annotation


def case(module: ModuleType, level: int) -> object:
    """A person who is a column of one colour and moves a pixel a frame."""
    person = np.zeros((FRAMES + 7, SIDE, SIDE), bool)
    for number in range(len(person)):
        person[number, 8:, number // 2 : number // 2 + 16] = True
    frames = np.where(person[..., None], np.uint8(level), np.uint8(20)).repeat(3, -1)
    index = np.arange(0, len(frames), 7)
    empty = np.zeros(0)
    folder = Path(f"{level}")
    return module.Case(folder, folder, folder, frames, empty, empty, empty, index, empty, person[index])


def test_people_side_by_side_keep_their_masks(annotation: ModuleType) -> None:
    clip = annotation.beside("two", case(annotation, 100), case(annotation, 200))
    assert clip.frames.shape == (FRAMES, SIDE, 2 * SIDE, 3)
    assert clip.truth.shape == (3, 2, SIDE, 2 * SIDE)
    for place, number in enumerate(clip.index):
        assert np.array_equal(clip.truth[place, 0], clip.frames[number, ..., 0] == 100)
        assert np.array_equal(clip.truth[place, 1], clip.frames[number, ..., 0] == 200)


def test_who_stands_in_front_covers_who_stands_behind(annotation: ModuleType) -> None:
    clip = annotation.before(case(annotation, 100), case(annotation, 200))
    assert clip.frames.shape == (FRAMES, SIDE, 2 * SIDE - 20, 3)
    for place, number in enumerate(clip.index):
        assert np.array_equal(clip.truth[place, 0], clip.frames[number, ..., 0] == 100)
        assert np.array_equal(clip.truth[place, 1], clip.frames[number, ..., 0] == 200)
    assert clip.truth[:, 0].sum((1, 2)).tolist() == [24 * 12] * 3
    assert clip.truth[:, 1].sum((1, 2)).tolist() == [24 * 16] * 3


def test_a_panned_clip_moves_frames_and_masks_alike(annotation: ModuleType) -> None:
    clip = annotation.pan(annotation.beside("two", case(annotation, 100), case(annotation, 200)))
    assert clip.frames.shape[2] == 2 * SIDE - (FRAMES - 1)
    for place, number in enumerate(clip.index):
        assert np.array_equal(clip.truth[place, 0], clip.frames[number, ..., 0] == 100)


def test_someone_who_leaves_is_gone_from_the_named_frame_on(annotation: ModuleType) -> None:
    clip = annotation.leave(case(annotation, 100), case(annotation, 200))
    gone = clip.wrong[1]
    shown = (clip.frames[:, :, SIDE:, 0] == 200).any((1, 2))
    assert shown[0]
    assert not shown[list(gone)].any()
    assert (clip.frames[:, :, :SIDE, 0] == 100).any((1, 2)).all()


def test_planted_faults_are_rejected_and_good_masks_kept(annotation: ModuleType) -> None:
    frames = np.stack(squares.walk(FRAMES))
    truth = np.stack([np.stack([squares.mask_of(frame, colour) for colour in squares.COLOURS[:2]]) for frame in frames])
    index = np.arange(0, FRAMES, 7)
    clip = annotation.Clip("squares", "two", frames, index, truth[index])
    parts = annotation.Remembered.of(squares.parts())
    result = annotation.run(clip, parts)
    assert annotation.overlaps(clip, result).min() == 1.0
    verdicts = dict(annotation.plant(clip, result, parts))
    assert {"squares: swapped", "squares: both", "squares: half", "squares: nothing"} <= verdicts.keys()
    assert all(verdicts.values())
    row = annotation.kept_row([clip], [result])
    assert row.value == "1.000 of 2 (2 people)"
    assert row.passed
    assert row.aimed


def test_a_fault_that_nobody_sees_makes_the_row_fail(
    annotation: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    row = annotation.planted_row([("seen", True), ("slips through", False)])
    assert (row.value, row.passed) == ("0.500 of 2", False)
    assert "slips through" in capsys.readouterr().out
