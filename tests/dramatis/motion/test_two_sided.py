from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import fit_head
from dramatis.motion.mouth_line import mouth_line_of
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.two_sided import PixelGrid, TwoSidedField, lid_field, lid_line, mouth_field
from tests.drawn_face import draw_face


def only(channel: str, weight: float) -> np.ndarray:
    weights = np.zeros(len(SHAPE_CHANNELS))
    weights[SHAPE_CHANNELS.index(channel)] = weight
    return weights


def field_at(field: TwoSidedField, values: np.ndarray, place: np.ndarray) -> complex:
    column, row = np.round((place - [field.grid.left, field.grid.top]) / field.grid.step).astype(int)
    return complex(values[row, column])


def test_the_inverse_leads_back_to_where_content_came_from() -> None:
    grid = PixelGrid(0.0, 0.0, 2.0, (40, 40))
    x, y = np.moveaxis(grid.nodes(), -1, 0)
    bump = 8 * np.exp(-((x - 40) ** 2 + (y - 40) ** 2) / 400) * (0.5 + 1j)
    field = TwoSidedField(grid, np.stack([bump, np.zeros_like(bump)])[None].astype(np.complex64))
    upper, lower = field.sources(np.array([1.0]))
    assert not lower.any()
    came = (x + upper.real) + 1j * (y + upper.imag)
    at = np.exp(-((came.real - 40) ** 2 + (came.imag - 40) ** 2) / 400) * 8 * (0.5 + 1j)
    np.testing.assert_allclose((came + at)[5:-5, 5:-5], (x + 1j * y)[5:-5, 5:-5], atol=0.15)


@pytest.mark.parametrize("yaw", [0.0, 0.5, -1.0])
def test_an_opening_jaw_parts_the_lips_of_turned_heads_too(yaw: float) -> None:
    _, face = draw_face(yaw=yaw)
    head, line = fit_head(face.landmarks), mouth_line_of(face.landmarks)
    assert face.contours is not None
    field = mouth_field(head, face.landmarks, line, face.contours.lips_outer)
    upper, lower = field.moved(only("jawOpen", 0.5))
    middle = line.places(0.5, line.edge(line.upper, 0.5))
    assert abs(field_at(field, upper, middle).imag) < 0.02 * head.scale
    assert field_at(field, lower, middle).imag > 0.04 * head.scale
    chin = np.asarray(face.landmarks[8], np.float64)
    assert field_at(field, lower, chin - [0, 2]).imag > 0.03 * head.scale


def test_nothing_moves_at_the_rim_of_the_box() -> None:
    _, face = draw_face()
    field = mouth_field(fit_head(face.landmarks), face.landmarks, mouth_line_of(face.landmarks))
    for side in field.basis.reshape(-1, *field.grid.shape):
        assert not side[[0, -1]].any()
        assert not side[:, [0, -1]].any()


@pytest.mark.parametrize("right", [0, 1])
def test_lids_of_either_eye_meet(right: int) -> None:
    _, face = draw_face()
    assert face.contours is not None
    line = lid_line(face.contours.lids[right])
    field = lid_field(fit_head(face.landmarks), face.landmarks, line, right)
    upper, lower = field.moved(np.array([1.0]))
    middle = line.places(0.5, line.edge(line.upper, 0.5))
    below = line.places(0.5, line.edge(line.lower, 0.5))
    travel = field_at(field, upper, middle).imag - field_at(field, lower, below).imag
    assert travel == pytest.approx(line.gap, rel=0.35)
