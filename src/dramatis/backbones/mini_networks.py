"""The networks of a model folder in this project's own layout: which there are, checked and loaded on first use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.modeling_utils import ModelMixin

from dramatis.backbones.base import Backbone
from dramatis.backbones.mini_profile import MiniProfile
from dramatis.backbones.profile import Adapter, Profile
from dramatis.backbones.profile_files import load_profile
from dramatis.errors import UserError
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import ModelT, check_model_folder, hash_models, load_model, read_header
from dramatis.models.mask_head import MaskHead
from dramatis.models.published.lora import Lora, merge_loras
from dramatis.models.refiner import DetailRefiner
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder

NETWORKS: dict[str, type[ModelMixin]] = {
    "autoencoder": MiniAutoencoder,
    "transformer": AudioDiT,
    "text_encoder": TextEncoder,
    "speech_encoder": SpeechEncoder,
}
GATING_NETWORKS: dict[str, type[ModelMixin]] = {"mask_head": MaskHead}
"""What a model needs besides where its profile says that gates are predicted."""
HIGH_NETWORKS: dict[str, type[ModelMixin]] = {"upscaler": AudioDiT, "refiner": DetailRefiner}
"""What a model needs besides where its profile has a high resolution; the refiner only if it says so."""
SEEING_NETWORKS = ("perception", "traits")
"""Networks of `senses.seeing` that may lie in the same folder. What they saw enters keys by itself."""


def networks_of(profile: MiniProfile) -> dict[str, type[ModelMixin]]:
    """Names and classes of the networks that a model with this profile needs."""
    high = {} if profile.high is None else HIGH_NETWORKS
    gating = GATING_NETWORKS if profile.groups.gates == "predicted" else {}
    refines = profile.high is not None and profile.high.refine
    return {name: kind for name, kind in (NETWORKS | gating | high).items() if refines or name != "refiner"}


class MiniNetworks(Backbone):
    """What `MiniBackbone` films with."""

    profile: MiniProfile

    def __init__(self, folder: Path, profile: Profile | None = None, dtype: torch.dtype | None = None) -> None:
        profile = profile or load_profile(folder)
        if not isinstance(profile, MiniProfile):
            raise UserError(f"{folder}: its weights are of the family {profile.family!r}; give a model like the mini.")
        super().__init__(folder, profile, dtype)

    @staticmethod
    def check(folder: Path, profile: MiniProfile) -> None:
        """Raises UserError for a network or an adapter that is missing or damaged."""
        for network, kind in networks_of(profile).items():
            check_model_folder(folder / network, kind)
        for adapter in profile.adapters:
            read_header(folder / adapter.file)

    def fingerprint(self) -> str:
        """Of all weights but those of the senses."""
        return hash_models(self.folder, SEEING_NETWORKS)

    @property
    def autoencoder(self) -> MiniAutoencoder:
        """In the number format of the backbone."""
        return self._network("autoencoder", MiniAutoencoder, self.dtype)

    @property
    def dit(self) -> AudioDiT:
        """The network that films one person."""
        return self._denoising_network("always")

    @property
    def group_dit(self) -> AudioDiT:
        """The network that films several people: a copy of `dit` with the adapters for groups merged, or `dit`."""
        return self._denoising_network("groups")

    @property
    def upscaler(self) -> AudioDiT:
        """The high-resolution network."""
        return self._network("upscaler", AudioDiT, self.dtype)

    @property
    def refiner(self) -> DetailRefiner:
        """Puts detail back into decoded high-resolution frames."""
        return self._network("refiner", DetailRefiner, self.dtype)

    @property
    def mask_head(self) -> MaskHead:
        """Predicts whose every place of the picture is."""
        return self._network("mask_head", MaskHead, self.dtype)

    @property
    def text(self) -> TextEncoder:
        """In float32."""
        return self._network("text_encoder", TextEncoder, torch.float32)

    @property
    def speech(self) -> SpeechEncoder:
        """In float32."""
        return self._network("speech_encoder", SpeechEncoder, torch.float32)

    def _network(self, name: str, kind: type[ModelT], dtype: torch.dtype) -> ModelT:
        with self._lock:
            if name not in self._models:
                model: Any = load_model(kind, self.folder / name, dtype)
                if name in ("autoencoder", "refiner"):
                    model.to(memory_format=torch.channels_last)
                self._models[name] = model.requires_grad_(requires_grad=False)
            network = self._models[name]
        assert isinstance(network, kind)
        return network

    def _denoising_network(self, when: str) -> AudioDiT:
        """The transformer with the adapters that count for every video, or also those for groups."""
        adapters = [adapter for adapter in self.profile.adapters if adapter.when in ("always", when)]
        if not adapters:
            return self._network("transformer", AudioDiT, self.dtype)
        name = "transformer+" + "+".join(adapter.file for adapter in adapters)
        with self._lock:
            if name not in self._models:
                self._models[name] = self._adapted(adapters).requires_grad_(requires_grad=False)
            network = self._models[name]
        assert isinstance(network, AudioDiT)
        return network

    def _adapted(self, adapters: list[Adapter]) -> torch.nn.Module:
        # Merged before it is rounded: small differences would be lost in a short number format.
        dit = load_model(AudioDiT, self.folder / "transformer")
        merge_loras(dit, [Lora(self.folder / adapter.file, adapter.scale) for adapter in adapters])
        return torch.nn.Module.to(dit, dtype=self.dtype)
