"""Film a portrait and a voice in one of the ways that are compared, in a process of its own.

    python -m dramatis_lab.evaluate.ways.film chained --model mini --image her.png --audio speech.wav --output out.mp4

cascade   the product: blueprint, keyframes, sub-clips, transitions, super-resolution.
chained   no blueprint: each clip continues from the last frame of the one before, and is then enlarged.
single    the same chain, filmed at the size of the video at once.

All have the same storyline, performance, clip lengths, steps and guidance. The clips of a chain wait for each other, so
workers cannot share them; both cores then compute one clip. OUTPUT.record.json beside the video says at which frames
clips hand over.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
import typer

from dramatis.app.job import job_folder
from dramatis.app.pipeline import AvatarPipeline
from dramatis.cascade.preparation import prepare
from dramatis.media.video import VideoWriter
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.files import write_whole
from dramatis.runtime.memory import steady_memory
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of
from dramatis_lab.evaluate.ways.chains import CHAINS, ChainedClips, chain_ends
from dramatis_lab.evaluate.ways.record import FilmingRecord, FilmingWay, StageClock, record_path


def film_cascade(
    pipe: AvatarPipeline, image: Path, audio: Path, out: Path, workers: int, executor: str
) -> FilmingRecord:
    """The product, as users run it."""
    plan = pipe.plan(image, audio)
    clock = StageClock()
    video = pipe.render(
        plan.storyline, out, observations=plan.observations, reporter=clock, workers=workers, executor=executor
    )
    return FilmingRecord.of(video, clock.seconds)


def film_chain(
    pipe: AvatarPipeline, image: Path, audio: Path, out: Path, workers: int, chain: type[ChainedClips]
) -> FilmingRecord:
    """Clip after clip, each written as it is done."""
    plan = pipe.plan(image, audio)
    storyline = plan.storyline
    store = ArtifactStore(job_folder(out) / "store")
    torch.set_num_threads(workers)
    steady_memory()
    job = prepare(storyline, [prosody_of(plan.observations)], pipe.backbone, store, SerialExecutor(), NullReporter())
    ends = chain_ends(job.plan)
    with VideoWriter(out, (storyline.width, storyline.height), audio=audio) as video:
        for (first, last), frames in zip(pairwise(ends), chain(job).clips(ends), strict=True):
            for frame in frames[1 if first else 0 : min(last + 1, job.plan.frames) - first]:
                video.write(frame)
        assert video.frames == job.plan.frames
    return FilmingRecord(ends[1:-1])


def main(
    way: FilmingWay,
    image: Annotated[Path, typer.Option()],
    audio: Annotated[Path, typer.Option()],
    output: Annotated[Path, typer.Option()],
    model: str = "mini",
    workers: int = 2,
    executor: str = "threads",
) -> None:
    """Film one video in one way."""
    pipe = AvatarPipeline.from_pretrained(model)
    if way is FilmingWay.CASCADE:
        record = film_cascade(pipe, image, audio, output, workers, executor)
    else:
        record = film_chain(pipe, image, audio, output, workers, CHAINS[way])
    write_whole(record_path(output), json.dumps(asdict(record)))


if __name__ == "__main__":
    typer.run(main)
