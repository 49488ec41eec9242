"""A turned head is where its landmarks say, and is the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import fit_head, rotation_angles
from dramatis_lab.world.takes.heads import render_head
from tests.raw_assets import ASSETS, needs_assets


@needs_assets
@pytest.mark.parametrize("yaw", [-0.8, 0.0, 0.8])
def test_the_head_is_turned_as_asked_and_inside_its_mask(yaw: float) -> None:
    still = render_head(3, "train", yaw, ASSETS, side=128)
    assert still.picture.shape == (128, 128, 3)
    assert rotation_angles(fit_head(still.landmarks).rotation)[0] == pytest.approx(yaw, abs=0.12)
    rows, columns = still.landmarks[27:36].astype(int).T[::-1]
    assert still.person[rows, columns].all()
    assert not still.person[:10].any()


@needs_assets
def test_equal_seeds_give_equal_pictures_and_splits_do_not_share_people() -> None:
    first, again = (render_head(1, "train", 0.2, ASSETS, side=64) for _ in range(2))
    assert np.array_equal(first.picture, again.picture)
    assert np.array_equal(first.landmarks, again.landmarks)
    other = render_head(1, "test", 0.2, ASSETS, side=64)
    assert not np.allclose(fit_head(other.landmarks).error, fit_head(first.landmarks).error)
