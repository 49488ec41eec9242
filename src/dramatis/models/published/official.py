"""Public checkpoints of the MultiTalk family, in the layouts they are published in, as one `AudioDiT`.

Four layouts: Wan's seven shards with an audio file merged over them (`infinitetalk.safetensors`), shards with an index
that names the audio file too (`multitalk.safetensors`), shards without an index (SkyReels-V3-A2V keeps them in the
root of its only repository), one merged file. All of them name and shape their tensors alike and describe themselves
in Wan's `config.json`.

Everything is checked by the headers of the files before a weight is read, and the weights go straight into a network
without memory of its own, so that they are in memory only once. Nothing is left at random values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from safetensors import safe_open
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import StoredTensor, list_faults, misfits, read_header
from dramatis.models.published.checkpoints import open_weights

PICKLES = (".pt", ".pth", ".bin", ".ckpt")
FLOATS = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
AUDIO = re.compile(r"audio_proj\.|blocks\.\d+\.(audio_cross_attn|norm_x)\.")
SERIES = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")

_OUTSIDE = {
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    "condition_embedder.image_embedder.norm1": "img_emb.proj.0",
    "condition_embedder.image_embedder.ff.net.0.proj": "img_emb.proj.1",
    "condition_embedder.image_embedder.ff.net.2": "img_emb.proj.3",
    "condition_embedder.image_embedder.norm2": "img_emb.proj.4",
    "proj_out": "head.head",
    "scale_shift_table": "head.modulation",
}
_ATTENTION = {
    **{f"to_{letter}": letter for letter in "qkv"},
    "to_out.0": "o",
    "norm_q": "norm_q",
    "norm_k": "norm_k",
}
_INSIDE = {
    **{f"attn1.{ours}": f"self_attn.{theirs}" for ours, theirs in _ATTENTION.items()},
    **{f"attn2.{ours}": f"cross_attn.{theirs}" for ours, theirs in _ATTENTION.items()},
    "attn2.add_k_proj": "cross_attn.k_img",
    "attn2.add_v_proj": "cross_attn.v_img",
    "attn2.norm_added_k": "cross_attn.norm_k_img",
    "norm2": "norm3",
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
    "scale_shift_table": "modulation",
}
_CONFIG = {
    "num_layers": "num_layers",
    "num_heads": "num_attention_heads",
    "ffn_dim": "ffn_dim",
    "freq_dim": "freq_dim",
    "text_dim": "text_dim",
    "text_len": "text_len",
    "in_dim": "in_channels",
    "out_dim": "out_channels",
    "eps": "eps",
    "audio_window": "audio_window",
    "intermediate_dim": "audio_intermediate_dim",
    "output_dim": "audio_output_dim",
    "context_tokens": "audio_context_tokens",
}
"""Fields of Wan's config, and ours."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that fits. config: of `AudioDiT`. origin: the file of every tensor, by its official name."""

    config: dict[str, Any]
    origin: dict[str, Path]


def official_name(key: str) -> str:
    """The name of one of `AudioDiT`'s tensors in the files of Wan 2.1 and MultiTalk."""
    block, name = re.fullmatch(r"(blocks\.\d+\.)?(.*)", key).groups(default="")  # type: ignore[union-attr]
    table = _INSIDE if block else _OUTSIDE
    if name in table:
        return block + table[name]
    module, _, leaf = name.rpartition(".")
    return f"{block}{table.get(module, module)}.{leaf}"


def load_official(
    weights: Path, audio: Path | None = None, dtype: torch.dtype | None = torch.bfloat16, *, pickles: bool = False
) -> AudioDiT:
    """The network of a public checkpoint; in evaluation mode, on the CPU.

    weights: a folder with shards, or one merged file. audio: the file whose tensors are merged over them. dtype: of all
    weights; None keeps them as stored and memory-mapped, so that nothing is read yet. pickles: see `open_weights`.

    Raises UserError as `check_official`.
    """
    checkpoint = check_official(weights, audio, pickles=pickles)
    model = empty_network(checkpoint.config)
    ours = {official_name(key): key for key in model.state_dict()}
    for file in dict.fromkeys(checkpoint.origin.values()):
        keys = [key for key, origin in checkpoint.origin.items() if origin == file]
        state = {ours[key]: tensor.to(dtype or tensor.dtype) for key, tensor in _tensors(file, keys)}
        model.load_state_dict(state, strict=False, assign=True)
    config = model.config
    # The tables of the rotary embedding are not weights and not in the files.
    model.rope = WanRotaryPosEmbed(config.attention_head_dim, config.patch_size, config.rope_max_seq_len)
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()]), "a tensor was left out"
    return model.eval()


def check_official(weights: Path, audio: Path | None = None, *, pickles: bool = False) -> Checkpoint:
    """Check that the files hold one whole network; reads config and headers, no weights. Arguments as `load_official`.

    Raises UserError for a missing, damaged, pickled, quantised or foreign file, and with a list of the tensors that are
    missing, unexpected or of the wrong shape.
    """
    config = read_config(weights)
    files = [file for file in _files(weights) if audio is None or file.resolve() != audio.resolve()]
    origin: dict[str, Path] = {}
    stored: dict[str, StoredTensor] = {}
    for file in [*files, *([] if audio is None else [audio])]:
        tensors = _header(file, pickles=pickles)
        both = sorted(origin.keys() & tensors.keys())
        if both and file != audio:
            raise UserError(
                f"{file}: {both[0]} is also in {origin[both[0]].name}; keep one of them, or name the audio file."
            )
        origin |= dict.fromkeys(tensors, file)
        stored |= tensors
    _check_fit(weights, config, stored)
    return Checkpoint(config, origin)


def read_config(weights: Path) -> dict[str, Any]:
    """The `config.json` beside the weights, under `AudioDiT`'s names; empty, the 14B network, where there is none.

    Raises UserError for the config of another model.
    """
    path = (weights if weights.is_dir() else weights.parent) / "config.json"
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: this file cannot be read ({error}); download it again.") from error
    read = read if isinstance(read, dict) else {}
    known = {ours: read[theirs] for theirs, ours in _CONFIG.items() if theirs in read}
    numbers = [read.get("dim"), read.get("num_heads"), *known.values()]
    if not all(isinstance(number, int | float) and number > 0 for number in numbers) or read["dim"] % read["num_heads"]:
        raise UserError(f"{path}: it does not describe a Wan 2.1 network; give the folder of the original weights.")
    if read.get("model_type", "i2v") != "i2v":
        raise UserError(
            f"{path}: it describes a {read['model_type']} network; give the weights of Wan 2.1 image-to-video (i2v)."
        )
    return {**known, "attention_head_dim": read["dim"] // read["num_heads"]}


def empty_network(config: Mapping[str, Any]) -> AudioDiT:
    """The network of a config, without memory of its own: names and shapes only."""
    with torch.device("meta"):
        return AudioDiT(**config)


def _check_fit(weights: Path, config: Mapping[str, Any], stored: Mapping[str, StoredTensor]) -> None:
    expected = {official_name(key): tuple(value.shape) for key, value in empty_network(config).state_dict().items()}
    audio = {key for key in stored if AUDIO.match(key)}
    if stored and not audio:
        raise UserError(
            f"{weights}: these are the weights of Wan 2.1 without an audio branch; give the file with the audio branch "
            "as well, for example infinitetalk.safetensors."
        )
    if len(audio) == len(stored):
        raise UserError(f"{weights}: this is only an audio branch; give the folder of the Wan 2.1 weights as well.")
    packed = sorted({f"{key}: {value.dtype}" for key, value in stored.items() if value.dtype not in FLOATS.values()})
    if packed:
        raise UserError(f"{weights}: the weights are quantised ({list_faults(packed)}); give the original ones.")
    faults = misfits(expected, {key: value.shape for key, value in stored.items()})
    if faults:
        raise UserError(
            f"{weights}: the weights do not fit their config ({list_faults(faults)}); download the right ones."
        )


def _files(weights: Path) -> list[Path]:
    """The weight files of a checkpoint in order, each of them once."""
    if weights.is_file():
        return [weights]
    if not weights.is_dir():
        raise UserError(f"{weights}: there is no such file or folder; give the path of the weights.")
    indices = sorted(weights.glob("*.safetensors.index.json"))
    if len(indices) > 1:
        raise UserError(f"{weights}: it has {len(indices)} indices; keep the one of the model that is wanted.")
    if indices:
        return [weights / name for name in _indexed(indices[0])]
    files = sorted(weights.glob("*.safetensors"))
    if not files:
        pickled = any(file.suffix in PICKLES for file in weights.iterdir())
        content = "only pickled weights, which can run code on loading" if pickled else "no weights"
        raise UserError(f"{weights}: there are {content}; give a folder with safetensors files.")
    for file in files:
        part = SERIES.fullmatch(file.name)
        for number in range(1, int(part[3]) + 1) if part else ():
            _present(weights / f"{part[1]}-{number:05d}-of-{part[3]}.safetensors")  # type: ignore[index]
    return files


def _indexed(index: Path) -> list[str]:
    """The names of the files that an index lists. Raises UserError unless all of them are there."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{index}: the index cannot be read ({error}); download it again.") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise UserError(f"{index}: it names {name!r}, which is not a file beside it; download it again.")
        _present(index.parent / name)
    return names


def _present(file: Path) -> None:
    if not file.is_file():
        raise UserError(f"{file}: this weight file is missing; download it, or give it its own name again.")


def _header(file: Path, *, pickles: bool) -> dict[str, StoredTensor]:
    if file.suffix not in PICKLES:
        return read_header(file)
    return {
        key: StoredTensor(tuple(value.shape), FLOATS.get(value.dtype, str(value.dtype)))
        for key, value in open_weights(file, pickles=pickles).items()
    }


def _tensors(file: Path, keys: list[str]) -> Iterator[tuple[str, Tensor]]:
    if file.suffix in PICKLES:
        mapped = open_weights(file, pickles=True)
        yield from ((key, mapped[key]) for key in keys)
        return
    with safe_open(file, framework="pt") as opened:
        for key in keys:
            yield key, opened.get_tensor(key)
