"""Public checkpoints of the MultiTalk family on Wan 2.1, behind the cascade's interface.

Frames are given through the mask channels, with grey between them. A last keyframe is held for a few frames past the
clip's end, so that it fills a latent frame of its own, and these are dropped again: the weights never saw single last
frames. There is no network for upscaling: frames are enlarged by bicubic interpolation, noised up to a part of the
schedule and denoised again beside what is given at the high resolution. The performance reaches these weights in words
only. How far mouths open is predicted by the small network that ships.

Shape legend: F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dramatis.backbones.base import Backbone, ClipInputs
from dramatis.backbones.gpu_budget import choose_placement, reading_device
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.multitalk_profile import MultiTalkHighResolution, MultiTalkProfile
from dramatis.backbones.profile_files import SHIPPED
from dramatis.backbones.speech_features import AudioReader, Spans, speech_blocks
from dramatis.backbones.voice_regions import voice_regions
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.models.dit import AudioDiT
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.placement.device import Placement, check_attention, place_on_device
from dramatis.models.published.clip_vision import check_clip_vision, clip_tokens, load_clip_vision
from dramatis.models.published.lora import Lora, check_loras, merge_loras
from dramatis.models.published.official import PICKLES, check_official, empty_network, load_official, read_config
from dramatis.models.published.umt5 import check_umt5, opened_umt5
from dramatis.models.published.wan_autoencoder import WanAutoencoder, check_wan_autoencoder, load_wan_autoencoder
from dramatis.models.published.wav2vec import check_wav2vec2, layers_in_chunks, load_wav2vec2, measure_level
from dramatis.models.shapes import PixelShape, latent_grid
from dramatis.runtime.files import quick_hash_file
from dramatis.runtime.progress import Reporter, StageProgress
from dramatis.runtime.store import ArtifactStore
from dramatis.sampling.conditioning import GivenFrames, enlarge, with_mask, zero_fill
from dramatis.sampling.denoise import Conditions, StepCallback, denoise
from dramatis.sampling.guidance import choose_guider
from dramatis.sampling.schedules import multitalk_sigmas, truncate_sigmas
from dramatis.sampling.solvers import Euler

Network = TypeVar("Network", AudioDiT, WanAutoencoder)
SMALL = SHIPPED / "mini"
"""Where the network lies that foretells mouths."""


class MultiTalkBackbone(Backbone):
    """The networks of a folder of public weights; where there is a GPU, they work on it.

    The text encoder and the image encoder are large and needed only briefly: what they read of a job is kept in its
    store (`for_job`), and they are freed.
    """

    profile: MultiTalkProfile

    def __init__(self, folder: Path, profile: MultiTalkProfile, dtype: torch.dtype | None = None) -> None:
        super().__init__(folder, profile, dtype)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._small = MiniBackbone(SMALL)
        self._encoding_lock = threading.Lock()
        self._denoising_lock = threading.Lock()
        self._store: ArtifactStore | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self._store is None:
            return super().__reduce__()
        return _in_job, (self.folder.resolve(), self.profile, self.dtype, self._store.root.resolve())

    @staticmethod
    def check(folder: Path, profile: MultiTalkProfile) -> None:
        at = profile.sources
        config = check_official(folder / at.weights, _audio(folder, profile), pickles=at.pickles).config
        dit = empty_network(config)
        check_umt5(folder / at.text_encoder, folder / at.tokenizer, pickles=at.pickles)
        _check_width(folder / at.text_encoder, "d_model", dit.config.text_dim)
        check_clip_vision(folder / at.image_encoder, pickles=at.pickles)
        _check_width(folder / at.image_encoder, "hidden_size", dit.config.image_dim)
        check_wan_autoencoder(folder / at.autoencoder, pickles=at.pickles)
        check_wav2vec2(
            folder / at.speech_encoder,
            pickles=at.pickles,
            layers=dit.config.audio_layers,
            channels=dit.config.audio_channels,
        )
        check_loras(dit, _loras(folder, profile))
        if profile.arithmetic.attention is not None:
            check_attention(profile.arithmetic.attention)

    def fingerprint(self) -> str:
        adapters = [adapter.file for adapter in self.profile.adapters]
        return self._sampled_hash(*self.profile.sources.paths, *adapters, str(SMALL / "speech_encoder"))

    @cached_property
    def placement(self) -> Placement:
        """How the video network is placed on the GPU."""
        return choose_placement(self.profile, dict(self._config), self.device)

    def check_machine(self) -> None:
        self.placement  # noqa: B018 (raises UserError)

    def check_cast(self, people: int) -> None:
        if people <= self.profile.voices:
            return
        able = "one person" if self.profile.voices == 1 else "two people"
        other = "infinitetalk-multi, multitalk or the mini" if people == 2 else "the mini"
        raise UserError(
            f"The storyline shows {people} people, but the model {self.profile.name!r} films {able} at most; "
            f"choose {other}, or crop the picture."
        )

    @property
    def identity(self) -> dict[str, str]:
        return {**super().identity, "bits": self.placement.weight_format}

    @property
    def dit(self) -> AudioDiT:
        """The video network, LoRA files merged into it."""
        return self._loaded("transformer", self._load_dit)

    @property
    def autoencoder(self) -> WanAutoencoder:
        """In float32, whose rounding is not seen in dark and smooth places."""
        return self._loaded("autoencoder", self._load_autoencoder)

    def encode_speech(
        self, path: Path, frames: int, spans: Spans = None
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Features (frames, layers, channels); windows over neighbours are taken by `RenderInputs`."""
        config = self._config
        at = self.profile.sources
        folder = self.folder / at.speech_encoder
        net = load_wav2vec2(folder, pickles=at.pickles, layers=config.audio_layers, channels=config.audio_channels)
        net.to(self.device)
        level = measure_level(speech_blocks(path, spans))
        features = np.concatenate(list(layers_in_chunks(net, AudioReader(path, spans), frames, level)))
        return features, self._small.encode_speech(path, frames, spans)[1]

    def for_job(self, prompts: Iterable[str], store: ArtifactStore, reporter: Reporter) -> MultiTalkBackbone:
        """The text encoder opens at most once a job, and not at all where all prompts were read before."""
        missing = [prompt for prompt in dict.fromkeys(prompts) if not store.has(self._prompt_key(prompt))]
        if missing:
            at, where = self.profile.sources, reading_device(self.device)
            with (
                StageProgress(reporter, "prompts", len(missing)) as progress,
                opened_umt5(
                    self.folder / at.text_encoder, self.folder / at.tokenizer, pickles=at.pickles, device=where
                ) as read,
            ):
                for prompt in missing:
                    states = read([prompt], self._config.text_len)[0]
                    # Padding is zeros, which cost 4 MB a prompt; numpy knows no bf16.
                    length = int(states.any(-1).nonzero().max()) + 1
                    store.put(self._prompt_key(prompt), {"states": states[:length].view(torch.int16).numpy()})
                    progress.advance()
        return self.in_job(store)

    def in_job(self, store: ArtifactStore) -> MultiTalkBackbone:
        """The same networks with the store of a job, which holds what was read of its prompts."""
        out = copy(self)
        vars(out)["_store"] = store
        return out

    def __copy__(self) -> MultiTalkBackbone:
        """Shares all networks. `__reduce__`, which `copy` would use otherwise, is for other processes."""
        out = type(self).__new__(type(self))
        vars(out).update(vars(self))
        return out

    @torch.no_grad()
    def generate_clip(
        self, inputs: ClipInputs, on_step: StepCallback | None = None, refine_from: Pictures | None = None
    ) -> Pictures:
        seen = None if refine_from is None else to_tensor(refine_from)
        return self._denoised(inputs, seen, self.profile.seam.strength, self.profile.low.shift, on_step)

    @torch.no_grad()
    def upscale_clip(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        seen = enlarge(to_tensor(low), inputs.size)
        return self._denoised(inputs, seen, self._high.strength, self._high.shift)

    @torch.no_grad()
    def upscale_frame(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        # A clip of two latent frames: the other picture is given, the frame to make fills the second.
        rows = np.array([0, 1, 1, 1, 1])
        shown = replace(inputs.at(rows), tail=None)
        made = enlarge(to_tensor(low[None]), inputs.size).expand(-1, -1, 4, -1, -1)
        seen = torch.cat([to_tensor(inputs.head), made], dim=2)
        return self._denoised(shown, seen, self._high.strength, self._high.shift)[-1]

    @property
    def _high(self) -> MultiTalkHighResolution:
        assert self.profile.high is not None, "only a profile with a high resolution enlarges"
        return self.profile.high

    def _denoised(
        self,
        inputs: ClipInputs,
        seen: Tensor | None,
        strength: float,
        shift: float,
        on_step: StepCallback | None = None,
    ) -> Pictures:
        """A clip from noise, or from `seen` (1, 3, F, H, W) noised up to a sigma of `strength`."""
        profile, frames = self.profile, inputs.audio.shape[1]
        held = profile.tail_repeats if inputs.tail is not None and len(inputs.tail) == 1 else 0
        start = self._noise(inputs, frames + held)
        sigmas = multitalk_sigmas(profile.low.steps, shift)
        if seen is not None:
            sigmas = truncate_sigmas(sigmas, strength)
            start = torch.lerp(self._encode(_held(seen, held, dim=2)), start, sigmas[0].item())
        scales = choose_guider(profile.low.text_scale, profile.low.audio_scale)
        with self._turn():
            latents = denoise(self.dit, start, self._conditions(inputs, held), sigmas, scales, Euler(), on_step)
        net = self.autoencoder
        return to_pictures(net.decode(net.denormalise(latents.to(net.dtype))))[:frames]

    def _turn(self) -> AbstractContextManager[object]:
        """A network that keeps something between its steps serves one caller at a time."""
        return (
            self._denoising_lock
            if self.placement.streamed or self.profile.arithmetic.first_block_cache
            else nullcontext()
        )

    def _conditions(self, inputs: ClipInputs, held: int) -> Conditions:
        tail = None if inputs.tail is None else _held(to_tensor(inputs.tail), held, dim=2)
        given, frames = GivenFrames(to_tensor(inputs.head), tail), inputs.audio.shape[1] + held
        audio = _held(torch.from_numpy(inputs.audio), held, dim=1)[None].to(self.device)
        return Conditions(
            condition=with_mask(self._encode(zero_fill(given, frames)), given.flags(frames)),
            text=self._prompt_states(inputs.positive),
            negative=self._prompt_states(inputs.negative),
            image=self._image_tokens(inputs.reference),
            audio=audio,
            silence=torch.zeros_like(audio),
            regions=self._regions(inputs),
        )

    def _regions(self, inputs: ClipInputs) -> Tensor | None:
        """(1, 3, h, w) the two people and the background, in the order of their voices; None for one person."""
        if len(inputs.audio) == 1:
            return None
        regions = voice_regions(inputs.faces, inputs.size, latent_grid(inputs.size))
        return torch.from_numpy(regions)[None].to(self.device)

    def _noise(self, inputs: ClipInputs, frames: int) -> Tensor:
        shape = (1, self._config.out_channels, *PixelShape(frames, *inputs.size).latent())
        # Drawn on the CPU: a seed then means the same on every machine.
        return torch.randn(shape, generator=torch.Generator().manual_seed(inputs.seed)).to(self.device)

    def _encode(self, video: Tensor) -> Tensor:
        net = self.autoencoder
        return net.normalise(net.encode(video.to(self.device, net.dtype))).float()

    def _prompt_states(self, prompt: str) -> Tensor:
        """(1, tokens, text_dim)."""
        found = self._job_store.get(self._prompt_key(prompt))
        if found is None:
            raise OSError(f"the words of the prompt {prompt[:40]!r} are not in the job's store; run the job again")
        states = found["states"]
        assert isinstance(states, np.ndarray)
        return torch.from_numpy(states.copy()).view(torch.bfloat16)[None].to(self.device)

    def _image_tokens(self, reference: Pictures) -> Tensor:
        """(1, tokens, image_dim)."""
        folder, pickles = self.profile.sources.image_encoder, self.profile.sources.pickles
        key = ArtifactStore.key(
            {
                "stage": "looking",
                "picture": hashlib.sha256(reference.tobytes()).hexdigest(),
                "size": reference.shape,
                "encoder": self._sampled_hash(folder),
            }
        )

        def look() -> dict[str, NDArray[np.float32]]:
            return {"tokens": clip_tokens(load_clip_vision(self.folder / folder, pickles=pickles), reference).numpy()}

        with self._encoding_lock:
            tokens = self._job_store.fetch(key, look)["tokens"]
        assert isinstance(tokens, np.ndarray)
        return torch.from_numpy(tokens.copy()).to(self.device)

    @property
    def _job_store(self) -> ArtifactStore:
        assert self._store is not None, "`for_job` comes before filming"
        return self._store

    def _prompt_key(self, prompt: str) -> str:
        at = self.profile.sources
        encoder = self._sampled_hash(at.text_encoder, at.tokenizer)
        return ArtifactStore.key(
            {"stage": "reading", "prompt": prompt, "length": self._config.text_len, "encoder": encoder}
        )

    @cached_property
    def _config(self) -> Any:
        """The video network's, without loading it."""
        return empty_network(read_config(self.folder / self.profile.sources.weights)).config

    def _load_dit(self) -> AudioDiT:
        profile, at = self.profile, self.profile.sources
        # LoRA files are merged in main memory; without them weights are read block by block, where they are to stay.
        dtype = self.dtype if profile.adapters else None
        dit = load_official(self.folder / at.weights, _audio(self.folder, profile), dtype, pickles=at.pickles)
        if profile.adapters:
            merge_loras(dit, _loras(self.folder, profile))
        dit.requires_grad_(requires_grad=False)
        return place_on_device(
            dit,
            self.placement,
            self.device,
            self.dtype,
            first_block_cache=profile.arithmetic.first_block_cache,
            compiled=profile.execution.compiled,
            attention=profile.arithmetic.attention,
        )

    def _load_autoencoder(self) -> WanAutoencoder:
        at = self.profile.sources
        return load_wan_autoencoder(self.folder / at.autoencoder, pickles=at.pickles).to(self.device)

    def _loaded(self, name: str, load: Callable[[], Network]) -> Network:
        with self._lock:
            if name not in self._models:
                self._models[name] = load()
            return self._models[name]  # type: ignore[return-value]

    def _sampled_hash(self, *paths: str) -> str:
        """A hash that tells these files, or those in these folders, from others of the same names."""
        return _sampled_hash(tuple(self.folder / path for path in paths))


@cache
def _in_job(folder: Path, profile: MultiTalkProfile, dtype: torch.dtype, store: Path) -> MultiTalkBackbone:
    return MultiTalkBackbone(folder, profile, dtype).in_job(ArtifactStore(store))


@cache
def _sampled_hash(paths: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(path.glob("*"))
        for file in files:
            if file.suffix in (".safetensors", ".json", ".model", *PICKLES):
                digest.update(f"{file.name} {quick_hash_file(file)}\n".encode())
    return digest.hexdigest()


def _audio(folder: Path, profile: MultiTalkProfile) -> Path | None:
    return None if profile.sources.audio is None else folder / profile.sources.audio


def _loras(folder: Path, profile: MultiTalkProfile) -> list[Lora]:
    return [Lora(folder / adapter.file, adapter.scale) for adapter in profile.adapters]


def _check_width(folder: Path, name: str, wanted: int) -> None:
    """Whether an encoder gives what the video network reads; a single file can hold only one kind. Raises UserError."""
    if not folder.is_dir():
        return
    found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get(name)
    if found != wanted:
        raise UserError(f"{folder}: its {name} is {found}, and the video model reads {wanted}; give the right encoder.")


def _held(values: Tensor, count: int, dim: int) -> Tensor:
    """The last entry along a dimension `count` times more."""
    last = values.narrow(dim, -1, 1)
    return torch.cat([values, *[last] * count], dim)
