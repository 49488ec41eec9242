"""Which language models play which of the director's experts, from what a user writes on the command line."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import soundfile

from dramatis.director import LLMExperts
from dramatis.errors import UserError
from dramatis.llm import LLM, Budget, OpenAIChat, Server
from dramatis.media import audio as sound
from dramatis.media.image import to_png
from dramatis.senses.seeing.picture_file import open_picture
from dramatis.story.dialogue import ExpertName
from dramatis.story.values import AUDIO_RATE

PICTURE_SIDE = 512
SOUND_SECONDS = 60
_WORD_EXPERTS: tuple[ExpertName, ...] = ("text", "negative")
"""Experts that the model plays unless another is named for them: every model reads and writes."""
_NAMES = tuple(name for name in get_args(ExpertName) if name != "director")


def experts_from_options(
    address: str | None, model: str | None, experts: Sequence[str], image: Path, audio: Path | None
) -> LLMExperts | None:
    """The models of the server at `address` that play experts, or None where no model is wanted.

    model: plays the textual expert and the negative director. experts: "expert=model" for the others, or for another
    model. The picture is shown to the visual expert's model alone, and the first minute of the sound to the audio
    expert's alone; where characters only have tracks of their own, that model is given what was measured.
    Raises UserError for options that do not fit together.
    """
    named = dict(_named(option) for option in experts)
    if address is None:
        if model or named:
            raise UserError("A language model was named but no server; give its address with --llm.")
        return None
    chosen: dict[ExpertName, str] = {name: model for name in _WORD_EXPERTS if model} | named
    if not chosen:
        raise UserError("A server for language models was given but no model; name one with --llm-model.")
    budget = Budget()
    chats: dict[str, LLM] = {name: OpenAIChat(Server(address, name), budget) for name in dict.fromkeys(chosen.values())}
    return LLMExperts(
        models={expert: chats[name] for expert, name in chosen.items()},
        picture=_picture(image) if "visual" in chosen else None,
        sound=_sound(audio) if "audio" in chosen and audio else None,
    )


def _named(option: str) -> tuple[ExpertName, str]:
    expert, _, model = option.partition("=")
    if expert not in _NAMES or not model:
        raise UserError(
            f"The option --llm-expert {option!r} cannot be read; write an expert ({', '.join(_NAMES)}), =, and a model."
        )
    return expert, model  # type: ignore[return-value]


def _picture(path: Path) -> bytes:
    picture = open_picture(path).image.copy()
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return to_png(picture)


def _sound(path: Path) -> bytes:
    length, blocks = 0, []
    for block in sound.stream(path, AUDIO_RATE):
        blocks.append(block)
        length += len(block)
        if length >= SOUND_SECONDS * AUDIO_RATE:
            break
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(blocks)[: SOUND_SECONDS * AUDIO_RATE], AUDIO_RATE, format="WAV")
    return file.getvalue()
