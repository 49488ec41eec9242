"""What a person does besides moving the lips: each track by itself."""

from __future__ import annotations

import numpy as np

from dramatis.motion.acting import Gestures, beat_frames, beat_tracks, blink_track, glance_track, sway
from dramatis.story.values import FPS, FrameSpan, Gesture


def test_a_gesture_stays_inside_its_span() -> None:
    gestures = Gestures(100)
    gestures.add(Gesture("turn_left", FrameSpan(20, 70), 1.0))
    moving = np.flatnonzero(np.abs(gestures.head).max(1) > 1e-9)
    assert moving.min() >= 20
    assert moving.max() < 70
    assert gestures.head[45, 0] < -0.3, "to the image left"
    assert gestures.gaze_hold[45] == 1


def test_a_gesture_that_the_video_cuts_off_is_played_as_far_as_it_goes() -> None:
    whole, cut = Gestures(60), Gestures(30)
    for gestures in (whole, cut):
        gestures.add(Gesture("nod", FrameSpan(10, 60), 0.5))
    assert np.array_equal(cut.head, whole.head[:30])


def test_stresses_are_found_at_least_seven_frames_apart() -> None:
    energy = np.zeros(100)
    energy[[20, 24, 60]] = 1.0, 0.8, 1.0
    frames, strength = beat_frames(energy)
    assert len(frames) == 2
    assert abs(frames[0] - 20) <= 2
    assert abs(frames[1] - 60) <= 2
    assert ((strength >= 0.2) & (strength <= 1.0)).all()


def test_a_track_too_short_for_a_beat_is_still() -> None:
    head, brows = beat_tracks(np.ones(2), np.random.default_rng(0))
    assert not head.any()
    assert not brows.any()


def test_eyes_close_fully_now_and_then_but_not_at_the_beginning() -> None:
    blinks = blink_track(np.zeros(60 * FPS), np.ones(60 * FPS), np.random.default_rng(0))
    assert not blinks[:6].any()
    assert 0.85 < blinks.max() <= 1.0
    count = int((np.diff((blinks > 0.5).astype(int)) == 1).sum())
    assert 5 < count < 30


def test_the_first_fixation_is_on_the_camera() -> None:
    gaze, away = glance_track(500, np.full(500, 3.0), np.random.default_rng(1))
    assert gaze.shape == (500, 2)
    assert not gaze[:8].any()
    assert not away[:8].any()
    assert 0.05 < away.mean() < 0.9


def test_a_quicker_tempo_sways_faster() -> None:
    slow, quick = (sway(np.full(2000, tempo), np.random.default_rng(2)) for tempo in (0.5, 2.0))
    assert slow.shape == (2000, 6)
    assert np.abs(np.diff(quick, axis=0)).mean() > 2 * np.abs(np.diff(slow, axis=0)).mean()
