"""Three ways to film the same portrait and voice, each run as a process of its own so that time and memory are its own.

    python benchmarks/ways.py chained --model mini --image her.png --audio speech.wav --output out.mp4

cascade   the product: blueprint, keyframes, sub-clips, transitions, super-resolution.
chained   no blueprint: each clip continues from the last frame of the one before; every clip is then enlarged by the
          same super-resolution, between keyframes enlarged from its own first and last frame.
single    the same chain, filmed by the low-resolution network at the size of the video at once.

All have the same storyline, performance, clip lengths, steps and guidance. The clips of a chain wait for each other, so
workers cannot share them; both cores then compute one clip. Beside the video, OUTPUT.json says what was handed over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
import typer

from dramatis.app.pipeline import AvatarPipeline, job_folder
from dramatis.cascade.context import Set
from dramatis.cascade.keyframes import enlarge_still
from dramatis.cascade.pipeline import Film, prepare
from dramatis.cascade.plan import CascadePlan, clips_from_keyframes, plan_cascade
from dramatis.media.image import Pictures
from dramatis.media.video import VideoWriter
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.files import write_whole
from dramatis.runtime.memory import steady_memory
from dramatis.runtime.progress import NullReporter, Progress
from dramatis.runtime.seeds import derive_seed
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of

SHARED_STAGES = ("sub-clips", "transitions", "anchors", "super-resolution")
"""Stages that workers film side by side, in one pass."""


class Way(StrEnum):
    """How a video is filmed."""

    CASCADE = "cascade"
    CHAINED = "chained"
    SINGLE = "single"


@dataclass(frozen=True)
class Record:
    """What there is to know about a filmed video besides its pictures.

    hand_overs: frames where one clip hands over to the next. gaps: [first, stop) of the frames that transitions made.
    filming: seconds that the stages spent that workers share (0 for chains).
    """

    hand_overs: list[int]
    gaps: list[tuple[int, int]] = field(default_factory=list)
    filming: float = 0.0

    @classmethod
    def of(cls, film: Film, filming: float = 0.0) -> Record:
        """From a film of the cascade."""
        clips = clips_from_keyframes(plan_cascade(film.storyline), film.keyframes)
        gaps = [seam.gap for seam in clips.seams]
        return cls([seam.frame for seam in clips.seams], [(g.start, g.stop) for g in gaps if g], filming)


class StageClock:
    """Hears of the shared stages' progress: when the first began and the last ended."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def report(self, event: Progress) -> None:
        if event.stage in SHARED_STAGES:
            self.times.append(time.monotonic())

    def close(self) -> None:
        return None

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]


def film_cascade(pipe: AvatarPipeline, image: Path, audio: Path, out: Path, workers: int, executor: str) -> Record:
    """The product, as users run it."""
    storyline, observations = pipe.plan(image, audio)
    clock = StageClock()
    film = pipe.start(storyline, out, clock, workers, observations, executor)
    return Record.of(film, clock.seconds)


def film_chain(pipe: AvatarPipeline, image: Path, audio: Path, out: Path, workers: int, chain: type[Chained]) -> Record:
    """Clip after clip, each written as it is done."""
    storyline, observations = pipe.plan(image, audio)
    store = ArtifactStore(job_folder(out) / "store")
    torch.set_num_threads(workers)
    steady_memory()
    stage = prepare(storyline, [prosody_of(observations)], pipe.backbone, store, SerialExecutor(), NullReporter())
    ends = chain_ends(stage.plan)
    with VideoWriter(out, (storyline.width, storyline.height), audio=audio) as video:
        for (first, last), frames in zip(pairwise(ends), chain(stage).clips(ends), strict=True):
            for frame in frames[1 if first else 0 : min(last + 1, stage.plan.frames) - first]:
                video.write(frame)
        assert video.frames == stage.plan.frames
    return Record(ends[1:-1])


def chain_ends(plan: CascadePlan) -> list[int]:
    """First and last frames of the clips of a chain: the borders that the cascade's plan begins with."""
    return [boundary.planned for boundary in plan.boundaries]


@dataclass
class Chained:
    """Low-resolution clips, each continued from the last frame of the one before, then enlarged."""

    stage: Set

    def clips(self, ends: list[int]) -> Iterator[Pictures]:
        """The clips between neighbouring `ends`, both included, (F, H, W, 3) at the size of the video."""
        low, high = self.stage.material.reference, self.stage.material.portrait
        for first, last in pairwise(ends):
            frames = self.film(first, last, low)
            yield self.enlarge(first, last, frames, high)
            low, high = frames[-1], self.high_end

    def film(self, first: int, last: int, head: Pictures) -> Pictures:
        """A low-resolution clip that grows from its first frame."""
        return self.stage.backbone.film(
            self.stage.inputs(range(first, last + 1), [self._shot(first)], head[None], None, self._seed(first))
        )

    def enlarge(self, first: int, last: int, low: Pictures, head: Pictures) -> Pictures:
        """The clip at the size of the video, between its own first and last frame enlarged."""
        stage = self.stage
        if stage.material.scale == 1:
            self.high_end = low[-1]
            return low
        self.high_end = enlarge_still(stage, low[-1], 0, last, stage.material.portrait, self._seed(last))
        inputs = stage.inputs(range(first, last + 1), [self._shot(first)], low[:1], low[-1:], self._seed(first))
        return stage.backbone.upscale(stage.high(inputs, head[None], self.high_end[None]), low)

    def _shot(self, frame: int) -> int:
        spans = [shot.span for shot in self.stage.storyline.shots]
        return next(k for k, span in enumerate(spans) if frame < span.stop)

    def _seed(self, frame: int) -> int:
        return derive_seed(self.stage.storyline.seed, f"chain/{frame}")


class Single(Chained):
    """Clips of the final size at once, each continued from the last frame of the one before."""

    def clips(self, ends: list[int]) -> Iterator[Pictures]:
        head = self.stage.material.portrait
        for first, last in pairwise(ends):
            frames = self.film(first, last, head)
            yield frames
            head = frames[-1]

    def film(self, first: int, last: int, head: Pictures) -> Pictures:
        """A clip at the size of the video that grows from its first frame."""
        inputs = self.stage.inputs(range(first, last + 1), [self._shot(first)], head[None], None, self._seed(first))
        return self.stage.backbone.film(self.stage.high(inputs, head[None], None))


CHAINS: dict[Way, type[Chained]] = {Way.CHAINED: Chained, Way.SINGLE: Single}


def record_path(output: Path) -> Path:
    """Where the record of a video lies."""
    return output.with_suffix(".record.json")


def main(
    way: Way,
    image: Annotated[Path, typer.Option()],
    audio: Annotated[Path, typer.Option()],
    output: Annotated[Path, typer.Option()],
    model: str = "mini",
    workers: int = 2,
    executor: str = "threads",
) -> None:
    """Film one video in one way."""
    pipe = AvatarPipeline.from_pretrained(model)
    if way is Way.CASCADE:
        record = film_cascade(pipe, image, audio, output, workers, executor)
    else:
        record = film_chain(pipe, image, audio, output, workers, CHAINS[way])
    write_whole(record_path(output), json.dumps(asdict(record)))


if __name__ == "__main__":
    typer.run(main)
