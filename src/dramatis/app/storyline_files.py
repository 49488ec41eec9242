"""Storylines as files, with paths that survive moving the folder, and new takes of single shots."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dramatis.errors import UserError
from dramatis.runtime.files import write_whole
from dramatis.story.storyline import Storyline
from dramatis.story.storyline_yaml import from_json, from_yaml, to_yaml


def write_storyline(storyline: Storyline, path: Path) -> None:
    """Save as YAML; the input files' paths are written relative to the file, so that the folder can be moved."""

    def relative(name: str) -> str:
        return os.path.relpath(Path(name).resolve(), path.parent.resolve())

    write_whole(path, to_yaml(with_paths(storyline, relative)))


def read_storyline(path: Path) -> Storyline:
    """Read a YAML or JSON storyline; relative paths count from its folder. Raises UserError naming line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: the storyline cannot be read; check the path, or write one with `dramatis plan`."
        ) from error
    storyline = from_json(text) if path.suffix == ".json" else from_yaml(text)
    return with_paths(storyline, lambda name: os.path.normpath(path.parent / name))


def with_paths(storyline: Storyline, change: Callable[[str], str]) -> Storyline:
    """The storyline with every input file's path changed."""
    characters = tuple(
        character.model_copy(
            update={
                "image": None if character.image is None else change(character.image),
                "audio": None if character.audio is None else change(character.audio),
            }
        )
        for character in storyline.characters
    )
    return storyline.model_copy(
        update={"image": change(storyline.image), "audio": change(storyline.audio), "characters": characters}
    )


def another_take(storyline: Storyline, shot: int) -> Storyline:
    """The storyline with a new seed for one shot; everything else stays. Raises UserError for an unknown shot."""
    if not 0 <= shot < len(storyline.shots):
        raise UserError(f"Shot {shot} does not exist; the storyline has shots 0 to {len(storyline.shots) - 1}.")
    chosen = storyline.shots[shot]
    if chosen.locked:
        raise UserError(f"Shot {shot} is locked; set `locked: false` in the storyline to film it again.")
    shots = list(storyline.shots)
    shots[shot] = chosen.model_copy(update={"seed": chosen.seed + 1})
    return storyline.model_copy(update={"shots": tuple(shots)})
