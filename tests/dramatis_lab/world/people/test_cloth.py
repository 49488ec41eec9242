"""Cloth keeps its own light and dark under every dye."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.cloth import CLOTH_PATTERNS, dye_cloth

RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)
PERIOD = 0.05


def texture() -> np.ndarray:
    """(128, 128, 4) grey cloth with folds."""
    shade = 120 + 30 * np.sin(np.arange(128) / 3)
    return np.broadcast_to(shade[None, :, None], (128, 128, 4)).astype(np.uint8).copy()


def test_cloth_that_is_not_dyed_keeps_its_colours() -> None:
    assert np.array_equal(dye_cloth(texture(), None, "plain", BLUE, PERIOD), texture()[..., :3])


@pytest.mark.parametrize("pattern", CLOTH_PATTERNS)
def test_a_dye_has_its_colour_and_folds_remain(pattern: str) -> None:
    dyed = dye_cloth(texture(), RED, pattern, BLUE, PERIOD).astype(float)
    assert np.array_equal(dyed, dye_cloth(texture(), RED, pattern, BLUE, PERIOD))
    blueish = dyed[..., 2] > dyed[..., 0]
    accented = {"plain": (0.0, 0.0), "dots": (0.15, 0.4), "print": (0.02, 0.9)}.get(pattern, (0.3, 0.7))
    assert accented[0] <= blueish.mean() <= accented[1]
    columns = dyed.sum(-1).mean(0)
    assert np.corrcoef(columns, texture()[0, :, 0])[0, 1] > 0.3
