from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.articulation import CLOSE, Mouth, articulation_weights, lip_gap
from dramatis.motion.visemes import JAW, VISEMES


def said(*visemes: str, frames: int = 12) -> np.ndarray:
    """(T, 16) certainty of one viseme after the other, for so many frames each."""
    rows = [np.eye(len(VISEMES))[VISEMES.index(name)] for name in visemes]
    return np.repeat(np.stack(rows), frames, 0)


def gap(weights: np.ndarray, mouth: Mouth) -> np.ndarray:
    return mouth.rest + lip_gap(weights)


@pytest.mark.parametrize("rest", [0.0, 0.08])
def test_a_mouth_opens_as_far_as_the_encoder_hears_times_the_gain(rest: float) -> None:
    mouth = Mouth(rest, gain=0.7)
    weights = articulation_weights(said("aa"), np.full(12, 0.3), mouth)
    assert gap(weights, mouth)[-1] == pytest.approx(0.21, abs=0.005)


@pytest.mark.parametrize("rest", [0.0, 0.08])
@pytest.mark.parametrize("viseme", ["PP", "sil"])
def test_labials_and_pauses_shut_parted_lips_too(rest: float, viseme: str) -> None:
    mouth = Mouth(rest)
    weights = articulation_weights(said("aa", viseme, "aa"), np.full(36, 0.25), mouth)
    assert gap(weights, mouth)[16:20].max() <= 0
    assert gap(weights, mouth)[[10, 34]].min() > 0.1


def test_one_frame_of_m_is_enough_to_shut_the_lips() -> None:
    visemes = np.concatenate([said("aa"), said("PP", frames=1), said("aa")])
    weights = articulation_weights(visemes, np.full(25, 0.25))
    assert lip_gap(weights)[12] <= 0


def test_a_trembling_opening_is_smoothed() -> None:
    opening = 0.2 + 0.05 * (-1.0) ** np.arange(40)
    gaps = lip_gap(articulation_weights(said("aa", frames=40), opening))[8:-8]
    assert np.ptp(gaps) < 0.01


def test_a_mouth_starts_where_the_portrait_holds_it() -> None:
    weights = articulation_weights(said("aa"), np.full(12, 0.3), Mouth(0.05))
    assert lip_gap(weights)[0] < 0.2 * lip_gap(weights)[-1]
    assert weights.dtype == np.float32
    assert (weights[:, [JAW, CLOSE]] >= 0).all()


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit 3 openings"):
        articulation_weights(said("aa"), np.zeros(3))
