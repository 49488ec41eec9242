from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68
from dramatis.motion.mouth_tables import (
    LID_GRID,
    MOUTH_GRID,
    SHAPE_CHANNELS,
    Grid,
    lid_field_table,
    mouth_field_table,
    mouth_inside,
)

JAW = mouth_field_table()[SHAPE_CHANNELS.index("jawOpen")]
LOWER_LIP, UPPER_LIP, CHIN = TEMPLATE_68[66, :2], TEMPLATE_68[62, :2], TEMPLATE_68[8, :2]


def test_a_grid_reads_linear_fields_exactly() -> None:
    grid = Grid(-1.0, 2.0, 0.5, (5, 7))
    field = grid.nodes() @ np.array([2.0, -3.0])
    places = np.array([[0.1, 2.7], [-0.9, 3.9]])
    np.testing.assert_allclose(grid.sample(field, places), places @ [2.0, -3.0])
    np.testing.assert_allclose(grid.refined(2).nodes()[::2, ::2], grid.nodes())


def test_a_dropping_jaw_takes_lower_lip_and_chin_and_leaves_the_upper_lip() -> None:
    upper, lower = (MOUTH_GRID.sample(side, np.stack([UPPER_LIP, LOWER_LIP, CHIN])) for side in JAW)
    assert abs(upper[0, 1]) < 0.03
    assert lower[1, 1] < -0.1
    assert lower[2, 1] < -0.08


def test_both_sides_agree_beyond_the_corners_so_that_the_cheek_stays_whole() -> None:
    beside = np.array([[-0.2, -0.06], [0.2, -0.06], [-0.16, -0.07]])
    upper, lower = (MOUTH_GRID.sample(side, beside) for side in JAW)
    assert np.abs(upper - lower).max() < 0.01


def test_fields_end_at_the_rim() -> None:
    table = mouth_field_table()
    for edge in (table[:, :, 0], table[:, :, -1], table[:, :, :, 0], table[:, :, :, -1]):
        assert np.abs(edge).max() < 0.004


def test_a_shutting_lid_travels_the_height_of_the_eye() -> None:
    upper, lower = TEMPLATE_68[[37, 38], :2].mean(0), TEMPLATE_68[[40, 41], :2].mean(0)
    sides = lid_field_table()
    travel = LID_GRID.sample(sides[1], lower)[1] - LID_GRID.sample(sides[0], upper)[1]
    assert travel == pytest.approx(upper[1] - lower[1], rel=0.25)


def test_teeth_of_both_jaws_meet_behind_the_lips() -> None:
    inside = mouth_inside()
    teeth = inside.points[inside.part == 0]
    lower = inside.lower[inside.part == 0]
    front = np.abs(teeth[:, 0]) < 0.03
    assert teeth[~lower & front, 1].min() == pytest.approx(-0.06, abs=0.01)
    assert teeth[lower & front, 1].max() == pytest.approx(-0.06, abs=0.01)
    assert teeth[:, 2].max() < TEMPLATE_68[62, 2]
    assert np.median(np.linalg.norm(inside.normals, axis=1)) == pytest.approx(1, abs=0.02)
