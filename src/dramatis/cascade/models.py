"""Models by name: which there are, whether their files are whole, and the class that films with each family."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dramatis.cascade.backbone import Backbone
from dramatis.cascade.mini import MiniBackbone
from dramatis.cascade.profile import SHIPPED, Profile, load_profile
from dramatis.models.links import links
from dramatis.values import UserError

BACKBONES: dict[str, type[Backbone]] = {"mini": MiniBackbone}


@dataclass(frozen=True)
class Model:
    """Weights in a folder, all files of which are there, and how they film."""

    folder: Path
    profile: Profile


def find_model(name: str | os.PathLike[str]) -> Model:
    """A shipped model by name, or a local folder. Checks every network's files, loads nothing.

    Raises UserError for an unknown name, for damaged weights, and for linked public weights, which cannot film yet.
    """
    shipped = shipped_models()
    if str(name) not in shipped and str(name) in links():
        raise UserError(
            f"the model {str(name)!r} is linked, but filming with public weights is not there yet; "
            f"choose one of {', '.join(sorted(shipped))}."
        )
    folder = shipped.get(str(name), Path(name))
    if not folder.is_dir():
        known = ", ".join(sorted(shipped))
        raise UserError(f"the model {str(name)!r} is unknown; choose one of {known}, or give a folder with weights.")
    profile = load_profile(folder)
    BACKBONES[profile.family].check(folder, profile)
    return Model(folder, profile)


def open_backbone(name: str | os.PathLike[str]) -> Backbone:
    """What films with the model of that name; as `find_model`, and networks load when first used."""
    model = find_model(name)
    return BACKBONES[model.profile.family](model.folder, model.profile)


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models in this package."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/profile.yaml"))}
