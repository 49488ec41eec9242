"""Directions tile their timeline and cover emotions, cameras and gestures in the wanted shares."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES
from dramatis_lab.world.takes.direction import draw_listener_shots, draw_shots


@pytest.mark.parametrize("frames", [29, 60, 120, 200, 1000, 3137])
def test_shots_tile(frames: int) -> None:
    for seed in range(20):
        shots = draw_shots(frames, np.random.default_rng(seed))
        assert shots == draw_shots(frames, np.random.default_rng(seed))
        assert shots[0].span.start == 0
        assert shots[-1].span.stop == frames
        assert all(a.span.stop == b.span.start for a, b in pairwise(shots))
        assert all(shot.span.start % 4 == 0 for shot in shots)


def test_shares() -> None:
    shots = [shot for seed in range(400) for shot in draw_shots(150, np.random.default_rng(seed))]
    emotions = Counter(shot.emotion.name for shot in shots)
    cameras = Counter(shot.camera.move for shot in shots)
    gestures = Counter(gesture.name for shot in shots for gesture in shot.gestures)
    assert 0.25 < emotions["neutral"] / len(shots) < 0.35
    assert 0.30 < cameras["static"] / len(shots) < 0.40
    assert all(emotions[name] > 0.06 * len(shots) for name in EMOTIONS)
    assert set(cameras) == set(CAMERA_MOVES)
    assert set(gestures) == set(GESTURES)


def test_listeners_share_the_camera() -> None:
    rng = np.random.default_rng(0)
    shots = draw_shots(200, rng)
    assert [s.camera for s in draw_listener_shots(shots, rng)] == [s.camera for s in shots]
