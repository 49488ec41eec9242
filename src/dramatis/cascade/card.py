"""What filming with public weights needs of a graphics card, and how they are made to fit on a smaller one.

Foretold from dry runs of the networks themselves (`models.footprint`); no card has been asked yet whether it is right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dramatis.cascade.profile import PublicProfile
from dramatis.models.fit import Fit, need_torchao
from dramatis.models.footprint import RESERVE, Footprint, autoencoder_peak, footprint
from dramatis.models.wan_autoencoder import TILE
from dramatis.sampling.guidance import guider
from dramatis.values import UserError

WAYS = (Fit(), Fit(streamed=True), Fit("int8"), Fit("int8", streamed=True))
"""From the one that changes nothing to the one that needs least. A streamed network films the same, more slowly."""


READER = 2 * 5.68e9 + RESERVE
"""Bytes of UMT5-XXL in bf16; prompts are read before anything else is on the card."""


@dataclass(frozen=True)
class Needs:
    """Bytes that each way asks of the card (`card`) and of main memory beside it (`main`). operations: floating-point,
    per frame that is filmed at the low size, and per frame that is enlarged."""

    card: Mapping[Fit, float]
    main: Mapping[Fit, float]
    operations: tuple[float, float]

    def choose(self, card: float, main: float) -> Fit:
        """The first way that fits. Raises UserError where none does, or where it needs what is not installed."""
        for fit in self.card:
            if self.card[fit] <= card and self.main[fit] <= main:
                need_torchao(fit.bits)
                return fit
        least = min(self.card, key=lambda fit: self.card[fit])
        raise UserError(
            f"the graphics card has {_gb(card)} and the computer {_gb(main)} of memory, but even with weights {least} "
            f"filming needs {_gb(self.card[least])} and {_gb(self.main[least])}; choose a model with smaller pictures."
        )

    def lines(self) -> list[str]:
        """For people: what each way asks of card and computer."""
        out = []
        for fit in self.card:
            beside = f" and {_gb(self.main[fit])} of main memory" if self.main[fit] else ""
            out.append(f"card   {_gb(self.card[fit])}{beside}, weights {fit}")
        return out

    def work(self, low: int, high: int) -> float:
        """Floating-point operations of a job that films `low` frames and enlarges `high`."""
        return low * self.operations[0] + high * self.operations[1]


def needs_of(profile: PublicProfile, config: Mapping[str, Any]) -> Needs:
    """For square pictures of the profile's area; others of that area need as much. config: the video network's.

    Takes a few seconds, and no weights.
    """
    frames = profile.geometry.clip_steps + 1 + profile.tail_repeats
    low = round(profile.area**0.5 / profile.multiple) * profile.multiple
    sides = [low] if profile.scale == 1 else [low, low * profile.scale]
    dry = [footprint(config, frames, side, side) for side in sides]
    weights, coding = zip(*(autoencoder_peak(frames, side, side, TILE) for side in sides), strict=True)
    beside = weights[0] + max(*coding, *(found.activations for found in dry)) + RESERVE
    evaluations = profile.steps * len(guider(profile.text_scale, profile.audio_scale).branches)
    each = [evaluations * found.operations / frames for found in dry]
    return Needs(
        card={fit: _resident(dry[0], fit) + beside for fit in WAYS},
        main={fit: dry[0].block_weights * fit.bytes_per_weight * fit.streamed for fit in WAYS},
        # Enlarging enters the schedule at a part of its noise.
        operations=(each[0], each[1] * profile.high_strength if len(each) > 1 else 0.0),
    )


def fit_for(profile: PublicProfile, config: Mapping[str, Any], device: torch.device) -> Fit:
    """How the video network is to lie on this computer's card; whole where it computes on the CPU. Raises UserError."""
    if device.type != "cuda":
        return Fit()
    card = torch.cuda.get_device_properties(device).total_memory
    return needs_of(profile, config).choose(card, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def reading_device(device: torch.device) -> torch.device:
    """Where prompts are read: on the card if the text encoder has room there."""
    fits = device.type != "cuda" or torch.cuda.get_device_properties(device).total_memory >= READER
    return device if fits else torch.device("cpu")


def _resident(found: Footprint, fit: Fit) -> float:
    """Bytes of weights on the card: all, or the two blocks that are at work and on their way."""
    share = min(1.0, 2 / found.layers) if fit.streamed else 1.0
    return share * found.block_weights * fit.bytes_per_weight + 2 * found.other_weights


def _gb(size: float) -> str:
    return f"{size / 1e9:.0f} GB"
