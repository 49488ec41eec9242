"""Words recognised by a Whisper model of the user's: many languages and fewer errors, for more time and memory.

Nothing is downloaded: the model is read from a folder in the Hugging Face layout.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.senses.hearing.words import LANGUAGE, spread_words
from dramatis.story.observations import Word
from dramatis.story.values import AUDIO_RATE

CONFIDENCE = 0.9
"""Confidence in every word: these models give no probabilities with the times of words."""


class Whisper:
    """A recogniser, see `dramatis.senses.hearing.words.Recogniser`; the model is loaded on first use.

    folder: config, tokenizer, feature extractor and weights. Raises UserError if it holds no Whisper model.
    """

    def __init__(self, folder: Path) -> None:
        try:
            kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
        except (OSError, ValueError, KeyError):
            kind = None
        if kind != "whisper":
            raise UserError(
                f"{folder}: there is no Whisper model in this folder; choose one with its config.json, tokenizer and "
                "weights in the Hugging Face layout."
            )
        self._folder = folder
        self._pipe: Any = None
        self._heard: Counter[str] = Counter()

    def __call__(self, samples: NDArray[np.float32]) -> list[tuple[str, float, float, float]]:
        """See `Recogniser`. Raises UserError if files in the folder are damaged or missing."""
        if self._pipe is None:
            self._pipe = _pipeline(self._folder)
        settings = self._pipe.model.generation_config
        # Words have times of their own if the model says which of its attention heads follow the sound.
        times = "word" if getattr(settings, "alignment_heads", None) else True
        seconds = len(samples) / AUDIO_RATE
        many = bool(getattr(settings, "is_multilingual", False))
        transcript = self._pipe(
            {"raw": samples, "sampling_rate": AUDIO_RATE},
            return_timestamps=times,
            return_language=many,
            generate_kwargs={"task": "transcribe"} if many else {},
        )
        words_with_times = []
        for chunk in transcript["chunks"]:
            start, stop = (seconds if at is None else min(at, seconds) for at in chunk["timestamp"])
            words = spread_words(chunk["text"], start, max(start, stop))
            words_with_times += [(text, begin, end, CONFIDENCE) for text, begin, end in words]
            self._heard[str(chunk.get("language") or "").title()] += len(words)
        return words_with_times

    def language(self, words: Sequence[Word]) -> str | None:
        """The language of most of the words; English if the model knows no other."""
        if not words:
            return None
        return max(self._heard, key=lambda name: self._heard[name], default="") or LANGUAGE


def _pipeline(folder: Path) -> Any:
    from safetensors import SafetensorError
    from transformers import WhisperForConditionalGeneration, WhisperProcessor, pipeline

    try:
        model, loaded = WhisperForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
        processor = WhisperProcessor.from_pretrained(folder)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: the Whisper model cannot be loaded ({reason}); copy its files again.") from error
    # Missing tensors would keep random values, and the words would be made up.
    if missing := loaded["missing_keys"]:
        raise UserError(
            f"{folder}: the Whisper model lacks {len(missing)} tensors, {sorted(missing)[0]} among them; "
            "copy its files again."
        )
    return pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
        device="cpu",
    )
