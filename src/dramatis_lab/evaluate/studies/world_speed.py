"""Measure how fast the synthetic world renders, in frames per second of several processes together.

    python -m dramatis_lab.evaluate.studies.world_speed --assets ../shared/assets --size 256 --workers 2

Each process makes its take first (not timed), renders a few frames (compilation), and then all are timed at once.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from dramatis_lab.world.takes.take import Grouping, make_take

WARM_UP_FRAMES = 4


def timed_render(
    job: tuple[int, int, int, Path], ready: multiprocessing.synchronize.Barrier, out: multiprocessing.Queue
) -> None:
    """The work of one process: put the seconds that its frames took into `out`."""
    seed, size, frames, assets = job
    take = make_take(
        seed, "train", assets, size=size, group=Grouping(1), least_frames=frames + WARM_UP_FRAMES, faultless=True
    )
    take.render(np.arange(WARM_UP_FRAMES))
    ready.wait()
    started = time.monotonic()
    take.render(np.arange(WARM_UP_FRAMES, WARM_UP_FRAMES + frames))
    out.put(time.monotonic() - started)


def main(
    assets: Annotated[Path, typer.Option(help="raw assets, see docs/world.md")] = Path("../shared/assets"),
    size: int = 256,
    workers: int = 2,
    frames: int = 100,
) -> None:
    """Print frames per second."""
    context = multiprocessing.get_context("spawn")
    ready, out = context.Barrier(workers), context.Queue()
    jobs = [(4000 + worker, size, frames, assets) for worker in range(workers)]
    processes = [context.Process(target=timed_render, args=(job, ready, out)) for job in jobs]
    for process in processes:
        process.start()
    seconds = [out.get() for _ in processes]
    for process in processes:
        process.join()
    print(f"{workers} processes, {size}x{size}: {workers * frames / max(seconds):.1f} frames/s")


if __name__ == "__main__":
    typer.run(main)
