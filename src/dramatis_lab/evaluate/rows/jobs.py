"""Rows about whole jobs: time and memory, a second worker, kills."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dramatis.runtime.executor import Workers
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import Row, judged_row
from dramatis_lab.evaluate.studies.kills import endure
from dramatis_lab.evaluate.ways.processes import film_in_process
from dramatis_lab.evaluate.ways.record import FilmingWay

WORKER_SECONDS = 10
KILLS = 50


def cost_rows(bench: Bench) -> list[Row]:
    """Time per second of video and peak memory, each of a process started afresh."""
    videos = {seconds: film_in_process(bench, FilmingWay.CASCADE, seconds) for seconds in (10, 60)}
    figures = {seconds: (video.wall / seconds, video.peak) for seconds, video in videos.items()}
    ratio = figures[60][1] / figures[10][1]
    pace = figures[10][0]
    return [
        Row(
            "time per second of video, whole process (10 s / 60 s long)",
            f"{pace:.1f} / {figures[60][0]:.1f} s",
            "15 s",
            "3 s",
            pace <= 15,
            pace <= 3,
        ),
        Row(
            "memory: peak at 60 s over peak at 10 s",
            f"{ratio:.2f} ({figures[10][1]:.0f} MB at 10 s)",
            "1.2",
            "1.05",
            ratio <= 1.2,
            ratio <= 1.05,
        ),
    ]


def worker_rows(bench: Bench) -> list[Row]:
    """Wall time of the stages that workers share, one computing thread each, with one worker and with two."""
    seconds_of_one = film_in_process(bench, FilmingWay.CASCADE, WORKER_SECONDS, 1).record.filming
    rows = []
    for kind in Workers:
        seconds_of_two = film_in_process(bench, FilmingWay.CASCADE, WORKER_SECONDS, 2, kind).record.filming
        ratio = seconds_of_one / seconds_of_two
        name = f"2 workers over 1 ({kind}), sub-clip to super-resolution stages, one thread each"
        value = f"{ratio:.2f}x ({seconds_of_one:.0f} / {seconds_of_two:.0f} s)"
        figures = {"one": seconds_of_one, "two": seconds_of_two}
        rows.append(judged_row(name, value, "1.7x", "1.95x", ratio >= 1.7, ratio >= 1.95, figures))
    return rows


def kill_rows(bench: Bench) -> list[Row]:
    """What a job loses that is killed at random moments and resumed."""
    with tempfile.TemporaryDirectory() as folder:
        result = endure(KILLS, Path(folder), str(bench.backbone.folder))
    value = f"{result.lost}; {'all bit-equal' if result.equal else 'not equal'}"
    name = f"{KILLS} kills at random moments: artifacts lost; results"
    passed = result.lost == 0 and result.equal
    figures = {"lost": result.lost, "equal": result.equal}
    return [judged_row(name, value, "0; bit-equal", "", passed, aimed=False, figures=figures)]
