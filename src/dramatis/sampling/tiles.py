"""Pictures larger than the network was trained on, tile by tile: overlapping tiles agree at every step of the loop.

Every tile is predicted from the same noise and the same conditions, and where tiles overlap their velocities are
averaged, more weight further from a tile's border. So no seam can build up over the steps, and tiles need no order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dramatis.sampling.parts import TOKEN, InParts, Look, Watch, ramp


@dataclass(frozen=True)
class Tiled(InParts):
    """Works on tiles of `side` latent cells that overlap by `overlap`."""

    side: int
    overlap: int

    def __post_init__(self) -> None:
        assert self.side % TOKEN == self.overlap % TOKEN == 0, "tiles begin on tokens"
        assert 0 <= self.overlap < self.side, "tiles overlap by less than their side"

    def _joined(
        self, look: Look, latents: Tensor, masks: Tensor | None, maps: Tensor | None, watch: Watch | None
    ) -> Tensor:
        assert watch is None, "tokens of tiles are not joined"
        rows, columns = (tile_starts(side, self.side, self.overlap) for side in latents.shape[3:])
        total = torch.zeros_like(latents, dtype=torch.float32)
        weights = torch.zeros_like(total[:1, :1, :1])
        for y in rows:
            for x in columns:
                down, right = slice(y, y + self.side), slice(x, x + self.side)
                out = look(down, right, maps)
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
