"""One still: what comes in front hides people and face alike, and `visible` says how much of a face is left."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.stills import picture
from dramatis_lab.world.stills.person import make_still_person
from dramatis_lab.world.stills.picture import StillPicture, render_still
from tests.raw_assets import ASSETS, needs_assets


def still(seed: int) -> StillPicture:
    return render_still(make_still_person(10, ASSETS), 20, np.random.default_rng(seed), ASSETS, "train", 64)


@needs_assets
def test_a_cover_hides_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "FOREGROUND_SHARE", 1.0)
    monkeypatch.setattr(picture, "draw_foreground", lambda size, rng: np.ones((size, size, 4), np.float32))
    covered = still(0)
    assert (covered.frame == 255).all()
    assert not covered.person.any()
    assert not covered.face.any()
    assert covered.visible == 0


@needs_assets
def test_faces_are_near_and_far_and_mostly_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "FOREGROUND_SHARE", 0.0)
    monkeypatch.setattr(picture, "NEIGHBOUR_SHARE", 0.0)
    pictures = [still(seed) for seed in range(8)]
    heights = [float(np.ptp(one.landmarks[:, 1])) for one in pictures]
    assert max(heights) > 1.5 * min(heights)
    assert np.median([one.visible for one in pictures]) > 0.7
    for one in pictures:
        assert one.hands[:, 1].min() > one.landmarks[:, 1].min()
