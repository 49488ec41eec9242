"""The model that ships with this package, behind the cascade's interface.

Frames that are not given show the given ones, moved as the performance moves them; a network of its own enlarges.

Shape legend: F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dramatis.backbones.base import ClipInputs
from dramatis.backbones.corruption import corrupt
from dramatis.backbones.mini_networks import MiniNetworks
from dramatis.backbones.mini_profile import MiniHighResolution
from dramatis.backbones.speech_features import Spans, encode_speech, heard_mouth
from dramatis.media.image import Pictures
from dramatis.models.dit import AudioDiT
from dramatis.models.mask_head import IDENTITY_SIDE, Identities, identity_square, identity_tokens
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.reference import reference_tokens
from dramatis.models.shapes import TOKEN_CELLS
from dramatis.motion.group import face_shares, group_maps, group_positions, head_windows, person_maps
from dramatis.motion.performance import EMOTION_COLUMNS, Performance
from dramatis.sampling.conditioning import (
    GivenFrames,
    enlarge,
    given_in_place,
    latent_means,
    warp_fill,
    warp_picture,
    with_low,
    with_mask,
)
from dramatis.sampling.denoise import Conditions, StepCallback, denoise
from dramatis.sampling.gating import Gating, head_gates
from dramatis.sampling.guidance import Guider, NoGuidance, RegionGuidance, choose_guider
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from dramatis.sampling.tiles import TiledDiT
from dramatis.sampling.windows import PersonWindows
from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.pyramid import crop
from dramatis.story.vocabulary import named_emotions, without_company


class MiniBackbone(MiniNetworks):
    """The model that ships: warped given frames as conditions, an upscaler on tiles, and a refiner."""

    def encode_speech(
        self, path: Path, frames: int, spans: Spans = None
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Features (frames, C) and expected mouth openings (frames,) of one voice."""
        return encode_speech(self.speech, path, frames, spans)

    def mouth_shapes(self, features: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return heard_mouth(self.speech, features)

    @torch.no_grad()
    def generate_clip(
        self, inputs: ClipInputs, on_step: StepCallback | None = None, refine_from: Pictures | None = None
    ) -> Pictures:
        start = self._noise(inputs)
        sigmas = shifted_sigmas(self.profile.low.steps, self.profile.low.shift)
        if refine_from is not None:
            sigmas = sigmas[sigmas <= max(self.profile.seam.strength, float(sigmas[-2]))]
            start = torch.lerp(self._encode(to_tensor(refine_from)).float(), start, sigmas[0])
        latents = denoise(
            self._denoiser(inputs),
            start,
            self._with_contrary_emotion(inputs, self._conditions(inputs, self._given(inputs)[1])),
            sigmas,
            self._guiders(inputs, sigmas),
            Euler(),
            on_step,
            self.gating(inputs),
        )
        return to_pictures(self.decode(latents))

    @torch.no_grad()
    def upscale_clip(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        filled, given = self._given(inputs)
        return self._enlarged(inputs, low, self._conditions(inputs, given), filled, self._high.steps)

    @torch.no_grad()
    def upscale_frame(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        moved = self._moved(inputs)
        shown = replace(inputs.at([1]), tail=None)
        given = self._conditions(shown, with_mask(self._encode(moved), torch.zeros(1)))
        return self._enlarged(shown, low[None], given, moved, self._high.keyframe_steps)[0]

    @property
    def _high(self) -> MiniHighResolution:
        assert self.profile.high is not None, "only a profile with a high resolution enlarges"
        return self.profile.high

    def _enlarged(self, inputs: ClipInputs, low: Pictures, given: Conditions, moved: Tensor, steps: int) -> Pictures:
        """moved (1, 3, F, H, W): what detail may be taken from, moved to the pose of every frame."""
        high = self._high
        assert inputs.size == (low.shape[1] * high.scale, low.shape[2] * high.scale)
        seen = self._encode(enlarge(to_tensor(low), inputs.size))
        latents = denoise(
            TiledDiT(self.upscaler, high.tile, high.tile_overlap),
            self._noise(inputs),
            replace(given, condition=with_low(given.condition, seen), masks=self._head_gates(inputs)),
            shifted_sigmas(steps, high.shift),
            NoGuidance(),
            Euler(),
        )
        video = self.decode(latents).float()
        return to_pictures(self.refiner(video, moved) if high.refine else video)

    def _guiders(self, inputs: ClipInputs, sigmas: Tensor) -> list[Guider]:
        """One for each step between sigmas (S + 1,).

        Lips take their shape early, and those in groups want strength; on clothes, and on what is nearly clean,
        it only leaves streaks.
        """
        low, groups = self.profile.low, self.profile.groups
        usual = choose_guider(low.text_scale, low.audio_scale, keep_mean=low.centred_guidance)
        if not inputs.several or groups.guidance_scale is None:
            return [usual] * (len(sigmas) - 1)
        strong = choose_guider(groups.guidance_scale, groups.guidance_scale, keep_mean=low.centred_guidance)
        in_face = latent_means(torch.from_numpy(face_shares(inputs.anchors, inputs.size, self._grid(inputs))))
        in_faces = RegionGuidance(strong, usual, in_face[None, None])
        return [in_faces if sigma > groups.min_sigma else usual for sigma in sigmas[:-1]]

    def _denoiser(self, inputs: ClipInputs) -> AudioDiT | PersonWindows:
        """What predicts a clip: the network, in a window for each of several people whose places are known."""
        if not inputs.several or self.profile.groups.gates == "none":
            return self.dit
        maps = person_maps(inputs.anchors, _rounded(inputs)[0], inputs.size, self._grid(inputs))
        cell = self.autoencoder.strides.space
        spans = head_windows(inputs.anchors, inputs.size[1], round(self.profile.low.area**0.5), TOKEN_CELLS * cell)
        columns = tuple((start // cell, stop // cell) for start, stop in spans)
        return PersonWindows(self.group_dit, columns, torch.from_numpy(maps))

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(self.dtype)))

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents (1, 16, T, h, w) -> (1, 3, F, H, W)."""
        return self.autoencoder.decode(self.autoencoder.denormalise(latents.to(self.dtype)))

    def _noise(self, inputs: ClipInputs) -> Tensor:
        generator = torch.Generator().manual_seed(inputs.seed)
        shape = inputs.shape.latent(self.autoencoder.strides)
        return torch.randn(1, self.dit.config.out_channels, *shape, generator=generator)

    def _grid(self, inputs: ClipInputs) -> tuple[int, int]:
        """Rows and columns of latent cells."""
        return inputs.shape.latent(self.autoencoder.strides).grid

    def _conditions(self, inputs: ClipInputs, given: Tensor) -> Conditions:
        """given: channels (1, 20, T, h, w) of the frames that stand fixed."""
        maps = group_maps(inputs.anchors, _rounded(inputs)[0], inputs.size, self._grid(inputs))
        # Several people are denoised one by one (`_denoiser`), and the network knows no words for company.
        positive = without_company(inputs.positive) if inputs.several else inputs.positive
        words = self.text(self.text.tokenize([positive, inputs.negative]))
        audio = torch.from_numpy(inputs.audio)[None]
        controls = _packed(inputs.performances)
        # The negative branch is told no emotion, so that guidance strengthens it as it strengthens the words.
        unmoved = controls.clone()
        unmoved[..., EMOTION_COLUMNS] = 0
        corruption = self.profile.low.corrupted_reference
        return Conditions(
            condition=given,
            text=words[:1],
            negative=words[1:],
            image=self._image_tokens(inputs.reference),
            audio=audio,
            silence=torch.zeros_like(audio),
            controls=controls,
            negative_controls=unmoved,
            negative_image=self._image_tokens(corrupt(inputs.reference, corruption)) if corruption else None,
            maps=torch.from_numpy(maps)[None],
        )

    def _with_contrary_emotion(self, inputs: ClipInputs, conditions: Conditions) -> Conditions:
        """The branch of the negative prompt sees and is told the emotion that the prompt names first.

        It is as strong as the shot's own: words alone hardly move a face, since what moves it is the filled-in
        frames.
        """
        named = named_emotions(inputs.negative)
        if not (self.profile.low.contrary_expression and named):
            return conditions
        last = inputs.shape.frames - (0 if inputs.tail is None else len(inputs.tail))
        free = slice(len(inputs.head), last)
        contrary = tuple(performance.with_emotion(named[0], free) for performance in inputs.performances)
        controls = _packed(contrary)
        if torch.equal(controls, _packed(inputs.performances)):
            return conditions
        condition = self._given(replace(inputs, performances=contrary))[1]
        return replace(conditions, negative_condition=condition, negative_controls=controls)

    def _head_gates(self, inputs: ClipInputs) -> Tensor | None:
        """Gates (1, N, T, h/2, w/2) by where heads are; None for one person, who owns the picture."""
        if not inputs.several or self.profile.groups.gates == "none":
            return None
        return head_gates(inputs.anchors, inputs.size)[None]

    def gating(self, inputs: ClipInputs) -> Gating | None:
        """What shares the sound out among several people while a clip is filmed."""
        shares = self._head_gates(inputs)
        if shares is None:
            return None
        if self.profile.groups.gates == "heads":
            return Gating(shares)
        squares = [identity_square(face, inputs.size) for face in inputs.faces]
        people = [crop(inputs.reference, CropBox(*square), IDENTITY_SIDE) for square in squares]
        latents = torch.stack([self._encode(to_tensor(person[None]))[0, :, 0] for person in people])
        heights = torch.tensor([squares]) / inputs.size[0]
        return Gating(shares, self.mask_head, Identities(identity_tokens(self.dit, latents[None]), heights))

    def _image_tokens(self, reference: Pictures) -> Tensor:
        return reference_tokens(self._encode(to_tensor(reference[None]))[:, :, 0])

    def _given(self, inputs: ClipInputs) -> tuple[Tensor, Tensor]:
        """The given frames in place, and what stands for the others.

        Pixels (1, 3, F, H, W), and condition channels (1, 20, T, h, w).
        """
        given = GivenFrames(to_tensor(inputs.head), None if inputs.tail is None else to_tensor(inputs.tail))
        filled = self._fill(inputs, given)
        return filled, with_mask(self._encode(filled), given.flags(filled.shape[2]))

    def _fill(self, inputs: ClipInputs, given: GivenFrames) -> Tensor:
        performances = _rounded(inputs)
        if inputs.acting is not None:
            return given_in_place(given, to_tensor(inputs.acting.frames(performances)))
        ends = [len(inputs.head) - 1]
        if inputs.tail is not None:
            ends.append(inputs.shape.frames - len(inputs.tail))
        positions = [torch.from_numpy(group_positions(inputs.anchors, performances, end, inputs.size)) for end in ends]
        return warp_fill(given, positions[0], positions[1] if len(positions) > 1 else None)

    def _moved(self, inputs: ClipInputs) -> Tensor:
        """(1, 3, 1, H, W) the second of two frames, as the portrait shows it, or as the first does, moved."""
        performances = _rounded(inputs)
        if inputs.acting is not None:
            second = [performance.take([1]) for performance in performances]
            return to_tensor(inputs.acting.at([1]).frames(second))
        positions = group_positions(inputs.anchors, performances, 0, inputs.size)[1:]
        return warp_picture(to_tensor(inputs.head)[:, :, 0], torch.from_numpy(positions))


def _packed(performances: Sequence[Performance]) -> Tensor:
    """Controls (1, N, F, 26), as the network reads performances."""
    return torch.from_numpy(np.stack([performance.pack_controls() for performance in performances]))[None]


def _rounded(inputs: ClipInputs) -> tuple[Performance, ...]:
    """Performances rounded as the network reads them, so that pictures move by just the numbers that it is told."""
    return tuple(Performance.from_controls(performance.pack_controls()) for performance in inputs.performances)
