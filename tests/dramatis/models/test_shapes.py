"""Sizes of clips in pixels and in latents, and masks on the grid of the latents."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers import AutoencoderKLWan

from dramatis.models.published.wan_autoencoder import WanAutoencoder
from dramatis.models.shapes import (
    WAN_STRIDES,
    LatentShape,
    PixelShape,
    Strides,
    latent_grid,
    latent_masks,
    pixel_frames,
)
from tests.tiny import tiny_autoencoder


@pytest.mark.parametrize("strides", [WAN_STRIDES, Strides(time=8, space=32)])
@pytest.mark.parametrize("latent", [LatentShape(1, 2, 4), LatentShape(21, 60, 104)])
def test_shapes_convert_into_each_other(latent: LatentShape, strides: Strides) -> None:
    assert latent.pixels(strides).latent(strides) == latent


def test_a_clip_of_81_frames_at_480p() -> None:
    latent = PixelShape(81, 480, 832).latent()
    assert latent == LatentShape(21, 60, 104)
    assert latent.grid == (60, 104)
    assert latent.token_grid == (30, 52)


@pytest.mark.parametrize("shape", [(8, 16, 16), (0, 16, 16), (9, 20, 16), (9, 16, 20)])
def test_a_clip_off_the_grid_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="latent grid"):
        PixelShape(*shape).latent()


def test_strides_are_read_from_the_config_of_the_autoencoder() -> None:
    small = AutoencoderKLWan(base_dim=8, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    assert WanAutoencoder(small).strides == WAN_STRIDES
    assert tiny_autoencoder().strides == WAN_STRIDES


def test_cells_of_the_latent_grid_hold_shares() -> None:
    clip = np.zeros((2, 9, 16, 24), bool)
    clip[0, 0, :8, :8] = True  # the first frame alone
    clip[1, 1:3, 8:, 16:20] = True  # two of four frames, half of the cell's pixels
    grid = latent_masks(clip)
    assert grid.shape == (2, 3, 2, 3)
    assert grid.dtype == np.float32
    assert grid[0, 0, 0, 0] == 1.0
    assert grid[1, 1, 1, 2] == 0.25
    assert grid.sum() == 1.25


@pytest.mark.parametrize("shape", [(8, 16, 16), (9, 12, 16), (9, 16, 20)])
def test_masks_off_the_grid_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="latent grid"):
        latent_masks(np.zeros(shape, bool))


def test_parts_of_a_shape_convert_alike() -> None:
    latent = LatentShape(8, 4, 6)
    assert pixel_frames(latent.frames) == latent.pixels().frames
    assert latent_grid(latent.pixels()[1:]) == latent.grid
