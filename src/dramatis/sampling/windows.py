"""Several people, each predicted in a window as large as the pictures of one person that the network was trained on.

In one wide picture everybody's mouth lies where the network expects the one mouth, and self-attention blurs what the
people do: lips open too little. So every person has a window of their own, with the coordinate maps of that person
alone. Gates distribute sound and performance within it as in a whole picture, and the same gates decide which window
each token is taken from.

Shape legend: N people, T latent frames, F pixel frames, h w latent cells; tokens are `TOKEN_CELLS` cells a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from dramatis.models.shapes import TOKEN_CELLS
from dramatis.sampling.parts import BlockCallback, PartFn, PartwiseDiT, blend_weights, token_slice

_LEAST_WEIGHT = 1e-3
"""Weight of a window outside its person's mask, so that tokens which only this window covers are taken from it."""


@dataclass(frozen=True)
class PersonWindows(PartwiseDiT):
    """Predicts one person's window after the other, batch 1.

    spans: first and last column (exclusive) of each person's window, in latent cells; together they cover the picture.
    maps: (N, F, C, h, w) coordinate maps of the whole picture for each person alone.
    """

    spans: tuple[tuple[int, int], ...]
    maps: Tensor

    def __post_init__(self) -> None:
        assert all(start % TOKEN_CELLS == stop % TOKEN_CELLS == 0 for start, stop in self.spans), (
            "windows begin and end on tokens"
        )
        assert len(self.spans) == len(self.maps), "one window and one set of maps for each person"

    def _combine(
        self, predict_part: PartFn, latents: Tensor, masks: Tensor | None, on_block: BlockCallback | None
    ) -> Tensor:
        """Each person's maps stand in for those of the call; `on_block` receives the tokens of all windows together."""
        assert masks is not None, "gates decide which window a token is taken from"
        shares = self._shares(masks)
        total = torch.zeros_like(latents, dtype=torch.float32)
        combined: dict[int, Tensor] = {}
        for person, (start, stop) in enumerate(self.spans):
            columns = slice(start, stop)
            tokens = token_slice(columns)
            share = shares[:, person, ..., tokens]

            def add_tokens(block: int, hidden: Tensor, tokens: slice = tokens, share: Tensor = share) -> None:
                picture = combined.setdefault(block, hidden.new_zeros(1, *shares.shape[2:], hidden.shape[-1]))
                picture[..., tokens, :] += share.to(hidden).unsqueeze(-1) * hidden.unflatten(2, share.shape[-2:])

            velocity = predict_part(
                slice(0, latents.shape[3]),
                columns,
                maps=self.maps[person : person + 1].to(latents),
                on_block=None if on_block is None else add_tokens,
            )
            total[..., columns] += _to_cells(share) * velocity
        if on_block is not None:
            for block, picture in combined.items():
                on_block(block, rearrange(picture, "b t y x d -> b t (y x) d"))
        return total.to(latents.dtype)

    def _shares(self, masks: Tensor) -> Tensor:
        """How much of each token comes from each window, (1, N, T, h/2, w/2), from gates of that shape; sums to 1."""
        weights = torch.zeros_like(masks, dtype=torch.float32)
        for person, (start, stop) in enumerate(self.spans):
            tokens = token_slice(slice(start, stop))
            inner = blend_weights(tokens.stop - tokens.start).to(weights)
            weights[:, person, ..., tokens] = (masks[:, person, ..., tokens] + _LEAST_WEIGHT) * inner
        total = weights.sum(1, keepdim=True)
        assert (total > 0).all(), "windows cover the picture"
        return weights / total


def _to_cells(shares: Tensor) -> Tensor:
    """(1, T, h/2, w/2) -> (1, 1, T, h, w)."""
    return shares.repeat_interleave(TOKEN_CELLS, -1).repeat_interleave(TOKEN_CELLS, -2).unsqueeze(1)
