"""The performance: deterministic, bounded, continuous at any length, with the signs that it promises."""

from __future__ import annotations

import time
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dramatis.motion.camera import CAMERA_HIGH, CAMERA_LOW
from dramatis.motion.performance import (
    CONTROL_DIM,
    CONTROL_NAMES,
    GAZE_LIMITS,
    HEAD_LIMITS,
    Performance,
    perform,
    replace_emotion,
)
from dramatis.motion.prosody import Prosody
from dramatis.story.storyline import Shot
from dramatis.story.values import (
    CAMERA_MOVES,
    EMOTIONS,
    GESTURES,
    Camera,
    CameraMove,
    Emotion,
    EmotionName,
    FrameSpan,
    Gesture,
    GestureName,
)

FIELDS = ("head", "blink", "gaze", "brow", "emotion", "camera", "speech")


def voice(frames: int, seed: int = 0) -> Prosody:
    """Phrases of syllables with pauses between them."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames)
    phrase = np.sin(t / 37.0 + rng.random()) > -0.5
    energy = phrase * np.abs(np.sin(t / 3.1)) * (0.6 + 0.4 * np.sin(t / 11.0))
    voiced = (energy > 0.2).astype(np.float32)
    return Prosody(energy.astype(np.float32), (0.3 * voiced * np.sin(t / 13.0)).astype(np.float32), voiced)


def random_shots(frames: int, seed: int) -> list[Shot]:
    rng = np.random.default_rng(seed)
    shots: list[Shot] = []
    start = 0
    while start < frames:
        stop = min(frames, start + 4 * int(rng.integers(1, 60)))
        gestures = []
        for _ in range(int(rng.integers(0, 3))):
            begin = int(rng.integers(start, stop))
            span = FrameSpan(begin, int(rng.integers(begin + 1, stop + 1)))
            gestures.append(Gesture(cast(GestureName, str(rng.choice(GESTURES))), span, float(rng.random())))
        shots.append(
            Shot(
                index=len(shots),
                span=FrameSpan(start, stop),
                emotion=Emotion(cast(EmotionName, str(rng.choice(EMOTIONS))), float(rng.random())),
                camera=Camera(cast(CameraMove, str(rng.choice(CAMERA_MOVES))), float(rng.random())),
                gestures=tuple(gestures),
            )
        )
        start = stop
    return shots


def one_shot(
    frames: int, gesture: GestureName | None = None, emotion: EmotionName = "neutral", move: CameraMove = "static"
) -> list[Shot]:
    gestures = (Gesture(gesture, FrameSpan(20, 70), 1.0),) if gesture else ()
    span = FrameSpan(0, frames)
    return [Shot(index=0, span=span, emotion=Emotion(emotion, 1.0), camera=Camera(move, 1.0), gestures=gestures)]


def check_bounds(performance: Performance) -> None:
    for name in FIELDS:
        assert getattr(performance, name).dtype == np.float32
        assert np.isfinite(getattr(performance, name)).all()
    tiny = 1e-6
    assert (np.abs(performance.head) <= HEAD_LIMITS + tiny).all()
    assert (np.abs(performance.gaze) <= GAZE_LIMITS + tiny).all()
    assert (performance.camera <= CAMERA_HIGH + tiny).all()
    assert (performance.camera >= CAMERA_LOW - tiny).all()
    for name in ("blink", "brow", "emotion", "speech"):
        values = getattr(performance, name)
        assert values.min() >= 0.0
        assert values.max() <= 1.0
    np.testing.assert_allclose(performance.emotion.sum(1), 1.0, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(frames=st.integers(1, 600), seed=st.integers(0, 10_000))
def test_any_shots_stay_in_bounds_and_start_at_rest(frames: int, seed: int) -> None:
    performance = perform(random_shots(frames, seed), voice(frames, seed), seed)
    assert len(performance) == frames
    check_bounds(performance)
    assert not performance.head[0].any()
    assert not performance.camera[0].any()
    assert performance.blink[0] == 0.0
    assert performance.emotion[0, 0] == 1.0
    assert np.abs(np.diff(performance.camera, axis=0)).max(initial=0.0) < 0.015
    assert np.abs(np.diff(performance.head, axis=0)).max(initial=0.0) < 0.12


def test_an_hour_is_fast_bounded_and_does_not_drift() -> None:
    frames = 90_000
    shots = random_shots(frames, 1)
    prosody = voice(frames)
    start = time.perf_counter()
    performance = perform(shots, prosody, 1)
    assert time.perf_counter() - start < 5.0  # a fraction of a second; generous for a busy machine
    check_bounds(performance)
    assert (np.abs(performance.camera.mean(0)) < 0.06).all()


@pytest.mark.parametrize("move", CAMERA_MOVES)
def test_the_same_move_for_ever_reaches_a_framing_and_keeps_it(move: CameraMove) -> None:
    shots = [Shot(index=k, span=FrameSpan(100 * k, 100 * k + 100), camera=Camera(move, 1.0)) for k in range(200)]
    camera = perform(shots, Prosody.silence(20_000), 3).camera
    assert (camera <= CAMERA_HIGH).all()
    assert (camera >= CAMERA_LOW).all()
    assert np.abs(np.diff(camera, axis=0)).max() < 0.015


def test_equal_inputs_give_equal_performances_and_the_seed_matters() -> None:
    shots, prosody = random_shots(400, 5), voice(400)
    first, again, other = perform(shots, prosody, 7), perform(shots, prosody, 7), perform(shots, prosody, 8)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert np.abs(first.head - other.head).max() > 0.01


def test_people_of_one_job_share_the_camera() -> None:
    shots = random_shots(400, 6)
    speaker, listener = perform(shots, voice(400), 2), perform(shots, Prosody.silence(400), 2)
    np.testing.assert_array_equal(speaker.camera, listener.camera)
    assert listener.speech.max() == 0.0


@pytest.mark.parametrize(
    ("gesture", "field", "column", "sign"),
    [
        ("nod", "head", 1, -1),
        ("tilt_left", "head", 2, -1),
        ("tilt_right", "head", 2, 1),
        ("turn_left", "head", 0, -1),
        ("turn_right", "head", 0, 1),
        ("lean_in", "head", 5, 1),
        ("lean_back", "head", 5, -1),
        ("look_up", "gaze", 1, 1),
        ("look_down", "gaze", 1, -1),
        ("look_left", "gaze", 0, -1),
        ("look_right", "gaze", 0, 1),
        ("raise_brows", "brow", 0, 1),
    ],
)
def test_a_gesture_moves_what_it_names(gesture: GestureName, field: str, column: int, sign: int) -> None:
    acted = perform(one_shot(100, gesture), Prosody.silence(100), 4)
    plain = perform(one_shot(100), Prosody.silence(100), 4)
    change = (getattr(acted, field) - getattr(plain, field))[:, column] * sign
    assert change[30:60].mean() > 0.06
    np.testing.assert_allclose(acted.head[75:], plain.head[75:], atol=1e-6)


def test_a_shake_goes_to_both_sides() -> None:
    change = perform(one_shot(100, "shake"), Prosody.silence(100), 4).head[:, 0]
    assert change.max() > 0.08
    assert change.min() < -0.08


def test_a_gesture_across_a_shot_border_is_played_as_one() -> None:
    shots = [
        Shot(
            index=k,
            span=FrameSpan(60 * k, 60 * k + 60),
            gestures=(Gesture("lean_in", FrameSpan(60 * k, 60 * k + 60), 1.0),),
        )
        for k in range(2)
    ]
    assert perform(shots, Prosody.silence(120), 0).head[40:80, 5].min() > 0.15


@pytest.mark.parametrize(
    ("move", "column", "sign"),
    [
        ("push_in", 0, 1),
        ("pull_out", 0, -1),
        ("pan_left", 1, 1),
        ("pan_right", 1, -1),
        ("tilt_up", 2, -1),
        ("tilt_down", 2, 1),
        ("orbit_left", 4, 1),
        ("orbit_right", 4, -1),
    ],
)
def test_a_camera_move_changes_its_channel(move: CameraMove, column: int, sign: int) -> None:
    camera = perform(one_shot(101, move=move), Prosody.silence(101), 0).camera
    assert sign * camera[-1, column] > 0.07
    assert not np.delete(camera, column, 1).any()


def test_a_full_push_in_takes_four_seconds_and_holds() -> None:
    shots = [
        Shot(index=0, span=FrameSpan(0, 100), camera=Camera("push_in", 1.0)),
        Shot(index=1, span=FrameSpan(100, 150)),
    ]
    zoom = perform(shots, Prosody.silence(150), 0).camera[:, 0]
    assert zoom[99] == pytest.approx(0.25, abs=0.002)
    assert (zoom[100:] > 0.22).all()


def test_emotions_change_posture_and_liveliness() -> None:
    prosody = voice(1000)
    sad, happy = (perform(one_shot(1000, emotion=name), prosody, 9) for name in ("sad", "happy"))
    assert sad.head[50:, 1].mean() < happy.head[50:, 1].mean() - 0.05
    assert np.abs(np.diff(sad.head[50:], axis=0)).mean() < 0.6 * np.abs(np.diff(happy.head[50:], axis=0)).mean()
    angry = perform(one_shot(1000, emotion="angry"), prosody, 9)
    assert angry.brow[50:, 1].mean() > 0.7


def test_another_emotion_takes_all_that_is_not_neutral() -> None:
    weights = np.zeros((3, len(EMOTIONS)), np.float32)
    weights[0, 0], weights[1, :3], weights[2, 4] = 1.0, (0.4, 0.5, 0.1), 1.0
    turned = replace_emotion(weights, "sad")
    expected = np.zeros_like(weights)
    expected[:, 0], expected[:, EMOTIONS.index("sad")] = (1.0, 0.4, 0.0), (0.0, 0.6, 1.0)
    np.testing.assert_allclose(turned, expected, atol=1e-6)
    np.testing.assert_allclose(replace_emotion(weights, "neutral")[:, 0], 1.0, atol=1e-6)
    assert weights[1, 1] == 0.5, "the argument stays as it is"


def test_people_blink_and_look_at_the_camera_at_a_human_rate() -> None:
    performance = perform(one_shot(15_000), voice(15_000), 0)
    closings = np.flatnonzero((performance.blink[1:] > 0.5) & (performance.blink[:-1] <= 0.5))
    assert 8 < len(closings) / 10 < 30  # a minute
    assert np.diff(closings).min() >= 6
    off = np.abs(performance.gaze + performance.head[:, :2]).max(1) > 0.08
    assert 0.05 < off.mean() < 0.35


def test_the_head_beats_with_the_voice() -> None:
    frames = 2000
    stresses = np.arange(30, frames - 30, 40)
    energy = np.full(frames, 0.2, np.float32)
    for frame in stresses:
        energy[frame - 3 : frame + 4] = 0.9
    tone = Prosody(energy, np.zeros(frames, np.float32), np.ones(frames, np.float32))
    beating = (
        perform(one_shot(frames), tone, 1).head[:, 1] - perform(one_shot(frames), Prosody.silence(frames), 1).head[:, 1]
    )
    around = np.mean([beating[f - 12 : f + 16] for f in stresses[2:-2]], axis=0)
    assert around[10:14].mean() < around[:3].mean() - 0.015


def test_controls_have_unit_range_and_can_be_read_back() -> None:
    performance = perform(random_shots(2000, 3), voice(2000), 3)
    controls = performance.pack_controls()
    assert controls.shape == (2000, CONTROL_DIM)
    assert controls.dtype == np.float32
    assert CONTROL_DIM == 26 == len(CONTROL_NAMES)
    assert np.abs(controls).max() < 2.5
    back = Performance.from_controls(controls)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(back, name), getattr(performance, name), atol=1e-6)
    with pytest.raises(ValueError, match="26"):
        Performance.from_controls(controls[:, :5])


def test_take_selects_frames() -> None:
    performance = perform(random_shots(100, 3), voice(100), 3)
    taken = performance.take([5, 5, 90])
    assert len(taken) == 3
    np.testing.assert_array_equal(taken.pack_controls(), performance.pack_controls()[[5, 5, 90]])


def test_shots_with_a_gap_are_refused() -> None:
    shots = [Shot(index=0, span=FrameSpan(0, 8)), Shot(index=1, span=FrameSpan(12, 20))]
    with pytest.raises(ValueError, match="frame 12, not 8"):
        perform(shots, Prosody.silence(20), 0)
    with pytest.raises(ValueError, match="at least one"):
        perform([], Prosody.silence(20), 0)
