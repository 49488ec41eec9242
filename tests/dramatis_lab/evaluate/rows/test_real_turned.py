"""Turned heads: lips are held against the truth of the same head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.timed_voices import TimedVoice
from dramatis_lab.evaluate.cases.turned_heads import TurnedCase
from dramatis_lab.evaluate.report import NOT_RUN
from dramatis_lab.evaluate.rows import real_turned
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench
from dramatis_lab.evaluate.rows.real_turned import TurnedFigures, turned_row, turned_rows
from tests.dramatis.senses.seeing.conftest import skip_without_library
from tests.dramatis_lab.evaluate.rows.real_inputs import film_stills


@pytest.fixture
def real(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealBench:
    skip_without_library()
    monkeypatch.setattr(real_turned, "_HEADS", 1)
    monkeypatch.setattr(real_turned, "shared_folder", lambda: tmp_path)
    film_stills(monkeypatch)
    return RealBench(bench, most=0)


def test_a_head_that_says_nothing_lies_where_a_silent_truth_does(
    real: RealBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()

    def head(number: int, degrees: int, voice: TimedVoice, assets: Path, folder: Path) -> TurnedCase:
        return TurnedCase(real.photograph, voice, [data.astronaut()] * 3, np.linspace(0, 1, 12).astype(np.float32))

    monkeypatch.setattr(real_turned, "render_turned_head", head)
    (row,) = turned_rows(real, Filming.FILM)
    assert not row.passed
    assert [head["degrees"] for head in row.figures["heads"]] == [30, 60]
    assert all(head["apart"] < 0.02 for head in row.figures["heads"])


def test_heads_that_the_mesh_cannot_read_count_for_nothing() -> None:
    heads = [TurnedFigures(30, 0.9, 0.95, 0.02), TurnedFigures(60, 0.8, 0.9, 0.02), TurnedFigures(60, 0.0, 0.1, 0.5)]
    row = turned_row("turned", heads)
    assert row.mark == "aim reached"
    assert "3 of 3 filmed, 2 readable" in row.value
    refused = TurnedFigures(60, 0.0, 0.9, float("nan"))
    assert not turned_row("turned", [*heads, refused]).passed, "a head that is not filmed does count"


def test_without_assets_nothing_is_measured(real: RealBench) -> None:
    (row,) = turned_rows(real, Filming.ANIMATIC)
    assert row.value == NOT_RUN
    assert "absent" in row.name
