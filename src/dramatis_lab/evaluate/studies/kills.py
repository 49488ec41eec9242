"""Kill a render at random moments, resume it each time, and count what was lost: finished work must never be.

    python -m dramatis_lab.evaluate.studies.kills --kills 50        # about ten minutes on two cores

Moments are drawn evenly from the time that an undisturbed run takes, imports not counted. Where a run ends before its
kill, its video is compared with the undisturbed one and a new job begins.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import typer

from dramatis.app.job import JOB_FILE, job_folder
from dramatis.runtime.store import ArtifactStore
from dramatis_lab.evaluate.checkout import checkout_path

_DRAMATIS = "import dramatis.app.job; from dramatis.cli import main; print('ready', flush=True); main()"


@dataclass(frozen=True)
class WatchedRun:
    """How a watched command ended.

    killed: by a kill rather than by itself.  seconds: after its first line of output.  lost: keys of finished artifacts
    that are gone, damaged, or were written again.
    """

    killed: bool
    seconds: float
    lost: frozenset[str]


def watch_command(command: Sequence[str], store: Path, limit: float | None = None) -> WatchedRun:
    """Run a command that fills the artifact store at `store`; kill it `limit` seconds after its first line of output.

    Raises RuntimeError when the command ends by itself with an error.
    """
    finished = _written(store)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
            finished = _written(store) | finished
            process.kill()
    if status:
        raise RuntimeError(f"The watched command failed with status {status}: {' '.join(command)}")
    return WatchedRun(status is None, time.monotonic() - started, _lost(store, finished))


def _written(store: Path) -> dict[str, int]:
    """Key -> when its artifact was written, in nanoseconds."""
    return {path.stem: path.stat().st_mtime_ns for path in store.glob("??/*.safetensors")}


def _lost(root: Path, finished: dict[str, int]) -> frozenset[str]:
    now, store = _written(root), ArtifactStore(root)
    return frozenset(key for key, written in finished.items() if now.get(key) != written or not store.has(key))


@dataclass(frozen=True)
class Endurance:
    """lost: finished artifacts that were gone, damaged or made again.  equal: every video has the undisturbed bytes."""

    lost: int
    equal: bool


def endure(
    kills: int, folder: Path, model: str = "mini", seconds: float = 4.0, executor: str = "threads", seed: int = 0
) -> Endurance:
    """Film `seconds` of the bundled example in `folder`, and kill it `kills` times, at moments drawn with `seed`."""
    voice = folder / "voice.wav"
    samples, rate = soundfile.read(checkout_path("examples", "speech.wav"))
    soundfile.write(voice, np.resize(samples, round(seconds * rate)), rate)
    options = ["--executor", executor, "--quiet"]
    inputs = ["-i", str(checkout_path("examples", "portrait.png")), "-a", str(voice), "-m", model]
    whole = folder / "whole.mp4"
    span = watch_command(job_command(whole, inputs, options), job_folder(whole) / "store").seconds
    moments = np.random.default_rng(seed)
    lost, equal, killed, jobs, ended = 0, True, 0, 0, False
    while killed < kills or not ended:
        output = folder / f"killed-{jobs}.mp4"
        limit = moments.uniform(0, span) if killed < kills else None
        run = watch_command(job_command(output, inputs, options), job_folder(output) / "store", limit)
        lost += len(run.lost)
        killed += run.killed
        ended = not run.killed
        if ended:
            equal &= output.read_bytes() == whole.read_bytes()
            jobs += 1
    return Endurance(lost, equal)


def job_command(output: Path, inputs: Sequence[str], options: Sequence[str]) -> list[str]:
    """The command that begins the job of `output`, or resumes it where it has begun."""
    job = job_folder(output)
    begun = (job / JOB_FILE).exists()
    words = ["resume", str(job), *options] if begun else ["generate", *inputs, *options, "-o", str(output)]
    return [sys.executable, "-c", _DRAMATIS, *words]


def main(kills: int = 50, model: str = "mini", seconds: float = 4.0, executor: str = "threads", seed: int = 0) -> None:
    """Print how much was lost and whether the videos are equal."""
    with tempfile.TemporaryDirectory() as folder:
        result = endure(kills, Path(folder), model, seconds, executor, seed)
    print(f"{kills} kills: {result.lost} artifacts lost, videos {'bit-equal' if result.equal else 'NOT equal'}")


if __name__ == "__main__":
    typer.run(main)
