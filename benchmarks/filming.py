"""The film set of the cascade's benchmark: what its parts share, and whole videos filmed in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dramatis.app.pipeline import AvatarPipeline, job_folder
from dramatis.backbones.base import one_thread
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.pipeline import reference_picture
from dramatis.media.image import Pictures
from held_out import Case, long_voice
from ways import Record, Way, record_path

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
SECONDS = (10, 60, 300)


@dataclass
class Stage:
    """What the parts share. work: a folder for videos. seconds: lengths to compare at. skip: videos to leave out of the
    comparison, as "way-seconds"."""

    backbone: MiniBackbone
    cases: list[Case]
    work: Path
    pictures: Path = PICTURES
    seconds: Sequence[int] = SECONDS
    skip: Sequence[str] = ()
    pipe: AvatarPipeline = field(init=False)

    def __post_init__(self) -> None:
        one_thread()
        self.pipe = AvatarPipeline(self.backbone, str(self.backbone.folder))

    @property
    def scale(self) -> int:
        return self.backbone.profile.scale

    @property
    def low_side(self) -> int:
        """Pixels of a side of a low-resolution frame of a square portrait."""
        return round(self.backbone.profile.area**0.5)

    @property
    def side(self) -> int:
        """Pixels of a side of the video of a square portrait."""
        return self.low_side * self.scale

    def reference(self, case: Case) -> Pictures:
        """The portrait at the size of the video."""
        return reference_picture(case.portrait, self.side, self.side)

    def voice(self, seconds: int) -> tuple[Path, np.ndarray]:
        """A recording of that length, and the true opening of its frames."""
        path = self.work / f"voice-{seconds}.wav"
        return path, long_voice(self.cases, seconds, path)

    def varied(self, **changes: Any) -> AvatarPipeline:
        """The same weights with another profile."""
        profile = self.backbone.profile.model_copy(update=changes)
        return AvatarPipeline(MiniBackbone(self.backbone.folder, profile), self.pipe.name)


@dataclass(frozen=True)
class Made:
    """A finished video with its record, the wall time of its process in seconds and its peak memory in MB."""

    video: Path
    record: Record
    wall: float
    peak: float


def make(stage: Stage, way: Way, seconds: int, workers: int = 2, executor: str = "threads") -> Made:
    """Film in a fresh process, or take what an earlier call with the same model has left in the work folder."""
    name = f"{way}-{seconds}" + ("" if (workers, executor) == (2, "threads") else f"-{workers}-{executor}")
    video, costs = stage.work / f"{name}.mp4", stage.work / f"{name}.costs.json"
    model = {"profile": stage.backbone.profile.model_dump(mode="json"), **stage.backbone.identity}
    if costs.exists() and (found := json.loads(costs.read_text()))["model"] == model:
        return Made(video, _record(video), found["wall"], found["peak"])
    inputs = ["--image", str(stage.cases[0].portrait), "--audio", str(stage.voice(seconds)[0])]
    how = ["--model", str(stage.backbone.folder), "--workers", str(workers), "--executor", executor]
    wall, peak = timed([sys.executable, str(HERE / "ways.py"), way, *inputs, *how, "--output", str(video)], video)
    costs.write_text(json.dumps({"model": model, "wall": wall, "peak": peak}))
    return Made(video, _record(video), wall, peak)


def timed(command: list[str], video: Path) -> tuple[float, float]:
    """(seconds, MB at the peak) of a command that films `video` from nothing."""
    store = job_folder(video) / "store"
    for path in store.glob("??/*.safetensors"):  # an earlier job's artifacts would save this one its work
        path.unlink()
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the timed command failed: {' '.join(command)}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def _record(video: Path) -> Record:
    value = json.loads(record_path(video).read_text())
    return Record(**value)
