"""The rows about films of real portraits: skipped with a reason, and the timed videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.media.video import probe_video, read_frames
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.rows import footage


def test_timed_videos_have_a_common_size_and_are_played_there_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "_TIMED_SIZE", (96, 54))
    monkeypatch.setattr(footage, "_TIMED_SECONDS", 1)
    frames = np.stack([np.full((32, 32, 3), level, np.uint8) for level in (40, 120, 200)])
    footage.write_timed_video(tmp_path / "timed.mp4", frames)
    info = probe_video(tmp_path / "timed.mp4")
    assert info.size == (96, 54)
    levels = [int(frame[27, 48, 0]) for frame in read_frames(tmp_path / "timed.mp4")]
    assert len(levels) == 25
    assert np.abs(np.array(levels[:6]) - (40, 120, 200, 120, 40, 40)).max() < 12


def test_without_portraits_the_agreement_is_not_measured(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "checkout_path", lambda: tmp_path / "nowhere" / "checkout")
    monkeypatch.setattr(footage, "time_row", lambda bench: Row("time", "1"))
    agreement, time = footage.footage_rows(bench)
    assert agreement.passed is None
    assert "(absent)" in agreement.name
    assert time.value == "1"
