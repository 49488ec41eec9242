"""Kill a render at random moments, resume it each time, and say what was lost.

    python benchmarks/kills.py --kills 50        # about ten minutes on two cores

Moments are drawn evenly from the time that an undisturbed run takes, imports not counted. Where a run ends before its
kill, its video is compared with the undisturbed one and a new job begins.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import typer

from dramatis.app.pipeline import JOB_FILE, job_folder
from dramatis_lab.evaluate.kills import watch

EXAMPLES = Path(__file__).parent.parent / "examples"
DRAMATIS = "import dramatis.app.pipeline; from dramatis.cli import main; print('ready', flush=True); main()"


@dataclass(frozen=True)
class Endurance:
    """lost: finished artifacts that were gone, damaged or made again. equal: every video has the undisturbed bytes."""

    lost: int
    equal: bool


def endure(
    kills: int, folder: Path, model: str = "mini", seconds: float = 4.0, executor: str = "threads", seed: int = 0
) -> Endurance:
    """Film `seconds` of the bundled example in `folder`, killing it `kills` times; moments follow from `seed`."""
    voice = folder / "voice.wav"
    samples, rate = soundfile.read(EXAMPLES / "speech.wav")
    soundfile.write(voice, np.resize(samples, round(seconds * rate)), rate)
    how = ["--executor", executor, "--quiet"]
    make = ["-i", str(EXAMPLES / "portrait.png"), "-a", str(voice), "-m", model, *how]
    whole = folder / "whole.mp4"
    span = watch(command(whole, make, how), job_folder(whole) / "store").seconds
    moments = np.random.default_rng(seed)
    lost, equal, killed, jobs, ended = 0, True, 0, 0, False
    while killed < kills or not ended:
        output = folder / f"killed-{jobs}.mp4"
        limit = moments.uniform(0, span) if killed < kills else None
        run = watch(command(output, make, how), job_folder(output) / "store", limit)
        lost += len(run.lost)
        killed += run.killed
        ended = not run.killed
        if ended:
            equal &= output.read_bytes() == whole.read_bytes()
            jobs += 1
    return Endurance(lost, equal)


def command(output: Path, make: Sequence[str], how: Sequence[str]) -> list[str]:
    """Begin the job of `output`, or go on with it."""
    job = job_folder(output)
    words = ["resume", str(job), *how] if (job / JOB_FILE).exists() else ["generate", *make, "-o", str(output)]
    return [sys.executable, "-c", DRAMATIS, *words]


def main(kills: int = 50, model: str = "mini", seconds: float = 4.0, executor: str = "threads", seed: int = 0) -> None:
    """Print how much was lost and whether the videos are equal."""
    with tempfile.TemporaryDirectory() as folder:
        result = endure(kills, Path(folder), model, seconds, executor, seed)
    print(f"{kills} kills: {result.lost} artifacts lost, videos {'bit-equal' if result.equal else 'NOT equal'}")


if __name__ == "__main__":
    typer.run(main)
