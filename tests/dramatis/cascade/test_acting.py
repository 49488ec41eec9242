from __future__ import annotations

import pickle

import numpy as np

from dramatis.cascade.acting import ActingPortrait, PortraitCast
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.performance import Performance
from dramatis.motion.visemes import JAW
from tests.drawn_face import draw_face


def cast() -> PortraitCast:
    picture, face = draw_face()
    return PortraitCast(picture, (face,))


def mouths(frames: int) -> np.ndarray:
    weights = np.zeros((1, frames, len(SHAPE_CHANNELS)), np.float32)
    weights[0, :, JAW] = np.linspace(0, 0.5, frames)
    return weights


def test_frames_do_not_depend_on_how_they_are_asked_for() -> None:
    acting = ActingPortrait(cast(), mouths(6))
    performance = Performance.still(6)
    performance.head[:, 0] = np.linspace(0, 0.2, 6)
    together = acting.frames([performance])
    alone = acting.at([4]).frames([performance.take([4])])
    assert np.array_equal(together[4], alone[0])
    assert np.abs(together[0].astype(int) - together[5]).max() > 60, "the mouth opens"


def test_small_frames_are_the_large_ones_made_smaller() -> None:
    large = ActingPortrait(cast(), mouths(2)).frames([Performance.still(2)])
    small = ActingPortrait(cast(), mouths(2), shrink=2).frames([Performance.still(2)])
    assert small.shape[1] * 2 == large.shape[1]
    means = large.reshape(2, small.shape[1], 2, small.shape[2], 2, 3).mean((2, 4))
    assert np.abs(means - small).max() <= 0.5


def test_what_was_worked_out_is_not_pickled() -> None:
    worked = cast()
    assert len(worked.articulated) == 1
    assert len(pickle.dumps(worked)) < 1.2 * len(pickle.dumps(cast()))
    again = pickle.loads(pickle.dumps(worked))
    assert again.digest() == worked.digest()
    moved = PortraitCast(worked.picture, (worked.faces[0].placed(1.01),))
    assert moved.digest() != worked.digest()
