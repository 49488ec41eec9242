"""Shells that enclose what they are given, on shapes whose radii are known."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.shells import (
    CROWN_ROWS,
    SHELL_CENTRE,
    SHELL_COLUMNS,
    SHELL_TEXELS,
    sheet_mesh,
    shell_points,
    shell_radii,
    texel_points,
    wrapped_noise,
)

BOTTOM, ROWS = -0.2, 8


def sphere(radius: float) -> np.ndarray:
    directions = np.random.default_rng(0).normal(size=(20_000, 3))
    return (SHELL_CENTRE + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)


def test_a_shell_round_a_ball_has_its_radius_above_the_centre() -> None:
    radii = shell_radii(sphere(0.1), BOTTOM, ROWS, 0.2)
    assert radii.shape == (CROWN_ROWS + ROWS, SHELL_COLUMNS)
    assert radii[: CROWN_ROWS - 1] == pytest.approx(0.1, abs=1e-3)
    points = shell_points(radii, BOTTOM)
    assert np.linalg.norm(points[: CROWN_ROWS - 1] - SHELL_CENTRE, axis=-1) == pytest.approx(0.1, abs=1e-3)
    assert points[-1, :, 1] == pytest.approx(BOTTOM, abs=1e-6)
    assert np.allclose(points[:, 0], points[:, -1], atol=1e-6), "closed behind the head"


def test_what_is_too_wide_is_left_out() -> None:
    shoulders = SHELL_CENTRE + np.array([[0.3, -0.1, 0.0]], np.float32)
    with_shoulders = np.concatenate([sphere(0.1), shoulders])
    assert np.array_equal(shell_radii(with_shoulders, BOTTOM, ROWS, 0.2), shell_radii(sphere(0.1), BOTTOM, ROWS, 0.2))


def test_a_sheet_covers_its_grid_once() -> None:
    x, y = np.meshgrid(np.arange(4.0), np.arange(3.0))
    vertices, faces, uv = sheet_mesh(np.stack([x, y, 0 * x], -1).astype(np.float32))
    corners = vertices[faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert areas.sum() == pytest.approx(6)
    assert uv.min(0).tolist() == [0, 0]
    assert uv.max(0).tolist() == [1, 1]
    assert uv[0].tolist() == [0, 1], "the first row is the top of the texture"


def test_texels_lie_on_the_grid() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 2, 5))
    points = texel_points(np.stack([x, y, 0 * x], -1).astype(np.float32))
    assert points.shape == (SHELL_TEXELS, SHELL_TEXELS, 3)
    assert points[..., :2].min() == pytest.approx(0, abs=1e-6)
    assert points[-1, -1] == pytest.approx([1, 2, 0], abs=1e-6)


def test_noise_goes_on_round_the_head() -> None:
    noise = wrapped_noise(np.random.default_rng(0), (64, 64), (3.0, 3.0))
    assert noise.std() == pytest.approx(1, abs=1e-3)
    step = np.abs(np.diff(noise, axis=1)).mean()
    assert np.abs(noise[:, 0] - noise[:, -1]).mean() < 2 * step
