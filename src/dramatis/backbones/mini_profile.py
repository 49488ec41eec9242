"""The profile of models in this project's own layout, such as the mini."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dramatis.backbones.profile import Costs, HighResolution, LowResolution, Profile, Resolution, Section

Gates = Literal["predicted", "heads", "none"]


class MiniLowResolution(LowResolution):
    """How the mini denoises low-resolution clips."""

    centred_guidance: bool = Field(default=False, description="guidance keeps the mean of every latent frame")
    corrupted_reference: float = Field(
        default=0.0, ge=0, le=1, description="how corrupt a reference the unconditional branch sees; 0: the true one"
    )
    contrary_expression: bool = Field(
        default=False, description="the unconditional branch is shown the emotion that the negative prompt names first"
    )


class MiniHighResolution(HighResolution):
    """How the mini enlarges: the upscaler on overlapping tiles, then the refiner."""

    steps: int = Field(default=2, ge=1, description="of super-resolution")
    keyframe_steps: int = Field(default=2, ge=1, description="of high-resolution keyframes, which hold the detail")
    tile: int = Field(default=20, ge=8, multiple_of=2, description="latent cells a side that super-resolution sees")
    tile_overlap: int = Field(default=8, ge=0, multiple_of=2)
    refine: bool = Field(default=False, description="after decoding, detail is taken from the moved keyframes")

    @model_validator(mode="after")
    def _tiles_advance(self) -> Self:
        if self.tile_overlap >= self.tile:
            raise ValueError(f"tile_overlap is {self.tile_overlap}; it must be less than tile, {self.tile}")
        return self


class GroupSampling(Section):
    """How several people in one picture are denoised (report 3.3)."""

    affects: ClassVar[tuple[Resolution, ...]] = ("low", "high")

    gates: Gates = Field(
        default="heads",
        description="what shares the sound out among several people: the mask head, where heads are, or nothing",
    )
    guidance_scale: float | None = Field(
        default=None, gt=0, description="both guidance scales in faces where several people are seen; None: as for one"
    )
    min_sigma: float = Field(
        default=0.0, ge=0, lt=1, description="`guidance_scale` holds for steps that start above this noise level"
    )


class MiniProfile(Profile):
    """How the mini films."""

    family: Literal["mini"] = "mini"
    low: MiniLowResolution = MiniLowResolution()
    high: MiniHighResolution | None = None
    groups: GroupSampling = GroupSampling()
    costs: Costs = Costs(frame_seconds=0.05, memory_gb=1.2)
