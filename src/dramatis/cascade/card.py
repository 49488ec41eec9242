"""What filming with public weights needs of a graphics card, and how they are made to fit on a smaller one.

Foretold from dry runs of the networks themselves (`models.footprint`); no card has been asked yet whether it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dramatis.cascade.profile import PublicProfile
from dramatis.models.footprint import RESERVE, Footprint, autoencoder_peak, footprint
from dramatis.sampling.guidance import guider
from dramatis.values import UserError


class Fit(StrEnum):
    """How the video network lies on a card: whole; with eight bits a weight; block by block; both."""

    PLAIN = "plain"
    STREAMED = "streamed"
    INT8 = "int8"
    STREAMED_INT8 = "streamed int8"

    @property
    def streamed(self) -> bool:
        """Whether blocks wait in main memory."""
        return self in (Fit.STREAMED, Fit.STREAMED_INT8)

    @property
    def bytes_per_weight(self) -> float:
        """Of the blocks' linear layers."""
        return 1.0 if self in (Fit.INT8, Fit.STREAMED_INT8) else 2.0


@dataclass(frozen=True)
class Needs:
    """Bytes that each way asks of the card (`card`) and of main memory beside it (`main`). operations: floating-point,
    of one denoised clip of full length at each size, low first."""

    card: Mapping[Fit, float]
    main: Mapping[Fit, float]
    operations: tuple[float, ...]

    def choose(self, card: float, main: float) -> Fit:
        """The way that changes least, of those that fit: whole, streamed, then with eight bits. Raises UserError."""
        for fit in Fit:
            if self.card[fit] <= card and self.main[fit] <= main:
                return fit
        least = min(Fit, key=lambda fit: self.card[fit])
        raise UserError(
            f"the graphics card has {card / 1e9:.0f} GB and the computer {main / 1e9:.0f} GB; filming at this size needs "
            f"{self.card[least] / 1e9:.0f} GB and {self.main[least] / 1e9:.0f} GB even with {least} weights; "
            "choose a profile for smaller pictures."
        )


def needs_of(profile: PublicProfile, config: Mapping[str, Any], width: int, height: int) -> Needs:
    """For videos of that size, in pixels; config: the video network's. Takes a few seconds."""
    frames = profile.geometry.clip_steps + 1 + profile.tail_repeats
    sides = {(height // scale, width // scale) for scale in (1, profile.scale)}
    dry = {size: footprint(config, frames, *size) for size in sorted(sides)}
    decoders = {size: autoencoder_peak(frames, *size, tile=profile.decoder_tile) for size in dry}
    found = next(iter(dry.values()))
    working = max(max(dry[size].activations, decoders[size][1]) for size in dry)
    beside = decoders[next(iter(dry))][0] + working + RESERVE
    evaluations = profile.steps * len(guider(profile.text_scale, profile.audio_scale).branches)
    return Needs(
        card={fit: resident(found, fit) + beside for fit in Fit},
        main={fit: found.block_weights * fit.bytes_per_weight * fit.streamed for fit in Fit},
        operations=tuple(evaluations * dry[size].operations for size in dry),
    )


def resident(found: Footprint, fit: Fit) -> float:
    """Bytes of weights on the card."""
    share = min(1.0, 2 / found.layers) if fit.streamed else 1.0
    return share * found.block_weights * fit.bytes_per_weight + 2 * found.other_weights
