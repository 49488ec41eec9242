from __future__ import annotations

import numpy as np

from dramatis.motion.followers import breath_track, lagging_track
from dramatis.motion.performance import Performance
from dramatis.story.values import FPS


def listening(seconds: int) -> Performance:
    performance = Performance.still(seconds * FPS)
    performance.head[1:, 0] = 0.1
    return performance


def test_somebody_who_listens_breathes_a_quarter_of_a_time_each_second() -> None:
    breath = breath_track(listening(40))
    assert breath[0] == 0
    assert breath.min() >= 0
    assert breath.max() <= 1
    spectrum = np.abs(np.fft.rfft(breath - breath.mean()))
    assert np.fft.rfftfreq(len(breath), 1 / FPS)[spectrum.argmax()] == 0.25


def test_a_picture_that_does_not_move_does_not_breathe() -> None:
    assert not breath_track(Performance.still(200)).any()


def test_speech_is_breathed_out_slowly() -> None:
    speaking = listening(40)
    speaking.speech[:] = 1
    falls = np.mean(np.diff(breath_track(speaking)) < 0) / np.mean(np.diff(breath_track(listening(40))) < 0)
    assert falls > 1.2


def test_hair_comes_late_swings_over_and_rests_where_the_head_is() -> None:
    head = np.zeros((100, 1))
    head[10:] = 1.0
    hair = lagging_track(head)[:, 0]
    assert not hair[:10].any()
    assert hair[11] < 0.5
    assert 1.02 < hair.max() < 1.3
    assert abs(hair[-1] - 1) < 0.01


def test_followers_know_nothing_of_later_frames() -> None:
    rng = np.random.default_rng(0)
    performance = listening(8)
    performance.head[:] += rng.normal(size=performance.head.shape).astype(np.float32) * 0.05
    performance.speech[50:150] = 1
    part = performance.take(np.arange(120))
    assert np.array_equal(breath_track(performance)[:120], breath_track(part))
    assert np.array_equal(lagging_track(performance.head)[:120], lagging_track(part.head))
