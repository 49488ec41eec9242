from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dramatis.cascade.compose import SHEET_PICTURES, compose, frames_in_order
from dramatis.cascade.context import JobContext
from dramatis.cascade.plan import ClipPlan, clips_from_keyframes, plan_frames
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.values import FrameSpan
from tests.inputs import MakeAudio


def filmed(frames: int, folder: Path, gamma: float = 1.0) -> tuple[JobContext, ClipPlan, list[str]]:
    """A set on which every clip is filmed: red is the frame's number, green the clip's place."""
    plan = plan_frames(frames, [FrameSpan(0, frames)])
    clips = clips_from_keyframes(plan, [boundary.planned for boundary in plan.boundaries])
    store = ArtifactStore(folder / "store")
    keys = []
    for place, clip in enumerate(clips.clips):
        pictures = np.full((clip.length, 32, 32, 3), 90, np.uint8)
        pictures[..., 0] = np.arange(clip.first, clip.last + 1)[:, None, None]
        pictures[..., 1] = place
        keys.append(store.key({"clip": place}))
        store.put(keys[-1], {"frames": pictures})
    inputs = SimpleNamespace(frame_size=(32, 32), whole=None, gamma=gamma)
    job = JobContext(None, plan, inputs, None, store, SerialExecutor(), NullReporter())  # type: ignore[arg-type]
    return job, clips, keys


@pytest.mark.parametrize("frames", [5, 29, 31, 100, 214])
def test_every_frame_is_emitted_once_in_order(frames: int, tmp_path: Path) -> None:
    job, clips, keys = filmed(frames, tmp_path)
    emitted = list(frames_in_order(job, clips, keys, reversed(keys)))
    assert [int(frame[0, 0, 0]) for frame in emitted] == list(range(frames))
    places = [int(frame[0, 0, 1]) for frame in emitted]
    assert places == sorted(places)
    for place, clip in enumerate(clips.clips[:-1]):
        assert places[clip.last] == place  # the earlier clip keeps the shared keyframe


def test_video_and_sheet_are_written(tmp_path: Path, make_audio: MakeAudio) -> None:
    job, clips, keys = filmed(50, tmp_path)
    out = tmp_path / "film.mp4"
    compose(job, clips, keys, keys, make_audio("voice.wav", 2.0), out)
    info = probe_video(out)
    assert (info.frames, info.size, info.sound) == (50, (32, 32), 2.0)
    with Image.open(tmp_path / "film.sheet.png") as sheet:
        assert sheet.width * sheet.height > SHEET_PICTURES * 32 * 32
    assert {path.name for path in tmp_path.iterdir()} == {"store", "voice.wav", "film.mp4", "film.sheet.png"}


def test_brightened_videos_are_written_in_their_own_tones(tmp_path: Path, make_audio: MakeAudio) -> None:
    job, clips, keys = filmed(50, tmp_path, gamma=0.5)
    compose(job, clips, keys, keys, make_audio("voice.wav", 2.0), tmp_path / "film.mp4")
    blue = np.stack(list(read_frames(tmp_path / "film.mp4")))[..., 2]
    assert abs(blue.mean() - 255 * (90 / 255) ** 2) < 3


def test_a_vanished_artifact_is_named(tmp_path: Path) -> None:
    job, clips, keys = filmed(50, tmp_path)
    job.store.remove(keys[0])
    with pytest.raises(OSError, match="vanished"):
        list(frames_in_order(job, clips, keys, keys))
