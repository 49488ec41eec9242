from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.thin_plate import fit_thin_plate

POINTS = np.random.default_rng(0).uniform(0, 100, (20, 2))


def test_an_affine_map_is_found_everywhere() -> None:
    matrix, shift = np.array([[0.8, 0.3], [-0.2, 1.1]]), np.array([5.0, -7.0])
    plate = fit_thin_plate(POINTS, POINTS @ matrix + shift)
    far = np.array([[[300.0, -50.0], [0.0, 0.0]]])
    np.testing.assert_allclose(plate(far), far @ matrix + shift, atol=1e-6)


def test_bent_targets_are_met_exactly_and_a_stiff_spline_yields() -> None:
    bent = POINTS + 5 * np.sin(POINTS[:, ::-1] / 15)
    np.testing.assert_allclose(fit_thin_plate(POINTS, bent)(POINTS), bent, atol=1e-6)
    stiff = np.linalg.norm(fit_thin_plate(POINTS, bent, stiffness=10.0)(POINTS) - bent, axis=1)
    assert 0.1 < stiff.mean() < 10


def test_points_on_a_line_are_refused() -> None:
    line = np.stack([np.arange(5.0), 2 * np.arange(5.0)], -1)
    with pytest.raises(ValueError, match="do not lie on a line"):
        fit_thin_plate(line, line)
    with pytest.raises(ValueError, match="at least 3 pairs"):
        fit_thin_plate(line[:2], line[:2])
