"""LoRA files, merged into an `AudioDiT` through peft: the mini's own, and those of the public Wan family.

For each of its layers, a file adds scale * alpha / rank * B A to the weight (Hu et al. 2021, equation 3), under
official names: `diffusion_model.blocks.0.self_attn.q.lora_down.weight` (A), `.lora_up.weight` (B) or `.lora_A`,
`.lora_B`, and `.alpha`, which equals the rank where it is missing. Some files add whole differences: `.diff` to a
weight, `.diff_b` to a bias, `.diff_m` to a modulation. All files are checked, name by name and shape by shape, before
the first one changes anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import list_faults, read_header
from dramatis.models.published.checkpoints import open_weights
from dramatis.models.published.official import official_name

PREFIXES = ("diffusion_model.", "transformer.")
HALVES = ("A", "B")
ADAPTER = "lora"
_KEY = re.compile(r"(?P<layer>.+)\.(?:lora_(?P<part>down|up|A|B)\.weight|(?P<alpha>alpha)|(?P<diff>diff(?:_b|_m)?))")
_ROLES = {"down": "A", "up": "B", "A": "A", "B": "B"}
_DIFFERENCES = {"diff": ".weight", "diff_b": ".bias", "diff_m": ".modulation"}


@dataclass(frozen=True)
class Lora:
    """One file and the strength of its change; 1 is as its maker meant it."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True)
class _Entry:
    """What one key of a file changes. name: our name of a layer (roles A, B, alpha) or of a parameter (role diff)."""

    name: str
    role: str


def check_loras(dit: AudioDiT, loras: Iterable[Lora]) -> None:
    """Check that every key of every file fits the network; reads headers only.

    Raises UserError for a missing or damaged file, and with the keys that are unknown or of a wrong shape.
    """
    for lora in loras:
        if lora.path.suffix != ".safetensors":
            raise UserError(f"{lora.path}: LoRA weights are read from safetensors only; give such a file.")
        faults = _faults(dit, {key: stored.shape for key, stored in read_header(lora.path).items()})
        if faults:
            raise UserError(
                f"{lora.path}: this LoRA does not fit the video model ({list_faults(faults)}); "
                "give one that was made for it (public weights: Wan 2.1 image-to-video 14B)."
            )


def merge_loras(dit: AudioDiT, loras: Sequence[Lora]) -> None:
    """Add LoRA files to the weights of a network permanently, so that running it costs no more than before.

    Raises UserError as `check_loras`.
    """
    check_loras(dit, loras)
    ours = _ours(dit)
    for lora in loras:
        state = {_entry(key, ours): value for key, value in open_weights(lora.path).items()}
        _add_differences(dit, state, lora.scale)
        if any(entry.role == "A" for entry in state):
            _inject(dit, state, lora.scale)
            dit.fuse_lora()
            dit.unload_lora()


def _ours(dit: AudioDiT) -> dict[str, str]:
    return {official_name(key): key for key in dit.state_dict()}


def _entry(key: str, ours: Mapping[str, str]) -> _Entry:
    """What a key changes; its role is empty if the key is unknown. ours: the network's names by the official ones."""
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    match = _KEY.fullmatch(key)
    if not match:
        return _Entry(key, "")
    layer = match["layer"]
    if match["diff"]:
        name = layer + _DIFFERENCES[match["diff"]]
        return _Entry(ours.get(name, name), "diff")
    name = layer + ".weight"
    return _Entry(ours.get(name, name).removesuffix(".weight"), "alpha" if match["alpha"] else _ROLES[match["part"]])


def _faults(dit: AudioDiT, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """The keys of a file that do not fit, each with its fault."""
    parameters = {name: tuple(value.shape) for name, value in dit.named_parameters()}
    ours = _ours(dit)
    known = {_entry(key, ours): shape for key, shape in shapes.items()}
    out = []
    for key, shape in shapes.items():
        entry = _entry(key, ours)
        target = parameters.get(entry.name if entry.role == "diff" else f"{entry.name}.weight")
        if not entry.role or target is None:
            out.append(f"{key}: unknown")
        elif not _fits(entry, shape, target):
            out.append(f"{key}: shape {shape} for a weight of {target}")
        elif entry.role in HALVES:
            other = known.get(_Entry(entry.name, "B" if entry.role == "A" else "A"))
            if other is None:
                out.append(f"{key}: without its other half")
            elif entry.role == "B" and shape[1:2] != other[:1]:
                out.append(f"{key}: of rank {shape[1]} beside a half of shape {other}")
        elif entry.role == "alpha" and _Entry(entry.name, "A") not in known:
            out.append(f"{key}: without its matrices")
    return out


def _fits(entry: _Entry, shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a tensor has the shape that its role requires beside a parameter of shape `target`."""
    if entry.role == "diff":
        return shape == target
    if entry.role == "alpha":
        return shape in ((), (1,))
    if len(target) < 2 or len(shape) != len(target):
        return False
    if entry.role == "A":
        return shape[1:] == target[1:]
    return shape[0] == target[0] and all(side == 1 for side in shape[2:])


@torch.no_grad()
def _add_differences(dit: AudioDiT, state: dict[_Entry, Tensor], scale: float) -> None:
    parameters = dict(dit.named_parameters())
    for entry, value in state.items():
        if entry.role == "diff":
            weight = parameters[entry.name]
            # Rounded once at the end, since small differences would be lost in the number format of the weights.
            weight.copy_(weight.float() + scale * value.to(weight.device, torch.float32))


def _inject(dit: AudioDiT, state: dict[_Entry, Tensor], scale: float) -> None:
    """Add the matrices of one file to the layers, as a peft adapter."""
    from peft import LoraConfig, set_peft_model_state_dict

    ranks = {entry.name: value.shape[0] for entry, value in state.items() if entry.role == "A"}
    stored = {entry.name: float(value) for entry, value in state.items() if entry.role == "alpha"}
    alphas = {layer: scale * stored.get(layer, rank) for layer, rank in ranks.items()}
    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (ranks, alphas))
    # Whole names of layers throughout, since unanchored ones also match the ends of longer names.
    config = LoraConfig(
        r=int(rank),
        lora_alpha=alpha,  # type: ignore[arg-type]  # peft only divides it
        target_modules="|".join(map(re.escape, ranks)),
        rank_pattern={f"^{re.escape(layer)}": value for layer, value in ranks.items() if value != rank},
        alpha_pattern={f"^{re.escape(layer)}": value for layer, value in alphas.items() if value != alpha},
    )
    dit.add_adapter(config, ADAPTER)
    halves = {entry: value for entry, value in state.items() if entry.role in HALVES}
    matrices = {f"{entry.name}.lora_{entry.role}.weight": value for entry, value in halves.items()}
    result: Any = set_peft_model_state_dict(dit, matrices, ADAPTER)
    assert not result.unexpected_keys, result.unexpected_keys
