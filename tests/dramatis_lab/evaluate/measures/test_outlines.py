from __future__ import annotations

import numpy as np
import pytest

from dramatis.senses.seeing.matting import Outline
from dramatis_lab.evaluate.measures.outlines import (
    BAND,
    OutlineTruth,
    hair_band,
    measure_outlines,
    outline_iou,
    render_outline_truth,
)
from tests import ROOT

ASSETS = ROOT / "../shared/assets"


def square_person() -> OutlineTruth:
    """A person of 32x40 pixels at the foot of a picture of 64x64; the upper 8 rows are hair."""
    alpha = np.zeros((64, 64), np.float32)
    alpha[24:, 16:48] = 1
    hair = np.zeros_like(alpha)
    hair[24:32, 16:48] = 1
    return OutlineTruth(np.zeros((64, 64, 3), np.uint8), np.zeros((68, 2), np.float32), alpha, hair)


def test_the_band_surrounds_hair_and_leaves_clothes_alone() -> None:
    band = hair_band(square_person())
    assert band[24 - BAND, 32]
    assert not band[23 - BAND, 32]
    assert band[24 + BAND, 32]
    # The border of clothes within two pixels of hair still counts as the hair's.
    assert not band[35 + BAND :].any(), "the border of clothes counts nothing"


def test_nobody_has_no_band() -> None:
    bald = square_person()
    assert not hair_band(OutlineTruth(bald.picture, bald.landmarks, bald.alpha, np.zeros_like(bald.hair))).any()


def test_iou_counts_what_more_than_half_belongs_to_the_person() -> None:
    alpha = square_person().alpha
    assert outline_iou(alpha * 0.6, alpha) == 1.0
    assert outline_iou(np.roll(alpha, 8, axis=1), alpha) == pytest.approx(24 / 40)


def test_errors_at_hair_are_relative_to_those_of_the_coarse_outline() -> None:
    truth = square_person()

    def coarse_of(truth: OutlineTruth) -> Outline:
        return np.clip(truth.alpha, 0.2, 0.8)

    def half_as_wrong(truth: OutlineTruth) -> Outline:
        return np.clip(truth.alpha, 0.1, 0.9)

    assert measure_outlines([truth, truth], coarse_of, coarse_of).band_ratio == pytest.approx(1.0)
    half = measure_outlines([truth], coarse_of, half_as_wrong)
    assert half.band_ratio == pytest.approx(0.5, abs=1e-5)
    assert (half.iou, half.worst_iou) == (1.0, 1.0)
    with pytest.raises(ValueError, match="no error at hair"):
        measure_outlines([truth], lambda truth: truth.alpha, coarse_of)


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the renderer's raw assets are not there")
def test_rendered_people_have_soft_borders_and_hair_on_their_heads() -> None:
    truth = render_outline_truth(0, "train", ASSETS, side=64)
    assert truth.picture.shape == (64, 64, 3)
    assert len(np.unique(truth.alpha)) > 5
    assert (truth.hair <= truth.alpha).all()
    rows, _ = np.nonzero(truth.hair > 0.5)
    assert rows.min() < truth.landmarks[:, 1].min(), "hair begins above the face"
    again = render_outline_truth(0, "train", ASSETS, side=64)
    assert np.array_equal(again.alpha, truth.alpha)
