from __future__ import annotations

import numpy as np

from dramatis.motion.body import breath_track, chest_rise, shoulder_weight


def test_breaths_come_and_go_smoothly() -> None:
    breath = breath_track(500, np.random.default_rng(0))
    assert breath.shape == (500,)
    assert breath[0] == 0
    assert breath.min() >= 0
    assert 0.7 < breath.max() <= 1
    assert np.abs(np.diff(breath)).max() < 0.06
    fullest = (breath[1:-1] > breath[:-2]) & (breath[1:-1] >= breath[2:])
    assert 4 <= fullest.sum() <= 7, "twenty seconds"
    assert np.array_equal(breath[:100], breath_track(500, np.random.default_rng(0))[:100])


def test_shoulders_follow_and_the_chest_rises() -> None:
    places = np.array([[[0.0, 0.3], [0.0, -0.55], [0.0, -1.05], [3.0, -0.6]]], np.float32)
    follows = shoulder_weight(places)[0, :, 0]
    assert follows.argmax() == 1
    assert follows[3] < 1e-3
    rise = chest_rise(places, np.ones(1))[0, :, 0]
    assert rise.argmax() == 2
    assert rise[0] < 1e-3 * rise[2] + 1e-4
    assert not chest_rise(places, np.zeros(1)).any()
