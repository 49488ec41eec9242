"""Models by name: which there are, whether their files are whole, and the class that films with each family."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dramatis.backbones.base import Backbone, resolve_dtype
from dramatis.backbones.gpu_budget import Needs, needs_of
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.multitalk import PublicBackbone
from dramatis.backbones.profile import (
    SHIPPED,
    Profile,
    PublicProfile,
    load_profile,
    profile_for,
    read_profile,
    variants_of,
)
from dramatis.errors import UserError
from dramatis.models.published.catalogue import OPEN_MODELS
from dramatis.models.published.links import links
from dramatis.models.published.official import empty_network
from dramatis.story.values import NumberFormat

BACKBONES: dict[str, type[Backbone]] = {"mini": MiniBackbone, "multitalk": PublicBackbone}


@dataclass(frozen=True)
class Model:
    """Weights in a folder, all files of which are there, and how they film."""

    folder: Path
    profile: Profile


def find_model(name: str | os.PathLike[str]) -> Model:
    """A shipped model or linked public weights by name, or a local folder. Checks every file, loads nothing.

    name: of linked weights, "NAME" or "NAME:VARIANT" (see `names_of`). Raises UserError for an unknown name, and for
    missing, damaged or foreign weights.
    """
    linked, _, variant = str(name).partition(":")
    if str(name) in shipped_models():
        model = _in_folder(shipped_models()[str(name)])
    elif linked in links():
        model = _linked(linked, variant)
    elif Path(name).is_dir():
        model = _in_folder(Path(name))
    else:
        known = ", ".join([*shipped_models(), *links()])
        raise UserError(f"the model {str(name)!r} is unknown; choose one of {known}, or give a folder with weights.")
    BACKBONES[model.profile.family].check(model.folder, model.profile)
    return model


def open_backbone(name: str | os.PathLike[str], number_format: NumberFormat = NumberFormat.AUTO) -> Backbone:
    """What films with the model of that name; as `find_model`, and networks load when first used."""
    model = find_model(name)
    return BACKBONES[model.profile.family](model.folder, model.profile, resolve_dtype(number_format))


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models in this package."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/profile.yaml"))}


def names_of(weights: str) -> list[str]:
    """The names by which linked public weights film, one for each variant; none where no profile is for them."""
    path = profile_for(weights)
    return [] if path is None else [weights, *(f"{weights}:{variant}" for variant in variants_of(path))]


def published_needs(weights: str) -> Needs | None:
    """The same for public weights that are not here yet: the 14B network's; None where no profile is for them."""
    path = profile_for(weights)
    profile = None if path is None else read_profile(path)
    return needs_of(profile, empty_network({}).config) if isinstance(profile, PublicProfile) else None


def _in_folder(folder: Path) -> Model:
    return Model(folder, load_profile(folder))


def _linked(weights: str, variant: str) -> Model:
    folder, path = links()[weights], profile_for(weights)
    if not folder.is_dir():
        raise UserError(
            f"{folder}: the folder that {weights!r} is linked to is gone; "
            f"run `dramatis models add {weights} --folder ...` again."
        )
    if path is None or weights not in OPEN_MODELS:
        raise UserError(f"the model {weights!r} is linked, but no profile says how it films; give a folder with one.")
    if variant and variant not in variants_of(path):
        raise UserError(
            f"the model {weights!r} has no variant {variant!r}; choose one of {', '.join(names_of(weights))}."
        )
    profile = read_profile(path, variant)
    assert isinstance(profile, PublicProfile), "profiles of this folder are for public weights"
    found = OPEN_MODELS[weights]
    sources = profile.sources.model_copy(update={"weights": found.weights, "audio": found.audio})
    return Model(folder, profile.model_copy(update={"sources": sources, "voices": found.voices}))
