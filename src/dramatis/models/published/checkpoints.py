"""Other makers' weights: memory-mapped and checked, so that a wrong file is reported at once and not after minutes.

Public weights come as single files under their makers' own key names, or as folders in the Hugging Face layout. Many of
the single files are Python pickles, which can contain any program: they are opened only on request, and then only
tensors are read.
"""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from dramatis.errors import UserError
from dramatis.models.loading import list_faults, misfits, read_header


def open_weights(path: Path, *, pickles: bool = False) -> dict[str, Tensor]:
    """The tensors of a weight file by name, memory-mapped: their numbers are read when they are used.

    path: safetensors, or a file of `torch.save` (.pth, .pt, .bin), which is a pickle and needs `pickles`; only tensors
    and plain containers are ever unpickled. Raises UserError for a missing, damaged or foreign file.
    """
    check_weight_file(path, pickles=pickles)
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise UserError(f"{path}: the file holds more than tensors, or is damaged; get it from its maker.") from error
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise UserError(f"{path}: this file is not a table of tensors by name; give a file of weights.")
    return tensors


def check_weight_file(path: Path, *, pickles: bool = False) -> None:
    """Check that a weight file is there, whole and allowed; reads a header at most. Raises UserError with the fault."""
    if not path.is_file():
        raise UserError(f"{path}: this weight file is missing; download the model again.")
    if path.suffix == ".safetensors":
        read_header(path)
        return
    if not pickles:
        raise UserError(
            f"{path}: this file is a Python pickle, which could run a program; allow pickles if you trust its maker "
            "(`pickles: true` in the sources of a profile), or give the same weights as safetensors."
        )
    # torch.save writes a zip file, whose table of contents is at the end.
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: the weight file is damaged, cut short or not a PyTorch file; download it again.")


def check_published(folder: Path, kind: type, stem: str = "model", *, pickles: bool = False) -> dict[str, Any]:
    """The config of a folder in the Hugging Face layout, after a check that it holds weights of a class.

    kind: a transformers or diffusers class. stem: name of the weight files, "model" for transformers,
    "diffusion_pytorch_model" for diffusers. Reads JSON and headers. Raises UserError with the first fault.
    """
    config = _json(folder / "config.json")
    config_class = getattr(kind, "config_class", None)
    field, expected = ("model_type", config_class.model_type) if config_class else ("_class_name", kind.__name__)
    if config.get(field) != expected:
        raise UserError(
            f"{folder}: its config.json says {field} {config.get(field)!r}, not {expected!r}; "
            "give the folder of the right model."
        )
    for path in weight_files(folder, stem):
        check_weight_file(path, pickles=pickles)
    return config


def has_safetensors(folder: Path, stem: str = "model") -> bool:
    """Whether a folder has its weights, in one file or several, as safetensors."""
    return any((folder / f"{stem}.safetensors{end}").is_file() for end in ("", ".index.json"))


def load_published(kind: Any, folder: Path, dtype: torch.dtype, *, pickles: bool = False) -> Any:
    """A transformers network from its folder; in evaluation mode, on the CPU, without gradients.

    Raises UserError for missing, damaged or foreign files before weights are read, and if tensors are missing or do
    not fit.
    """
    check_published(folder, kind, pickles=pickles)
    try:
        with quiet_transformers():
            net, report = kind.from_pretrained(
                folder,
                dtype=dtype,
                output_loading_info=True,
                local_files_only=True,
                use_safetensors=has_safetensors(folder),
            )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: the weights cannot be loaded ({reason}); download them again.") from error
    # Missing tensors would be left at random values.
    if report["missing_keys"]:
        raise UserError(_misfit(folder, [f"{key}: missing" for key in sorted(report["missing_keys"])]))
    return net.requires_grad_(requires_grad=False).eval()


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from drawing a progress bar for every network it loads, and a table of what does not fit.

    This project reports progress and faults itself.
    """
    shown, level = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if shown:
            transformers_logging.enable_progress_bar()


def rename_key(key: str, rules: Sequence[tuple[str, str]]) -> str:
    """A tensor's name after the first rule (regular expression, replacement) that matches it, or unchanged."""
    for pattern, replacement in rules:
        key, changed = re.subn(pattern, replacement, key)
        if changed:
            break
    return key


def check_fit(source: Path, tensors: Mapping[str, Tensor], net: nn.Module, without: Collection[str] = ()) -> None:
    """Check that tensors have the names and shapes of a network's; reads no numbers.

    without: names that need not be there. Raises UserError that names the first misfits.
    """
    expected = {key: tuple(value.shape) for key, value in net.state_dict().items() if key not in without}
    faults = misfits(expected, {key: tuple(value.shape) for key, value in tensors.items()})
    if faults:
        raise UserError(_misfit(source, faults))


def _misfit(source: Path, faults: list[str]) -> str:
    return f"{source}: the weights do not fit their network ({list_faults(faults)}); give the right file."


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path.parent}: {path.name} is missing; give a folder with a complete model.")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: this file cannot be read ({error}); download it again.") from error
    if not isinstance(table, dict):
        raise UserError(f"{path}: this file cannot be read (it holds no table); download it again.")
    return table


def weight_files(folder: Path, stem: str) -> list[Path]:
    """A folder's safetensors files where there are any, else the pickles of old transformers folders."""
    names = [f"{stem}.safetensors", *(["pytorch_model.bin"] if stem == "model" else [])]
    for name in names:
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}.index.json"
        if index.is_file():
            shards = _json(index).get("weight_map")
            if not isinstance(shards, dict) or not shards:
                raise UserError(f"{index}: the index names no weight files; download it again.")
            return [folder / str(shard) for shard in sorted(set(shards.values()))]
    raise UserError(f"{folder}: {names[0]} is missing; give a folder with a complete model.")
