"""What all groups of rows share: the model, the held-out cases, and the videos that are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
import torch

from dramatis.app.pipeline import AvatarPipeline
from dramatis.app.planning import Plan
from dramatis.backbones.base import one_thread
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.registry import open_backbone
from dramatis.cascade.preparation import reference_picture
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.media.video import read_frames
from dramatis.models.loading import load_model
from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.senses.seeing.own_eye import WEIGHTS
from dramatis.story.storyline import Storyline
from dramatis.story.values import FPS
from dramatis_lab.evaluate.cases.held_out import Case, write_long_voice
from dramatis_lab.evaluate.measures.landmarks import face_readings

COMPARED_SECONDS = (10, 60, 300)
"""Lengths of the videos that the ways of filming are compared at."""
DIRECTED_CASES = 6
DIRECTED_FRAMES = 75
"""Cases, and frames of each, that are filmed with directions."""
_Backbone = TypeVar("_Backbone", bound=MiniBackbone)


def open_mini(model: str) -> MiniBackbone:
    """The backbone of a model folder or shipped model. Raises UserError for a model of another family."""
    backbone = open_backbone(model)
    if not isinstance(backbone, MiniBackbone):
        raise UserError(f"{model}: The benchmark measures models of the mini's family only; choose one of these.")
    return backbone


@dataclass
class Bench:
    """The model, the held-out cases and the folders of one run; videos that several groups need are made once.

    work: a folder for videos.  pictures: a folder for contact sheets.  seconds: lengths to compare the ways of filming
    at.  skip: videos to leave out of that comparison, as "way-seconds".
    """

    backbone: MiniBackbone
    cases: list[Case]
    work: Path
    pictures: Path
    seconds: Sequence[int] = COMPARED_SECONDS
    skip: Sequence[str] = ()
    pipe: AvatarPipeline = field(init=False)

    def __post_init__(self) -> None:
        one_thread()
        self.pipe = AvatarPipeline(self.backbone, str(self.backbone.folder))

    @cached_property
    def perception(self) -> PerceptionNet:
        """The network that every measure of faces sees with: the model's own, or the shipped one."""
        folder = self.backbone.folder / "perception"
        return load_model(PerceptionNet, folder if folder.is_dir() else WEIGHTS)

    @property
    def scale(self) -> int:
        """How many times larger the sides of the video are than those of the low-resolution frames."""
        return self.backbone.profile.scale

    @property
    def low_side(self) -> int:
        """Pixels of a side of a low-resolution frame of a square portrait."""
        return round(self.backbone.profile.low.area**0.5)

    @property
    def side(self) -> int:
        """Pixels of a side of the video of a square portrait."""
        return self.low_side * self.scale

    @property
    def video_size(self) -> str | None:
        """What `--size` is for videos as large as the true ones; None for a model that has a size of its own."""
        return None if self.backbone.profile.framing.target_interocular_px is None else str(self.side)

    def plan(self, image: Path, voice: Path, prompt: str = "") -> Plan:
        """The plan of a video as large as the true ones."""
        return self.pipe.plan(image, voice, prompt, size=self.video_size)

    def reference(self, case: Case) -> Pictures:
        """The portrait at the size of the video."""
        return reference_picture(case.portrait, self.side, self.side)

    def long_voice(self, seconds: int) -> tuple[Path, np.ndarray]:
        """A recording of that length, and the true mouth opening of its frames."""
        path = self.work / f"voice-{seconds}.wav"
        return path, write_long_voice(self.cases, seconds, path)

    def short_voice(self, case_index: int) -> Path:
        """The first three seconds of a case's voice."""
        path = self.work / f"short-{case_index}.wav"
        if not path.exists():
            samples, rate = soundfile.read(self.cases[case_index].voice)
            soundfile.write(path, samples[: DIRECTED_FRAMES * rate // FPS], rate)
        return path

    def with_profile(self, changes: Mapping[str, Any]) -> AvatarPipeline:
        """A pipeline of the same weights with another profile. changes: values by path, such as {"low.steps": 4}."""
        return AvatarPipeline(self.backbone_of(MiniBackbone, changes), self.pipe.name)

    def backbone_of(self, kind: type[_Backbone], changes: Mapping[str, Any] | None = None) -> _Backbone:
        """The same weights in a backbone of another class, with another profile."""
        return kind(self.backbone.folder, self.backbone.profile.changed(changes or {}))

    @torch.no_grad()
    def round_trip(self, frames: Pictures) -> Pictures:
        """Frames through the autoencoder."""
        net = self.backbone.autoencoder
        return to_pictures(net.decode(net.encode(to_tensor(frames).to(self.backbone.dtype))))

    def generate(self, name: str, image: Path, voice: Path, prompt: str) -> Pictures:
        """Frames of the video of a portrait, a voice and a prompt, (F, H, W, 3)."""
        video = self.pipe(image, voice, prompt, output=self.work / f"{name}.mp4", size=self.video_size).video
        return np.stack(list(read_frames(video)))

    def render(self, name: str, storyline: Storyline) -> Pictures:
        """Frames of the video of a storyline, (F, H, W, 3)."""
        video = self.pipe.render(storyline, self.work / f"{name}.mp4").video
        return np.stack(list(read_frames(video)))

    @cached_property
    def own_voice_videos(self) -> list[tuple[Pictures, list[FaceReading]]]:
        """Frames and faces of every case, filmed with its own voice and no direction."""
        videos = []
        for case_index, case in enumerate(self.cases):
            frames = self.generate(f"own-{case_index}", case.portrait, case.voice, "")
            videos.append((frames, face_readings(self.perception, frames)))
        return videos
