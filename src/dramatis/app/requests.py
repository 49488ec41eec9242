"""What a user asks for, as values: a video to plan, and the characters in its picture."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from dramatis.app.video_size import VideoSize, read_size
from dramatis.errors import UserError
from dramatis.senses.hearing.listening import Transcribe

StrPath = str | os.PathLike[str]
DEFAULT_OUTPUT = Path("out.mp4")
MAX_NAME_LETTERS = 40
CHARACTER_KEYS = ("name", "image", "audio", "box", "point", "at")
_FORM = "write it like name=ann,at=left,audio=ann.wav"


@dataclass(frozen=True)
class CharacterRequest:
    """A character as the user asks for it: what to call it, where it is heard, and any clues that say who is meant.

    box: left, top, right, bottom; point: x, y; both in pixels of the picture, or as shares of it where no number is
    greater than 1. at: "left", "middle", "right", or a number counted from the left. image: a crop of the picture.
    """

    name: str
    image: Path | None = None
    audio: Path | None = None
    box: tuple[float, ...] | None = None
    point: tuple[float, ...] | None = None
    at: str | None = None

    @property
    def says_who(self) -> bool:
        """Whether there is any clue."""
        return any(clue is not None for clue in (self.image, self.box, self.point, self.at))


@dataclass(frozen=True)
class PlanRequest:
    """Everything that a plan is made from.

    audio: the sound of the video; may be left out where characters have tracks. prompt: words of direction.
    negative_prompt: what to avoid, added to the director's own. seed: another seed gives another take. characters: who
    is who in a picture of several people. subtitles: a .srt or .vtt file with what is said; without one, short
    recordings are transcribed, or all or none as `transcribe` says. recogniser: a folder with a Whisper model that
    recognises the words in place of the embedded one. llm: address of an OpenAI-compatible server; llm_model: the model
    there that plays the textual expert and the negative director; llm_experts: "expert=model" for others. output: the
    video, after which files are named that have to be written while planning. size: of the video; None: as the model
    and the picture suggest.
    """

    image: Path
    audio: Path | None = None
    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    characters: tuple[CharacterRequest, ...] = ()
    subtitles: Path | None = None
    transcribe: Transcribe = "auto"
    recogniser: Path | None = None
    llm: str | None = None
    llm_model: str | None = None
    llm_experts: tuple[str, ...] = ()
    output: Path = DEFAULT_OUTPUT
    size: VideoSize | None = None


class PlanOptions(TypedDict, total=False):
    """Fields of a `PlanRequest` as keyword arguments.

    Paths may be strings; characters and the size are like those of the command line, "name=ann,at=left,audio=ann.wav"
    and "1280x720".
    """

    negative_prompt: str
    seed: int
    characters: Iterable[CharacterRequest | str]
    subtitles: StrPath | None
    transcribe: Transcribe
    recogniser: StrPath | None
    llm: str | None
    llm_model: str | None
    llm_experts: Iterable[str]
    output: StrPath
    size: str | None


def request_from_options(
    image: StrPath, audio: StrPath | None = None, prompt: str = "", options: PlanOptions | None = None
) -> PlanRequest:
    """The request that these arguments mean. Raises UserError for characters and a size that cannot be read."""
    fields: dict[str, Any] = {name: value for name, value in (options or {}).items() if value is not None}
    for name in ("subtitles", "recogniser", "output"):
        if name in fields:
            fields[name] = Path(fields[name])
    if "size" in fields:
        fields["size"] = read_size(fields["size"])
    fields["characters"] = read_characters(fields.get("characters", ()))
    fields["llm_experts"] = tuple(fields.get("llm_experts", ()))
    return PlanRequest(Path(image), None if audio is None else Path(audio), prompt, **fields)


def read_characters(options: Iterable[CharacterRequest | str]) -> tuple[CharacterRequest, ...]:
    """What `--character` options say. Raises UserError for one that cannot be read, and for a name that is taken."""
    characters = tuple(option if isinstance(option, CharacterRequest) else _read(option) for option in options)
    names = [character.name.casefold() for character in characters]
    for index, character in enumerate(characters):
        if names[index] in names[:index]:
            raise UserError(f"Two characters are called {character.name!r}; give one of them another name.")
    return characters


def _read(option: str) -> CharacterRequest:
    # A comma separates only where a key follows, since file names may hold commas.
    parts = [part.partition("=") for part in re.split(r",(?=\s*[a-z_]+=)", option)]
    values = {key.strip(): value.strip() for key, _, value in parts}
    unknown = [key for key in values if key not in CHARACTER_KEYS]
    if unknown or len(values) < len(parts):
        fault = f"has no {unknown[0]!r} to set" if unknown else "says one thing twice"
        raise UserError(f"The option --character {option!r} {fault}; it takes {', '.join(CHARACTER_KEYS)}: {_FORM}.")
    empty = [key for key, value in values.items() if not value]
    if empty or "name" not in values:
        raise UserError(f"The option --character {option!r} lacks its {empty[0] if empty else 'name'}; {_FORM}.")
    name = values["name"]
    if len(name) > MAX_NAME_LETTERS or ":" in name or not name.isprintable():
        raise UserError(
            f"The name {name[:60]!r} has a colon or over {MAX_NAME_LETTERS} letters; choose a short plain one."
        )
    return CharacterRequest(
        name=name,
        image=Path(values["image"]) if "image" in values else None,
        audio=Path(values["audio"]) if "audio" in values else None,
        box=_numbers(option, values, "box", "x0:y0:x1:y1"),
        point=_numbers(option, values, "point", "x:y"),
        at=values.get("at"),
    )


def _numbers(option: str, values: Mapping[str, str], key: str, form: str) -> tuple[float, ...] | None:
    if key not in values:
        return None
    try:
        numbers = tuple(float(number) for number in values[key].split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) != form.count(":") + 1 or not all(math.isfinite(number) for number in numbers):
        raise UserError(f"The {key} in --character {option!r} cannot be read; write {key}={form} in pixels or shares.")
    return numbers
