"""Profiles as files: `profile.yaml` in a model's folder, and those that ship for linked public weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dramatis.backbones.mini_profile import MiniProfile
from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.backbones.profile import Profile
from dramatis.errors import UserError

_PACKAGE = Path(__file__).parent.parent
SHIPPED = _PACKAGE / "weights"
"""Where the models of this package lie, each in a folder of its name."""
PROFILES = _PACKAGE / "profiles"
"""How linked public weights film; the profile of a folder of weights lies in it."""
FAMILIES: dict[str, type[Profile]] = {"mini": MiniProfile, "multitalk": MultiTalkProfile}


def load_profile(folder: Path) -> Profile:
    """The `profile.yaml` of a model folder. Raises UserError when it is missing or wrong."""
    path = folder / "profile.yaml"
    if not path.is_file():
        raise UserError(
            f"{folder}: profile.yaml is missing; give a model folder or one of the names in `dramatis models`."
        )
    return read_profile(path)


def read_profile(path: Path, variant: str = "") -> Profile:
    """A profile's file, with the changes of one of its `variants`. Raises UserError when it cannot be read."""
    try:
        fields = _fields(path)
        variants = fields.pop("variants", {})
        if variant:
            fields = _merged(fields, variants[variant]) | {"name": f"{fields['name']}:{variant}"}
        return FAMILIES[fields.get("family", "mini")].model_validate(fields)
    except ValidationError as error:
        raise UserError(f"{path}: {_first_fault(error)}; correct it, or restore the file.") from error
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: it cannot be read ({str(error).splitlines()[0]}); restore the file.") from error


def variants_of(path: Path) -> list[str]:
    """Names of the variants in a profile's file."""
    return list(_fields(path).get("variants", {}))


def profile_for(weights: str) -> Path | None:
    """The file that says how public weights of that name film."""
    files = (path for path in sorted(PROFILES.glob("*.yaml")) if weights in _fields(path).get("films", ()))
    return next(files, None)


def _fields(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError("no table of fields")
    return content


def _merged(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Nested fields with others in their place; sections are merged, all else is replaced."""
    nested = {
        name: _merged(fields[name], value)
        for name, value in changes.items()
        if isinstance(value, dict) and isinstance(fields.get(name), dict)
    }
    return fields | changes | nested


def _first_fault(error: ValidationError) -> str:
    """What is wrong with the first faulty field, in words."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the profile"
    if fault["type"] == "extra_forbidden":
        return f"the field {where} is unknown (docs/open_weights.md lists the fields)"
    return f"the field {where} is wrong ({fault['msg']})"
