from __future__ import annotations

import numpy as np
import pytest

from dramatis.cascade.tone_curve import MIN_GAMMA, brighten, gamma_for, restore_tones
from dramatis.motion.face import TEMPLATE_68, HeadFit, fit_head, project
from dramatis.motion.performance import Performance
from tests.tiny import canonical_sight

SIZE = 64, 128


def heads() -> list[HeadFit]:
    """One on the left, one on the right."""
    marks = canonical_sight().landmarks
    return [fit_head(marks), fit_head(marks + np.array([64, 0]))]


def picture(left: int, right: int) -> np.ndarray:
    """Two halves of one tone each."""
    out = np.full((*SIZE, 3), left, np.uint8)
    out[:, 64:] = right
    return out


def test_heads_of_the_tests_lie_in_their_halves() -> None:
    still = Performance.still(1)
    left, right = (project(head, still, SIZE, TEMPLATE_68)[0, 27:, 0] for head in heads())
    assert left.min() > 0
    assert left.max() < 64 < right.min()
    assert right.max() < 128


def test_the_darkest_face_decides() -> None:
    lift = gamma_for(picture(200, 60), heads(), 0.42)
    assert lift == gamma_for(picture(60, 220), heads(), 0.42)
    assert brighten(picture(200, 60), lift)[0, -1, 0] == pytest.approx(0.42 * 255, abs=1)
    assert gamma_for(picture(200, 60), heads()[:1], 0.42) == 1.0, "whom nobody films does not count"


@pytest.mark.parametrize(("tone", "expected"), [(0, MIN_GAMMA), (5, MIN_GAMMA), (107, 1.0), (255, 1.0)])
def test_lifts_have_bounds(tone: int, expected: float) -> None:
    assert gamma_for(picture(tone, 255), heads(), 0.42) == pytest.approx(expected, abs=0.01)
    assert gamma_for(picture(tone, 255), heads(), None) == 1.0


@pytest.mark.parametrize("lift", [0.5, 0.71, 1.0])
def test_what_is_restored_is_what_was_lifted(lift: float) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    light = brighten(values, lift)
    assert light.dtype == np.uint8
    assert (np.diff(light.ravel()[::3].astype(int)) >= 0).all()
    assert np.abs(restore_tones(light, lift).astype(int) - values).max() <= 1
    assert (light >= values).all()
    assert (lift == 1.0) == np.array_equal(light, values)
