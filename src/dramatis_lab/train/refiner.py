"""Train the detail refiner on what the high-resolution DiT and the autoencoder make of training clips.

The frozen upscaler films every sample once, as the cascade would: sub-clips in few steps between true ends, keyframes
from the moved reference. What comes out is kept in memory, and the refiner learns to bring it nearer to the true frames
with the moved pictures at hand. The loss is the autoencoder's: distances, gradients, and the strength of fine detail.

    python -m dramatis_lab.train.refiner --data RUNS/hr_latents/train --test RUNS/hr_latents/test \
        --model RUNS/mini --run RUNS/refiner --out RUNS/refiner/model --minutes 20
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.pictures import to_tensor
from dramatis.models.refiner import DetailRefiner
from dramatis.models.text import TextEncoder
from dramatis.sampling.schedules import shifted_sigmas
from dramatis_lab.train.autoencoder import laplacian, reconstruction_loss, texture_loss
from dramatis_lab.train.common import Run, RunOption, autocast, fit, pick_device, psnr
from dramatis_lab.train.dit import Batch, LatentSet, decoded, film
from dramatis_lab.train.hr_latents import pixels
from dramatis_lab.train.super_resolution import clips, keyframes

CLIP_STEPS, KEYFRAME_STEPS = 2, 8
"""As the mini's profile has them."""
FRAMES = 9
"""Of a training crop of a sub-clip; it begins where a latent frame does."""
JUDGED = 6


@dataclass(frozen=True)
class Filmed:
    """Frames (F, H, W, 3) uint8 of a sub-clip, or of single keyframes: true, as they came out, the moved picture."""

    true: Tensor
    made: Tensor
    moved: Tensor


class Camera:
    """The frozen networks that film."""

    def __init__(self, model: Path, device: torch.device) -> None:
        self.device = device
        self.upscaler = load_model(AudioDiT, model / "upscaler", torch.bfloat16).to(device).eval()
        self.text = load_model(TextEncoder, model / "text_encoder", torch.bfloat16).to(device).eval()
        self.autoencoder = load_model(MiniAutoencoder, model / "autoencoder").to(device).eval()
        self.autoencoder = self.autoencoder.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def film(self, batch: Batch, steps: int, seed: int) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1]."""
        z = film(self.upscaler, self.text, batch, shifted_sigmas(steps, 1.0), seed, self.device)
        return decoded(self.autoencoder, z)


class Studio:
    """Films the rows of a set, each once."""

    def __init__(self, data: LatentSet, camera: Camera) -> None:
        self.data, self.camera, self.device = data, camera, camera.device
        self._clips: dict[int, Filmed] = {}
        self._keyframes: dict[int, Filmed] = {}

    def clip(self, index: int) -> Filmed:
        """A row's sub-clip."""
        if index not in self._clips:
            parts = self.data.parts
            batch = clips(self.data, np.array([index]), self.data.rows[index]["length"])
            made = pixels(self.camera.film(batch, CLIP_STEPS, index))
            self._clips[index] = Filmed(parts["true"][index][: len(made)], made, parts["fill"][index][: len(made)])
        return self._clips[index]

    def keyframe(self, index: int) -> Filmed:
        """A row's single frames."""
        if index not in self._keyframes:
            parts = self.data.parts
            batch = keyframes(self.data, np.array([index]))
            # Each frame was filmed as a clip of its own; here they stand one after another.
            made = pixels(self.camera.film(batch, KEYFRAME_STEPS, index).transpose(0, 2))
            true = parts["true"][index][parts["key_index"][index].long()]
            self._keyframes[index] = Filmed(true, made, parts["key_moved"][index])
        return self._keyframes[index]


def draw(studio: Studio, rng: np.random.Generator, size: int, side: int, keyframe_share: float) -> list[Tensor]:
    """True, made and moved crops (B, 3, F, side, side): of sub-clips, or of as many single frames."""
    count = len(studio.data)
    if rng.random() < keyframe_share:
        crops = []
        for index in rng.integers(0, count, size):
            filmed, window = studio.keyframe(int(index)), _window(rng, studio, side)
            crops += [[part[k : k + 1][window] for part in _parts(filmed)] for k in range(len(filmed.true))]
    else:
        long = [i for i, row in enumerate(studio.data.rows) if 4 * row["length"] - 3 >= FRAMES]
        crops = []
        for index in rng.choice(long, size):
            filmed, window = studio.clip(int(index)), _window(rng, studio, side)
            start = 4 * int(rng.integers(0, (len(filmed.true) - FRAMES) // 4 + 1))
            crops.append([part[start : start + FRAMES][window] for part in _parts(filmed)])
    stacks = [torch.cat([to_tensor(part.numpy()) for part in parts]) for parts in zip(*crops, strict=True)]
    stacks = [stack.to(studio.device) for stack in stacks]
    return [stack.flip(-1) for stack in stacks] if rng.random() < 0.5 else stacks


def _parts(filmed: Filmed) -> list[Tensor]:
    return [filmed.true, filmed.made, filmed.moved]


def _window(rng: np.random.Generator, studio: Studio, side: int) -> tuple[slice, slice, slice]:
    room = studio.data.parts["true"][0].shape[1] - side
    y, x = (2 * int(rng.integers(0, room // 2 + 1)) for _ in range(2))
    return slice(None), slice(y, y + side), slice(x, x + side)


@torch.no_grad()
def judge(refiner: DetailRefiner, studio: Studio) -> dict[str, float]:
    """PSNR gained (dB), and Laplacian variance over the true one without and with the refiner; for clips also how much
    changes from a latent frame to the next over within one, true frames being 1."""
    out: dict[str, list[float]] = {}
    for index in np.linspace(0, len(studio.data) - 1, JUDGED).astype(int):
        for name, filmed in (("clip", studio.clip(int(index))), ("key", studio.keyframe(int(index)))):
            single = name == "key"
            videos = (to_tensor(part.numpy()).to(studio.device) for part in _parts(filmed))
            true, made, moved = (video.transpose(0, 2) if single else video for video in videos)
            with autocast(studio.device):
                refined = refiner(made, moved).float().clamp(-1, 1)
            out.setdefault(f"{name}_gain", []).append(psnr(refined, true) - psnr(made, true))
            for kind, frames in (("before", made), ("after", refined)):
                sharp = float(laplacian(frames).var() / laplacian(true).var())
                out.setdefault(f"{name}_sharp_{kind}", []).append(sharp)
                if not single:
                    out.setdefault(f"pulse_{kind}", []).append(pulse(frames) / pulse(true))
    return {name: float(np.mean(values)) for name, values in out.items()}


def pulse(video: Tensor) -> float:
    """Mean change (1, 3, F, H, W) where one latent frame hands over to the next, over the mean of all other changes."""
    change = video.diff(dim=2).abs().mean((0, 1, 3, 4))
    border = torch.arange(len(change), device=change.device) % 4 == 0
    return float(change[border].mean() / change[~border].mean().clamp(min=1e-6))


def main(
    data: Annotated[Path, typer.Option(help="precomputed high-resolution latents and pixels")],
    test: Annotated[Path, typer.Option(help="the same of held-out people")],
    model: Annotated[Path, typer.Option(help="model folder with the trained upscaler")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    minutes: float = 20.0,
    rate: float = 2e-3,
    batch_size: int = 4,
    side: int = 96,
    keyframe_share: float = 0.35,
    texture: Annotated[float, typer.Option(help="weight of the texture loss")] = 4.0,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    camera = Camera(model, device)
    studio, held_out = (Studio(LatentSet(folder), camera) for folder in (data, test))
    refiner = DetailRefiner().to(device, memory_format=torch.channels_last).train()

    def loss_of(rng: np.random.Generator) -> Tensor:
        true, made, moved = draw(studio, rng, batch_size, side, keyframe_share)
        with autocast(device):
            refined = refiner(made, moved)
        loss = reconstruction_loss(refined, true, torch.zeros_like(true[:, :1]), 1.0)
        return loss + texture * texture_loss(refined, true)

    shipped = fit(
        refiner,
        Run(run, minutes),
        loss_of,
        lambda net: judge(net, held_out),
        rate=rate,
        weight_decay=1e-4,
        report_every=100,
    )
    if out is not None:
        save_model(shipped, out)


if __name__ == "__main__":
    typer.run(main)
