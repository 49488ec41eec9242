"""Outlines against a truth that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.measures.outlines import BAND, OutlineTruth, band_error, hair_band, outline_iou


def square_truth() -> OutlineTruth:
    """A person of 40x60 px whose chin is at row 50."""
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:80, 30:70] = 1
    landmarks = np.full((68, 2), 50, np.float32)
    return OutlineTruth(np.zeros((100, 100, 3), np.uint8), alpha, landmarks)


def test_a_right_outline_has_no_error() -> None:
    truth = square_truth()
    assert outline_iou(truth, truth.alpha) == 1.0
    assert band_error(truth, truth.alpha) == 0.0


def test_errors_count_in_the_band_above_the_chin_alone() -> None:
    truth = square_truth()
    band = hair_band(truth)
    assert not band[50:].any()
    assert band[20, 30:70].all()
    assert band[20 - BAND, 50]
    assert not band[20 - BAND - 1, 50]
    assert not band[45, 50], "the middle of the face"
    wide = truth.alpha.copy()
    wide[20:80, 29] = 1
    assert band_error(truth, wide) == pytest.approx(30)
    low = truth.alpha.copy()
    low[80:90, 30:70] = 1
    assert band_error(truth, low) == 0.0
    assert outline_iou(truth, low) == pytest.approx(2400 / 2800)


def test_borders_of_a_picture_rendered_at_twice_the_size_are_quarters() -> None:
    person = np.zeros((8, 8), bool)
    person[1:, 4:] = True
    picture = np.where(person, 200, 100).astype(np.uint8)[..., None].repeat(3, 2)
    truth = OutlineTruth.from_double(picture, person, np.full((68, 2), 6, np.float32))
    assert truth.alpha[0].tolist() == [0, 0, 0.5, 0.5]
    assert truth.picture[0, 2].tolist() == [150, 150, 150]
    assert (truth.landmarks == 3).all()
