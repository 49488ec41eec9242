"""The project's own checkpoint folders: written, read, and checked by the headers of their files.

A folder in the Hugging Face layout has one sub-folder per network with `config.json` and safetensors shards. Loading
checks every tensor's name and shape, so that nothing is ever left at random values.
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

ModelT = TypeVar("ModelT", bound=ModelMixin)
SHARD_BYTES = 16_000_000
PACKED_FROM = 4096
"""Fewest numbers in a matrix that `pack` turns into int8."""
SCALE_SUFFIX = ".int8_scale"
_MOST_LISTED = 6
"""How many faults one sentence names."""
Shape = tuple[int, ...]


class StoredTensor(NamedTuple):
    """A tensor in a file, as the file's header describes it. dtype: in safetensors' words, for example "BF16"."""

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
        out[key + SCALE_SUFFIX] = scale
    return out


def unpack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `pack`, up to half a step of each row's scale; what was not packed stays as it is."""
    out = {key: value for key, value in state.items() if not key.endswith(SCALE_SUFFIX)}
    for key in state.keys() - out.keys():
        name = key.removesuffix(SCALE_SUFFIX)
        if name in out:
            scale = state[key].float()
            out[name] = out[name].float() * scale.view(-1, *[1] * (out[name].ndim - 1))
    return out


def save_model(model: ModelMixin, folder: Path, dtype: torch.dtype = torch.float16, *, packed: bool = False) -> None:
    """Write `config.json` and safetensors shards of at most 16 MB, so that no single file is a burden to clone.

    packed: whether to write matrices as int8 (see `pack`). Everything else is written in `dtype`.
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


def load_model(kind: type[ModelT], folder: Path, dtype: torch.dtype = torch.float32) -> ModelT:
    """A `kind` from a folder written by `save_model`; in evaluation mode, on the CPU.

    Raises UserError for a missing, truncated or foreign file.
    """
    check_model_folder(folder, kind)
    model = kind.from_config(json.loads((folder / "config.json").read_text()))
    state: dict[str, Tensor] = {}
    for shard in shard_files(folder):
        state.update(load_file(shard))
    state = unpack(state)
    expected = model.state_dict()
    faults = misfits({k: tuple(v.shape) for k, v in expected.items()}, {k: tuple(v.shape) for k, v in state.items()})
    if faults:
        raise UserError(f"{folder}: the weights do not fit their config ({list_faults(faults)}); download them again.")
    model.load_state_dict({key: value.to(expected[key].dtype) for key, value in state.items()})
    # Module.to, since diffusers' own warns about modules to keep in float32, of which there are none here.
    return nn.Module.to(model, dtype=dtype).eval()


def misfits(expected: Mapping[str, Shape], stored: Mapping[str, Shape]) -> list[str]:
    """The tensors, with their faults, that are missing, unexpected or of the wrong shape."""
    return [
        *(f"{key}: missing" for key in sorted(expected.keys() - stored.keys())),
        *(f"{key}: unexpected" for key in sorted(stored.keys() - expected.keys())),
        *(
            f"{key}: wrong shape {stored[key]}, not {expected[key]}"
            for key in sorted(expected.keys() & stored.keys())
            if expected[key] != stored[key]
        ),
    ]


def list_faults(faults: list[str]) -> str:
    """The first few of many faults in one line, and how many more there are."""
    more = len(faults) - _MOST_LISTED
    return "; ".join(faults[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")


def read_header(file: Path) -> dict[str, StoredTensor]:
    """Every tensor of a safetensors file, from its header; no weights are read. Raises UserError."""
    if not file.is_file():
        raise UserError(f"{file}: this weight file is missing; download the model again.")
    try:
        with safe_open(file, framework="pt") as opened:
            parts = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118 (it is no dict)
            return {key: StoredTensor(tuple(part.get_shape()), part.get_dtype()) for key, part in parts.items()}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file}: the weight file is damaged or cut short; download it again.") from error


def shard_files(folder: Path) -> list[Path]:
    """The weight files that a folder's index names, in order."""
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    return [folder / name for name in sorted(set(index["weight_map"].values()))]


def check_model_folder(folder: Path, kind: type[ModelMixin]) -> None:
    """Check that the folder holds weights of a `kind`, by the header of every shard; reads no weights.

    Raises UserError with the first fault.
    """
    for name in ("config.json", "model.safetensors.index.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: {name} is missing; give a folder with a complete model.")
    try:
        class_name = json.loads((folder / "config.json").read_text()).get("_class_name")
        shards = shard_files(folder)
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{folder}: its JSON files cannot be read ({error}); download the model again.") from error
    if class_name != kind.__name__:
        raise UserError(
            f"{folder}: these weights are for {class_name}, not {kind.__name__}; give the folder of the right model."
        )
    for shard in shards:
        read_header(shard)


def hash_models(folder: Path, without: Collection[str] = ()) -> str:
    """Hash of all weight files and configs under a folder, part of every artifact's key.

    without: names of networks whose files do not count.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".json"} and path.parent.name not in without:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
