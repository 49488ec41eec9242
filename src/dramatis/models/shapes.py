"""Sizes of clips in pixels and in latents, and how one becomes the other.

The autoencoders are causal: the first latent frame is the first pixel frame, and each later one stands for the
`strides.time` frames that end with frame `strides.time` * k. A clip therefore has 4n+1 frames at a stride of 4.

Shape legend: F pixel frames, T latent frames, H W pixels, h w latent cells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOKEN_CELLS = 2
"""Latent cells along each side of a token: the patch size of the Wan layout."""


class Strides(NamedTuple):
    """How many pixel frames, and how many pixels of each side, a latent cell stands for."""

    time: int
    space: int


WAN_STRIDES = Strides(time=4, space=8)
"""Of Wan 2.1's autoencoder, and of every network here that was built around its latents."""


class PixelShape(NamedTuple):
    """A clip's frames, height and width in pixels."""

    frames: int
    height: int
    width: int

    def latent(self, strides: Strides = WAN_STRIDES) -> LatentShape:
        """The shape of the clip's latents.

        Raises ValueError unless the frames are on the grid of the time stride (4n+1) and both sides are multiples of
        the space stride.
        """
        if self.frames % strides.time != 1 or self.height % strides.space or self.width % strides.space:
            raise ValueError(
                f"{self.frames} frames of {self.height}x{self.width} pixels do not lie on the latent grid: "
                f"frames must be {strides.time}n+1 and sides multiples of {strides.space}"
            )
        return LatentShape(
            (self.frames - 1) // strides.time + 1, self.height // strides.space, self.width // strides.space
        )


class LatentShape(NamedTuple):
    """A clip's latent frames, and the rows and columns of its latent cells."""

    frames: int
    height: int
    width: int

    def pixels(self, strides: Strides = WAN_STRIDES) -> PixelShape:
        """The shape of the clip in pixels: the inverse of `PixelShape.latent`."""
        return PixelShape(pixel_frames(self.frames, strides), self.height * strides.space, self.width * strides.space)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of latent cells."""
        return self.height, self.width

    @property
    def token_grid(self) -> tuple[int, int]:
        """Rows and columns of tokens."""
        return self.height // TOKEN_CELLS, self.width // TOKEN_CELLS


def pixel_frames(latent_frames: int, strides: Strides = WAN_STRIDES) -> int:
    """How many pixel frames a clip of so many latent frames has: 4T - 3."""
    return (latent_frames - 1) * strides.time + 1


def latent_grid(size: tuple[int, int], strides: Strides = WAN_STRIDES) -> tuple[int, int]:
    """Rows and columns of latent cells over a picture of (height, width)."""
    return size[0] // strides.space, size[1] // strides.space


def latent_masks(masks: NDArray[np.bool_], strides: Strides = WAN_STRIDES) -> NDArray[np.float32]:
    """Masks of a clip, (..., F, H, W), on the grid of its latents, (..., T, h, w) in 0..1.

    Each cell holds the share of its pixels that the mask covers. Raises ValueError as `PixelShape.latent`.
    """
    *lead, frames, height, width = masks.shape
    latent = PixelShape(frames, height, width).latent(strides)
    by_cell = (*lead, frames, latent.height, strides.space, latent.width, strides.space)
    cells = masks.reshape(by_cell).mean((-3, -1), dtype=np.float32)
    first, rest = cells[..., :1, :, :], cells[..., 1:, :, :]
    groups = rest.reshape(*lead, latent.frames - 1, strides.time, *latent.grid).mean(-3)
    return np.concatenate([first, groups], -3, dtype=np.float32)
