"""Timed videos are kept for later calls with the same model."""

from __future__ import annotations

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.ways.processes import film_in_process
from dramatis_lab.evaluate.ways.record import FilmingWay


def test_a_video_that_is_there_is_not_filmed_again_unless_the_model_changes(bench: Bench) -> None:
    first = film_in_process(bench, FilmingWay.SINGLE, 2).video.stat().st_mtime_ns
    assert film_in_process(bench, FilmingWay.SINGLE, 2).video.stat().st_mtime_ns == first
    bench.backbone.profile = bench.backbone.profile.changed({"low.steps": 1})
    assert film_in_process(bench, FilmingWay.SINGLE, 2).video.stat().st_mtime_ns != first
