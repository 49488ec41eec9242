"""Public weights at a tiny size: a golden's tensors in every layout they are published in, and whole models of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
)

from dramatis.backbones.multitalk_profile import Sources
from dramatis.models.published.catalogue import OpenModel, RemoteFile, Repository
from dramatis.models.published.official import AUDIO
from dramatis_lab.evaluate.studies.goldens import Golden, read_goldens

GOLDEN: Golden = read_goldens(Path(__file__).parent / "goldens")[0]
STATE = GOLDEN.weights
BASE = {key: value for key, value in STATE.items() if not AUDIO.match(key)}
HEARD = {key: value for key, value in STATE.items() if AUDIO.match(key)}


def write(file: Path, state: dict[str, Tensor]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)
    return file


def shards(folder: Path, state: dict[str, Tensor], parts: int, index: bool = True) -> Path:
    """Wan's naming: the tensors in `parts` files, with or without an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"_class_name": "WanModel", **GOLDEN.spec["config"]}))
    places: dict[str, str] = {}
    for number in range(parts):
        name = f"diffusion_pytorch_model-{number + 1:05d}-of-{parts:05d}.safetensors"
        part = dict(list(state.items())[number::parts])
        write(folder / name, part)
        places |= dict.fromkeys(part, name)
    if index:
        (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def infinitetalk(folder: Path) -> tuple[Path, Path | None]:
    """Seven Wan shards with an index, and a file with the audio branch alone beside them."""
    return shards(folder, BASE, 7), write(folder / "infinitetalk.safetensors", HEARD)


def multitalk(folder: Path) -> tuple[Path, Path | None]:
    """The audio file lies in Wan's folder, and the index names it as one more shard."""
    shards(folder, BASE, 7)
    write(folder / "multitalk.safetensors", HEARD)
    index = folder / "diffusion_pytorch_model.safetensors.index.json"
    places = json.loads(index.read_text())["weight_map"]
    index.write_text(json.dumps({"weight_map": places | dict.fromkeys(HEARD, "multitalk.safetensors")}))
    return folder, None


def skyreels(folder: Path) -> tuple[Path, Path | None]:
    """One folder with shards and no index, and other networks' pickles beside them."""
    shards(folder, STATE, 3, index=False)
    (folder / "Wan2.1_VAE.pth").write_bytes(b"not looked at")
    return folder, None


def merged(folder: Path) -> tuple[Path, Path | None]:
    """One file with everything."""
    shards(folder, {}, 0)
    (folder / "diffusion_pytorch_model.safetensors.index.json").unlink()
    return write(folder / "merged.safetensors", STATE), None


LAYOUTS = [infinitetalk, multitalk, skyreels, merged]


Layout = Callable[[Path], tuple[Path, Path | None]]


def tiny_open_model(folder: Path) -> OpenModel:
    """Write `Base` and `Branch` under `folder`; one size is unknown, and one checksum is known."""
    audio = GOLDEN.publish(folder / "Base")
    branch = folder / "Branch" / audio.name
    branch.parent.mkdir()
    audio.rename(branch)
    audio.parent.rmdir()
    weights = "diffusion_pytorch_model.safetensors"
    base = (RemoteFile("config.json"), RemoteFile(weights, (folder / "Base" / weights).stat().st_size))
    checksum = hashlib.sha256(branch.read_bytes()).hexdigest()
    heard = (RemoteFile(branch.name, branch.stat().st_size, checksum),)
    repositories = (Repository("any/Base", "base", "MIT", base), Repository("any/Branch", "audio", "MIT", heard))
    return OpenModel("tiny", "a tiny one", "Base", f"Branch/{branch.name}", repositories)


PROFILE = """\
family: multitalk
name: tiny
low: {area: 1024, steps: 2, shift: 7.0, text_scale: 5.0, audio_scale: 4.0, match_colours: true}
high: {scale: 2, strength: 0.5}
seam: {strength: 0.6}
geometry: {clip_steps: 76, seam_reach: 16, seam_given: 8}
"""


def write_public_model(folder: Path, layout: Layout, profile: str = PROFILE) -> Path:
    """A complete public model of tiny random networks in published layouts, and a profile that finds them."""
    torch.manual_seed(0)
    at = Sources()
    weights, audio = layout(folder / "video")
    umt5 = UMT5Config(
        vocab_size=len(WORDS), d_model=GOLDEN.spec["config"]["text_dim"], d_kv=4, d_ff=8, num_layers=1, num_heads=2
    )
    _half(UMT5EncoderModel(umt5), folder / at.text_encoder)
    write_tokenizer(folder / at.tokenizer, WORDS)
    # Widths that the video network's config does not tell are those of the real encoders.
    clip = CLIPVisionConfig(
        hidden_size=1280, intermediate_size=8, num_hidden_layers=1, num_attention_heads=16, image_size=28, patch_size=14
    )
    _half(CLIPVisionModel(clip), folder / at.image_encoder)
    heard = Wav2Vec2Config(
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=2,
        intermediate_size=8,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=16,
    )
    _half(Wav2Vec2Model(heard), folder / at.speech_encoder)
    AutoencoderKLWan(base_dim=4, num_res_blocks=1).save_pretrained(folder / at.autoencoder)
    where = {"weights": weights, "audio": audio}
    sources = {name: path and str(path.relative_to(folder)) for name, path in where.items()}
    (folder / "profile.yaml").write_text(f"{profile}sources: {json.dumps(sources)}\n")
    return folder


WORDS = ["<pad>", "</s>", "<unk>", "a", "warm", "smile", ",", "she", "nods"]


def write_tokenizer(folder: Path, vocabulary: Sequence[str]) -> None:
    """Words, and </s> after the last one, as umt5's does it."""
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(vocabulary)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    fast.save_pretrained(folder)


def _half(net: torch.nn.Module, folder: Path) -> None:
    net.half().save_pretrained(folder)  # type: ignore[operator]
