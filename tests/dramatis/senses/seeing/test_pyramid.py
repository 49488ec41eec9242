"""Squares cut from a picture at any scale and angle show what lies there."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.pyramid import Pyramid, crop, square_to_picture


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows to the right and green downwards, one level every four pixels."""
    rows, columns = np.mgrid[:height, :width] / 4
    return np.stack([columns, rows, np.zeros_like(rows)], -1).astype(np.uint8)


@pytest.mark.parametrize("side", [64.0, 200.0, 500.0])
def test_a_square_shows_its_place_at_any_scale(side: float) -> None:
    picture = Pyramid(ramp(600, 800))
    cut = picture.cut((400.0, 300.0), side, 50)
    assert cut.shape == (50, 50, 3)
    centres = (np.arange(50) + 0.5) * side / 50
    assert np.abs(cut[25, :, 0] - (400 - side / 2 + centres) / 4).max() < 1.5
    assert np.abs(cut[:, 25, 1] - (300 - side / 2 + centres) / 4).max() < 1.5


def test_a_turned_square_is_upright_in_its_own_axes() -> None:
    cut = Pyramid(ramp(600, 800)).cut((400.0, 300.0), 200.0, 50, np.pi / 2)
    assert np.ptp(cut[:, 25, 0].astype(int)) > 40
    assert np.ptp(cut[25, :, 0].astype(int)) <= 1
    assert cut[0, 25, 0] > cut[-1, 25, 0], "turned clockwise, its top looks to the right"


def test_beyond_the_picture_a_square_is_black() -> None:
    cut = Pyramid(np.full((100, 100, 3), 200, np.uint8)).cut((0.0, 50.0), 100.0, 20)
    assert (cut[:, :9] == 0).all()
    assert (cut[:, 11:] == 200).all()


def test_cells_lead_back_to_the_picture() -> None:
    affine = square_to_picture((40.0, 60.0), 20.0, 10, 0.3)
    assert affine @ (5.0, 5.0, 1.0) == pytest.approx((40.0, 60.0))
    right = affine @ (10.0, 5.0, 1.0) - (40.0, 60.0)
    assert right == pytest.approx((10 * np.cos(0.3), 10 * np.sin(0.3)))


def test_a_crop_keeps_its_place_and_draws_the_border_outwards() -> None:
    frame = np.zeros((20, 30, 3), np.uint8)
    frame[5:10, 10:15] = 200
    assert np.array_equal(crop(frame, CropBox(10.0, 5.0, 5.0), 5), frame[5:10, 10:15])
    frame[:, :1] = 99
    assert (crop(frame, CropBox(-20.0, 0.0, 10.0), 10) == 99).all()
