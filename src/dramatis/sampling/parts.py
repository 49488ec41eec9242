"""A DiT that predicts a picture part by part: what tiles and person windows have in common.

Every part is predicted from the same noise, text, audio and reference; inputs that have a position in the picture are
cropped to the part. How the velocities of the parts are combined is up to each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dramatis.models.dit import AudioDiT
from dramatis.models.shapes import TOKEN_CELLS

BlockCallback = Callable[[int, Tensor], None]
"""Called with the index and the output of every block, as in `AudioDiT.forward`."""


class PartFn(Protocol):
    """Predicts the velocity of one part of the picture.

    rows, columns: the part, in latent cells; it begins and ends on tokens. maps: coordinate maps of the whole picture;
    those of the call by default.
    """

    def __call__(
        self, rows: slice, columns: slice, *, maps: Tensor | None = ..., on_block: BlockCallback | None = None
    ) -> Tensor: ...


@dataclass(frozen=True)
class PartwiseDiT(ABC):
    """A DiT that is called like any other and predicts one part of the picture after the other."""

    dit: AudioDiT

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return self.dit.dtype

    # The arguments of `AudioDiT.forward`.
    def __call__(  # noqa: PLR0913
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
        on_block: BlockCallback | None = None,
    ) -> Tensor:
        """As `AudioDiT.forward`; text, audio, controls and reference are the same for every part."""
        assert not self.dit.is_cache_enabled, "a part would reuse another part's step as its own"
        call_maps = maps

        def predict_part(
            rows: slice, columns: slice, *, maps: Tensor | None = call_maps, on_block: BlockCallback | None = None
        ) -> Tensor:
            return self.dit(
                latents[..., rows, columns],
                condition[..., rows, columns],
                timestep,
                text,
                image,
                audio,
                masks=None if masks is None else masks[..., token_slice(rows), token_slice(columns)],
                controls=controls,
                maps=None if maps is None else maps[..., rows, columns],
                **({} if on_block is None else {"on_block": on_block}),
            )

        return self._combine(predict_part, latents, masks, on_block)

    @abstractmethod
    def _combine(
        self, predict_part: PartFn, latents: Tensor, masks: Tensor | None, on_block: BlockCallback | None
    ) -> Tensor:
        """The velocity of the whole picture, shaped as `latents`; the other arguments are those of the call."""


def token_slice(cells: slice) -> slice:
    """Rows or columns of latent cells, as those of tokens."""
    return slice(cells.start // TOKEN_CELLS, cells.stop // TOKEN_CELLS)


def blend_weights(length: int) -> Tensor:
    """(length,) weights that rise from both ends to the middle; never zero."""
    position = torch.arange(length) + 0.5
    return torch.minimum(position, length - position)
