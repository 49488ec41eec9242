from __future__ import annotations

import numpy as np

from dramatis.motion.followers import breath_track, lagging_track
from dramatis.motion.performance import Performance


def alive(frames: int, speech: float = 0.0) -> Performance:
    performance = Performance.still(frames)
    performance.head[1:, 0] = 0.05
    performance.speech[:] = speech
    return performance


def test_breaths_come_and_go_smoothly() -> None:
    breath = breath_track(alive(500))
    assert breath.shape == (500,)
    assert breath[0] == 0
    assert breath.min() >= 0
    assert 0.9 < breath.max() < 1.001
    assert np.abs(np.diff(breath)).max() < 0.08
    fullest = (breath[1:-1] > breath[:-2]) & (breath[1:-1] >= breath[2:])
    assert fullest.sum() == 5, "one in four seconds"


def test_breath_depends_on_what_went_before_alone() -> None:
    assert np.array_equal(breath_track(alive(500))[:100], breath_track(alive(100)))
    assert not breath_track(Performance.still(100)).any(), "a still picture does not breathe"
    assert not np.array_equal(breath_track(alive(100, speech=1.0)), breath_track(alive(100)))


def test_hair_comes_late_overshoots_and_comes_to_rest() -> None:
    head = np.zeros((100, 6), np.float32)
    head[10:, 0] = 0.2
    hair = lagging_track(head)
    assert not hair[:10].any()
    assert 0 < hair[11, 0] < 0.1
    assert hair[:, 0].max() > 0.2
    assert abs(hair[-1, 0] - 0.2) < 0.01
    assert not hair[:, 1:].any()
    assert np.array_equal(lagging_track(head[:40]), hair[:40])
