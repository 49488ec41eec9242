from __future__ import annotations

import numpy as np

from dramatis.sampling.portrait_layers import split_portrait


def test_layers_together_are_the_portrait() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (80, 96, 3)).astype(np.uint8)
    outline = np.zeros((80, 96), np.float32)
    outline[20:, 30:60] = 1
    outline[20:, 28:30] = 0.4
    layers = split_portrait(picture, outline)
    share = layers.people[..., 3:]
    together = layers.people[..., :3] + (1 - share) * layers.scene
    assert np.abs(255 * together - picture).max() < 1
    assert (share[30:, 32:58] == 1).all()
    assert not share[:10].any()
    assert np.array_equal((255 * layers.scene[:10] + 0.5).astype(np.uint8), picture[:10])


def test_hair_that_no_outline_holds_moves_with_the_person() -> None:
    picture = np.full((120, 120, 3), 220, np.uint8)
    outline = np.zeros((120, 120), np.float32)
    outline[40:, 40:80] = 1
    picture[40:, 40:80] = (60, 40, 30)
    picture[60, 80:82] = (70, 50, 40)
    layers = split_portrait(picture, outline)
    assert layers.scene[60, 80:82].min() > 0.7, "the wall behind it is plain"
    assert (layers.people[60, 80, :3] < -0.3).all() or layers.people[60, 80, 3] > 0.5
