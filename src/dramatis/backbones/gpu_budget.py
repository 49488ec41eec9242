"""What filming with public weights needs of a GPU, and how they are made to fit on a smaller one.

Estimated from dry runs of the networks themselves (`models.placement.footprint`); not yet confirmed on a GPU.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.errors import UserError
from dramatis.models.placement.device import Placement, WeightFormat, check_weight_format
from dramatis.models.placement.footprint import RESERVED_BYTES, Footprint, autoencoder_peak, measure_footprint
from dramatis.models.published.wan_autoencoder import DECODE_TILE
from dramatis.runtime.memory import main_memory
from dramatis.sampling.guidance import choose_guider

READER = 2 * 5.68e9
"""Bytes of UMT5-XXL in bf16, which goes through main memory; prompts are encoded before anything else is on the GPU."""
SHARE = 0.37
"""Share of a GPU's peak that generation is expected to reach, measured by others: diffusers' stock Wan transformer
takes 9.77 s for a step of two evaluations at 832x480 and 81 frames on an H100, which are 3.6 PFLOP."""


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    memory: bytes. peak: bf16 operations a second with sums in float32 and without sparsity, by its maker's data
    sheet; None where it is not known here.
    """

    name: str
    memory: float
    peak: float | None = None


GPUS = (
    Gpu("H200", 141e9, 989e12),
    Gpu("H100", 80e9, 989e12),
    Gpu("A100", 80e9, 312e12),
    Gpu("RTX 4090", 24e9, 165e12),
    Gpu("RTX 3090", 24e9, 71e12),
    Gpu("RTX 4070", 12e9, 58e12),
)


@dataclass(frozen=True)
class MemoryNeeds:
    """Bytes that each placement needs of the GPU (`card`) and of main memory (`main`), in the order they are tried.

    operations: floating-point, per low-resolution frame that is generated, and per frame that is upscaled.
    """

    card: Mapping[Placement, float]
    main: Mapping[Placement, float]
    operations: tuple[float, float]

    def choose(self, card: float, main: float) -> Placement:
        """The first way that fits into so many bytes. Raises UserError where none does."""
        for fit in self.card:
            if self.card[fit] <= card and self.main[fit] <= main:
                return fit
        least = min(self.card, key=lambda fit: self.card[fit])
        computer = "" if math.isinf(main) else f" and the computer {_gb(main)}"
        raise UserError(
            f"The graphics card has {_gb(card)}{computer} of memory, but even with weights {least} "
            f"filming needs {_gb(self.card[least])} and {_gb(self.main[least])}; choose a model with smaller pictures."
        )

    def lines(self) -> list[str]:
        """For people: what each way asks of card and computer."""
        said = [f"card   {self._asked(fit)}, weights {fit}" for fit in self.card]
        return [*said, "(Counted in a dry run without weights; no card has been asked. The first that fits is taken.)"]

    def estimate_lines(self, card: Gpu, low: int, high: int, main: float = math.inf) -> list[str]:
        """For people: how a job that films `low` frames and enlarges `high` lies on a card, and how long it takes.

        main: bytes of main memory. Raises UserError where it does not fit.
        """
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

    def _asked(self, fit: Placement) -> str:
        return f"{_gb(self.card[fit])} and {_gb(self.main[fit])} of main memory"


def placements(bits: WeightFormat | None) -> tuple[Placement, ...]:
    """The ways to try, from the one that changes nothing to the one that needs least.

    A streamed network films the same, more slowly. bits: the only format that is wanted. float8 is never taken
    unasked: it weighs what int8 weighs, rounds more coarsely, and is there to save time.
    """
    formats: tuple[WeightFormat, ...] = ("bf16", "int8") if bits is None else (bits,)
    return tuple(Placement(kind, streamed) for kind in formats for streamed in (False, True))


def memory_needs(profile: MultiTalkProfile, config: Mapping[str, Any]) -> MemoryNeeds:
    """For square pictures of the profile's area; others of that area need as much. config: the video network's.

    Takes a few seconds, and no weights.
    """
    frames = profile.geometry.clip_steps + 1 + profile.tail_repeats
    low = round(profile.low.area**0.5 / profile.low.size_multiple) * profile.low.size_multiple
    sides = [low] if profile.high is None else [low, low * profile.scale]
    dry = [measure_footprint(config, frames, side, side) for side in sides]
    peaks = (autoencoder_peak(frames, side, side, min(DECODE_TILE, side)) for side in sides)
    weights, coding = zip(*peaks, strict=True)
    beside = weights[0] + max(*coding, *(found.activations for found in dry)) + RESERVED_BYTES
    evaluations = profile.low.steps * len(choose_guider(profile.low.text_scale, profile.low.audio_scale).branches)
    each = [evaluations * found.operations / frames for found in dry]
    # LoRA files are merged in main memory, before the network goes to the card.
    merging = 2 * (dry[0].block_weights + dry[0].other_weights) if profile.adapters else 0
    return MemoryNeeds(
        card={fit: _resident(dry[0], fit) + beside for fit in placements(profile.arithmetic.weight_format)},
        main={
            fit: max(READER, merging, dry[0].block_weights * fit.bytes_per_weight * fit.streamed)
            for fit in placements(profile.arithmetic.weight_format)
        },
        # Enlarging enters the schedule at a part of its noise.
        operations=(each[0], 0.0 if profile.high is None else each[1] * profile.high.strength),
    )


def choose_placement(profile: MultiTalkProfile, config: Mapping[str, Any], device: torch.device) -> Placement:
    """How the video network is to lie on this computer's card; whole where it computes on the CPU.

    Raises UserError where no way fits, or where one needs what the card or the installation lacks.
    """
    fit = Placement(profile.arithmetic.weight_format or "bf16")
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device).total_memory
        fit = memory_needs(profile, config).choose(card, main_memory())
    check_weight_format(fit.weight_format, device)
    return fit


def gpu_named(wanted: str) -> Gpu:
    """A card by its name, or any by its memory ("16 GB"). Raises UserError for an unknown one."""
    size = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:GB)?", wanted.strip(), re.IGNORECASE)
    if size:
        return Gpu("a card", float(size[1]) * 1e9)
    found = _listed(wanted)
    if found is None:
        known = ", ".join(card.name for card in GPUS)
        raise UserError(f"The graphics card {wanted!r} is not listed here; give one of {known}, or its memory: 16GB.")
    return found


def this_gpu() -> Gpu | None:
    """This computer's card; None where there is none."""
    if not torch.cuda.is_available():
        return None
    found = torch.cuda.get_device_properties(0)
    same = _listed(found.name)
    return Gpu(found.name, found.total_memory, None if same is None else same.peak)


def reading_device(device: torch.device) -> torch.device:
    """Where prompts are read: on the card if the text encoder has room there."""
    fits = device.type != "cuda" or torch.cuda.get_device_properties(device).total_memory >= READER + RESERVED_BYTES
    return device if fits else torch.device("cpu")


def _listed(name: str) -> Gpu | None:
    """The listed card whose name stands in `name`, as a whole: an RTX 4070 Ti is no RTX 4070."""
    plain = name.replace("_", " ")
    pattern = r"(?:NVIDIA )?(?:GeForce )?{}(?:[ -](?:SXM\S*|HBM\S*|\d+ ?GB))*"
    return next((card for card in GPUS if re.fullmatch(pattern.format(card.name), plain, re.IGNORECASE)), None)


def _resident(found: Footprint, fit: Placement) -> float:
    """Bytes of weights on the card: all, or the two blocks that are at work and on their way."""
    share = min(1.0, 2 / found.layers) if fit.streamed else 1.0
    return share * found.block_weights * fit.bytes_per_weight + 2 * found.other_weights


def _gb(size: float) -> str:
    return f"{size / 1e9:.0f} GB"


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
