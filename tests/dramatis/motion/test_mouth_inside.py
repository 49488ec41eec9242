from __future__ import annotations

import numpy as np

from dramatis.motion.face import HeadFit, head_rotation
from dramatis.motion.mouth_inside import MouthPictures, mouth_pictures

LIGHT = np.ones((2, 3))
MIDDLE = np.array([50.0, 60.0])


def seen(yaw: float = 0.0, light: np.ndarray = LIGHT) -> MouthPictures:
    return mouth_pictures(HeadFit(120.0, np.zeros(2), head_rotation(yaw, 0, 0)), MIDDLE, light)


def covered(picture: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(picture[..., 3] > 0.5)
    return float(columns.mean()), float(rows.mean())


def test_upper_teeth_stand_over_lower_ones_in_the_middle_of_the_mouth() -> None:
    pictures = seen()
    middle = (MIDDLE - [pictures.grid.left, pictures.grid.top]) / pictures.grid.step
    (upper_x, upper_y), (lower_x, lower_y) = covered(pictures.upper), covered(pictures.lower)
    assert upper_y < middle[1] < lower_y
    assert abs(upper_x - middle[0]) < 1.5
    assert abs(lower_x - middle[0]) < 1.5
    assert pictures.drop[1] > 0.1 * 120


def test_colours_stay_within_their_cover_and_follow_the_light() -> None:
    pictures = seen()
    assert (pictures.upper[..., :3] <= pictures.upper[..., 3:] + 1e-6).all()
    dim = seen(light=np.array([[0.5, 0.5, 0.5], [1.0, 1.0, 1.0]]))
    half = pictures.upper.shape[1] // 2
    share = dim.upper[..., :3].sum((0, 2)) / np.maximum(pictures.upper[..., :3].sum((0, 2)), 1e-6)
    assert share[half - 10] < share[half + 10] < 1


def test_a_turned_head_turns_its_teeth() -> None:
    assert covered(seen(0.7).upper)[0] < covered(seen().upper)[0] - 3
    assert seen(0.7).drop[0] < -1
