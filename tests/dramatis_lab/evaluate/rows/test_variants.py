"""Variants of the cascade differ in their videos."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows import variants
from dramatis_lab.evaluate.rows.variants import option_rows, seam_rows


def test_what_joins_clips_shows_in_the_video(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "SEAM_CASES", 1)
    bench.cases[0] = replace(bench.cases[0], voice=bench.long_voice(3)[0], opening=bench.long_voice(3)[1])
    assert len(seam_rows(bench)) == 3
    videos = [(bench.work / f"seam-{kind}-0.mp4").read_bytes() for kind in ("film", "fade", "cut")]
    assert len(set(videos)) == 3


def test_options_show_in_the_video(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "OPTION_SECONDS", 1)
    assert [row.name.split(", 1 s")[0] for row in option_rows(bench)] == [
        "  no option",
        "  negative-frame guidance (corrupted_reference 0.5)",
        "  match_colours",
    ]
    videos = [(bench.work / f"option-{number}-0.mp4").read_bytes() for number in range(3)]
    assert len(set(videos)) == 3
