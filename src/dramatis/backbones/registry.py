"""Models by name: which there are, whether their files are whole, and the class that films with each family."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dramatis.backbones.base import Backbone, resolve_dtype
from dramatis.backbones.gpu_budget import MemoryNeeds, memory_needs
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.multitalk import MultiTalkBackbone
from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.backbones.profile import Profile
from dramatis.backbones.profile_files import SHIPPED, load_profile, profile_for, read_profile, variants_of
from dramatis.errors import UserError
from dramatis.models.published.catalogue import OPEN_MODELS
from dramatis.models.published.links import linked_models
from dramatis.models.published.official import empty_network
from dramatis.story.values import NumberFormat

BACKBONES: dict[str, type[Backbone]] = {"mini": MiniBackbone, "multitalk": MultiTalkBackbone}


@dataclass(frozen=True)
class ModelFolder:
    """Weights in a folder, all files of which are there, and how they film."""

    folder: Path
    profile: Profile


def find_model(name: str | os.PathLike[str]) -> ModelFolder:
    """A shipped model or linked public weights by name, or a local folder. Checks every file, loads nothing.

    name: of linked weights, "NAME" or "NAME:VARIANT" (see `names_of`). Raises UserError for an unknown name, and for
    missing, damaged or foreign weights.
    """
    linked, _, variant = str(name).partition(":")
    if str(name) in shipped_models():
        model = _in_folder(shipped_models()[str(name)])
    elif linked in linked_models():
        model = _linked(linked, variant)
    elif Path(name).is_dir():
        model = _in_folder(Path(name))
    else:
        known = ", ".join([*shipped_models(), *linked_models()])
        raise UserError(f"The model {str(name)!r} is unknown; choose one of {known}, or give a folder with weights.")
    BACKBONES[model.profile.family].check(model.folder, model.profile)
    return model


def open_backbone(name: str | os.PathLike[str], number_format: NumberFormat = NumberFormat.AUTO) -> Backbone:
    """The backbone of the model of that name, found as by `find_model`; networks load when first used."""
    model = find_model(name)
    return BACKBONES[model.profile.family](model.folder, model.profile, resolve_dtype(number_format))


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models in this package."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/profile.yaml"))}


def names_of(weights: str) -> list[str]:
    """The names by which linked public weights film, one for each variant; none where no profile is for them."""
    path = profile_for(weights)
    return [] if path is None else [weights, *(f"{weights}:{variant}" for variant in variants_of(path))]


def published_needs(weights: str) -> MemoryNeeds | None:
    """The same for public weights that are not here yet: the 14B network's; None where no profile is for them."""
    path = profile_for(weights)
    profile = None if path is None else read_profile(path)
    return memory_needs(profile, empty_network({}).config) if isinstance(profile, MultiTalkProfile) else None


def _in_folder(folder: Path) -> ModelFolder:
    return ModelFolder(folder, load_profile(folder))


def _linked(weights: str, variant: str) -> ModelFolder:
    folder, path = linked_models()[weights], profile_for(weights)
    if not folder.is_dir():
        raise UserError(
            f"{folder}: the folder that {weights!r} is linked to is gone; "
            f"run `dramatis models add {weights} --folder ...` again."
        )
    if path is None or weights not in OPEN_MODELS:
        raise UserError(f"The model {weights!r} is linked, but no profile says how it films; give a folder with one.")
    if variant and variant not in variants_of(path):
        raise UserError(
            f"The model {weights!r} has no variant {variant!r}; choose one of {', '.join(names_of(weights))}."
        )
    profile = read_profile(path, variant)
    assert isinstance(profile, MultiTalkProfile), "profiles of this folder are for public weights"
    found = OPEN_MODELS[weights]
    sources = profile.sources.model_copy(update={"weights": found.weights, "audio": found.audio})
    return ModelFolder(folder, profile.model_copy(update={"sources": sources, "voices": found.voices}))
