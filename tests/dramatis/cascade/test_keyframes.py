from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from dramatis.cascade import keyframes
from dramatis.cascade.context import JobContext
from dramatis.cascade.keyframes import Keyframes, choose_keyframes, score_terms, total_score, upscale_keyframes
from dramatis.cascade.plan import clips_from_keyframes, plan_frames
from dramatis.models.perception import INNER_LIPS, FaceReading
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.values import FrameSpan
from tests.dramatis.cascade.conftest import SIDE, camera_of, kept, picture, with_louder
from tests.tiny import canonical_sight

FRAMES = 41


def sight_with(opening: float = 0.05, face: float = 1.0) -> FaceReading:
    """The canonical sight with its inner lips `opening` interocular distances apart."""
    sight = canonical_sight()
    landmarks = sight.landmarks.copy()
    upper, lower = INNER_LIPS
    landmarks[lower] = landmarks[upper] + np.array([0, opening * sight.interocular], np.float32)
    return replace(sight, landmarks=landmarks, face=face)


def sharp() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 200, (64, 64, 3)).astype(np.uint8)


def blurred() -> np.ndarray:
    return gaussian_filter(sharp().astype(float), (1.5, 1.5, 0)).astype(np.uint8)


def score(monkeypatch: pytest.MonkeyPatch, picture: np.ndarray, seen: FaceReading, opening: float) -> float:
    monkeypatch.setattr(keyframes, "read_faces", lambda eye, images: [sight_with(), seen])
    return total_score(score_terms(None, sharp(), picture, opening))  # type: ignore[arg-type]


def test_a_sharp_face_with_the_right_mouth_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = 0.25
    best = score(monkeypatch, sharp(), sight_with(wanted), wanted)
    skewed = sight_with(wanted)
    skewed.landmarks[:, 0] *= 1.3
    others = {
        "blurred": score(monkeypatch, blurred(), sight_with(wanted), wanted),
        "closed mouth": score(monkeypatch, sharp(), sight_with(0.02), wanted),
        "gaping mouth": score(monkeypatch, sharp(), sight_with(0.45), wanted),
        "face hidden": score(monkeypatch, sharp(), sight_with(wanted, face=0.1), wanted),
        "another face": score(monkeypatch, sharp(), skewed, wanted),
        "another colour": score(monkeypatch, sharp() // 2, sight_with(wanted), wanted),
    }
    assert all(best > other for other in others.values()), others


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """A set whose blueprint pictures are numbered, and an eye that sees an open mouth in number 20 alone."""
    plan = plan_frames(FRAMES, [FrameSpan(0, FRAMES)])

    def look(eye: object, images: torch.Tensor) -> list[FaceReading]:
        numbers = ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
        return [sight_with(0.3 if number == 20 else 0.02) for number in numbers]

    monkeypatch.setattr(keyframes, "read_faces", look)
    inputs = SimpleNamespace(reference=numbered(0), openings=np.full(FRAMES, 0.3, np.float32))
    backbone = SimpleNamespace(eye=None, identity={"weights": "none"})
    store = ArtifactStore(tmp_path / "store")
    return JobContext(None, plan, inputs, backbone, store, SerialExecutor(), NullReporter())  # type: ignore[arg-type]


def numbered(frame: int) -> np.ndarray:
    picture = sharp()
    picture[0, 0] = frame
    return picture


def test_the_choice_follows_the_sound_and_is_kept(job: JobContext) -> None:
    blueprint = {}
    for clip in job.plan.blueprint:
        blueprint[clip.key] = job.store.key({"clip": clip.key})
        job.store.put(blueprint[clip.key], {"frames": np.stack([numbered(frame) for frame in clip.frames])})
    inner = [boundary for boundary in job.plan.boundaries if len(boundary.candidates) > 1]
    assert [boundary.candidates for boundary in inner] == [(16, 20, 24)]
    chosen = choose_keyframes(job, blueprint)
    assert chosen == (0, 20, 40)
    kept_reports = [(job.store.get(path.stem) or {}).get("report") for path in job.store.root.glob("??/*")]
    reports = [json.loads(report) for report in kept_reports if isinstance(report, bytes)]
    report = next(report for report in reports if report["candidates"])
    assert [row["frame"] for row in report["candidates"]] == [16, 20, 24]
    assert max(report["candidates"], key=lambda row: row["score"])["frame"] == report["chosen"] == 20
    made = {path: path.stat().st_mtime_ns for path in job.store.root.glob("??/*")}
    assert choose_keyframes(job, blueprint) == chosen
    assert {path: path.stat().st_mtime_ns for path in job.store.root.glob("??/*")} == made


def blueprint_of(job: JobContext, name: str = "blueprint", **green: int) -> dict[str, str]:
    """A finished blueprint: red is the frame's number, green 50, or what `green` says of a frame (f24=60)."""
    return {
        clip.key: kept(
            job,
            f"{name} {clip.key}",
            frames=np.stack([picture(frame, green.get(f"f{frame}", 50)) for frame in clip.frames]),
        )
        for clip in job.plan.blueprint
    }


def planned_frames(job: JobContext) -> tuple[int, ...]:
    return tuple(boundary.planned for boundary in job.plan.boundaries)


def upscaled(job: JobContext, blueprint: dict[str, str]) -> Keyframes:
    return upscale_keyframes(job, blueprint, planned_frames(job))


@pytest.mark.parametrize("scale", [2, 3])
def test_keyframes_are_enlarged_and_made_small_again(make_set: Callable[..., JobContext], scale: int) -> None:
    job = make_set(120, scale=scale)
    made = upscaled(job, blueprint_of(job))
    assert np.array_equal(made.high(0), job.inputs.portrait)
    assert np.array_equal(made.low(0), job.inputs.reference)
    assert set(made.keys) == set(planned_frames(job)[1:])
    for frame, inputs in zip(made.keys, camera_of(job).asked, strict=True):
        assert np.array_equal(inputs.head[0], job.inputs.portrait)
        assert inputs.audio[0, :, 0].tolist() == [0, min(frame, 119)]
        assert inputs.positive == "all"
        high, low = made.high(frame), made.low(frame)
        assert high.shape == (scale * SIDE, scale * SIDE, 3)
        means = high.reshape(SIDE, scale, SIDE, scale, 3).mean((1, 3))
        assert low.dtype == np.uint8
        assert np.abs(low - means).max() <= 0.5
        assert 0 < np.abs(low - picture(frame, 50).astype(float)).mean() < 20


def test_at_scale_one_keyframes_are_the_frames_of_the_blueprint(make_set: Callable[..., JobContext]) -> None:
    job = make_set(120)
    made = upscaled(job, blueprint_of(job))
    assert camera_of(job).asked == []
    for frame in planned_frames(job)[1:]:
        assert np.array_equal(made.high(frame), picture(frame, 50))
        assert np.array_equal(made.low(frame), picture(frame, 50))


def test_a_keyframe_is_made_anew_for_another_picture_and_not_for_other_frames(
    make_set: Callable[..., JobContext],
) -> None:
    job = make_set(120, scale=2)
    before = upscaled(job, blueprint_of(job))
    frame = planned_frames(job)[2]

    def changed(job: JobContext, blueprint: dict[str, str]) -> list[int]:
        after = upscaled(job, blueprint)
        return [number for number in before.keys if before.keys[number] != after.keys[number]]

    assert changed(job, blueprint_of(job, "equal")) == []
    assert changed(job, blueprint_of(job, "beside", **{f"f{frame + 4}": 60})) == []
    assert changed(job, blueprint_of(job, "other", **{f"f{frame}": 60})) == [frame]
    retaken = job.storyline.shots[1].model_copy(update={"seed": 9, "positive": "other words"})
    story = job.storyline.model_copy(update={"shots": (job.storyline.shots[0], retaken)})
    assert changed(replace(job, storyline=story), blueprint_of(job)) == []
    louder = with_louder(job, frame)
    assert changed(louder, blueprint_of(job)) == [frame]
    words = job.storyline.model_copy(update={"positive": "all others"})
    assert changed(replace(job, storyline=words), blueprint_of(job)) == list(before.keys)


def test_a_clip_is_told_of_its_own_keyframes_alone(make_set: Callable[..., JobContext]) -> None:
    job = make_set(120, scale=2)
    made = upscaled(job, blueprint_of(job))
    for clip in clips_from_keyframes(job.plan, planned_frames(job)).clips:
        own = made.of(clip)
        assert set(own.keys) == {clip.first, clip.last} - {0}
        for frame in (clip.first, clip.last):
            assert np.array_equal(own.high(frame), made.high(frame))
            assert np.array_equal(own.low(frame), made.low(frame))
