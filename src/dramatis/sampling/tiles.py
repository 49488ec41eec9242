"""Pictures larger than the network was trained on, tile by tile: overlapping tiles agree at every step of the loop.

Every tile is predicted from the same noise and the same conditions, and where tiles overlap their velocities are
averaged, more weight further from a tile's border. So no seam can build up over the steps, and tiles need no order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dramatis.models.dit import AudioDiT

TOKEN = 2
"""Side of a token in latent cells: tiles begin on tokens."""


@dataclass(frozen=True)
class Tiled:
    """A DiT that is called like any other and works on tiles of `side` latent cells that overlap by `overlap`."""

    dit: AudioDiT
    side: int
    overlap: int

    def __post_init__(self) -> None:
        assert self.side % TOKEN == self.overlap % TOKEN == 0, "tiles begin on tokens"
        assert 0 <= self.overlap < self.side, "tiles overlap by less than their side"

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return self.dit.dtype

    def __call__(
        self,
        latents: Tensor,
        condition: Tensor,
        timestep: Tensor,
        text: Tensor,
        image: Tensor | None,
        audio: Tensor,
        masks: Tensor | None = None,
        controls: Tensor | None = None,
        maps: Tensor | None = None,
    ) -> Tensor:
        """As `AudioDiT.forward`; words, sound, controls and reference are the same for every tile."""
        assert not self.dit.is_cache_enabled, "a tile would take another one's step for its own"
        rows, columns = (tile_starts(side, self.side, self.overlap) for side in latents.shape[3:])
        total = torch.zeros_like(latents, dtype=torch.float32)
        weights = torch.zeros_like(total[:1, :1, :1])
        for y in rows:
            for x in columns:
                down, right = slice(y, y + self.side), slice(x, x + self.side)
                tokens = (slice(y // TOKEN, (y + self.side) // TOKEN), slice(x // TOKEN, (x + self.side) // TOKEN))
                out = self.dit(
                    latents[..., down, right],
                    condition[..., down, right],
                    timestep,
                    text,
                    image,
                    audio,
                    masks=None if masks is None else masks[..., tokens[0], tokens[1]],
                    controls=controls,
                    maps=None if maps is None else maps[..., down, right],
                )
                weight = (ramp(out.shape[3])[:, None] * ramp(out.shape[4])).to(total)
                total[..., down, right] += weight * out
                weights[..., down, right] += weight
        return (total / weights).to(latents.dtype)


def tile_starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles of `side` begin that cover `length` cells with at least `overlap` in common, evenly spread on tokens;
    one tile where everything fits into it."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [TOKEN * (part * (length - side) // (TOKEN * (count - 1))) for part in range(count - 1)] + [length - side]


def ramp(length: int) -> Tensor:
    """(length,) weights that rise from both ends to the middle; never zero."""
    place = torch.arange(length) + 0.5
    return torch.minimum(place, length - place)
