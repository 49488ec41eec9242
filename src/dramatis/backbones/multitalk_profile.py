"""The profile of public weights of the MultiTalk family on Wan 2.1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dramatis.backbones.profile import Execution, HighResolution, Profile, Section
from dramatis.models.placement.device import WeightFormat
from dramatis.models.published.catalogue import ENCODERS, SPEECH, WAN_480P
from dramatis.story.values import GRID, Value


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


class MultiTalkHighResolution(HighResolution):
    """How enlarged frames are denoised again by the network that made them."""

    strength: float = Field(default=0.5, gt=0, le=1, description="sigma that enlarged frames are noised to")
    shift: float = Field(default=11.0, gt=0)


class Arithmetic(Section):
    """How the video network computes, which changes results a little."""

    weight_format: WeightFormat | None = Field(
        default=None, description="format of the blocks' weights; None: bf16, or int8 where memory asks for it"
    )
    attention: str | None = Field(
        default=None, description="diffusers' name of the kernels that compute attention; None: torch's own"
    )
    first_block_cache: float = Field(
        default=0.0, ge=0, description="steps in which the first block changes less than this skip the others"
    )


class MultiTalkProfile(Profile):
    """How weights of the MultiTalk family film: no warped frames, no performance, no network for enlarging."""

    family: Literal["multitalk"] = "multitalk"
    films: tuple[str, ...] = Field(default=(), description="names of public weights that it is for")
    sources: Sources = Sources()
    high: MultiTalkHighResolution | None = None
    arithmetic: Arithmetic = Arithmetic()
    execution: Execution = Execution(workers=1)
    """A clip fills a graphics card; a second one costs its memory again."""
    audio_context: int = Field(default=2, ge=2, le=2, description="windows of five frames, as the weights were trained")
    voices: int = Field(default=2, ge=1, le=2, description="people in one picture whose voices the weights keep apart")
    tail_repeats: int = Field(
        default=4, ge=0, multiple_of=GRID, description="how often a clip's last keyframe is held after its end"
    )
