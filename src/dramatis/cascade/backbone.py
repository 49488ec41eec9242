"""The set of networks that a cascade films with, behind one small interface: no stage asks which size it drives.

A `Profile` holds what differs between model families as data; `Backbone` turns pictures, sound and words into the DiT's
conditions and runs the denoising loop. Today's family is the mini; the 14B family gets its own loader and profile.

Shape legend: F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells, C channels.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
import yaml
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from dramatis.cascade.colour import corrupted
from dramatis.media.image import Pictures
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.links import links
from dramatis.models.loading import check_folder, fingerprint, load_model
from dramatis.models.perception import PerceptionNet
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.reference import reference_tokens
from dramatis.models.refiner import DetailRefiner
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder
from dramatis.models.traits import TraitNet
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import EMOTION_COLUMNS, Performance, turned_emotion
from dramatis.motion.warp import warp_positions
from dramatis.sampling.conditioning import (
    Given,
    enlarge,
    warp_fill,
    warped,
    with_low,
    with_mask,
    zero_fill,
)
from dramatis.sampling.denoise import Conditions, StepCallback, denoise
from dramatis.sampling.guidance import NoGuidance, guider
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from dramatis.sampling.tiles import Tiled
from dramatis.values import UserError, Value
from dramatis.vocabulary import named_emotions

NETWORKS: dict[str, type[ModelMixin]] = {
    "autoencoder": MiniAutoencoder,
    "transformer": AudioDiT,
    "text_encoder": TextEncoder,
    "speech_encoder": SpeechEncoder,
    "perception": PerceptionNet,
    "traits": TraitNet,
}
HIGH_NETWORKS: dict[str, type[ModelMixin]] = {"upscaler": AudioDiT, "refiner": DetailRefiner}
"""What a model needs besides where its profile's `scale` is more than 1; the refiner only if it says so."""
PLANNING = ("traits",)
"""Networks that only planning asks: with others, the same storyline is filmed the same."""
LATER = ("seam", "seam_strength", "high_steps", "keyframe_steps", "high_shift", "tile", "tile_overlap", "refine")
"""Fields of a profile that change the video, but not what the blueprint and the sub-clips look like."""
COSTS = ("frame_seconds", "high_frame_seconds", "startup_seconds", "memory_gb")
"""Fields that change nothing that is filmed."""


class Profile(Value):
    """What differs between model families and their few-step variants; read from `profile.yaml` beside the weights."""

    name: str
    area: int = Field(default=128 * 128, description="pixels of a low-resolution frame")
    multiple: int = 16
    fill: Literal["warp", "zeros"] = "warp"
    steps: int = Field(default=6, ge=1)
    shift: float = Field(default=2.0, gt=0)
    text_scale: float = 1.5
    audio_scale: float = 1.0
    centred_guidance: bool = Field(default=False, description="guidance keeps the mean of every latent frame")
    corrupted_reference: float = Field(
        default=0.0, ge=0, le=1, description="how spoilt a reference the unconditional branch sees; 0: the true one"
    )
    contrary_expression: bool = Field(
        default=False, description="the unconditional branch is shown the emotion that the negative prompt names first"
    )
    seam: Literal["film", "fade", "cut"] = Field(default="film", description="what joins two sub-clips")
    seam_strength: float = Field(
        default=1.0, gt=0, le=1, description="highest sigma at which a seam is filmed; 1: from noise alone"
    )
    match_colours: bool = Field(default=False, description="sub-clips take their colours from their keyframes")
    scale: int = Field(default=1, ge=1, le=4, description="side of a high-resolution frame over a low-resolution one")
    high_steps: int = Field(default=2, ge=1, description="of super-resolution")
    keyframe_steps: int = Field(default=2, ge=1, description="of high-resolution keyframes, which hold the detail")
    high_shift: float = Field(default=1.0, gt=0)
    tile: int = Field(default=20, ge=8, multiple_of=2, description="latent cells a side that super-resolution sees")
    tile_overlap: int = Field(default=8, ge=0, multiple_of=2)
    refine: bool = Field(default=False, description="after decoding, detail is taken from the moved keyframes")
    frame_seconds: float = Field(default=0.05, description="per low-resolution frame, two workers, machine measured")
    high_frame_seconds: float = Field(default=0.1, description="the same per frame of the final size")
    startup_seconds: float = 8.0
    memory_gb: float = 1.2

    @model_validator(mode="after")
    def _tiles_advance(self) -> Self:
        if self.tile_overlap >= self.tile:
            raise ValueError(f"tile_overlap is {self.tile_overlap}; it must be less than tile, {self.tile}")
        return self


@dataclass(frozen=True)
class ClipInputs:
    """What one clip is filmed from. F = number of frames.

    head, tail: given frames (n, H, W, 3) uint8, tail may be None. reference: (H, W, 3) uint8.
    audio (F, C) speech features, controls (F, 26), anchors (F, 9, 2) pixels of the head's rigid points; positive and
    negative: prompts.
    """

    head: Pictures
    tail: Pictures | None
    reference: Pictures
    audio: NDArray[np.float32]
    controls: NDArray[np.float32]
    anchors: NDArray[np.float32]
    positive: str
    negative: str
    seed: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self.reference.shape[0], self.reference.shape[1]


def fast_dtype() -> torch.dtype:
    """bf16 where the hardware multiplies it, else float32 (an older CPU emulates bf16 slowly)."""
    if torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32


class Backbone:
    """The networks of one model folder; loaded on first use, so that planning and checks stay light.

    Pickled, it is the folder and the number format: a process that unpickles it many times loads its networks once.
    """

    def __init__(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        self.folder = folder
        self.dtype = dtype or fast_dtype()
        self.profile = load_profile(folder)
        self._lock = threading.Lock()
        self._models: dict[str, torch.nn.Module] = {}
        self._fingerprint: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _shared_backbone, (self.folder.resolve(), self.dtype)

    @property
    def identity(self) -> dict[str, str]:
        """What artifacts depend on besides their inputs: weights and arithmetic."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.folder, PLANNING)
        return {"weights": self._fingerprint, "dtype": str(self.dtype)}

    @property
    def low_identity(self) -> dict[str, Any]:
        """What low-resolution artifacts depend on besides their inputs: what comes after them may change."""
        return {"profile": self.profile.model_dump(mode="json", exclude={*LATER, *COSTS}), **self.identity}

    @property
    def high_identity(self) -> dict[str, Any]:
        """What high-resolution artifacts depend on besides their inputs."""
        return {"profile": self.profile.model_dump(mode="json", include=set(LATER)), **self.identity}

    def _get(self, name: str, dtype: torch.dtype) -> torch.nn.Module:
        with self._lock:
            if name not in self._models:
                kind = (NETWORKS | HIGH_NETWORKS)[name]
                model: Any = load_model(kind, self.folder / name, dtype).requires_grad_(False)
                if name in ("autoencoder", "refiner"):
                    model = model.to(memory_format=torch.channels_last)
                self._models[name] = model
            return self._models[name]

    @property
    def autoencoder(self) -> MiniAutoencoder:
        return self._get("autoencoder", self.dtype)  # type: ignore[return-value]

    @property
    def dit(self) -> AudioDiT:
        return self._get("transformer", self.dtype)  # type: ignore[return-value]

    @property
    def upscaler(self) -> AudioDiT:
        return self._get("upscaler", self.dtype)  # type: ignore[return-value]

    @property
    def refiner(self) -> DetailRefiner:
        return self._get("refiner", self.dtype)  # type: ignore[return-value]

    @property
    def text(self) -> TextEncoder:
        return self._get("text_encoder", torch.float32)  # type: ignore[return-value]

    @property
    def speech(self) -> SpeechEncoder:
        return self._get("speech_encoder", torch.float32)  # type: ignore[return-value]

    @property
    def eye(self) -> PerceptionNet:
        return self._get("perception", torch.float32)  # type: ignore[return-value]

    @property
    def traits(self) -> TraitNet:
        return self._get("traits", torch.float32)  # type: ignore[return-value]

    @torch.no_grad()
    def film(self, inputs: ClipInputs, on_step: StepCallback | None = None, again: Pictures | None = None) -> Pictures:
        """Denoise and decode one clip: (F, H, W, 3) uint8. Depends on its inputs and the weights alone.

        again: (F, H, W, 3) uint8, a version of the clip to film once more. It is noised up to the profile's
        `seam_strength` only, so that what it shows stays and what does not fit is mended.
        """
        start = self._noise(inputs)
        profile = self.profile
        sigmas = shifted_sigmas(profile.steps, profile.shift)
        if again is not None:
            sigmas = sigmas[sigmas <= max(profile.seam_strength, float(sigmas[-2]))]
            start = torch.lerp(self._encode(to_tensor(again)).float(), start, sigmas[0])
        latents = denoise(
            self.dit,
            start,
            self._opposed(inputs, self._conditions(inputs, self._given(inputs)[1])),
            sigmas,
            guider(profile.text_scale, profile.audio_scale, profile.centred_guidance),
            Euler(),
            on_step,
        )
        return to_pictures(self.decode(latents))

    @torch.no_grad()
    def upscale(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        """A finished low-resolution clip at the high resolution: (F, H, W, 3) uint8.

        inputs: as for `film`, everything at the high resolution, with the high-resolution keyframes at both ends as
        head and tail. low: (F, H / scale, W / scale, 3). Report, section 3.1: HR video super-resolution.
        """
        filled, given = self._given(inputs)
        return self._enlarged(inputs, low, self._conditions(inputs, given), filled, self.profile.high_steps)

    @torch.no_grad()
    def upscale_keyframe(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        """A single frame at the high resolution: (H, W, 3) uint8. Its detail comes from another picture of the person.

        inputs: two frames at the high resolution. The first is that other picture (`head`), with the performance of
        its moment; the second is the one to make, of which `low` (H / scale, W / scale, 3) is all that is known.
        """
        positions = warp_positions(inputs.anchors, Performance.from_vector(inputs.controls), 0, inputs.size)[1:]
        moved = warped(to_tensor(inputs.head)[:, :, 0], torch.from_numpy(positions))
        shown = replace(
            inputs, audio=inputs.audio[1:], controls=inputs.controls[1:], anchors=inputs.anchors[1:], tail=None
        )
        given = self._conditions(shown, with_mask(self._encode(moved), torch.zeros(1)))
        return self._enlarged(shown, low[None], given, moved, self.profile.keyframe_steps)[0]

    def _enlarged(self, inputs: ClipInputs, low: Pictures, given: Conditions, moved: Tensor, steps: int) -> Pictures:
        """moved (1, 3, F, H, W): what detail may be taken from, moved to the pose of every frame."""
        profile = self.profile
        assert inputs.size == (low.shape[1] * profile.scale, low.shape[2] * profile.scale)
        seen = self._encode(enlarge(to_tensor(low), inputs.size))
        latents = denoise(
            Tiled(self.upscaler, profile.tile, profile.tile_overlap),
            self._noise(inputs),
            replace(given, condition=with_low(given.condition, seen)),
            shifted_sigmas(steps, profile.high_shift),
            NoGuidance(),
            Euler(),
        )
        video = self.decode(latents).float()
        return to_pictures(self.refiner(video, moved) if profile.refine else video)

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(self.dtype)))

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents (1, 16, T, h, w) -> (1, 3, F, H, W)."""
        return self.autoencoder.decode(self.autoencoder.denormalise(latents.to(self.dtype)))

    def _noise(self, inputs: ClipInputs) -> Tensor:
        frames = (len(inputs.controls) - 1) // 4 + 1
        height, width = inputs.head.shape[1:3]
        generator = torch.Generator().manual_seed(inputs.seed)
        return torch.randn(1, self.dit.config.out_channels, frames, height // 8, width // 8, generator=generator)

    def _conditions(self, inputs: ClipInputs, given: Tensor) -> Conditions:
        """given: channels (1, 20, T, h, w) of the frames that stand fixed."""
        height, width = inputs.size
        performance = Performance.from_vector(inputs.controls)
        maps = coordinate_maps(inputs.anchors, performance, inputs.size, (height // 8, width // 8))
        words = self.text(self.text.tokenize([inputs.positive, inputs.negative]))
        audio = torch.from_numpy(inputs.audio)[None, None]
        controls = torch.from_numpy(inputs.controls)[None]
        # The negative branch is told no emotion, so that guidance strengthens it as it strengthens the words.
        unmoved = controls.clone()
        unmoved[..., EMOTION_COLUMNS] = 0
        spoilt = self.profile.corrupted_reference
        return Conditions(
            condition=given,
            text=words[:1],
            negative=words[1:],
            image=self._looked_up(inputs.reference),
            audio=audio,
            silence=torch.zeros_like(audio),
            controls=controls,
            negative_controls=unmoved,
            negative_image=self._looked_up(corrupted(inputs.reference, spoilt)) if spoilt else None,
            maps=torch.from_numpy(maps)[None],
        )

    def _opposed(self, inputs: ClipInputs, conditions: Conditions) -> Conditions:
        """The branch of the negative prompt sees and is told the emotion that the prompt names first, as strong as the
        shot's own: words alone hardly move a face, since what moves it is the filled-in frames."""
        named = named_emotions(inputs.negative)
        if not (self.profile.contrary_expression and named):
            return conditions
        last = len(inputs.controls) - (0 if inputs.tail is None else len(inputs.tail))
        free = slice(len(inputs.head), last)
        controls = inputs.controls.copy()
        controls[free, EMOTION_COLUMNS] = turned_emotion(controls[free, EMOTION_COLUMNS], named[0])
        if np.array_equal(controls, inputs.controls):
            return conditions
        shown = self._given(replace(inputs, controls=controls))[1]
        return replace(conditions, negative_condition=shown, negative_controls=torch.from_numpy(controls)[None])

    def _looked_up(self, reference: Pictures) -> Tensor:
        return reference_tokens(self._encode(to_tensor(reference[None]))[:, :, 0])

    def _given(self, inputs: ClipInputs) -> tuple[Tensor, Tensor]:
        """The given frames in place and what stands for the others: pixels (1, 3, F, H, W), and condition channels
        (1, 20, T, h, w)."""
        given = Given(to_tensor(inputs.head), None if inputs.tail is None else to_tensor(inputs.tail))
        filled = self._fill(inputs, given)
        return filled, with_mask(self._encode(filled), given.flags(filled.shape[2]))

    def _fill(self, inputs: ClipInputs, given: Given) -> Tensor:
        performance = Performance.from_vector(inputs.controls)
        frames = len(performance)
        if self.profile.fill == "zeros":
            return zero_fill(given, frames)
        ends = [len(inputs.head) - 1] + ([] if inputs.tail is None else [frames - len(inputs.tail)])
        positions = [torch.from_numpy(warp_positions(inputs.anchors, performance, end, inputs.size)) for end in ends]
        return warp_fill(given, positions[0], positions[1] if len(positions) > 1 else None)


@cache
def _shared_backbone(folder: Path, dtype: torch.dtype) -> Backbone:
    return Backbone(folder, dtype)


def load_profile(folder: Path) -> Profile:
    """The `profile.yaml` of a model folder. Raises UserError when it is missing or wrong."""
    path = folder / "profile.yaml"
    if not path.is_file():
        raise UserError(
            f"{folder}: profile.yaml is missing; give a model folder or one of the names in `dramatis models`."
        )
    try:
        return Profile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: it cannot be read ({str(error).splitlines()[0]}); restore the file.") from error


def find_model(name: str | os.PathLike[str]) -> Path:
    """The folder of a shipped model by name, or a local folder. Checks every network's files, loads nothing.

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
    for network, kind in networks_of(load_profile(folder)).items():
        check_folder(folder / network, kind)
    return folder


def networks_of(profile: Profile) -> dict[str, type[ModelMixin]]:
    """Names and classes of the networks that a model with this profile needs."""
    high = HIGH_NETWORKS if profile.scale > 1 else {}
    return {name: kind for name, kind in (NETWORKS | high).items() if profile.refine or name != "refiner"}


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models in this package."""
    root = Path(__file__).parent.parent / "weights"
    return {path.parent.name: path.parent for path in sorted(root.glob("*/profile.yaml"))}


def one_thread() -> None:
    """Give the calling thread one computing thread: sums then have one order, whatever the number of workers."""
    torch.set_num_threads(1)


def joined(parts: Sequence[str]) -> str:
    """Prompts of several shots as one, without repeats, in order."""
    return ". ".join(dict.fromkeys(part.strip(" .") for part in parts if part.strip(" .")))


def joined_terms(parts: Sequence[str]) -> str:
    """Negative prompts, lists of terms, as one list; each term once, since repeats crowd out what a model reads."""
    terms = (term.strip(" .") for part in parts for term in part.split(","))
    once: dict[str, str] = {}
    for term in terms:
        once.setdefault(term.casefold(), term)
    return ", ".join(term for term in once.values() if term)
