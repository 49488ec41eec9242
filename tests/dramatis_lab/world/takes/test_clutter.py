"""Cluttered backdrops come from their seed, are in range, and are sharper than others."""

from __future__ import annotations

import numpy as np

from dramatis_lab.world.takes.backgrounds import BACKDROP_SIDE, make_background
from dramatis_lab.world.takes.clutter import make_clutter


def test_clutter_comes_from_its_seed() -> None:
    first = make_clutter(1).copy()
    make_clutter.cache_clear()
    assert np.array_equal(first, make_clutter(1))
    assert not np.array_equal(first, make_clutter(2))


def test_clutter_is_linear_light_of_a_backdrops_size() -> None:
    for seed in range(12):
        picture = make_clutter(seed)
        assert picture.shape == (BACKDROP_SIDE, BACKDROP_SIDE, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0
        assert picture.max() <= 1


def test_clutter_is_in_focus() -> None:
    def edges(picture: np.ndarray) -> float:
        """Share of neighbours that differ by a tenth as the eye sees them."""
        return float((np.abs(np.diff(np.sqrt(picture), axis=0)) > 0.1).mean())

    cluttered, plain = ([edges(make(seed)) for seed in range(16)] for make in (make_clutter, make_background))
    assert np.mean(cluttered) > 2 * np.mean(plain)
