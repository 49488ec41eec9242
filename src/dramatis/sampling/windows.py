"""Several people, each seen in a window as large as the pictures of one person that the network has learnt from.

In one wide picture everybody's mouth lies where the network expects the one mouth, and self-attention blurs what they
do: lips open too little. So every person has a window of their own, with the coordinate maps of that person alone.
Gates share out sound and performance within it as in a whole picture, and the same gates say whose window a place is
taken from.

Shape legend: N people, T latent frames, F pixel frames, h w latent cells; tokens are `TOKEN` cells a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from dramatis.sampling.parts import TOKEN, InParts, Look, Watch, in_tokens, ramp

_ANYBODY = 1e-3
"""Weight of a window where its person is not, so that places which only it shows are taken from it."""


@dataclass(frozen=True)
class Windows(InParts):
    """Looks at one person after the other, batch 1.

    spans: first and last column (exclusive) of everybody's window, latent cells; together they cover the picture.
    maps: (N, F, C, h, w) coordinate maps of the whole picture for each person alone.
    """

    spans: tuple[tuple[int, int], ...]
    maps: Tensor

    def __post_init__(self) -> None:
        assert all(start % TOKEN == stop % TOKEN == 0 for start, stop in self.spans), "windows begin and end on tokens"
        assert len(self.spans) == len(self.maps), "everybody has a window and maps"

    def _joined(
        self, look: Look, latents: Tensor, masks: Tensor | None, maps: Tensor | None, watch: Watch | None
    ) -> Tensor:
        """`maps` are those of the windows instead, and `watch` is shown what the windows' tokens are together."""
        assert masks is not None, "gates say whose window a place is taken from"
        shares = self._shares(masks)
        total = torch.zeros_like(latents, dtype=torch.float32)
        seen: dict[int, Tensor] = {}
        for person, (start, stop) in enumerate(self.spans):
            cells = slice(start, stop)
            tokens = in_tokens(cells)
            own = shares[:, person, ..., tokens]

            def join(block: int, hidden: Tensor, tokens: slice = tokens, own: Tensor = own) -> None:
                picture = seen.setdefault(block, hidden.new_zeros(1, *shares.shape[2:], hidden.shape[-1]))
                picture[..., tokens, :] += own.to(hidden).unsqueeze(-1) * hidden.unflatten(2, own.shape[-2:])

            alone = self.maps[person : person + 1].to(latents)
            out = look(slice(0, latents.shape[3]), cells, alone, None if watch is None else join)
            total[..., cells] += _enlarged(own) * out
        if watch is not None:
            for block, picture in seen.items():
                watch(block, rearrange(picture, "b t y x d -> b t (y x) d"))
        return total.to(latents.dtype)

    def _shares(self, masks: Tensor) -> Tensor:
        """How much of each place comes from each window, (1, N, T, h/2, w/2), from gates of that shape; sums to 1."""
        weights = torch.zeros_like(masks, dtype=torch.float32)
        for person, (start, stop) in enumerate(self.spans):
            tokens = in_tokens(slice(start, stop))
            inner = ramp(tokens.stop - tokens.start).to(weights)
            weights[:, person, ..., tokens] = (masks[:, person, ..., tokens] + _ANYBODY) * inner
        total = weights.sum(1, keepdim=True)
        assert (total > 0).all(), "windows cover the picture"
        return weights / total


def _enlarged(shares: Tensor) -> Tensor:
    """(1, T, h/2, w/2) -> (1, 1, T, h, w)."""
    return shares.repeat_interleave(TOKEN, -1).repeat_interleave(TOKEN, -2).unsqueeze(1)
