"""A film set without networks: every picture tells its frame number, the camera remembers what it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.context import ArtifactTask, JobContext
from dramatis.cascade.keyframes import Keyframes
from dramatis.cascade.plan import ClipPlan, clips_from_keyframes, plan_cascade
from dramatis.cascade.render_inputs import CharacterInputs, RenderInputs
from dramatis.media.image import Pictures
from dramatis.motion.face import fit_head
from dramatis.motion.performance import Performance
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FrameSpan
from tests.tiny import canonical_sight

SIDE = 16
FILMED, KEYFRAME = 200, 100
"""Green of what the camera films, and of high-resolution keyframes; a sub-clip's green is its place."""


def picture(red: int, green: int, side: int = SIDE) -> Pictures:
    """(side, side, 3) uint8 of one colour."""
    return np.full((side, side, 3), (red, green, 0), np.uint8)


class Camera(MiniBackbone):
    """A backbone whose films show the frame numbers they heard, and whose enlargements have detail of their own."""

    def __init__(self, folder: Path, scale: int = 1, seam: str = "film") -> None:
        high = f"high: {{scale: {scale}}}\n" if scale > 1 else ""
        (folder / "profile.yaml").write_text(f"name: camera\nseam: {{kind: {seam}}}\n{high}")
        super().__init__(folder, dtype=torch.float32)
        self.asked: list[ClipInputs] = []
        self.refined_from: list[Pictures | None] = []

    def generate_clip(
        self, inputs: ClipInputs, on_step: object = None, refine_from: Pictures | None = None
    ) -> Pictures:
        self.asked.append(inputs)
        self.refined_from.append(refine_from)
        return np.stack([picture(int(number), FILMED) for number in inputs.audio[0, :, 0]])

    def upscale_clip(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        self.asked.append(inputs)
        scale = self.profile.scale
        grain = np.random.default_rng(inputs.seed).integers(0, 20, inputs.reference.shape, np.uint8)
        return low.repeat(scale, 1).repeat(scale, 2) + grain

    def upscale_frame(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        return self.upscale_clip(inputs, low[None])[0]


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., JobContext]:
    """make_set(frames, scale, seam) -> a job of two shots whose sound at every frame is the frame's number."""

    def make(frames: int, scale: int = 1, seam: str = "film") -> JobContext:
        camera = Camera(tmp_path, scale, seam)
        high = SIDE * camera.profile.scale
        cut = frames // 8 * 4
        spans = FrameSpan(0, cut), FrameSpan(cut, frames)
        shots = tuple(
            Shot(index=place, span=span, positive=f"shot {place}", seed=place) for place, span in enumerate(spans)
        )
        storyline = Storyline(
            image="a.png", audio="a.wav", frames=frames, width=high, height=high, seed=5, positive="all", shots=shots
        )
        inputs = RenderInputs(
            portrait=picture(0, KEYFRAME, high),
            reference=picture(0, 0),
            characters=(
                CharacterInputs(
                    features=np.arange(frames, dtype=np.float16)[:, None],
                    openings=np.zeros(frames, np.float32),
                    performance=Performance.still(frames),
                    head=fit_head(canonical_sight().landmarks),
                ),
            ),
        )
        store = ArtifactStore(tmp_path / "store")
        return JobContext(storyline, plan_cascade(storyline), inputs, camera, store, SerialExecutor(), NullReporter())

    return make


def camera_of(job: JobContext) -> Camera:
    """The camera of a set, which remembers what it was asked for."""
    assert isinstance(job.backbone, Camera)
    return job.backbone


def tail_of(inputs: ClipInputs) -> Pictures:
    """The frames that are given at a clip's end."""
    assert inputs.tail is not None
    return inputs.tail


def with_louder(job: JobContext, frame: int) -> JobContext:
    """A set whose one character sounds otherwise at one frame."""
    (role,) = job.inputs.characters
    features = role.features.copy()
    features[frame] += 1
    return replace(job, inputs=replace(job.inputs, characters=(replace(role, features=features),)))


def kept(job: JobContext, name: str, **pictures: NDArray[Any] | bytes) -> str:
    """Keep an artifact under a key of its own."""
    key = job.store.key({"kept": name})
    job.store.put(key, pictures)
    return key


def filmed(job: JobContext) -> tuple[ClipPlan, list[ArtifactTask]]:
    """The planned sub-clips, finished: red is the frame's number, green the clip's place."""
    clips = clips_from_keyframes(job.plan, [boundary.planned for boundary in job.plan.boundaries])
    work = []
    for clip in clips.clips:
        frames = np.stack([picture(frame, clip.index) for frame in range(clip.first, clip.last + 1)])
        work.append(ArtifactTask("sub-clips", kept(job, clip.key, frames=frames), dict))
    return clips, work


def another_take(job: JobContext, work: list[ArtifactTask], place: int) -> list[ArtifactTask]:
    """The sub-clips after one of them was filmed again."""
    found = job.store.get(work[place].key)
    assert found is not None
    changed = replace(work[place], key=kept(job, f"{place} again", **found))
    return [changed if number == place else item for number, item in enumerate(work)]


def high_keyframes(job: JobContext, clips: ClipPlan) -> Keyframes:
    """High-resolution keyframes between the sub-clips, finished: red is the frame's number, green `KEYFRAME`."""
    side = SIDE * job.inputs.scale
    keys = {
        clip.last: kept(
            job,
            f"keyframe {clip.last}",
            frames=picture(clip.last, KEYFRAME, side)[None],
            low=picture(clip.last, KEYFRAME)[None],
        )
        for clip in clips.clips
    }
    return Keyframes(job, keys)
