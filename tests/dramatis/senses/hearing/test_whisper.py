"""Words by Whisper: a tiny network of the real class, in the real layout, made to say what the test wants."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from dramatis.errors import UserError
from dramatis.senses.hearing.whisper import Whisper
from dramatis.story.observations import Word
from dramatis.story.values import FrameSpan

RATE = 16_000
SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>",
    "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
SAID = ("<|0.00|>", "\u0120guten", "\u0120tag", "<|1.20|>", "<|1.20|>", "\u0120ende", "<|2.00|>", "<|endoftext|>")
WIDTH = 64


def tokenizer(folder: Path) -> WhisperTokenizer:
    letters = [chr(c) for c in range(33, 127)] + ["\u0120"]
    words = [*letters, *dict.fromkeys(text for text in SAID if not text.startswith("<"))]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    made = WhisperTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    made.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    made.add_tokens([f"<|{place * 0.02:.2f}|>" for place in range(1501)])
    return made


def speaking(names: dict[str, int], multilingual: bool) -> WhisperForConditionalGeneration:
    """A network whose layers do nothing, and whose positions each ask for the next of the words to say."""
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=max(names.values()) + 1, num_mel_bins=8, d_model=WIDTH, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        max_target_positions=64, bos_token_id=names["<|endoftext|>"], pad_token_id=names["<|endoftext|>"],
        eos_token_id=names["<|endoftext|>"], decoder_start_token_id=names["<|startoftranscript|>"],
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    decoder = model.model.decoder
    with torch.no_grad():
        for name, weight in decoder.layers.named_parameters():
            if name.endswith(("out_proj.weight", "out_proj.bias", "fc2.weight", "fc2.bias")):
                weight.zero_()
        words = torch.nn.functional.normalize(torch.randn(config.vocab_size, WIDTH), dim=1)
        decoder.embed_tokens.weight.copy_(words)
        decoder.embed_positions.weight.zero_()
        start = ("<|de|>", "<|transcribe|>") if multilingual else ()
        for place, word in enumerate((*start, *SAID)):
            decoder.embed_positions.weight[place] = 8 * words[names[word]]
    return model


def settings(names: dict[str, int], multilingual: bool) -> GenerationConfig:
    known = {"<|en|>": names["<|en|>"], "<|de|>": names["<|de|>"]}
    tasks = {"transcribe": names["<|transcribe|>"], "translate": names["<|translate|>"]}
    end = names["<|endoftext|>"]
    return GenerationConfig(
        decoder_start_token_id=names["<|startoftranscript|>"], bos_token_id=end, eos_token_id=end, pad_token_id=end,
        no_timestamps_token_id=names["<|notimestamps|>"], prev_sot_token_id=names["<|startofprev|>"],
        max_initial_timestamp_index=50, is_multilingual=multilingual, return_timestamps=False, max_length=40,
        **({"lang_to_id": known, "task_to_id": tasks} if multilingual else {}),
    )  # fmt: skip


def written(folder: Path, multilingual: bool) -> Path:
    tokens = tokenizer(folder)
    names = tokens.get_vocab()
    model = speaking(names, multilingual)
    model.generation_config = settings(names, multilingual)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=8).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("multilingual", "language"), [(True, "German"), (False, "English")])
def test_words_come_with_times_and_a_language(tmp_path: Path, multilingual: bool, language: str) -> None:
    recogniser = Whisper(written(tmp_path, multilingual))
    found = recogniser(np.zeros(3 * RATE, np.float32))
    assert [word for word, *_ in found] == ["guten", "tag", "ende"]
    times = np.array([(start, stop) for _, start, stop, _ in found])
    assert np.allclose(times, [(0, 0.72), (0.72, 1.2), (1.2, 2.0)], atol=0.04)
    word = Word(text="guten", span=FrameSpan(0, 18))
    assert recogniser.language([word]) == language
    assert recogniser.language([]) is None


def test_a_folder_without_such_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Whisper model"):
        Whisper(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UserError, match="no Whisper model"):
        Whisper(tmp_path)


def test_damaged_files_are_one_sentence(tmp_path: Path) -> None:
    recogniser = Whisper(written(tmp_path, True))
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.decoder.layers.0.fc1.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 1 tensors, model\.decoder\.layers\.0\.fc1\.weight"):
        recogniser(np.zeros(RATE, np.float32))
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match="copy its files again"):
        recogniser(np.zeros(RATE, np.float32))
