"""The comparison of ways: what its rows are read off, and what they say of videos that were not filmed."""

from __future__ import annotations

import pytest
from PIL import Image

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import NOT_RUN, Row
from dramatis_lab.evaluate.rows.comparison import CELL, VideoFigures, comparison_rows, rows_from_figures
from dramatis_lab.evaluate.ways.record import FilmingWay


def test_the_comparison_says_what_it_did_not_run(bench: Bench) -> None:
    bench.skip = ["single-2"]
    rows = {row.name: row for row in comparison_rows(bench)}
    unrun = [name for name, row in rows.items() if row.value == NOT_RUN]
    assert any(name.startswith("drift over 60 s") for name in unrun)
    assert any(name.startswith("memory: peak at 300 s") for name in unrun)
    seams = next(row for name, row in rows.items() if name.startswith("seams"))
    assert seams.value != NOT_RUN
    assert seams.passed is not None
    assert sorted(path.stem for path in bench.work.glob("*-2.mp4")) == ["cascade-2", "chained-2"]
    with Image.open(bench.pictures / "cascade.png") as sheet:
        assert min(sheet.size) > 3 * CELL, "a video that was left out has an empty row"


def _figures(**changes: float) -> VideoFigures:
    values: dict[str, float] = dict.fromkeys(VideoFigures.__dataclass_fields__, 1.0)
    return VideoFigures(**(values | changes))


def _rows(cascade: dict[str, float], other: dict[str, float]) -> dict[str, Row]:
    """The rows by the beginnings of their names."""
    figures = {
        (way, seconds): _figures(**(cascade if way is FilmingWay.CASCADE else other))
        for way in FilmingWay
        for seconds in (10, 60, 300)
    }
    return {row.name.split(":")[0].split(" over ")[0]: row for row in rows_from_figures(figures, {})}


@pytest.mark.parametrize(
    ("name", "cascade", "other", "mark"),
    [
        ("drift", {"drift": 0.05}, {"drift": 1.0}, "aim reached"),
        ("drift", {"drift": -0.5}, {"drift": 1.0}, "**failing**"),
        ("drift", {"drift": 0.0}, {"drift": -1.0}, "**failing**"),
        ("identity at 300 s", {"identity": 1.0, "colour": 1.2}, {}, "passes"),
        ("identity at 300 s", {"identity": 1.0, "colour": 1.4}, {}, "**failing**"),
        ("identity at 300 s", {"identity": float("nan")}, {}, "**failing**"),
        ("seams", {"seams": 1.0, "edges": 1.0}, {}, "aim reached"),
        ("seams", {"seams": 1.0, "edges": 1.4}, {}, "**failing**"),
        ("seams", {"seams": float("nan"), "edges": 1.0}, {}, "**failing**"),
        ("lip sync r in transitions", {"inside": 0.95}, {}, "passes"),
        ("lip sync r in transitions", {"inside": float("nan")}, {}, "**failing**"),
        ("time of the cascade", {"wall": 3.0}, {"wall": 10.0}, "passes"),
        ("time of the cascade", {"wall": 6.0}, {"wall": 10.0}, "**failing**"),
        ("time per second of final video, 2 workers, whole process", {"wall": 260.0}, {}, "**failing**"),
        ("time per second of final video, 2 workers, whole process", {"wall": 100.0}, {}, "passes"),
    ],
)
def test_bars(name: str, cascade: dict[str, float], other: dict[str, float], mark: str) -> None:
    assert _rows(cascade, other)[name].mark == mark
