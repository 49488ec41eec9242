from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dramatis.cascade import keyframes
from dramatis.cascade.context import Set
from dramatis.cascade.keyframes import Keyframes, choose_keyframes, score_terms, total_score, upscale_keyframes
from dramatis.cascade.plan import clips_from_keyframes, plan_frames
from dramatis.models.perception import INNER_LIPS, Sight
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.values import FrameSpan
from tests.dramatis.cascade.conftest import SIDE, kept, picture, with_louder
from tests.tiny import canonical_sight

FRAMES = 41


def sight_with(opening: float = 0.05, face: float = 1.0) -> Sight:
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


def score(monkeypatch: pytest.MonkeyPatch, picture: np.ndarray, seen: Sight, opening: float) -> float:
    monkeypatch.setattr(keyframes, "look", lambda eye, images: [sight_with(), seen])
    return total_score(score_terms(None, sharp(), picture, opening))


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
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Set:
    """A set whose blueprint pictures are numbered, and an eye that sees an open mouth in number 20 alone."""
    plan = plan_frames(FRAMES, [FrameSpan(0, FRAMES)])

    def look(eye: object, images) -> list[Sight]:
        numbers = ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
        return [sight_with(0.3 if number == 20 else 0.02) for number in numbers]

    monkeypatch.setattr(keyframes, "look", look)
    material = SimpleNamespace(reference=numbered(0), openings=np.full(FRAMES, 0.3, np.float32))
    backbone = SimpleNamespace(eye=None, identity={"weights": "none"})
    store = ArtifactStore(tmp_path / "store")
    return Set(None, plan, material, backbone, store, SerialExecutor(), NullReporter())  # type: ignore[arg-type]


def numbered(frame: int) -> np.ndarray:
    picture = sharp()
    picture[0, 0] = frame
    return picture


def test_the_choice_follows_the_sound_and_is_kept(stage: Set) -> None:
    blueprint = {}
    for clip in stage.plan.blueprint:
        blueprint[clip.key] = stage.store.key({"clip": clip.key})
        stage.store.put(blueprint[clip.key], {"frames": np.stack([numbered(frame) for frame in clip.frames])})
    inner = [boundary for boundary in stage.plan.boundaries if len(boundary.candidates) > 1]
    assert [boundary.candidates for boundary in inner] == [(16, 20, 24)]
    chosen = choose_keyframes(stage, blueprint)
    assert chosen == (0, 20, 40)
    reports = [
        json.loads(stage.store.get(path.stem)["report"])
        for path in stage.store.root.glob("??/*")
        if "report" in (stage.store.get(path.stem) or {})
    ]
    report = next(report for report in reports if report["candidates"])
    assert [row["frame"] for row in report["candidates"]] == [16, 20, 24]
    assert max(report["candidates"], key=lambda row: row["score"])["frame"] == report["chosen"] == 20
    made = {path: path.stat().st_mtime_ns for path in stage.store.root.glob("??/*")}
    assert choose_keyframes(stage, blueprint) == chosen
    assert {path: path.stat().st_mtime_ns for path in stage.store.root.glob("??/*")} == made


def blueprint_of(stage: Set, name: str = "blueprint", **green: int) -> dict[str, str]:
    """A finished blueprint: red is the frame's number, green 50, or what `green` says of a frame (f24=60)."""
    return {
        clip.key: kept(
            stage,
            f"{name} {clip.key}",
            frames=np.stack([picture(frame, green.get(f"f{frame}", 50)) for frame in clip.frames]),
        )
        for clip in stage.plan.blueprint
    }


def planned_frames(stage: Set) -> tuple[int, ...]:
    return tuple(boundary.planned for boundary in stage.plan.boundaries)


def upscaled(stage: Set, blueprint: dict[str, str]) -> Keyframes:
    return upscale_keyframes(stage, blueprint, planned_frames(stage))


@pytest.mark.parametrize("scale", [2, 3])
def test_keyframes_are_enlarged_and_made_small_again(make_set: Callable[..., Set], scale: int) -> None:
    stage = make_set(120, scale=scale)
    made = upscaled(stage, blueprint_of(stage))
    assert np.array_equal(made.high(0), stage.material.portrait)
    assert np.array_equal(made.low(0), stage.material.reference)
    assert set(made.keys) == set(planned_frames(stage)[1:])
    for frame, inputs in zip(made.keys, stage.backbone.asked, strict=True):
        assert np.array_equal(inputs.head[0], stage.material.portrait)
        assert inputs.audio[0, :, 0].tolist() == [0, min(frame, 119)]
        assert inputs.positive == "all"
        high, low = made.high(frame), made.low(frame)
        assert high.shape == (scale * SIDE, scale * SIDE, 3)
        means = high.reshape(SIDE, scale, SIDE, scale, 3).mean((1, 3))
        assert low.dtype == np.uint8
        assert np.abs(low - means).max() <= 0.5
        assert 0 < np.abs(low - picture(frame, 50).astype(float)).mean() < 20


def test_at_scale_one_keyframes_are_the_frames_of_the_blueprint(make_set: Callable[..., Set]) -> None:
    stage = make_set(120)
    made = upscaled(stage, blueprint_of(stage))
    assert stage.backbone.asked == []
    for frame in planned_frames(stage)[1:]:
        assert np.array_equal(made.high(frame), picture(frame, 50))
        assert np.array_equal(made.low(frame), picture(frame, 50))


def test_a_keyframe_is_made_anew_for_another_picture_and_not_for_other_frames(make_set: Callable[..., Set]) -> None:
    stage = make_set(120, scale=2)
    before = upscaled(stage, blueprint_of(stage))
    frame = planned_frames(stage)[2]

    def changed(stage: Set, blueprint: dict[str, str]) -> list[int]:
        after = upscaled(stage, blueprint)
        return [number for number in before.keys if before.keys[number] != after.keys[number]]

    assert changed(stage, blueprint_of(stage, "equal")) == []
    assert changed(stage, blueprint_of(stage, "beside", **{f"f{frame + 4}": 60})) == []
    assert changed(stage, blueprint_of(stage, "other", **{f"f{frame}": 60})) == [frame]
    retaken = stage.storyline.shots[1].model_copy(update={"seed": 9, "positive": "other words"})
    story = stage.storyline.model_copy(update={"shots": (stage.storyline.shots[0], retaken)})
    assert changed(replace(stage, storyline=story), blueprint_of(stage)) == []
    louder = with_louder(stage, frame)
    assert changed(louder, blueprint_of(stage)) == [frame]
    words = stage.storyline.model_copy(update={"positive": "all others"})
    assert changed(replace(stage, storyline=words), blueprint_of(stage)) == list(before.keys)


def test_a_clip_is_told_of_its_own_keyframes_alone(make_set: Callable[..., Set]) -> None:
    stage = make_set(120, scale=2)
    made = upscaled(stage, blueprint_of(stage))
    for clip in clips_from_keyframes(stage.plan, planned_frames(stage)).clips:
        own = made.of(clip)
        assert set(own.keys) == {clip.first, clip.last} - {0}
        for frame in (clip.first, clip.last):
            assert np.array_equal(own.high(frame), made.high(frame))
            assert np.array_equal(own.low(frame), made.low(frame))
