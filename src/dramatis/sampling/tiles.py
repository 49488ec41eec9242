"""Pictures larger than the network was trained on, tile by tile: overlapping tiles agree at every step of the loop.

Every tile is predicted from the same noise and the same conditions. Where tiles overlap, their velocities are averaged,
with weights that grow with the distance from a tile's border. So no seam can build up over the steps, and the order of
the tiles does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dramatis.models.shapes import TOKEN_CELLS
from dramatis.sampling.parts import BlockCallback, PartFn, PartwiseDiT, blend_weights


@dataclass(frozen=True)
class TiledDiT(PartwiseDiT):
    """Predicts tiles of `side` latent cells that overlap by `overlap`."""

    side: int
    overlap: int

    def __post_init__(self) -> None:
        assert self.side % TOKEN_CELLS == 0, "tiles end on tokens"
        assert self.overlap % TOKEN_CELLS == 0, "tiles begin on tokens"
        assert 0 <= self.overlap < self.side, "tiles overlap by less than their side"

    def _combine(
        self,
        predict_part: PartFn,
        latents: Tensor,
        # Only windows take places from a part by its person's mask.
        masks: Tensor | None,  # noqa: ARG002
        on_block: BlockCallback | None,
    ) -> Tensor:
        assert on_block is None, "the tokens of tiles are not combined"
        rows, columns = (tile_starts(side, self.side, self.overlap) for side in latents.shape[3:])
        total = torch.zeros_like(latents, dtype=torch.float32)
        weights = torch.zeros_like(total[:1, :1, :1])
        for y in rows:
            for x in columns:
                tile = slice(y, y + self.side), slice(x, x + self.side)
                velocity = predict_part(*tile)
                weight = (blend_weights(velocity.shape[3])[:, None] * blend_weights(velocity.shape[4])).to(total)
                total[..., *tile] += weight * velocity
                weights[..., *tile] += weight
        return (total / weights).to(latents.dtype)


def tile_starts(length: int, side: int, overlap: int) -> list[int]:
    """Where the tiles of `side` cells begin that cover `length` cells, evenly spread on tokens.

    Neighbours have at least `overlap` cells in common. Where everything fits into one tile, there is one.
    """
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [TOKEN_CELLS * (tile * (length - side) // (TOKEN_CELLS * (count - 1))) for tile in range(count - 1)] + [
        length - side
    ]
