"""The rows of the annotation: planted faults are told from good masks."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.evaluate.cases import faults
from dramatis_lab.evaluate.cases.composed import ComposedClip
from dramatis_lab.evaluate.rows import annotation
from tests.dramatis_lab.annotate import squares

FRAMES = 15


@pytest.fixture
def short_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotation, "COMPOSED_FRAMES", FRAMES)
    monkeypatch.setattr(annotation, "FAULT_ONSET", 7)
    monkeypatch.setattr(faults, "FAULT_ONSET", 7)
    monkeypatch.setattr(annotation, "AnnotationSettings", lambda: AnnotationSettings(least_frames=3, margin=1))


@pytest.mark.usefixtures("short_clips")
def test_planted_faults_are_rejected_and_good_masks_kept() -> None:
    frames = np.stack(squares.walk(FRAMES))
    truth = np.stack([np.stack([squares.mask_of(frame, colour) for colour in squares.COLOURS[:2]]) for frame in frames])
    index = np.arange(0, FRAMES, 7)
    clip = ComposedClip("squares", "two", frames, index, truth[index])
    parts = annotation.RememberingParts.of(squares.parts())
    result = annotation.annotate_clip(clip, parts)
    assert annotation.true_mask_overlaps(clip, result).min() == 1.0
    planted = annotation.plant_faults(clip, result, parts)
    verdicts = {name.partition(" (")[0]: rejected for name, rejected in planted}
    # Squares have no second eye, so nothing sees that a mask with its boxes has leaked onto the wall.
    told = {f"squares: {name}" for name in ("swapped", "both", "half", "nothing")}
    assert told <= verdicts.keys()
    assert all(verdicts[name] for name in told)
    row = annotation.kept_row([clip], [result])
    assert row.value == "1.000 of 2 (2 people)"
    assert row.passed
    assert row.aimed


def test_a_fault_that_nobody_sees_makes_the_row_fail(capsys: pytest.CaptureFixture[str]) -> None:
    row = annotation.planted_row([("seen", True), ("slips through", False)])
    assert (row.value, row.passed) == ("0.500 of 2", False)
    assert "slips through" in capsys.readouterr().out
