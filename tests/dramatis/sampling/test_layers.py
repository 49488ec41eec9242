from __future__ import annotations

import numpy as np
import torch

from dramatis.sampling.layers import HiddenGround, background_behind, over_ground


def bricks() -> np.ndarray:
    """Rows of bricks, (128, 128, 3)."""
    wall = np.full((128, 128, 3), (150, 80, 60), np.uint8)
    wall[::16] = wall[1::16] = 210
    return wall


def test_lines_go_on_behind_people() -> None:
    wall, matte = bricks(), np.zeros((128, 128), np.float32)
    matte[:, 44:84] = 1
    seen = np.where(matte[..., None] > 0, np.uint8(20), wall)
    filled = background_behind(seen, matte)
    assert np.array_equal(filled[:, :38], wall[:, :38])
    assert np.abs(filled[4:-4, 44:48].astype(int) - wall[4:-4, 44:48]).mean() < 4
    assert filled[:, 50:78].min() > 50, "nothing of the person is left"


def test_without_anybody_or_with_nothing_else_the_picture_stays() -> None:
    wall = bricks()
    assert np.array_equal(background_behind(wall, np.zeros((128, 128), np.float32)), wall)
    assert np.array_equal(background_behind(wall, np.ones((128, 128), np.float32)), wall)


def test_layers_at_rest_are_the_picture() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 40, 3)).astype(np.uint8)
    layers = HiddenGround(picture, rng.random((32, 40)).astype(np.float32))
    pixels = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)
    assert torch.allclose(over_ground(pixels, layers.shown[0], layers.ground[0]), pixels, atol=1e-5)
