"""A picture that the network looks at part by part: what tiles and windows have in common.

Every part is predicted from the same noise and the same words, sound and reference; what has a place is cut where the
part lies. How velocities are joined is the business of each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dramatis.models.dit import AudioDiT

TOKEN = 2
"""Side of a token in latent cells: parts begin and end on tokens."""
Watch = Callable[[int, Tensor], None]
"""Is shown what every block makes of the tokens, as in `AudioDiT.forward`."""


class Look(Protocol):
    """The velocity of one part: rows and columns in latent cells, and the maps of the whole picture."""

    def __call__(self, down: slice, right: slice, maps: Tensor | None, watch: Watch | None = None) -> Tensor: ...


@dataclass(frozen=True)
class InParts(ABC):
    """A DiT that is called like any other and looks at one part of the picture after the other."""

    dit: AudioDiT

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
        watch: Watch | None = None,
    ) -> Tensor:
        """As `AudioDiT.forward`; words, sound, controls and reference are the same for every part."""
        assert not self.dit.is_cache_enabled, "a part would take another one's step for its own"

        def look(down: slice, right: slice, maps: Tensor | None, watch: Watch | None = None) -> Tensor:
            return self.dit(
                latents[..., down, right],
                condition[..., down, right],
                timestep,
                text,
                image,
                audio,
                masks=None if masks is None else masks[..., in_tokens(down), in_tokens(right)],
                controls=controls,
                maps=None if maps is None else maps[..., down, right],
                **({} if watch is None else {"watch": watch}),
            )

        return self._joined(look, latents, masks, maps, watch)

    @abstractmethod
    def _joined(
        self, look: Look, latents: Tensor, masks: Tensor | None, maps: Tensor | None, watch: Watch | None
    ) -> Tensor:
        """The velocity of the whole picture, shaped as `latents`; the other arguments are those of the call."""


def in_tokens(cells: slice) -> slice:
    """Rows or columns of latent cells, as those of tokens."""
    return slice(cells.start // TOKEN, cells.stop // TOKEN)


def ramp(length: int) -> Tensor:
    """(length,) weights that rise from both ends to the middle; never zero."""
    place = torch.arange(length) + 0.5
    return torch.minimum(place, length - place)
