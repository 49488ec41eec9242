"""What users' hands know: options of the command lines, fields of profiles and storylines, the Python API.

`tests/surface.txt` holds these names, one a line, so that none changes by accident. After a change on purpose:
`.venv/bin/python -m tests.surface > tests/surface.txt`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from pydantic import BaseModel
from typer.core import TyperGroup

import dramatis
import dramatis.cli
import dramatis_lab.cli
from dramatis.backbones.profile_files import FAMILIES
from dramatis.story.storyline import Storyline


def surface() -> list[str]:
    """Every name, in order."""
    lines = [
        *_options("dramatis", typer.main.get_command(dramatis.cli.app)),
        *_options("dramatis-lab", typer.main.get_command(dramatis_lab.cli.app)),
        *_fields("storyline", Storyline),
        *(line for family, profile in sorted(FAMILIES.items()) for line in _fields(f"profile {family}", profile)),
        *_parameters(),
    ]
    return list(dict.fromkeys(lines))


def _options(path: str, command: Any) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, sub in command.commands.items():
            yield from _options(f"{path} {name}", sub)
    for parameter in command.params:
        yield f"{path} {'/'.join([*parameter.opts, *parameter.secondary_opts])}"


def _fields(path: str, model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema()
    for title, definition in {"": schema, **schema.get("$defs", {})}.items():
        for field in definition.get("properties", ()):
            yield f"{path} {title and title + '.'}{field}"


def _parameters() -> Iterator[str]:
    for name in dramatis.__all__:
        public = getattr(dramatis, name)
        methods = vars(public) if inspect.isclass(public) and not issubclass(public, BaseModel) else {}
        yield f"python {name}"
        for method in (key for key in methods if key == "__call__" or not key.startswith("_")):
            function = inspect.unwrap(getattr(public, method)) if callable(getattr(public, method)) else None
            for parameter in inspect.signature(function).parameters if function else ():
                if parameter != "self":
                    yield f"python {name}.{method} {parameter}"


if __name__ == "__main__":
    print("\n".join(surface()))
