"""Storylines as YAML and JSON, for the person who edits them: comments at the top, faults with their line and field."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from dramatis.errors import UserError
from dramatis.story.storyline import Storyline
from dramatis.story.values import CAMERA_MOVES, EMOTIONS, FPS, GESTURES, GRID


def to_json(storyline: Storyline) -> str:
    """The storyline as JSON; `from_json` reads it back equal."""
    return storyline.model_dump_json(indent=2)


def from_json(text: str) -> Storyline:
    """Read JSON; raises UserError naming the field."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"The storyline is not valid JSON at line {error.lineno}: {error.msg}; correct that line."
        ) from error
    return _validated(data, None)


def to_yaml(storyline: Storyline) -> str:
    """The storyline as YAML with a header of comments for the person who edits it."""
    data = storyline.model_dump(mode="json", exclude_none=True)
    data["events"] = [_Line(event) for event in data["events"]]
    for shot in data["shots"]:
        for acting in shot.get("acting", ()):
            acting["gestures"] = [_Line(gesture) for gesture in acting["gestures"]]
        shot["gestures"] = [_Line(gesture) for gesture in shot["gestures"]]
        shot["moments"] = [_Line(moment) for moment in shot["moments"]]
    body = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return _HEADER + (_SEVERAL if len(storyline.cast) > 1 else "") + body


def from_yaml(text: str) -> Storyline:
    """Read YAML; raises UserError naming the line, the field and the remedy."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        data = loader.construct_document(root) if root else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise UserError(f"The storyline is not valid YAML{where}: {what}; correct that line or plan again.") from error
    return _validated(data, root)


def _choices(label: str, names: Sequence[str]) -> str:
    """The names as a wrapped comment line of the YAML header."""
    return textwrap.fill(", ".join(names), 108, initial_indent=f"#   {label:<14}", subsequent_indent="#" + " " * 17)


_HEADER = f"""\
# A storyline: what the video shows, shot by shot. Edit it, then run `dramatis render` on this file.
# Times are frame numbers at {FPS} frames a second. Shots follow one another without a gap from frame 0
# to `frames`, and each begins on a multiple of {GRID}. Choices:
{_choices("emotion.name", EMOTIONS)}
{_choices("camera.move", CAMERA_MOVES)}
{_choices("gestures.name", GESTURES)}
# `positive` is what to show and `negative` what to avoid. `intensity` and `amount` run from 0 to 1.
# `moments` add words for a part of a shot, `chapters` speak for several shots.
# `keyframes: []` lets the renderer choose. Change a shot's `seed` for another take of it.
"""
_SEVERAL = """\
# Several people: `face` is where each one's face is, as shares of the picture: left, top, right, bottom.
# A shot's `speakers` act its `emotion` and `gestures`; `acting` says what others do, or one of them otherwise.
# Who has no `audio` of their own is heard where `events` name them as `speaker`, or as one of `also`.
"""


# The C implementations are ten times as fast, which an hour's storyline needs; wheels carry them, source
# builds may not.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Line(dict[str, Any]):
    """A mapping that is written on one line."""


class _Dumper(_BaseDumper):  # type: ignore[misc, valid-type]
    """Shared values are written out again, since anchors (&id001) confuse people who edit the file."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML calls it so)
        return True


_Dumper.add_representer(
    _Line, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


def _validated(data: Any, root: yaml.Node | None) -> Storyline:
    """Validate parsed data; the YAML tree `root`, where given, tells the line of a fault."""
    if not isinstance(data, dict):
        raise UserError("The storyline is not a mapping of fields; write one with `dramatis plan` and edit that.")
    try:
        return Storyline.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = _field_name(first["loc"])
        line = _line(root, first["loc"])
        where = f"The storyline{f', line {line}' if line else ''}{f', field {field}' if field else ''}"
        raise UserError(f"{where}: {_remedy(first)}.") from error


def _field_name(location: Sequence[str | int]) -> str:
    """`("shots", 2, "camera")` as `shots[2].camera`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _remedy(fault: Any) -> str:
    """A pydantic fault as words a user can act on."""
    kind, message, given = fault["type"], str(fault["msg"]), fault.get("input")
    if kind == "extra_forbidden":
        return "there is no such field; correct its spelling or remove it"
    if kind == "missing":
        return "it is missing; add it"
    if kind == "literal_error":
        return f"{given!r} is not known; choose one of {fault['ctx']['expected'].replace(' or ', ', ')}"
    message = message.removeprefix("Value error, ")
    return (
        message
        if kind == "value_error"
        else f"{message[:1].lower()}{message[1:]}, but it is {str(given)[:60]!r}; correct it"
    )


def _line(node: yaml.Node | None, location: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of `location` that stands in the YAML tree."""
    if node is None:
        return None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            children = {key.value: value for key, value in node.value}
            found = children.get(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        else:
            found = None
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1
