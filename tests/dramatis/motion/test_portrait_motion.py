"""Where people and background are: still, with the head, with the camera, at the border, alone and together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.motion.face import HeadFit, project
from dramatis.motion.performance import Performance
from dramatis.motion.portrait_motion import PortraitMotion

SIZE = (120, 160)
HEAD = HeadFit(40.0, np.array([60.0, 50.0]), np.eye(3), 0.0)
NODES = np.stack(np.meshgrid(np.arange(0.5, 160), np.arange(0.5, 120)), -1).astype(np.float32)


def turning(frames: int = 30) -> Performance:
    performance = Performance.still(frames)
    performance.head[:, 0] = np.linspace(0, 0.3, frames)
    performance.head[:, 4] = np.linspace(0, 0.05, frames)
    return performance


def places_at(field: NDArray[np.floating], pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    """A field (h, w, 2) over NODES at the nearest nodes of pixels (n, 2)."""
    at = np.round(pixels - 0.5).astype(int)
    return field[at[:, 1], at[:, 0]] + (pixels - 0.5 - at)


def test_a_still_performance_moves_nothing() -> None:
    motion = PortraitMotion([HEAD], [Performance.still(3)], SIZE, np.ones(SIZE))
    assert np.abs(motion.people(2, NODES) - NODES).max() < 1e-2
    assert np.abs(motion.background(2, NODES) - NODES).max() < 1e-3
    assert not motion.background_moves(2)


def test_faces_go_where_the_head_goes_and_the_background_stays() -> None:
    motion = PortraitMotion([HEAD], [turning()], SIZE)
    rest, turned = project(HEAD, Performance.still(1), SIZE)[0], project(HEAD, turning(), SIZE)[29]
    assert np.abs(turned - rest).max() > 2
    off = np.linalg.norm(places_at(motion.people(29, NODES), turned) - rest, axis=1)
    assert off.max() < 2
    assert off.mean() < 1
    assert np.abs(motion.background(29, NODES) - NODES).max() < 1e-3


def test_shoulders_follow_a_little_and_hands_do_not() -> None:
    performance = Performance.still(30)
    performance.head[1:, 3] = 0.1
    moved = NODES - PortraitMotion([HEAD], [performance], SIZE).people(29, NODES)
    head, shoulder, hand = moved[40, 60, 0], moved[50 + 32, 60, 0], moved[50, 60 + 60, 0]
    assert head == pytest.approx(4.0, abs=0.1)
    assert 0.2 < shoulder < 1.2
    assert abs(hand) < 0.05


def test_hair_lags_behind_the_head() -> None:
    performance = Performance.still(20)
    performance.head[5:, 3] = 0.1
    motion = PortraitMotion([HEAD], [performance], SIZE)
    moved = NODES - motion.people(5, NODES)
    hair, face = moved[50, 60 + 26, 0], moved[50, 60, 0]
    assert face == pytest.approx(4.0, abs=0.1)
    assert hair < 0.9 * face


def test_everything_follows_the_camera() -> None:
    performance = Performance.still(4)
    performance.camera[2:, 1] = 0.1
    motion = PortraitMotion([HEAD], [performance], SIZE, np.ones(SIZE))
    assert motion.background_moves(2)
    for field in (motion.people(2, NODES), motion.background(2, NODES)):
        assert np.abs(NODES - field - (16, 0)).max() < 1e-2


def test_whoever_the_border_cuts_off_stays_there() -> None:
    performance = Performance.still(4)
    performance.head[2:, 4] = -0.15
    cut = np.zeros(SIZE)
    cut[:, 40:80] = 1
    free, held = (PortraitMotion([HEAD], [performance], SIZE, outline) for outline in (None, cut))
    top = np.array([[60.5, 0.5]])
    assert abs((places_at(free.people(3, NODES), top) - top)[0, 1]) > 3
    assert abs((places_at(held.people(3, NODES), top) - top)[0, 1]) < 0.3


def test_no_frame_depends_on_later_ones() -> None:
    whole = PortraitMotion([HEAD], [turning()], SIZE)
    part = PortraitMotion([HEAD], [turning().take(np.arange(12))], SIZE)
    assert np.array_equal(whole.people(11, NODES), part.people(11, NODES))


def test_of_two_people_each_moves_its_own_part() -> None:
    other = HeadFit(40.0, np.array([120.0, 50.0]), np.eye(3), 0.0)
    still, moving = Performance.still(30), turning()
    together = PortraitMotion([HEAD, other], [moving, still], SIZE).people(29, NODES)
    alone = PortraitMotion([HEAD], [moving], SIZE).people(29, NODES)
    assert np.abs(together - alone)[30:60, 50:70].max() < 0.3
    assert np.abs(together - NODES)[30:60, 112:130].max() < 0.3
    across = together[50, :, 0]
    assert (np.diff(across) > 0).all(), "nothing folds between them"
