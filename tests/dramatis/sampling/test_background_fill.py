"""What a filled-in background must look like: lines go on straight, and what was seen stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.sampling.background_fill import fill_background

SIDE, REACH = 160, 24.0


def disc(radius: float, middle: tuple[float, float] = (80, 80)) -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.hypot(x - middle[0], y - middle[1]) < radius


def boards() -> NDArray[np.float32]:
    """Light boards with dark joints across, eight pixels every 32."""
    rows = np.where(np.arange(SIDE) % 32 < 8, 0.1, 0.8)
    return np.broadcast_to(rows[:, None, None], (SIDE, SIDE, 3)).astype(np.float32)


def test_lines_behind_a_head_stay_straight() -> None:
    picture, hole = boards(), disc(40)
    spoilt = np.where(hole[..., None], np.array([0.9, 0.2, 0.1], np.float32), picture)
    filled = fill_background(spoilt, hole, REACH)
    band = hole & ~disc(40 - REACH)
    off = np.abs(filled - picture).max(-1)[band]
    assert np.mean(off < 0.1) > 0.85


def test_what_is_seen_stays_and_nothing_of_the_hole_is_left() -> None:
    rng = np.random.default_rng(0)
    picture = (0.3 + 0.1 * rng.random((SIDE, SIDE, 3))).astype(np.float32)
    hole = disc(50, (80, 150))
    spoilt = np.where(hole[..., None], np.float32(1), picture)
    filled = fill_background(spoilt, hole, REACH)
    assert np.array_equal(filled[~hole], picture[~hole])
    assert filled[hole].max() <= 0.41


def test_equal_pictures_are_filled_equally() -> None:
    hole = disc(30)
    assert np.array_equal(fill_background(boards(), hole, REACH), fill_background(boards(), hole, REACH))


@pytest.mark.parametrize("hole", [np.zeros((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool)])
def test_where_all_or_nothing_is_seen_the_picture_stays(hole: NDArray[np.bool_]) -> None:
    assert np.array_equal(fill_background(boards(), hole, REACH), boards())


def test_a_background_too_small_for_a_patch_is_filled_smoothly() -> None:
    picture = np.full((70, 70, 3), 0.5, np.float32)
    hole = np.ones((70, 70), bool)
    hole[:3] = False
    spoilt = np.where(hole[..., None], np.float32(0), picture)
    assert np.abs(fill_background(spoilt, hole, REACH) - 0.5).max() < 1e-3
