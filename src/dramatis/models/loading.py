"""The project's own checkpoint folders: what they hold, checked by the headers of their files.

A folder in the Hugging Face layout has one sub-folder per network with `config.json` and safetensors shards. Loading
checks every tensor's name and shape before a network is built around it: nothing is ever left at random values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from diffusers.models.modeling_utils import ModelMixin
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dramatis.errors import UserError

Model = TypeVar("Model", bound=ModelMixin)
SHARD_BYTES = 16_000_000
PACKED_FROM = 4096
"""Fewest numbers in a matrix that is worth packing."""
SCALE = ".int8_scale"
LISTED = 6
"""How many faults one sentence names."""
Shape = tuple[int, ...]


class Stored(NamedTuple):
    """A tensor in a file, by the file's header. dtype: as safetensors writes it, for example "BF16"."""

    shape: Shape
    dtype: str


def pack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights in half the bytes of float16: matrices and kernels as int8, with one scale for each row."""
    out = {}
    for key, value in state.items():
        if not value.is_floating_point() or value.ndim < 2 or value.numel() < PACKED_FROM:
            out[key] = value
            continue
        rows = value.float().flatten(1)
        # The scale is rounded first, so that the integers belong to what will be read back.
        scale = (rows.abs().amax(1) / 127).clamp_min(1e-7).half().clamp_min(6e-8)
        out[key] = (rows / scale.float().unsqueeze(1)).round().clamp(-127, 127).to(torch.int8).view(value.shape)
        out[key + SCALE] = scale
    return out


def unpack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `pack`, up to half a step of each row's scale; what was not packed stays as it is."""
    out = {key: value for key, value in state.items() if not key.endswith(SCALE)}
    for key in state.keys() - out.keys():
        name = key.removesuffix(SCALE)
        if name in out:
            scale = state[key].float()
            out[name] = out[name].float() * scale.view(-1, *[1] * (out[name].ndim - 1))
    return out


def save_model(model: ModelMixin, folder: Path, dtype: torch.dtype = torch.float16, packed: bool = False) -> None:
    """Write `config.json` and safetensors shards of at most 16 MB, so that no single file is a burden to clone.

    packed: matrices as int8 (see `pack`); the rest, or everything, in `dtype`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.safetensors*"):
        stale.unlink()
    model.save_config(folder)
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    state = dict(model.state_dict())
    for key, value in sorted((pack(state) if packed else state).items()):
        tensor = value.detach().cpu().contiguous()
        tensor = tensor.to(dtype) if tensor.is_floating_point() else tensor
        if size + tensor.nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][key] = tensor
        size += tensor.nbytes
    names = [f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        save_file(shard, folder / name, metadata={"format": "pt"})
    index = {"weight_map": {key: name for name, shard in zip(names, shards, strict=True) for key in sorted(shard)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=0) + "\n")


def load_model(kind: type[Model], folder: Path, dtype: torch.dtype = torch.float32) -> Model:
    """Build `kind` from a folder written by `save_model`; evaluation mode, on the CPU.

    Raises UserError for a missing, truncated or foreign file.
    """
    check_folder(folder, kind)
    model = kind.from_config(json.loads((folder / "config.json").read_text()))
    state: dict[str, Tensor] = {}
    for shard in shards_of(folder):
        state.update(load_file(shard))
    state = unpack(state)
    wanted = model.state_dict()
    wrong = misfits({k: tuple(v.shape) for k, v in wanted.items()}, {k: tuple(v.shape) for k, v in state.items()})
    if wrong:
        raise UserError(f"{folder}: the weights do not fit their config ({listed(wrong)}); download them again.")
    model.load_state_dict({key: value.to(wanted[key].dtype) for key, value in state.items()})
    # Module.to, since diffusers' own warns about modules to keep in float32, of which there are none here.
    return nn.Module.to(model, dtype=dtype).eval()


def misfits(wanted: Mapping[str, Shape], found: Mapping[str, Shape]) -> list[str]:
    """What keeps tensors of these shapes from loading, in words: missing, unexpected, of the wrong shape."""
    return [
        *(f"{key}: missing" for key in sorted(wanted.keys() - found.keys())),
        *(f"{key}: unexpected" for key in sorted(found.keys() - wanted.keys())),
        *(
            f"{key}: wrong shape {found[key]}, not {wanted[key]}"
            for key in sorted(wanted.keys() & found.keys())
            if wanted[key] != found[key]
        ),
    ]


def listed(faults: list[str]) -> str:
    """The first few of many faults in one line, and how many more there are."""
    more = len(faults) - LISTED
    return "; ".join(faults[:LISTED]) + (f"; and {more} more" if more > 0 else "")


def header(file: Path) -> dict[str, Stored]:
    """Every tensor of a safetensors file, from its first bytes; no weights are read. Raises UserError."""
    if not file.is_file():
        raise UserError(f"{file}: this weight file is missing; download the model again.")
    try:
        with safe_open(file, framework="pt") as opened:
            parts = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118 (it is no dict)
            return {key: Stored(tuple(part.get_shape()), part.get_dtype()) for key, part in parts.items()}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file}: the weight file is damaged or cut short; download it again.") from error


def shards_of(folder: Path) -> list[Path]:
    """The weight files that a folder's index names, in order."""
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    return [folder / name for name in sorted(set(index["weight_map"].values()))]


def check_folder(folder: Path, kind: type[ModelMixin]) -> None:
    """Whether the folder holds weights of a `kind`: opens every shard's header, reads no weights.

    Raises UserError with the first fault.
    """
    for name in ("config.json", "model.safetensors.index.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: {name} is missing; give a folder with a complete model.")
    try:
        found = json.loads((folder / "config.json").read_text()).get("_class_name")
        shards = shards_of(folder)
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{folder}: its JSON files cannot be read ({error}); download the model again.") from error
    if found != kind.__name__:
        raise UserError(
            f"{folder}: these weights are for {found}, not {kind.__name__}; give the folder of the right model."
        )
    for shard in shards:
        header(shard)


def fingerprint(folder: Path, but: Collection[str] = ()) -> str:
    """Hash of all weight files and configs under a folder, but for those of the networks named: part of every
    artifact's key."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".json"} and path.parent.name not in but:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
