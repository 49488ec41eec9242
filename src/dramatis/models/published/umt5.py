"""The text encoder of the public 14B family: UMT5-XXL's, from Wan's own file or from the Hugging Face layout.

It takes 11 GB and is needed for a moment only, so it is a context: `with opened_umt5(...) as encode`, and its memory is
free again after the last prompt. The mini has its own `TextEncoder`.
"""

from __future__ import annotations

import gc
import html
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoTokenizer, UMT5Config, UMT5EncoderModel

from dramatis.errors import UserError
from dramatis.models.published.checkpoints import (
    check_fit,
    check_published,
    load_published,
    open_weights,
    quiet_transformers,
    rename_key,
)

TEXT_LEN = 512
_TIED = "encoder.embed_tokens.weight"
"""A second name of the word embedding in transformers."""

_OFFICIAL = (
    (r"^token_embedding\.", "shared."),
    (r"^norm\.", "encoder.final_layer_norm."),
    (r"^blocks\.(\d+)\.norm1\.", r"encoder.block.\1.layer.0.layer_norm."),
    (r"^blocks\.(\d+)\.attn\.([qkvo])\.", r"encoder.block.\1.layer.0.SelfAttention.\2."),
    (r"^blocks\.(\d+)\.pos_embedding\.embedding\.", r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias."),
    (r"^blocks\.(\d+)\.norm2\.", r"encoder.block.\1.layer.1.layer_norm."),
    (r"^blocks\.(\d+)\.ffn\.gate\.0\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (r"^blocks\.(\d+)\.ffn\.fc1\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (r"^blocks\.(\d+)\.ffn\.fc2\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)
"""Keys of `models_t5_umt5-xxl-enc-bf16.pth` in the names of transformers' `UMT5EncoderModel`, see `rename_key`."""
_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})


def umt5_xxl() -> UMT5Config:
    """The config of the encoder that Wan was trained with."""
    return UMT5Config(
        vocab_size=256384,
        d_model=4096,
        d_kv=64,
        d_ff=10240,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=32,
        relative_attention_max_distance=128,
    )


def clean_prompt(text: str) -> str:
    """A prompt as Wan gives it to its tokenizer: HTML entities resolved, quotes straight, one space for any gap.

    Wan uses ftfy. This is the part of it that matters to text that was never wrongly decoded: NFC, full-width letters
    and punctuation as plain ones, straight quotes.
    """
    text = html.unescape(html.unescape(text))
    text = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    narrow = (chr(ord(letter) - 0xFEE0) if "！" <= letter <= "～" else letter for letter in text)
    return " ".join("".join(narrow).split())


def check_umt5(
    weights: Path, tokenizer: Path, *, pickles: bool = False, config: UMT5Config | None = None
) -> UMT5Config | None:
    """Check that weights and tokenizer are there and fit; reads no numbers.

    weights: Wan's single file, or a transformers folder (`text_encoder`). tokenizer: a folder with tokenizer.json.
    config: of a single file, XXL by default. pickles: see `open_weights`. Returns the config of a single file. Raises
    UserError.
    """
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if not (tokenizer / name).is_file():
            raise UserError(f"{tokenizer}: {name} is missing; give the complete tokenizer folder of umt5-xxl.")
    if weights.is_dir():
        check_published(weights, UMT5EncoderModel, pickles=pickles)
        return None
    config = config or umt5_xxl()
    _official_state(weights, config, pickles=pickles)
    return config


@contextmanager
def opened_umt5(
    weights: Path,
    tokenizer: Path,
    *,
    pickles: bool = False,
    dtype: torch.dtype = torch.bfloat16,
    device: torch.device | str = "cpu",
    config: UMT5Config | None = None,
) -> Iterator[PromptEncoder]:
    """The text encoder for as long as the context lasts.

    Afterwards its memory is free, even if somebody still holds the encoder. Arguments and errors as for `check_umt5`.
    """
    config = check_umt5(weights, tokenizer, pickles=pickles, config=config)
    encoder = PromptEncoder(_load(weights, dtype, config, pickles=pickles).to(device), _tokenizer(tokenizer))
    try:
        yield encoder
    finally:
        encoder.close()


class PromptEncoder:
    """Prompts to text states; made by `opened_umt5`."""

    def __init__(self, net: UMT5EncoderModel, tokenizer: Any) -> None:
        self._net: UMT5EncoderModel | None = net
        self._tokenizer = tokenizer

    @torch.no_grad()
    def __call__(self, texts: Sequence[str], text_len: int = TEXT_LEN) -> Tensor:
        """Prompts -> (B, text_len, C) on the CPU in the encoder's dtype; exactly zero after a prompt's last token.

        Each prompt is encoded at its own length, of which at most `text_len` tokens are read.
        """
        assert self._net is not None, "the encoder is used within its context"
        states = []
        for text in texts:
            ids = self._tokenizer(
                clean_prompt(text), truncation=True, max_length=text_len, return_tensors="pt"
            ).input_ids
            state = self._net(ids.to(self._net.device)).last_hidden_state[0]
            states.append(F.pad(state, (0, 0, 0, text_len - len(state))).cpu())
        return torch.stack(states)

    def close(self) -> None:
        """Free the memory of the weights."""
        self._net = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _load(weights: Path, dtype: torch.dtype, config: UMT5Config | None, *, pickles: bool) -> UMT5EncoderModel:
    if config is None:
        return load_published(UMT5EncoderModel, weights, dtype, pickles=pickles)
    state = _official_state(weights, config, pickles=pickles)
    with quiet_transformers():
        net = UMT5EncoderModel.from_pretrained(None, config=config, state_dict=state, dtype=dtype)
    return net.requires_grad_(requires_grad=False).eval()


def _official_state(path: Path, config: UMT5Config, *, pickles: bool) -> dict[str, Tensor]:
    """Wan's file under transformers' names, memory-mapped, after a check of every name and shape."""
    state = {rename_key(key, _OFFICIAL): value for key, value in open_weights(path, pickles=pickles).items()}
    with torch.device("meta"):
        net = UMT5EncoderModel(config)
    check_fit(path, state, net, without={_TIED})
    return state


def _tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: the tokenizer cannot be loaded ({reason}); download it again.") from error
