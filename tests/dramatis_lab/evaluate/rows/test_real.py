"""The rows of real pictures: what passes, what fails, and what is said where pictures are absent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.timed_voices import load_voices
from dramatis_lab.evaluate.report import NOT_RUN
from dramatis_lab.evaluate.rows import real
from dramatis_lab.evaluate.rows.real import filmed_row, lip_rows, look_rows, phone_rows, real_rows
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench
from tests.dramatis_lab.evaluate.rows.real_inputs import figures_of


def test_good_films_reach_every_aim_that_there_is() -> None:
    figures = [figures_of("her"), figures_of("him")]
    rows = [
        *lip_rows(Filming.FILM, figures),
        *phone_rows(Filming.FILM, figures, load_voices()),
        *look_rows(Filming.FILM, figures),
    ]
    assert [row.mark for row in rows if row.aim] == ["aim reached"] * 7
    assert all(row.passed for row in rows)


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"r": 0.3}, "lips: r"),
        ({"control": -0.4}, "another voice"),
        ({"reach": 0.02}, "range"),
        ({"shut": 7}, "m, b, p"),
        ({"pause": 0.3}, "pauses"),
        ({"turning": 0.4}, "turns round"),
        ({"kept": 0.5}, "sharpness"),
        ({"jump": 0.5}, "sharpness"),
        ({"outside": 2.0}, "outside"),
    ],
)
def test_each_fault_fails_its_own_row(changes: dict[str, Any], failing: str) -> None:
    figures = [figures_of(**changes)]
    rows = [
        *lip_rows(Filming.FILM, figures),
        *phone_rows(Filming.FILM, figures, load_voices()),
        *look_rows(Filming.FILM, figures),
    ]
    (row,) = [row for row in rows if not row.passed]
    assert failing in row.name
    assert row.mark == "**failing**"


def test_late_lips_fail_and_one_still_picture_fails_the_range() -> None:
    late = figures_of(by_lag=tuple(0.9 - 0.1 * abs(lag - 3) for lag in range(-5, 6)))
    row = lip_rows(Filming.FILM, [late])[0]
    assert "+3" in row.value
    assert not row.passed
    assert not lip_rows(Filming.FILM, [figures_of("a"), figures_of("b"), figures_of("still", reach=0.01)])[2].passed


def test_a_picture_that_is_not_filmed_fails_the_count_and_says_why(tmp_path: Path) -> None:
    bench = SimpleNamespace(
        portraits=[tmp_path / "a.jpg", tmp_path / "b.jpg"], refused={Filming.FILM: {"b": "no face"}}
    )
    row = filmed_row(cast(RealBench, bench), Filming.FILM, [figures_of("photograph"), figures_of("a")])
    assert row.value.startswith("1 of 2 (512x512)")
    assert not row.passed
    assert row.figures["refused"] == {"b": "no face"}
    bench.portraits = []
    assert filmed_row(cast(RealBench, bench), Filming.ANIMATIC, [figures_of("photograph")]).value == NOT_RUN


def test_without_the_mesh_nothing_is_measured_and_the_reason_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "missing_for_library_eye", lambda: "its networks have not been fetched")
    (row,) = real_rows(bench)
    assert row.value == NOT_RUN
    assert "have not been fetched" in row.name
