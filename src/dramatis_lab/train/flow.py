"""Flow matching with the video networks: noise levels, the loss, and clips generated from noise to evaluate them."""

from __future__ import annotations

import torch
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.text import TextEncoder
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import NoGuidance
from dramatis.sampling.solvers import Euler
from dramatis_lab.data.device import autocast
from dramatis_lab.data.tasks import TaskBatch


def sample_sigmas(size: int) -> Tensor:
    """(size,) random sigmas, more of them near noise, where motion is decided."""
    return torch.sigmoid(0.6 + 1.1 * torch.randn(size))


def flow_loss(dit: AudioDiT, text: TextEncoder, batch: TaskBatch, sigma: Tensor) -> Tensor:
    """Weighted squared error of the velocity at noise levels `sigma` (B,), which lies on the network's device."""
    device = sigma.device
    z = batch.z.to(device)
    noise = torch.randn_like(z)
    mixed = torch.lerp(z, noise, sigma.view(-1, 1, 1, 1, 1))

    def ready(x: Tensor) -> Tensor:
        return x.to(device, torch.bfloat16)

    velocity = dit(
        ready(mixed),
        ready(batch.condition),
        1000 * sigma,
        text(text.tokenize(list(batch.captions)).to(device)),
        ready(batch.image),
        ready(batch.audio),
        controls=ready(batch.controls).unsqueeze(1),
        maps=ready(batch.maps),
    )
    weight = batch.weight.to(device).unsqueeze(1)
    error = (velocity.float() - (noise - z)).square()
    return (weight * error).mean() / weight.mean()


@torch.no_grad()
def encode_caption(text: TextEncoder, caption: str, device: torch.device) -> Tensor:
    """(1, L, D) text states."""
    return text(text.tokenize([caption]).to(device))


@torch.no_grad()
def generate_latents(
    dit: AudioDiT, text: TextEncoder, batch: TaskBatch, sigmas: Tensor, seed: int, device: torch.device
) -> Tensor:
    """Latents, shaped as `batch.z`, that the network makes of noise under the batch's conditions; without guidance."""
    states = text(text.tokenize(list(batch.captions)).to(device))
    audio = batch.audio.to(device)
    conditions = Conditions(
        condition=batch.condition.to(device),
        text=states,
        negative=torch.zeros_like(states),
        image=batch.image.to(device),
        audio=audio,
        silence=torch.zeros_like(audio),
        controls=batch.controls.to(device).unsqueeze(1),
        maps=batch.maps.to(device),
    )
    noise = torch.randn(batch.z.shape, generator=torch.Generator().manual_seed(seed)).to(device)
    return denoise(dit, noise, conditions, sigmas, NoGuidance(), Euler())


def decode_latents(autoencoder: MiniAutoencoder, z: Tensor) -> Tensor:
    """Normalised latents (B, 16, T, h, w) -> (B, 3, F, H, W) in [-1, 1]."""
    with autocast(z.device):
        return autoencoder.decode(autoencoder.denormalise(z)).float().clamp(-1, 1)
