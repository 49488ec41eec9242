from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68, HeadFit, fit_head, head_rotation
from dramatis.motion.mouth_line import UPPER_EDGE, canonical_edge, mouth_line_of, shares_along
from tests.drawn_face import draw_face

FRONT = HeadFit(100.0, np.zeros(2), np.eye(3))


def test_shares_and_heights_lead_back_to_their_places() -> None:
    line = mouth_line_of(draw_face(yaw=0.3)[1].landmarks)
    places = np.array([[[10.0, 20.0], [120.0, 90.0]]])
    np.testing.assert_allclose(line.places(*line.coordinates(places)), places, atol=1e-9)
    share, below = line.coordinates(line.corners)
    np.testing.assert_allclose(share, [0, 1], atol=1e-9)
    np.testing.assert_allclose(below, 0, atol=1e-9)


@pytest.mark.parametrize("gap", [0.0, 6.0])
def test_contour_and_landmarks_tell_the_same_gap(gap: float) -> None:
    _, face = draw_face(gap)
    assert face.contours is not None
    by_contour = mouth_line_of(face.landmarks, face.contours.lips_inner)
    assert by_contour.gap == pytest.approx(gap, abs=0.3)
    assert mouth_line_of(face.landmarks).gap == pytest.approx(gap, abs=0.3)
    assert (by_contour.lower >= by_contour.upper).all()


def test_an_edge_goes_on_flat_beyond_the_corners() -> None:
    line = mouth_line_of(draw_face(4.0)[1].landmarks)
    assert line.edge(line.upper, -0.5) == line.upper[0]
    assert line.edge(line.lower, 0.5) > line.edge(line.upper, 0.5)


def test_the_far_half_of_a_turned_mouth_is_short() -> None:
    points, shares = canonical_edge(UPPER_EDGE, FRONT, 5)
    np.testing.assert_allclose(points[[0, -1]], TEMPLATE_68[[60, 64]], atol=1e-6)
    np.testing.assert_allclose(shares, np.linspace(0, 1, 5), atol=1e-6)
    turned = HeadFit(100.0, np.zeros(2), head_rotation(0.8, 0, 0))
    # The head looks to the right of the picture, so the right half of the mouth is the far one.
    assert shares_along(points, turned)[2] > 0.7


def test_a_fitted_head_sees_its_own_mouth() -> None:
    _, face = draw_face()
    head = fit_head(face.landmarks)
    line = mouth_line_of(face.landmarks)
    assert line.width == pytest.approx(head.scale * 2 * 0.092, rel=0.02)
