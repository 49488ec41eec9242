"""What filming with public weights needs of a graphics card, and how they are made to fit on a smaller one.

Foretold from dry runs of the networks themselves (`models.footprint`); no card has been asked yet whether it is right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dramatis.backbones.profile import PublicProfile
from dramatis.errors import UserError
from dramatis.models.placement.device import Bits, Fit, check_bits
from dramatis.models.placement.footprint import RESERVE, Footprint, autoencoder_peak, footprint
from dramatis.models.published.wan_autoencoder import TILE
from dramatis.runtime.memory import main_memory
from dramatis.sampling.guidance import guider

READER = 2 * 5.68e9
"""Bytes of UMT5-XXL in bf16, which goes through main memory; prompts are read before anything else is on the card."""
SHARE = 0.37
"""Of a card's peak that filming is foretold to keep, measured by others: diffusers' stock Wan transformer takes 9.77 s
for a step of two evaluations at 832x480 and 81 frames on an H100, which are 3.6 PFLOP."""


@dataclass(frozen=True)
class Card:
    """A graphics card. memory: bytes. peak: bf16 operations a second with sums in float32 and without sparsity, by its
    maker's data sheet; None where it is not known here."""

    name: str
    memory: float
    peak: float | None = None


CARDS = (
    Card("H200", 141e9, 989e12),
    Card("H100", 80e9, 989e12),
    Card("A100", 80e9, 312e12),
    Card("RTX 4090", 24e9, 165e12),
    Card("RTX 3090", 24e9, 71e12),
    Card("RTX 4070", 12e9, 58e12),
)


@dataclass(frozen=True)
class Needs:
    """Bytes that each way asks of the card (`card`) and of main memory (`main`), in the order in which they are tried.
    operations: floating-point, per frame that is filmed at the low size, and per frame that is enlarged."""

    card: Mapping[Fit, float]
    main: Mapping[Fit, float]
    operations: tuple[float, float]

    def choose(self, card: float, main: float) -> Fit:
        """The first way that fits into so many bytes. Raises UserError where none does."""
        for fit in self.card:
            if self.card[fit] <= card and self.main[fit] <= main:
                return fit
        least = min(self.card, key=lambda fit: self.card[fit])
        computer = "" if math.isinf(main) else f" and the computer {_gb(main)}"
        raise UserError(
            f"the graphics card has {_gb(card)}{computer} of memory, but even with weights {least} "
            f"filming needs {_gb(self.card[least])} and {_gb(self.main[least])}; choose a model with smaller pictures."
        )

    def lines(self) -> list[str]:
        """For people: what each way asks of card and computer."""
        said = [f"card   {self._asked(fit)}, weights {fit}" for fit in self.card]
        return [*said, "(Counted in a dry run without weights; no card has been asked. The first that fits is taken.)"]

    def foretold(self, card: Card, low: int, high: int, main: float = math.inf) -> list[str]:
        """For people: how a job that films `low` frames and enlarges `high` lies on a card, and how long it takes.
        main: bytes of main memory. Raises UserError where it does not fit."""
        fit = self.choose(card.memory, main)
        work = self.work(low, high)
        time = "not known: how fast this card computes is not listed here"
        if card.peak is not None:
            time = f"about {_span(work / (SHARE * card.peak))} for the video network, at {SHARE:.0%} of the card's peak"
        return [
            f"card   {card.name}, {_gb(card.memory)}: weights {fit}, which ask for {self._asked(fit)}",
            f"work   about {work / 1e15:,.0f} PFLOP",
            f"time   {time}",
            "(Foretold from a dry run without weights and from the card's data sheet; no card has been asked.)",
        ]

    def work(self, low: int, high: int) -> float:
        """Floating-point operations of a job that films `low` frames and enlarges `high`."""
        return low * self.operations[0] + high * self.operations[1]

    def _asked(self, fit: Fit) -> str:
        return f"{_gb(self.card[fit])} and {_gb(self.main[fit])} of main memory"


def ways(bits: Bits | None) -> tuple[Fit, ...]:
    """The ways to try, from the one that changes nothing to the one that needs least: a streamed network films the
    same, more slowly. bits: the only format that is wanted. float8 is never taken unasked: it weighs what int8 weighs,
    rounds more coarsely, and is there to save time."""
    formats: tuple[Bits, ...] = ("bf16", "int8") if bits is None else (bits,)
    return tuple(Fit(kind, streamed) for kind in formats for streamed in (False, True))


def needs_of(profile: PublicProfile, config: Mapping[str, Any]) -> Needs:
    """For square pictures of the profile's area; others of that area need as much. config: the video network's.

    Takes a few seconds, and no weights.
    """
    frames = profile.geometry.clip_steps + 1 + profile.tail_repeats
    low = round(profile.area**0.5 / profile.multiple) * profile.multiple
    sides = [low] if profile.scale == 1 else [low, low * profile.scale]
    dry = [footprint(config, frames, side, side) for side in sides]
    weights, coding = zip(*(autoencoder_peak(frames, side, side, min(TILE, side)) for side in sides), strict=True)
    beside = weights[0] + max(*coding, *(found.activations for found in dry)) + RESERVE
    evaluations = profile.steps * len(guider(profile.text_scale, profile.audio_scale).branches)
    each = [evaluations * found.operations / frames for found in dry]
    # LoRA files are merged in main memory, before the network goes to the card.
    merging = 2 * (dry[0].block_weights + dry[0].other_weights) if profile.loras else 0
    return Needs(
        card={fit: _resident(dry[0], fit) + beside for fit in ways(profile.bits)},
        main={
            fit: max(READER, merging, dry[0].block_weights * fit.bytes_per_weight * fit.streamed)
            for fit in ways(profile.bits)
        },
        # Enlarging enters the schedule at a part of its noise.
        operations=(each[0], each[1] * profile.high_strength if len(each) > 1 else 0.0),
    )


def fit_for(profile: PublicProfile, config: Mapping[str, Any], device: torch.device) -> Fit:
    """How the video network is to lie on this computer's card; whole where it computes on the CPU.

    Raises UserError where no way fits, or where one needs what the card or the installation lacks.
    """
    fit = Fit(profile.bits or "bf16")
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device).total_memory
        fit = needs_of(profile, config).choose(card, main_memory())
    check_bits(fit.bits, device)
    return fit


def card_named(wanted: str) -> Card:
    """A card by its name, or any by its memory ("16 GB"). Raises UserError for an unknown one."""
    size = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:GB)?", wanted.strip(), re.IGNORECASE)
    if size:
        return Card("a card", float(size[1]) * 1e9)
    found = _listed(wanted)
    if found is None:
        known = ", ".join(card.name for card in CARDS)
        raise UserError(f"the graphics card {wanted!r} is not listed here; give one of {known}, or its memory: 16GB.")
    return found


def card_here() -> Card | None:
    """This computer's card; None where there is none."""
    if not torch.cuda.is_available():
        return None
    found = torch.cuda.get_device_properties(0)
    same = _listed(found.name)
    return Card(found.name, found.total_memory, None if same is None else same.peak)


def reading_device(device: torch.device) -> torch.device:
    """Where prompts are read: on the card if the text encoder has room there."""
    fits = device.type != "cuda" or torch.cuda.get_device_properties(device).total_memory >= READER + RESERVE
    return device if fits else torch.device("cpu")


def _listed(name: str) -> Card | None:
    """The listed card whose name stands in `name`, as a whole: an RTX 4070 Ti is no RTX 4070."""
    plain = name.replace("_", " ")
    pattern = r"(?:NVIDIA )?(?:GeForce )?{}(?:[ -](?:SXM\S*|HBM\S*|\d+ ?GB))*"
    return next((card for card in CARDS if re.fullmatch(pattern.format(card.name), plain, re.IGNORECASE)), None)


def _resident(found: Footprint, fit: Fit) -> float:
    """Bytes of weights on the card: all, or the two blocks that are at work and on their way."""
    share = min(1.0, 2 / found.layers) if fit.streamed else 1.0
    return share * found.block_weights * fit.bytes_per_weight + 2 * found.other_weights


def _gb(size: float) -> str:
    return f"{size / 1e9:.0f} GB"


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
