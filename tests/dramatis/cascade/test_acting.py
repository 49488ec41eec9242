from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
import pytest

from dramatis.cascade.acting import ActingPortrait, PortraitCast, PortraitFilm
from dramatis.media.image import Pictures
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.performance import Performance
from dramatis.motion.visemes import JAW
from dramatis.story.values import EMOTIONS
from tests.drawn_face import draw_face

FRAMES = 6


def cast() -> PortraitCast:
    picture, face = draw_face()
    return PortraitCast(picture, (face,))


def cut_out() -> PortraitCast:
    """The face before a grained wall, and cut out of it."""
    picture, face = draw_face()
    rows, columns = np.indices(picture.shape[:2])
    x, y = face.landmarks.mean(0)
    near = np.hypot(columns - x, rows - y) < 0.85 * np.ptp(face.landmarks[:, 1])
    grain = np.random.default_rng(0).integers(0, 60, picture.shape)
    wall = (picture.astype(int) + np.where(near[..., None], 0, grain)).clip(0, 255).astype(np.uint8)
    return PortraitCast(wall, (face,), np.where(near, 255, 0).astype(np.uint8))


def opening(frames: int = FRAMES) -> np.ndarray:
    mouths = np.zeros((1, frames, len(SHAPE_CHANNELS)), np.float32)
    mouths[0, :, JAW] = np.linspace(0, 0.5, frames)
    return mouths


def film(stage: PortraitCast, performance: Performance) -> PortraitFilm:
    return PortraitFilm(stage, opening(len(performance)), (performance,))


def turning() -> Performance:
    performance = Performance.still(FRAMES)
    performance.head[:, 3] = np.linspace(0, 0.15, FRAMES)
    return performance


def difference(one: Pictures, other: Pictures) -> np.ndarray:
    return np.abs(one.astype(int) - other)


def test_a_still_head_with_a_moving_jaw_changes_only_the_mouth() -> None:
    for stage in (cast(), cut_out()):
        frames = list(film(stage, Performance.still(FRAMES)))
        assert len(frames) == FRAMES
        assert difference(frames[0], stage.picture).max() <= 6
        assert difference(frames[0], stage.picture).mean() < 0.1
        x, y = stage.articulated[0].mouth.line.places(0.5, 0.0).astype(int)
        assert difference(frames[-1], stage.picture)[y : y + 20, x].max() > 60
        assert difference(frames[-1], stage.picture)[:20].max() <= 6


def test_a_turning_head_takes_its_mouth_along() -> None:
    stage = cast()
    last = list(film(stage, turning()))[-1]
    still = list(film(stage, Performance.still(FRAMES)))[-1]
    face = stage.articulated[0]
    x, y = face.mouth.line.places(0.5, 0.0).astype(int)
    mouth = still[y - 8 : y + 20, x - 12 : x + 12].astype(int)
    apart = [np.abs(last[y - 8 : y + 20, x + by - 12 : x + by + 12] - mouth).mean() for by in range(40)]
    assert np.argmin(apart) > 0.75 * 0.15 * face.head.scale
    assert min(apart) < 0.3 * apart[0]


def test_what_is_no_part_of_the_people_stands_still_before_a_still_camera() -> None:
    stage = cut_out()
    assert stage.matte is not None
    last, with_wall = (
        film(PortraitCast(stage.picture, stage.faces, matte), turning()).frame(FRAMES - 1)
        for matte in (stage.matte, None)
    )
    rows, columns = np.indices(stage.matte.shape)
    x, y = stage.faces[0].landmarks.mean(0)
    far = np.hypot(columns - x, rows - y) > 1.3 * np.ptp(stage.faces[0].landmarks[:, 1])
    assert far.any()
    assert difference(last, stage.picture)[far].max() <= 1
    assert difference(with_wall, stage.picture)[far].max() > 5


def test_the_background_follows_the_camera() -> None:
    stage = cut_out()
    performance = Performance.still(1)
    performance.camera[:, 1] = 0.1
    moved = film(stage, performance).frame(0)
    width = stage.picture.shape[1]
    by = round(0.1 * width)
    corner = np.s_[:20, by + 2 :]
    assert difference(moved[corner], stage.picture[:20, 2 : width - by]).mean() < 20
    assert difference(moved[corner], stage.picture[corner]).mean() > 15


def test_frames_do_not_depend_on_how_they_are_asked_for() -> None:
    stage, performance = cut_out(), turning()
    acting = ActingPortrait(film(stage, performance), np.arange(FRAMES))
    together = acting.frames([performance])
    alone = acting.at([4]).frames([performance.take([4])])
    assert np.array_equal(together[4], alone[0])
    assert np.array_equal(np.stack(list(film(stage, performance))), together)


def test_another_emotion_may_stand_for_the_own_one() -> None:
    stage, performance = cut_out(), turning()
    performance.emotion[:] = np.eye(8, dtype=np.float32)[EMOTIONS.index("sad")]
    happy = performance.with_emotion("happy", slice(None))
    shown = film(stage, performance).frame(4, [happy.take([4])])
    assert np.array_equal(shown, film(stage, happy).frame(4))
    assert difference(shown, film(stage, performance).frame(4)).max() > 10


def test_frames_that_are_asked_for_again_are_painted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    acted = film(cast(), turning())
    painted: list[int] = []
    frame = PortraitFilm.frame

    def paint(film: PortraitFilm, number: int, performances: Sequence[Performance]) -> Pictures:
        painted.append(number)
        return frame(film, number, performances)

    monkeypatch.setattr(PortraitFilm, "frame", paint)
    clip = ActingPortrait(acted, np.array([1, 2, 3]))
    first = clip.frames([turning().take([1, 2, 3])])
    assert np.array_equal(clip.at([1, 2]).frames([turning().take([2, 3])]), first[1:])
    assert painted == [1, 2, 3]
    blinking = turning()
    blinking.blink[:] = 0.5
    clip.frames([blinking.take([1, 2, 3])])
    assert len(painted) == 6


def test_small_frames_are_the_large_ones_made_smaller() -> None:
    acted, still = film(cast(), Performance.still(2)), Performance.still(2)
    large = ActingPortrait(acted, np.arange(2)).frames([still])
    small = ActingPortrait(acted, np.arange(2), shrink=2).frames([still])
    means = large.reshape(2, small.shape[1], 2, small.shape[2], 2, 3).mean((2, 4))
    assert np.abs(means - small).max() <= 0.5


def test_what_was_worked_out_is_not_pickled() -> None:
    worked = film(cut_out(), turning())
    fresh = len(pickle.dumps(worked))
    worked.frame(1)
    assert len(pickle.dumps(worked)) == fresh
    again = pickle.loads(pickle.dumps(worked))
    assert again.digest(np.arange(3)) == worked.digest(np.arange(3))
    assert np.array_equal(again.frame(2), worked.frame(2))


def test_a_digest_tells_faces_mattes_mouths_and_earlier_frames_apart() -> None:
    first, frames = film(cut_out(), turning()), np.array([2, 3])
    stage = first.cast
    assert stage.matte is not None
    later = turning()
    later.head[5] += 1
    earlier = turning()
    earlier.head[0] += 1
    moved = PortraitCast(stage.picture, (stage.faces[0].placed(1.01),), stage.matte)
    assert film(stage, later).digest(frames) == first.digest(frames)
    others = [
        film(stage, earlier),
        film(moved, turning()),
        film(PortraitCast(stage.picture, stage.faces, stage.matte // 2), turning()),
        PortraitFilm(stage, opening() * 2, (turning(),)),
    ]
    assert len({other.digest(frames) for other in (first, *others)}) == 5


def test_what_hair_and_breath_have_forgotten_changes_no_later_frame() -> None:
    """An edited shot films those again that it changes; breath remembers who spoke."""
    stage, frames = cut_out(), np.arange(240, 250)
    plain, moved, spoken = (Performance.still(250) for _ in range(3))
    for performance in (plain, moved, spoken):
        performance.head[:, 0] = 0.05
    moved.head[40:60, 0] = 0.2
    spoken.speech[40:60] = 1
    first, bumped, heard = (PortraitFilm(stage, opening(250), (shown,)) for shown in (plain, moved, spoken))
    assert bumped.digest(frames) == first.digest(frames)
    assert bumped.digest(frames - 175) != first.digest(frames - 175)
    assert heard.digest(frames) != first.digest(frames)
    assert np.array_equal(bumped.frame(245), first.frame(245))
