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
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
import typer

from dramatis.app.job import job_folder
from dramatis.app.pipeline import AvatarPipeline
from dramatis.app.planning import Plan
from dramatis.cascade.compose import finished_frames
from dramatis.cascade.context import JobContext
from dramatis.cascade.preparation import prepare
from dramatis.media.image import Pictures
from dramatis.media.video import VideoWriter
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.files import write_whole
from dramatis.runtime.memory import steady_memory
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of
from dramatis_lab.evaluate.ways.chains import CHAINS, ChainedClips, chain_ends
from dramatis_lab.evaluate.ways.record import FilmingRecord, FilmingWay, StageClock, record_path


def film_cascade(pipe: AvatarPipeline, plan: Plan, out: Path, workers: int, executor: str) -> FilmingRecord:
    """The product, as users run it."""
    clock = StageClock()
    video = pipe.render(
        plan.storyline, out, observations=plan.observations, reporter=clock, workers=workers, executor=executor
    )
    return FilmingRecord.of(video, clock.seconds)


def film_chain(pipe: AvatarPipeline, plan: Plan, out: Path, workers: int, chain: type[ChainedClips]) -> FilmingRecord:
    """Clip after clip, each written as it is done."""
    storyline = plan.storyline
    store = ArtifactStore(job_folder(out) / "store")
    torch.set_num_threads(workers)
    steady_memory()
    job = prepare(storyline, [prosody_of(plan.observations)], pipe.backbone, store, SerialExecutor(), NullReporter())
    ends = chain_ends(job.plan)
    with VideoWriter(out, (storyline.width, storyline.height), audio=Path(storyline.audio)) as video:
        for frame in finished_frames(job.inputs, _films(job, chain(job), ends)):
            video.write(frame)
        assert video.frames == job.plan.frames
    return FilmingRecord(ends[1:-1])


def _films(job: JobContext, chain: ChainedClips, ends: list[int]) -> Iterator[Pictures]:
    """What the networks film in every frame."""
    for (first, last), frames in zip(pairwise(ends), chain.clips(ends), strict=True):
        yield from frames[1 if first else 0 : min(last + 1, job.plan.frames) - first]


def main(
    way: FilmingWay,
    image: Annotated[Path, typer.Option()],
    audio: Annotated[Path, typer.Option()],
    output: Annotated[Path, typer.Option()],
    model: str = "mini",
    workers: int = 2,
    executor: str = "threads",
    size: str | None = None,
) -> None:
    """Film one video in one way."""
    pipe = AvatarPipeline.from_pretrained(model)
    plan = pipe.plan(image, audio, size=size)
    if way is FilmingWay.CASCADE:
        record = film_cascade(pipe, plan, output, workers, executor)
    else:
        record = film_chain(_for_chain(pipe, way), plan, output, workers, CHAINS[way])
    write_whole(record_path(output), json.dumps(asdict(record)))


def _for_chain(pipe: AvatarPipeline, way: FilmingWay) -> AvatarPipeline:
    """In a single stage the networks film whole frames, as large as the video, and no window of them."""
    if way is not FilmingWay.SINGLE:
        return pipe
    whole = pipe.backbone.profile.changed({"framing.target_interocular_px": None})
    return AvatarPipeline(type(pipe.backbone)(pipe.backbone.folder, whole), pipe.name)


if __name__ == "__main__":
    typer.run(main)
