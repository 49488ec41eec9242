from __future__ import annotations

import numpy as np

from dramatis.sampling.background_fill import fill_background


def bricks() -> np.ndarray:
    """Rows of bricks, (128, 128, 3) in 0..1."""
    wall = np.full((128, 128, 3), (0.6, 0.3, 0.2), np.float32)
    wall[::16] = wall[1::16] = 0.85
    return wall


def test_lines_go_on_behind_people() -> None:
    wall, hole = bricks(), np.zeros((128, 128), bool)
    hole[:, 48:80] = True
    seen = np.where(hole[..., None], np.float32(0), wall)
    filled = fill_background(seen, hole, 12)
    assert np.array_equal(filled[~hole], wall[~hole])
    assert np.abs(filled[:, 48:56] - wall[:, 48:56]).mean() < 0.05
    assert filled[hole].min() > 0.1, "nothing of the person is left"
    assert np.array_equal(filled, fill_background(seen, hole, 12))


def test_without_a_hole_or_with_nothing_else_the_picture_stays() -> None:
    wall = bricks()
    assert np.array_equal(fill_background(wall, np.zeros((128, 128), bool), 9), wall)
    assert np.array_equal(fill_background(wall, np.ones((128, 128), bool), 9), wall)
