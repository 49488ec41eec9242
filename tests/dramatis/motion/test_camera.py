"""The camera's path: continuous, bounded, and drawn back to the reference framing."""

from __future__ import annotations

import numpy as np

from dramatis.motion.camera import CAMERA_HIGH, CAMERA_LOW, FULL_MOVE_FRAMES, camera_track
from dramatis.story.storyline import Shot
from dramatis.story.values import Camera, CameraMove, FrameSpan


def shots(*moves: CameraMove, frames: int = 200, amount: float = 1.0) -> list[Shot]:
    return [
        Shot(index=index, span=FrameSpan(index * frames, (index + 1) * frames), camera=Camera(move, amount))
        for index, move in enumerate(moves)
    ]


def test_a_move_goes_on_from_where_the_last_one_ended() -> None:
    track = camera_track(shots("push_in", "pan_left", "orbit_right"), np.random.default_rng(0))
    assert not track[0].any()
    assert np.abs(np.diff(track, axis=0)).max() < 0.01
    assert track[FULL_MOVE_FRAMES, 0] > 0.05
    assert track[399, 1] > 0.05
    assert track[599, 4] < -0.05


def test_what_no_shot_moves_drifts_back_to_the_reference() -> None:
    still: list[CameraMove] = ["static"] * 10
    zoom = camera_track(shots("push_in", *still), np.random.default_rng(0))[200:, 0]
    assert (np.diff(zoom) <= 0).all()
    assert zoom[-1] < 0.1 < zoom[0]


def test_only_a_handheld_camera_shakes_and_it_stays_in_bounds() -> None:
    assert not camera_track(shots("static"), np.random.default_rng(0)).any()
    assert camera_track(shots("handheld"), np.random.default_rng(0)).std(0).min() > 0.001
    moves: list[CameraMove] = ["push_in", "handheld"]
    long = camera_track(shots(*moves * 20), np.random.default_rng(0))
    assert (long >= CAMERA_LOW).all()
    assert (long <= CAMERA_HIGH).all()
