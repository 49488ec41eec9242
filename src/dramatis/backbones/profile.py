"""What differs between model families and their few-step variants, as data: a tree of sections in a YAML file.

Every section says which artifacts it affects, so that a change remakes those and no others. A section that says nothing
affects all of them: forgetting it costs time, never a wrong video.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from dramatis.backbones.geometry import SHORT_CLIPS, Geometry
from dramatis.story.values import Value

MAX_GROWTH = 1.5
"""Of a side of low-resolution frames, for the sake of small faces: time grows with its square."""

Resolution = Literal["low", "high"]


class Section(Value):
    """A part of a profile. affects: the artifacts that change with it; what comes after them changes of itself."""

    affects: ClassVar[tuple[Resolution, ...]] = ("low", "high")


class LowResolution(Section):
    """How the blueprint and the sub-clips are denoised (report 3.1)."""

    affects: ClassVar[tuple[Resolution, ...]] = ("low",)

    area: int = Field(default=128 * 128, description="pixels of a low-resolution frame")
    size_multiple: int = Field(default=16, description="sides are multiples of it")
    steps: int = Field(default=6, ge=1)
    shift: float = Field(default=2.0, gt=0)
    text_scale: float = Field(default=1.5, description="guidance scale of words and emotion")
    audio_scale: float = Field(default=1.0, description="guidance scale of the sound")
    match_colours: bool = Field(default=False, description="sub-clips take their colours from their keyframes")


class HighResolution(Section):
    """How keyframes and sub-clips are enlarged (report 3.1, super-resolution)."""

    affects: ClassVar[tuple[Resolution, ...]] = ("high",)

    scale: int = Field(default=2, ge=2, le=4, description="side of a high-resolution frame over a low-resolution one")
    shift: float = Field(default=1.0, gt=0)


class SeamSettings(Section):
    """How two neighbouring sub-clips are joined (report 3.1, transitions)."""

    affects: ClassVar[tuple[Resolution, ...]] = ("high",)

    kind: Literal["film", "fade", "cut"] = Field(
        default="film", description="the frames around the seam are denoised again, faded, or left as they are"
    )
    strength: float = Field(
        default=1.0, gt=0, le=1, description="highest sigma at which a seam is denoised; 1: from noise alone"
    )


class Framing(Section):
    """What of the picture the networks film, and at which size. Artifacts depend on it through the pictures alone."""

    affects: ClassVar[tuple[Resolution, ...]] = ()

    area_per_person: bool = Field(default=False, description="several people get the area each, not together")
    target_interocular_px: float | None = Field(
        default=None,
        gt=0,
        description="pixels between the outer eye corners of a face that the model films well: it films a window "
        "around the heads at that size, and the portrait surrounds it. None: it films the whole frame",
    )
    face_tone: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="mean tone that the darkest of several faces is brightened to while it is filmed; None: its own",
    )


class Costs(Section):
    """What a job costs, measured on the machine that the profile names."""

    affects: ClassVar[tuple[Resolution, ...]] = ()

    frame_seconds: float | None = Field(
        default=None, description="per low-resolution frame, two workers, machine measured; None: nobody measured it"
    )
    high_frame_seconds: float = Field(default=0.1, description="the same per high-resolution frame")
    whole_frame_seconds: float = Field(
        default=0.0, description="the same per frame of the video and million pixels, where windows are set into frames"
    )
    startup_seconds: float = 8.0
    memory_gb: float | None = None


class Execution(Section):
    """How work is run, which changes no result."""

    affects: ClassVar[tuple[Resolution, ...]] = ()

    workers: int = Field(default=2, ge=1, description="clips denoised at once where nobody asks for another number")
    compiled: bool = Field(default=False, description="blocks are compiled at the first call")


class Adapter(Value):
    """A LoRA file within the model's folder.

    scale: how strongly it counts. when: for every video, or only where several people are filmed.
    """

    file: str
    scale: float = 1.0
    when: Literal["always", "groups"] = "always"


class Profile(Value):
    """What the stages of the cascade and the planner need to know of any family."""

    family: str
    name: str
    low: LowResolution = LowResolution()
    high: HighResolution | None = None
    seam: SeamSettings = SeamSettings()
    geometry: Geometry = SHORT_CLIPS
    framing: Framing = Framing()
    adapters: tuple[Adapter, ...] = ()
    costs: Costs = Costs()
    execution: Execution = Execution()
    audio_context: int = Field(default=0, ge=0, description="neighbouring frames that are heard with each, either side")

    @property
    def scale(self) -> int:
        """Side of a frame of the video over that of a low-resolution frame."""
        return 1 if self.high is None else self.high.scale

    def settings(self, resolution: Resolution) -> dict[str, Any]:
        """What artifacts of that resolution depend on, for their keys."""
        names = (name for name in type(self).model_fields if resolution in _affected(getattr(self, name)))
        return self.model_dump(mode="json", include=set(names))

    def changed(self, values: Mapping[str, Any]) -> Self:
        """The profile with other values, validated. values: by path, such as {"low.steps": 4}.

        Raises ValueError for unknown paths and for values that do not fit.
        """
        fields = self.model_dump()
        for path, value in values.items():
            *sections, name = path.split(".")
            section = fields
            for key in sections:
                section[key] = section.get(key) or {}
                section = section[key]
            section[name] = value
        return type(self).model_validate(fields)

    def area_of(self, people: int) -> int:
        """Pixels of a low-resolution frame that shows so many people."""
        return self.low.area * people if self.framing.area_per_person else self.low.area

    def filmed_area(self, size: tuple[int, int], people: int) -> float:
        """Pixels of a low-resolution frame of a video of `size` (width, height) px: of the window, or of all of it."""
        if self.framing.target_interocular_px is None:
            return size[0] * size[1] / self.scale**2
        return self.area_of(people)

    def most_area(self, people: int) -> float:
        """Most pixels of a low-resolution frame that shows so many people, for the sake of the smallest face."""
        return self.area_of(people) * (MAX_GROWTH**2 if people > 1 else 1)


def _affected(value: Any) -> tuple[Resolution, ...]:
    return value.affects if isinstance(value, Section) else ("low", "high")
