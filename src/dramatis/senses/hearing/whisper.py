"""Words by a Whisper-class model that the user has: many languages and more words right, for more time and memory.

Nothing is downloaded: the model lies in a folder in the Hugging Face layout.
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
from dramatis.senses.hearing.words import LANGUAGE, SAMPLE_RATE, spread
from dramatis.story.observations import Word

CONFIDENCE = 0.9
"""Of every word: these models tell no probabilities with their words' times."""


class Whisper:
    """A recogniser, see `dramatis.senses.hearing.words.Recogniser`; the model loads on first use.

    folder: config, tokenizer, feature extractor and weights. Raises UserError where it holds no Whisper model.
    """

    def __init__(self, folder: Path) -> None:
        try:
            kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
        except (OSError, ValueError, KeyError):
            kind = None
        if kind != "whisper":
            raise UserError(
                f"{folder}: there is no Whisper model in this folder; give one with its config.json, tokenizer and "
                "weights in the Hugging Face layout."
            )
        self._folder = folder
        self._pipe: Any = None
        self._heard: Counter[str] = Counter()

    def __call__(self, samples: NDArray[np.float32]) -> list[tuple[str, float, float, float]]:
        """As `Recogniser` says. Raises UserError where the folder's files are damaged or some are missing."""
        if self._pipe is None:
            self._pipe = _pipeline(self._folder)
        settings = self._pipe.model.generation_config
        # Words have times of their own where the model says which of its heads follow the sound.
        times = "word" if getattr(settings, "alignment_heads", None) else True
        seconds = len(samples) / SAMPLE_RATE
        many = bool(getattr(settings, "is_multilingual", False))
        found = self._pipe(
            {"raw": samples, "sampling_rate": SAMPLE_RATE},
            return_timestamps=times,
            return_language=many,
            generate_kwargs={"task": "transcribe"} if many else {},
        )
        out = []
        for chunk in found["chunks"]:
            start, stop = (seconds if at is None else min(at, seconds) for at in chunk["timestamp"])
            words = spread(chunk["text"], start, max(start, stop))
            out += [(text, begin, end, CONFIDENCE) for text, begin, end in words]
            self._heard[str(chunk.get("language") or "").title()] += len(words)
        return out

    def language(self, words: Sequence[Word]) -> str | None:
        """The language that most words were heard to be of; English of a model that knows no other."""
        if not words:
            return None
        return max(self._heard, key=lambda name: self._heard[name], default="") or LANGUAGE


def _pipeline(folder: Path) -> Any:
    from safetensors import SafetensorError
    from transformers import WhisperForConditionalGeneration, WhisperProcessor, pipeline

    try:
        model, found = WhisperForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
        processor = WhisperProcessor.from_pretrained(folder)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: the Whisper model cannot be loaded ({reason}); copy its files again.") from error
    # Missing tensors would be left at random values, and words made up.
    if found["missing_keys"]:
        raise UserError(
            f"{folder}: the Whisper model lacks {len(found['missing_keys'])} tensors, "
            f"{sorted(found['missing_keys'])[0]} among them; copy its files again."
        )
    return pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
        device="cpu",
    )
