"""Whole videos filmed in processes of their own, so that time and peak memory are theirs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dramatis.app.job import job_folder
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.ways.record import FilmingRecord, FilmingWay, record_path


@dataclass(frozen=True)
class TimedVideo:
    """A finished video with its record, the wall time of its process in seconds and its peak memory in MB."""

    video: Path
    record: FilmingRecord
    wall: float
    peak: float


def film_in_process(
    bench: Bench, way: FilmingWay, seconds: int, workers: int = 2, executor: str = "threads"
) -> TimedVideo:
    """Film in a fresh process, or take the video that an earlier call with the same model left in the work folder."""
    name = f"{way}-{seconds}" + ("" if (workers, executor) == (2, "threads") else f"-{workers}-{executor}")
    video, costs = bench.work / f"{name}.mp4", bench.work / f"{name}.costs.json"
    model = {"profile": bench.backbone.profile.model_dump(mode="json"), **bench.backbone.identity}
    if costs.exists() and (stored := json.loads(costs.read_text()))["model"] == model:
        return TimedVideo(video, _record(video), stored["wall"], stored["peak"])
    inputs = ["--image", str(bench.cases[0].portrait), "--audio", str(bench.long_voice(seconds)[0])]
    size = [] if bench.video_size is None else ["--size", bench.video_size]
    how = ["--model", str(bench.backbone.folder), "--workers", str(workers), "--executor", executor]
    command = [
        sys.executable,
        "-m",
        "dramatis_lab.evaluate.ways.film",
        way,
        *inputs,
        *how,
        *size,
        "--output",
        str(video),
    ]
    wall, peak = run_timed(command, video)
    costs.write_text(json.dumps({"model": model, "wall": wall, "peak": peak}))
    return TimedVideo(video, _record(video), wall, peak)


def run_timed(command: list[str], video: Path) -> tuple[float, float]:
    """(seconds, MB at the peak) of a command that films `video` from nothing."""
    store = job_folder(video) / "store"
    for path in store.glob("??/*.safetensors"):  # an earlier job's artifacts would save this one its work
        path.unlink()
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"The timed command failed: {' '.join(command)}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def _record(video: Path) -> FilmingRecord:
    return FilmingRecord(**json.loads(record_path(video).read_text()))
