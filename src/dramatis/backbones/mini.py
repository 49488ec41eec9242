"""The model that ships with this package, behind the cascade's interface.

Frames that are not given show the given ones, moved as the performance moves them; a network of its own enlarges.

Shape legend: F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells, C channels.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from torch import Tensor

from dramatis.backbones.base import Backbone, ClipInputs
from dramatis.backbones.corruption import corrupted
from dramatis.backbones.profile import MiniProfile, Profile, load_profile
from dramatis.backbones.speech_features import Spans, hear
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import check_folder, fingerprint, header, load_model
from dramatis.models.mask_head import IDENTITY_SIDE, Identities, MaskHead, identity_square, identity_tokens
from dramatis.models.perception import PerceptionNet
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.published.lora import Lora, merge_loras
from dramatis.models.reference import reference_tokens
from dramatis.models.refiner import DetailRefiner
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder
from dramatis.models.traits import TraitNet
from dramatis.motion.group import faces, group_maps, group_positions, head_windows, person_maps
from dramatis.motion.performance import EMOTION_COLUMNS, performances, turned_emotion
from dramatis.sampling.conditioning import Given, enlarge, latent_means, warp_fill, warped, with_low, with_mask
from dramatis.sampling.denoise import Conditions, StepCallback, denoise
from dramatis.sampling.gating import Gating, head_gates
from dramatis.sampling.guidance import Guider, NoGuidance, Within, guider
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from dramatis.sampling.tiles import Tiled
from dramatis.sampling.windows import Windows
from dramatis.senses.seeing.people import Square, view
from dramatis.story.vocabulary import alone, named_emotions

NETWORKS: dict[str, type[ModelMixin]] = {
    "autoencoder": MiniAutoencoder,
    "transformer": AudioDiT,
    "text_encoder": TextEncoder,
    "speech_encoder": SpeechEncoder,
    "perception": PerceptionNet,
    "traits": TraitNet,
}
GATING_NETWORKS: dict[str, type[ModelMixin]] = {"mask_head": MaskHead}
"""What a model needs besides where its profile says that gates are predicted."""
HIGH_NETWORKS: dict[str, type[ModelMixin]] = {"upscaler": AudioDiT, "refiner": DetailRefiner}
"""What a model needs besides where its profile's `scale` is more than 1; the refiner only if it says so."""
GROUP_ADAPTER = "group_adapter.safetensors"
"""What the video network learnt besides for groups, where the profile says so (`train.group_adapter`)."""
PLANNING = ("traits",)
"""Networks that only planning asks: with others, the same storyline is filmed the same."""


def networks_of(profile: MiniProfile) -> dict[str, type[ModelMixin]]:
    """Names and classes of the networks that a model with this profile needs."""
    high = HIGH_NETWORKS if profile.scale > 1 else {}
    gating = GATING_NETWORKS if profile.gates == "predicted" else {}
    return {name: kind for name, kind in (NETWORKS | gating | high).items() if profile.refine or name != "refiner"}


class MiniBackbone(Backbone):
    """The networks of a model folder in this project's own layout."""

    profile: MiniProfile

    def __init__(self, folder: Path, profile: Profile | None = None, dtype: torch.dtype | None = None) -> None:
        profile = profile or load_profile(folder)
        if not isinstance(profile, MiniProfile):
            raise UserError(f"{folder}: its weights are of the family {profile.family!r}; give a model like the mini.")
        super().__init__(folder, profile, dtype)

    @staticmethod
    def check(folder: Path, profile: MiniProfile) -> None:
        for network, kind in networks_of(profile).items():
            check_folder(folder / network, kind)
        if profile.group_adapter:
            header(folder / GROUP_ADAPTER)

    def fingerprint(self) -> str:
        return fingerprint(self.folder, PLANNING)

    def hear(self, path: Path, frames: int, spans: Spans = None) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        return hear(self.speech, path, frames, spans)

    def _get(self, name: str, dtype: torch.dtype) -> torch.nn.Module:
        with self._lock:
            if name not in self._models:
                model = self._for_groups(dtype) if name == "group" else self._load(name, dtype)
                self._models[name] = model.requires_grad_(False)
            return self._models[name]

    def _load(self, name: str, dtype: torch.dtype) -> torch.nn.Module:
        kind = (NETWORKS | GATING_NETWORKS | HIGH_NETWORKS)[name]
        model: Any = load_model(kind, self.folder / name, dtype)
        return model.to(memory_format=torch.channels_last) if name in ("autoencoder", "refiner") else model

    def _for_groups(self, dtype: torch.dtype) -> torch.nn.Module:
        # Merged before it is rounded: small differences would be lost in a short number format.
        dit = load_model(AudioDiT, self.folder / "transformer")
        merge_loras(dit, [Lora(self.folder / GROUP_ADAPTER)])
        return torch.nn.Module.to(dit, dtype=dtype)

    @property
    def autoencoder(self) -> MiniAutoencoder:
        return self._get("autoencoder", self.dtype)  # type: ignore[return-value]

    @property
    def dit(self) -> AudioDiT:
        return self._get("transformer", self.dtype)  # type: ignore[return-value]

    @property
    def group_dit(self) -> AudioDiT:
        """The network that films several people: a copy of `dit` with the LoRA for groups merged, or `dit` itself."""
        return self._get("group" if self.profile.group_adapter else "transformer", self.dtype)  # type: ignore[return-value]

    @property
    def upscaler(self) -> AudioDiT:
        return self._get("upscaler", self.dtype)  # type: ignore[return-value]

    @property
    def refiner(self) -> DetailRefiner:
        return self._get("refiner", self.dtype)  # type: ignore[return-value]

    @property
    def mask_head(self) -> MaskHead:
        return self._get("mask_head", self.dtype)  # type: ignore[return-value]

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
        start = self._noise(inputs)
        profile = self.profile
        sigmas = shifted_sigmas(profile.steps, profile.shift)
        if again is not None:
            sigmas = sigmas[sigmas <= max(profile.seam_strength, float(sigmas[-2]))]
            start = torch.lerp(self._encode(to_tensor(again)).float(), start, sigmas[0])
        latents = denoise(
            self._seen_by(inputs),
            start,
            self._opposed(inputs, self._conditions(inputs, self._given(inputs)[1])),
            sigmas,
            self._guiders(inputs, sigmas),
            Euler(),
            on_step,
            self.gating(inputs),
        )
        return to_pictures(self.decode(latents))

    @torch.no_grad()
    def upscale(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        filled, given = self._given(inputs)
        return self._enlarged(inputs, low, self._conditions(inputs, given), filled, self.profile.high_steps)

    @torch.no_grad()
    def upscale_keyframe(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        positions = group_positions(inputs.anchors, performances(inputs.controls), 0, inputs.size)[1:]
        moved = warped(to_tensor(inputs.head)[:, :, 0], torch.from_numpy(positions))
        shown = replace(inputs.at([1]), tail=None)
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
            replace(given, condition=with_low(given.condition, seen), masks=self._shares(inputs)),
            shifted_sigmas(steps, profile.high_shift),
            NoGuidance(),
            Euler(),
        )
        video = self.decode(latents).float()
        return to_pictures(self.refiner(video, moved) if profile.refine else video)

    def _guiders(self, inputs: ClipInputs, sigmas: Tensor) -> list[Guider]:
        """One for each step between sigmas (S + 1,). Lips take their shape early, and those in groups want strength; on
        clothes, and on what is nearly clean, it only leaves streaks."""
        profile = self.profile
        usual = guider(profile.text_scale, profile.audio_scale, profile.centred_guidance)
        if len(inputs.anchors) == 1 or profile.group_scale is None:
            return [usual] * (len(sigmas) - 1)
        strong = guider(profile.group_scale, profile.group_scale, profile.centred_guidance)
        height, width = inputs.size
        places = latent_means(torch.from_numpy(faces(inputs.anchors, inputs.size, (height // 8, width // 8))))
        in_faces = Within(strong, usual, places[None, None])
        return [in_faces if sigma > profile.group_sigma else usual for sigma in sigmas[:-1]]

    def _seen_by(self, inputs: ClipInputs) -> AudioDiT | Windows:
        """What predicts a clip: the network, in a window for each of several people whose places are known."""
        if len(inputs.anchors) == 1 or self.profile.gates == "none":
            return self.dit
        height, width = inputs.size
        maps = person_maps(inputs.anchors, performances(inputs.controls)[0], inputs.size, (height // 8, width // 8))
        spans = head_windows(inputs.anchors, width, round(self.profile.area**0.5), 16)
        return Windows(self.group_dit, tuple((start // 8, stop // 8) for start, stop in spans), torch.from_numpy(maps))

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(self.dtype)))

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents (1, 16, T, h, w) -> (1, 3, F, H, W)."""
        return self.autoencoder.decode(self.autoencoder.denormalise(latents.to(self.dtype)))

    def _noise(self, inputs: ClipInputs) -> Tensor:
        frames = (inputs.controls.shape[1] - 1) // 4 + 1
        height, width = inputs.head.shape[1:3]
        generator = torch.Generator().manual_seed(inputs.seed)
        return torch.randn(1, self.dit.config.out_channels, frames, height // 8, width // 8, generator=generator)

    def _conditions(self, inputs: ClipInputs, given: Tensor) -> Conditions:
        """given: channels (1, 20, T, h, w) of the frames that stand fixed."""
        height, width = inputs.size
        seen_by = performances(inputs.controls)[0]
        maps = group_maps(inputs.anchors, seen_by, inputs.size, (height // 8, width // 8))
        # Several people are seen one by one (`_seen_by`), and the network knows no words for company.
        positive = inputs.positive if len(inputs.anchors) == 1 else alone(inputs.positive)
        words = self.text(self.text.tokenize([positive, inputs.negative]))
        audio = torch.from_numpy(inputs.audio)[None]
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
        last = inputs.controls.shape[1] - (0 if inputs.tail is None else len(inputs.tail))
        free = slice(len(inputs.head), last)
        controls = inputs.controls.copy()
        told = controls[:, free, EMOTION_COLUMNS]
        controls[:, free, EMOTION_COLUMNS] = [turned_emotion(person, named[0]) for person in told]
        if np.array_equal(controls, inputs.controls):
            return conditions
        shown = self._given(replace(inputs, controls=controls))[1]
        return replace(conditions, negative_condition=shown, negative_controls=torch.from_numpy(controls)[None])

    def _shares(self, inputs: ClipInputs) -> Tensor | None:
        """Gates (1, N, T, h/2, w/2) by where heads are; None for one person, who owns the picture."""
        if len(inputs.anchors) == 1 or self.profile.gates == "none":
            return None
        return head_gates(inputs.anchors, inputs.size)[None]

    def gating(self, inputs: ClipInputs) -> Gating | None:
        """What shares the sound out among several people while a clip is filmed."""
        shares = self._shares(inputs)
        if shares is None:
            return None
        if self.profile.gates == "heads":
            return Gating(shares)
        squares = [identity_square(face, inputs.size) for face in inputs.faces]
        crops = [view(inputs.reference, Square(*square), IDENTITY_SIDE) for square in squares]
        latents = torch.stack([self._encode(to_tensor(crop[None]))[0, :, 0] for crop in crops])
        heights = torch.tensor([squares]) / inputs.size[0]
        return Gating(shares, self.mask_head, Identities(identity_tokens(self.dit, latents[None]), heights))

    def _looked_up(self, reference: Pictures) -> Tensor:
        return reference_tokens(self._encode(to_tensor(reference[None]))[:, :, 0])

    def _given(self, inputs: ClipInputs) -> tuple[Tensor, Tensor]:
        """The given frames in place and what stands for the others: pixels (1, 3, F, H, W), and condition channels
        (1, 20, T, h, w)."""
        given = Given(to_tensor(inputs.head), None if inputs.tail is None else to_tensor(inputs.tail))
        filled = self._fill(inputs, given)
        return filled, with_mask(self._encode(filled), given.flags(filled.shape[2]))

    def _fill(self, inputs: ClipInputs, given: Given) -> Tensor:
        acted = performances(inputs.controls)
        frames = len(acted[0])
        ends = [len(inputs.head) - 1] + ([] if inputs.tail is None else [frames - len(inputs.tail)])
        positions = [torch.from_numpy(group_positions(inputs.anchors, acted, end, inputs.size)) for end in ends]
        return warp_fill(given, positions[0], positions[1] if len(positions) > 1 else None)
