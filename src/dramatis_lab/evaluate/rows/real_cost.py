"""Rows about the time that a film and an animatic of a photograph take, each a whole process started afresh."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dramatis.media.video import probe_video
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import Row, judged_row
from dramatis_lab.evaluate.rows.real_films import PROMPT
from dramatis_lab.evaluate.ways.processes import run_timed

_SECONDS = 10
_SIDE = 512
"""Shorter side, px, that is asked for, and without which the row fails."""


def film_time_row(bench: Bench, picture: Path) -> Row:
    """`dramatis generate` from nothing to the mp4, as shipped; a film smaller than asked for fails."""
    video = bench.work / "real-time.mp4"
    wall, _ = run_timed([*_command("generate"), *_inputs(bench, picture), "--output", str(video), "--quiet"], video)
    return _time_row("size; seconds for a second of video, whole process", video, wall, (8.0, 3.0))


def animatic_time_row(bench: Bench, picture: Path) -> Row:
    """`dramatis preview` of a storyline that is there."""
    storyline, video = bench.work / "real-time.yaml", bench.work / "real-time.preview.mp4"
    plan = [*_command("plan"), *_inputs(bench, picture), "--output", str(storyline)]
    subprocess.run(plan, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, _ = run_timed([*_command("preview"), str(storyline), "--output", str(video), "--quiet"], video)
    return _time_row("  animatic, size; seconds for a second of video, whole process", video, wall, (1.5, 0.5))


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "dramatis", name]


def _inputs(bench: Bench, picture: Path) -> list[str]:
    return ["--image", str(picture), "--audio", str(bench.long_voice(_SECONDS)[0]), "--prompt", PROMPT]


def _time_row(name: str, video: Path, wall: float, bars: tuple[float, float]) -> Row:
    size = probe_video(video).size
    pace, large = wall / _SECONDS, min(size) >= _SIDE
    least, aim = bars
    figures = {"wall": wall, "size": size, "load": os.getloadavg()[0]}
    value = f"{size[0]}x{size[1]}; {pace:.1f} s"
    passed, aimed = large and pace <= least, large and pace <= aim
    return judged_row(name, value, f"{_SIDE}; {least:g} s", f"{_SIDE}; {aim:g} s", passed, aimed, figures)
