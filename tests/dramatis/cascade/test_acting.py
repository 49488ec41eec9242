from __future__ import annotations

import pickle

import numpy as np

from dramatis.cascade.acting import ActingPortrait, Acts, PortraitCast
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.performance import Performance
from dramatis.motion.visemes import JAW
from tests.drawn_face import draw_face

FRAMES = 30


def cast() -> PortraitCast:
    picture, face = draw_face()
    return PortraitCast(picture, (face,))


def opening(frames: int) -> Acts:
    mouths = np.zeros((1, frames, len(SHAPE_CHANNELS)), np.float32)
    mouths[0, :, JAW] = np.linspace(0, 0.5, frames)
    return Acts(mouths, np.zeros((1, frames), np.float32))


def test_a_still_head_with_a_moving_jaw_changes_only_the_mouth() -> None:
    picture = cast().picture
    frames = list(cast().frames(opening(FRAMES), [Performance.still(FRAMES)]))
    assert len(frames) == FRAMES
    assert np.abs(frames[0].astype(int) - picture).max() <= 1
    x, y = cast().articulated[0].mouth.line.places(0.5, 0.0).astype(int)
    assert np.abs(frames[-1].astype(int) - picture)[y : y + 20, x].max() > 60
    assert np.abs(frames[-1].astype(int) - picture)[:20].max() <= 1


def test_a_turning_head_takes_its_mouth_along() -> None:
    performance = Performance.still(FRAMES)
    performance.head[:, 3] = np.linspace(0, 0.15, FRAMES)
    last = list(cast().frames(opening(FRAMES), [performance]))[-1]
    still = list(cast().frames(opening(FRAMES), [Performance.still(FRAMES)]))[-1]
    face = cast().articulated[0]
    x, y = face.mouth.line.places(0.5, 0.0).astype(int)
    mouth = still[y - 8 : y + 20, x - 12 : x + 12].astype(int)
    apart = [np.abs(last[y - 8 : y + 20, x + by - 12 : x + by + 12] - mouth).mean() for by in range(40)]
    assert np.argmin(apart) > 0.75 * 0.15 * face.head.scale
    assert min(apart) < 0.3 * apart[0]


def test_what_is_no_part_of_the_people_stands_still() -> None:
    """Cut out, they turn before a background that does not bend; not cut out, they take it along."""
    plain = cast()
    rows, columns = np.indices(plain.picture.shape[:2])
    x, y = plain.faces[0].landmarks.mean(0)
    height = 1.4 * np.ptp(plain.faces[0].landmarks[:, 1])
    matte = np.where(np.hypot(columns - x, rows - y) < 0.6 * height, 255, 0).astype(np.uint8)
    performance = Performance.still(2)
    performance.head[:, 3] = 0.04
    noise = np.random.default_rng(0).integers(0, 60, plain.picture.shape)
    picture = (plain.picture.astype(int) + np.where(matte[..., None], 0, noise)).clip(0, 255).astype(np.uint8)
    around = np.hypot(columns - x, rows - y) > 0.7 * height
    acts = Acts(opening(2).mouths, np.ones((1, 2), np.float32))
    changes = [
        np.abs(next(PortraitCast(picture, plain.faces, shape).frames(acts, [performance])).astype(int) - picture)
        for shape in (matte, None)
    ]
    assert changes[0][around].max() <= 1
    assert changes[1][around].max() > 10
    assert changes[0][~around].max() > 30
    still = next(PortraitCast(picture, plain.faces, matte).frames(opening(2), [Performance.still(2)]))
    assert np.abs(still.astype(int) - picture).max() <= 1


def test_the_background_follows_the_camera() -> None:
    plain = cast()
    performance = Performance.still(1)
    performance.camera[:, 1] = 0.1
    height, width = plain.picture.shape[:2]
    nobody = np.zeros((height, width), np.uint8)
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    moved = next(PortraitCast(picture, plain.faces, nobody).frames(opening(1), [performance]))
    by = round(0.1 * width)
    assert np.abs(moved[:, by + 2 :].astype(int) - picture[:, 2:-by]).mean() < 30


def test_frames_do_not_depend_on_how_they_are_asked_for() -> None:
    acting = ActingPortrait(cast(), opening(6))
    performance = Performance.still(6)
    performance.head[:, 0] = np.linspace(0, 0.2, 6)
    together = acting.frames([performance])
    alone = acting.at([4]).frames([performance.take([4])])
    assert np.array_equal(together[4], alone[0])
    assert np.abs(together[0].astype(int) - together[5]).max() > 60, "the mouth opens"


def test_small_frames_are_the_large_ones_made_smaller() -> None:
    large = ActingPortrait(cast(), opening(2)).frames([Performance.still(2)])
    small = ActingPortrait(cast(), opening(2), shrink=2).frames([Performance.still(2)])
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
