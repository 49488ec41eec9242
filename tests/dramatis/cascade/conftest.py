"""A film set without networks: every picture tells its frame number, the camera remembers what it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.context import Set, Work
from dramatis.cascade.keyframes import Keyframes
from dramatis.cascade.material import Material, Role
from dramatis.cascade.plan import ClipPlan, clips_from_keyframes, plan_cascade
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

    def __init__(self, folder: Path, **profile: object) -> None:
        (folder / "profile.yaml").write_text("".join(f"{name}: {value}\n" for name, value in profile.items()))
        super().__init__(folder, dtype=torch.float32)
        self.asked: list[ClipInputs] = []
        self.again: list[Pictures | None] = []

    def film(self, inputs: ClipInputs, on_step: object = None, again: Pictures | None = None) -> Pictures:
        self.asked.append(inputs)
        self.again.append(again)
        return np.stack([picture(int(number), FILMED) for number in inputs.audio[0, :, 0]])

    def upscale(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        self.asked.append(inputs)
        scale = self.profile.scale
        grain = np.random.default_rng(inputs.seed).integers(0, 20, inputs.reference.shape, np.uint8)
        return low.repeat(scale, 1).repeat(scale, 2) + grain

    def upscale_keyframe(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        return self.upscale(inputs, low[None])[0]


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Set]:
    """make_set(frames, **profile) -> a set of two shots whose sound at every frame is the frame's number."""

    def make(frames: int, **profile: object) -> Set:
        camera = Camera(tmp_path, name="camera", **profile)
        high = SIDE * camera.profile.scale
        cut = frames // 8 * 4
        spans = FrameSpan(0, cut), FrameSpan(cut, frames)
        shots = tuple(
            Shot(index=place, span=span, positive=f"shot {place}", seed=place) for place, span in enumerate(spans)
        )
        storyline = Storyline(
            image="a.png", audio="a.wav", frames=frames, width=high, height=high, seed=5, positive="all", shots=shots
        )
        material = Material(
            portrait=picture(0, KEYFRAME, high),
            reference=picture(0, 0),
            roles=(
                Role(
                    features=np.arange(frames, dtype=np.float16)[:, None],
                    openings=np.zeros(frames, np.float32),
                    performance=Performance.still(frames),
                    head=fit_head(canonical_sight().landmarks),
                ),
            ),
        )
        store = ArtifactStore(tmp_path / "store")
        return Set(storyline, plan_cascade(storyline), material, camera, store, SerialExecutor(), NullReporter())

    return make


def with_louder(stage: Set, frame: int) -> Set:
    """A set whose one character sounds otherwise at one frame."""
    (role,) = stage.material.roles
    features = role.features.copy()
    features[frame] += 1
    return replace(stage, material=replace(stage.material, roles=(replace(role, features=features),)))


def kept(stage: Set, name: str, **pictures: Pictures) -> str:
    """Keep an artifact under a key of its own."""
    key = stage.store.key({"kept": name})
    stage.store.put(key, pictures)
    return key


def filmed(stage: Set) -> tuple[ClipPlan, list[Work]]:
    """The planned sub-clips, finished: red is the frame's number, green the clip's place."""
    clips = clips_from_keyframes(stage.plan, [boundary.planned for boundary in stage.plan.boundaries])
    work = []
    for clip in clips.clips:
        frames = np.stack([picture(frame, clip.index) for frame in range(clip.first, clip.last + 1)])
        work.append(Work("sub-clips", kept(stage, clip.key, frames=frames), dict))
    return clips, work


def another_take(stage: Set, work: list[Work], place: int) -> list[Work]:
    """The sub-clips after one of them was filmed again."""
    found = stage.store.get(work[place].key)
    assert found is not None
    changed = replace(work[place], key=kept(stage, f"{place} again", **found))
    return [changed if number == place else item for number, item in enumerate(work)]


def high_keyframes(stage: Set, clips: ClipPlan) -> Keyframes:
    """High-resolution keyframes between the sub-clips, finished: red is the frame's number, green `KEYFRAME`."""
    side = SIDE * stage.material.scale
    keys = {
        clip.last: kept(
            stage,
            f"keyframe {clip.last}",
            frames=picture(clip.last, KEYFRAME, side)[None],
            low=picture(clip.last, KEYFRAME)[None],
        )
        for clip in clips.clips
    }
    return Keyframes(stage, keys)
