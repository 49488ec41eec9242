from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dramatis.cascade import keyframes
from dramatis.cascade.context import Set
from dramatis.cascade.keyframes import choose_keyframes, colour_distance, score_terms, shape_distance, total_score
from dramatis.cascade.plan import plan_frames
from dramatis.models.perception import INNER_LIPS, Sight
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story import FrameSpan
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


def test_shape_ignores_place_size_and_lean_but_not_proportions() -> None:
    face = canonical_sight()
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    same = replace(face, landmarks=1.7 * face.landmarks @ turn.T + 11)
    long = replace(face, landmarks=face.landmarks * np.array([1, 1.2], np.float32))
    assert shape_distance(face, same) < 1e-5
    assert shape_distance(face, long) > 0.02


def test_colour_is_measured_on_the_face() -> None:
    picture = np.full((64, 64, 3), 120, np.uint8)
    other = picture.copy()
    other[:, 32:] = (250, 20, 20)
    face = canonical_sight()
    left = replace(face, face_mask=np.repeat(np.arange(32) < 16, 32).reshape(32, 32).T.astype(np.float32))
    assert colour_distance(picture, left, other, left) == pytest.approx(0, abs=1e-6)
    assert colour_distance(picture, face, other, face) > 20


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
