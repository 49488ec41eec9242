"""What differs between model families and their few-step variants, as data: one YAML file for each way of filming."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import yaml
from pydantic import Field, model_validator

from dramatis.backbones.geometry import SHORT_CLIPS, Geometry
from dramatis.errors import UserError
from dramatis.models.placement.device import Bits
from dramatis.models.published.catalogue import ENCODERS, SPEECH, WAN_480P
from dramatis.story.values import GRID, Value

SHIPPED = Path(__file__).parent.parent / "weights"
"""Where the models of this package lie, each in a folder of its name."""
PROFILES = Path(__file__).parent.parent / "profiles"
"""How linked public weights film; the profile of a folder of weights lies in it."""
COSTS = (
    "frame_seconds", "high_frame_seconds", "startup_seconds", "memory_gb", "workers", "compiled", "eyes", "face_tone",
)  # fmt: skip
"""Fields that change nothing of what is filmed from a storyline and its pictures, as large and light as they are."""
MOST_GROWTH = 1.5
"""Of a side of low-resolution frames, for the sake of small faces: time grows with its square."""


class Profile(Value):
    """What the stages of the cascade and the planner need to know of any family."""

    later: ClassVar[tuple[str, ...]] = ("seam", "seam_strength")
    """Fields that change the video, but not what the blueprint and the sub-clips look like."""

    family: str
    name: str
    area: int = Field(default=128 * 128, description="pixels of a low-resolution frame")
    area_for_each: bool = Field(default=False, description="several people get the area each, not together")
    eyes: float | None = Field(
        default=None,
        gt=0,
        description="pixels between the outer eye corners of a face that the model films well; frames of several "
        "people with smaller faces are made larger. None: they never are",
    )
    face_tone: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="mean tone that the darkest of several faces is lifted to while it is filmed; None: its own",
    )
    multiple: int = 16
    geometry: Geometry = SHORT_CLIPS
    audio_context: int = Field(default=0, ge=0, description="neighbouring frames that are heard with each, either side")
    steps: int = Field(default=6, ge=1)
    shift: float = Field(default=2.0, gt=0)
    text_scale: float = 1.5
    audio_scale: float = 1.0
    seam: Literal["film", "fade", "cut"] = Field(default="film", description="what joins two sub-clips")
    seam_strength: float = Field(
        default=1.0, gt=0, le=1, description="highest sigma at which a seam is filmed; 1: from noise alone"
    )
    match_colours: bool = Field(default=False, description="sub-clips take their colours from their keyframes")
    scale: int = Field(default=1, ge=1, le=4, description="side of a high-resolution frame over a low-resolution one")
    frame_seconds: float | None = Field(
        default=None, description="per low-resolution frame, two workers, machine measured; None: nobody measured it"
    )
    high_frame_seconds: float = Field(default=0.1, description="the same per frame of the final size")
    startup_seconds: float = 8.0
    workers: int = Field(default=2, ge=1, description="clips filmed at once where nobody asks for another number")
    memory_gb: float | None = None

    def area_of(self, people: int) -> int:
        """Pixels of a low-resolution frame that shows so many people."""
        return self.area * people if self.area_for_each else self.area

    def growth_for(self, eyes: Sequence[float]) -> float:
        """How much larger, side by side, low-resolution frames should be in which these are the distances of people's
        outer eye corners, px: 1 to `MOST_GROWTH`. The smallest face falls as far short as the largest exceeds."""
        if self.eyes is None:
            return 1.0
        return min(max(1.0, self.eyes / (min(eyes) * max(eyes)) ** 0.5), MOST_GROWTH)


class MiniProfile(Profile):
    """How the mini films."""

    later: ClassVar[tuple[str, ...]] = (
        *Profile.later, "high_steps", "keyframe_steps", "high_shift", "tile", "tile_overlap", "refine",
    )  # fmt: skip

    family: Literal["mini"] = "mini"
    centred_guidance: bool = Field(default=False, description="guidance keeps the mean of every latent frame")
    corrupted_reference: float = Field(
        default=0.0, ge=0, le=1, description="how spoilt a reference the unconditional branch sees; 0: the true one"
    )
    contrary_expression: bool = Field(
        default=False, description="the unconditional branch is shown the emotion that the negative prompt names first"
    )
    gates: Literal["predicted", "heads", "none"] = Field(
        default="heads",
        description="what shares the sound out among several people: the mask head, where heads are, or nothing",
    )
    high_steps: int = Field(default=2, ge=1, description="of super-resolution")
    keyframe_steps: int = Field(default=2, ge=1, description="of high-resolution keyframes, which hold the detail")
    high_shift: float = Field(default=1.0, gt=0)
    tile: int = Field(default=20, ge=8, multiple_of=2, description="latent cells a side that super-resolution sees")
    tile_overlap: int = Field(default=8, ge=0, multiple_of=2)
    refine: bool = Field(default=False, description="after decoding, detail is taken from the moved keyframes")
    group_scale: float | None = Field(
        default=None, gt=0, description="both guidance scales in faces where several people are seen; None: as for one"
    )
    group_sigma: float = Field(
        default=0.0, ge=0, lt=1, description="lowest noise level of steps that `group_scale` holds for, itself left out"
    )
    group_adapter: bool = Field(
        default=False, description="where several people are seen, a LoRA counts besides: group_adapter.safetensors"
    )
    frame_seconds: float | None = 0.05
    memory_gb: float | None = 1.2

    @model_validator(mode="before")
    @classmethod
    def _without_fill(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Profiles once said which way frames are filled in; what they said is now the only one."""
        return {name: value for name, value in fields.items() if (name, value) != ("fill", "warp")}

    @model_validator(mode="after")
    def _tiles_advance(self) -> Self:
        if self.tile_overlap >= self.tile:
            raise ValueError(f"tile_overlap is {self.tile_overlap}; it must be less than tile, {self.tile}")
        return self


class Sources(Value):
    """Where public networks lie, as paths within the model's folder; the defaults are InfiniteTalk's for one person.

    pickles: files that are Python pickles may be opened, as tensors alone; for those whose maker the user trusts.
    """

    weights: str = WAN_480P.folder
    audio: str | None = "InfiniteTalk/single/infinitetalk.safetensors"
    text_encoder: str = f"{ENCODERS.folder}/text_encoder"
    tokenizer: str = f"{ENCODERS.folder}/tokenizer"
    image_encoder: str = f"{ENCODERS.folder}/image_encoder"
    autoencoder: str = f"{ENCODERS.folder}/vae"
    speech_encoder: str = SPEECH.folder
    pickles: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(value for value in self.model_dump().values() if isinstance(value, str))


class LoraFile(Value):
    """A LoRA file within the model's folder, and how strongly it counts."""

    file: str
    scale: float = 1.0


class PublicProfile(Profile):
    """How weights of the MultiTalk family film: no warped frames, no performance, no network for enlarging."""

    later: ClassVar[tuple[str, ...]] = (*Profile.later, "high_strength", "high_shift")

    family: Literal["multitalk"] = "multitalk"
    films: tuple[str, ...] = Field(default=(), description="names of public weights that it is for")
    sources: Sources = Sources()
    loras: tuple[LoraFile, ...] = ()
    audio_context: int = Field(default=2, ge=2, le=2, description="windows of five frames, as the weights were trained")
    voices: int = Field(default=2, ge=1, le=2, description="people in one picture whose voices the weights keep apart")
    workers: int = Field(default=1, ge=1, description="a clip fills a card; a second one costs its memory again")
    tail_repeats: int = Field(
        default=4, ge=0, multiple_of=GRID, description="how often a clip's last keyframe is held after its end"
    )
    reuse: float = Field(
        default=0.0, ge=0, description="steps in which the first block changes less than this skip the others"
    )
    compiled: bool = Field(default=False, description="blocks are compiled at the first call")
    attention: str | None = Field(
        default=None, description="diffusers' name of the kernels that compute attention; None: torch's own"
    )
    bits: Bits | None = Field(
        default=None, description="format of the blocks' weights; None: bf16, or int8 where memory asks for it"
    )
    high_strength: float = Field(default=0.5, gt=0, le=1, description="sigma that enlarged frames are noised to")
    high_shift: float = Field(default=11.0, gt=0)


FAMILIES: dict[str, type[Profile]] = {"mini": MiniProfile, "multitalk": PublicProfile}


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
            fields |= {**variants[variant], "name": f"{fields['name']}:{variant}"}
        return FAMILIES[fields.get("family", "mini")].model_validate(fields)
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
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("no table of fields")
    return found
