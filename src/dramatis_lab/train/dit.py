"""Train the audio-driven DiT on precomputed latents: all tasks of the low-resolution cascade in one network.

A task is a mask pattern. Dense clips: first frame given, first and last given, or a gap between given ends. Strided
clips (the blueprint): first given, or first and last. Lengths vary, as the plan's do. Frames that are not given show a
given one moved as head and camera move (`sampling.conditioning.warp_fill`): what is left to learn is what moves itself.

Most steps keep only a window of tokens around the mouth: lip sync is learnt several times faster than
from whole frames. Judge by the correlation r of mouth opening, shuffled r and late-frame PSNR; the
flow loss says little.

    python -m dramatis_lab.train.dit --data RUNS/latents/train --test RUNS/latents/test --run RUNS/dit --minutes 60 \
        --autoencoder RUNS/autoencoder/model --perception RUNS/perception/model
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from safetensors import safe_open
from torch import Tensor, nn

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet, look
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis.sampling.conditioning import with_mask
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import NoGuidance
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from dramatis_lab.train.common import CompileOption, Run, RunOption, autocast, fit_bf16, pick_device, psnr
from dramatis_lab.train.latents import LENGTH_SHARES, LENGTHS

MINI: dict[str, Any] = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "text_dim": 128,
    "text_len": 48,
    "freq_dim": 128,
    "ffn_dim": 1024,
    "num_layers": 8,
    "image_dim": 96,
    "rope_max_seq_len": 128,
    "audio_projection": "frame",
    "audio_channels": 160,
    "audio_output_dim": 128,
    "control_dim": 26,
    "control_channels": 6,
}
DENSE, STRIDED = 0, 1
WINDOW = 8
"""Side of the mouth window in latent cells (four tokens)."""
TASKS = ("first", "first_last", "gap", "blueprint", "blueprint_last")
TASK_SHARES = (0.1, 0.36, 0.06, 0.38, 0.1)


class LatentSet:
    """All precomputed samples in memory, one tensor per name; without those that are not needed."""

    def __init__(self, folder: Path, without: Collection[str] = ()) -> None:
        self.folder = folder
        self.without = without
        self.files: list[Path] = []
        self.rows: list[dict[str, Any]] = []
        self.parts: dict[str, list[Tensor]] = {}
        self._groups: dict[str, dict[int, list[int]]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in files that appeared since the last look."""
        for path in sorted(self.folder.glob("*.safetensors")):
            if path in self.files:
                continue
            self._groups.clear()
            with safe_open(path, framework="pt") as file:
                self.rows += json.loads(file.metadata()["rows"])
                for name in set(file.keys()) - set(self.without):
                    self.parts.setdefault(name, []).extend(file.get_tensor(name))
            self.files.append(path)

    def __len__(self) -> int:
        return len(self.rows)

    def groups(self, task: str) -> dict[int, list[int]] | None:
        """Rows by the latent frames of their clip, for a task with both ends given; None: any row and length do."""
        if task in ("first", "blueprint"):
            return None
        if task not in self._groups:
            clip = STRIDED if task.startswith("blueprint") else DENSE
            out = self._groups.setdefault(task, {})
            for place, row in enumerate(self.rows):
                if clip == STRIDED or row["gap"] == (task == "gap"):
                    out.setdefault(row["lengths"][clip], []).append(place)
        return self._groups[task]

    def stack(self, name: str, indices: np.ndarray) -> Tensor:
        """(B, ...) float32."""
        return torch.stack([self.parts[name][i] for i in indices]).float()


@dataclass
class Batch:
    """One training batch; shapes as in `AudioDiT.forward`, `z` (B, 16, T, h, w) clean latents."""

    z: Tensor
    condition: Tensor
    image: Tensor
    audio: Tensor
    controls: Tensor
    maps: Tensor
    weight: Tensor
    captions: list[str]
    windowed: bool = False


def conditioned(data: LatentSet, indices: np.ndarray, task: str, frames: int) -> Batch:
    """Clips of `frames` latent frames with the task's mask pattern; for tasks with both ends, rows of that length."""
    clip = STRIDED if task.startswith("blueprint") else DENSE
    ends = task not in ("first", "blueprint")
    assert not ends or all(data.rows[i]["lengths"][clip] == frames for i in indices), "clips of another length"
    z = data.stack("z", indices)[:, clip, :, :frames]
    latents = data.stack("both" if ends else "first", indices)[:, clip, :, :frames]
    pixel_frames = 4 * frames - 3
    flags = torch.zeros(pixel_frames)
    head, tail = (5, 4) if task == "gap" else (1, int(ends))
    flags[:head] = 1
    flags[pixel_frames - tail :] = 1
    pick = np.random.default_rng(int(indices[0])).integers(0, 2, len(indices))
    audio = data.stack("audio", indices)[torch.arange(len(indices)), torch.from_numpy(pick), clip]
    return Batch(
        z=z,
        condition=with_mask(latents, flags),
        image=reference_tokens(data.stack("reference", indices)),
        audio=audio[:, :pixel_frames].unsqueeze(1),
        controls=data.stack("controls", indices)[:, clip, :pixel_frames],
        maps=data.stack("maps", indices)[:, clip, :pixel_frames],
        weight=data.stack("weight", indices)[:, clip, :frames],
        captions=[data.rows[i]["whole_caption" if clip == STRIDED else "caption"] for i in indices],
    )


def mouth_window(batch: Batch, mouths: Tensor, rng: np.random.Generator) -> Batch:
    """Keep a jittered window around the mouth; the coordinate maps still say where in the picture it lies."""
    height, width = batch.z.shape[-2:]
    corner = mouths.numpy() - WINDOW / 2 + rng.uniform(-2, 2, (len(mouths), 2))
    corner = (np.round(corner / 2) * 2).clip(0, [width - WINDOW, height - WINDOW]).astype(int)

    def cut(x: Tensor) -> Tensor:
        return torch.stack([row[..., y : y + WINDOW, x0 : x0 + WINDOW] for row, (x0, y) in zip(x, corner, strict=True)])

    batch.z, batch.condition, batch.maps = cut(batch.z), cut(batch.condition), cut(batch.maps)
    batch.weight = cut(batch.weight)
    batch.windowed = True
    return batch


def forget(batch: Batch, rng: np.random.Generator) -> Batch:
    """Drop conditions at random, so that guidance has something to compare with, and spoil given frames a little.

    Emotion is sometimes withheld from the controls, so that the words must tell it.
    """
    size = len(batch.z)

    def keep(share: float) -> Tensor:
        return torch.from_numpy((rng.random(size) >= share).astype(np.float32))

    batch.captions = ["" if rng.random() < 0.1 else text for text in batch.captions]
    batch.audio = batch.audio * keep(0.08).view(-1, 1, 1, 1)
    batch.controls = batch.controls.clone()
    batch.controls[:, :, EMOTION_COLUMNS] *= keep(0.2).view(-1, 1, 1)
    batch.image = batch.image * keep(0.05).view(-1, 1, 1)
    # Keyframes come from the model itself: never perfect.
    level = torch.from_numpy(rng.uniform(0, 0.15, size) * (rng.random(size) < 0.6)).float().view(-1, 1, 1, 1, 1)
    noisy = batch.condition[:, 4:] + level * torch.randn_like(batch.condition[:, 4:])
    batch.condition = torch.cat([batch.condition[:, :4], noisy], dim=1)
    return batch


def noise_levels(size: int) -> Tensor:
    """(size,) random sigmas, more of them near noise, where motion is decided."""
    return torch.sigmoid(0.6 + 1.1 * torch.randn(size))


def flow_loss(dit: AudioDiT, text: TextEncoder, batch: Batch, sigma: Tensor) -> Tensor:
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
        text(text.tokenize(batch.captions).to(device)),
        ready(batch.image),
        ready(batch.audio),
        controls=ready(batch.controls).unsqueeze(1),
        maps=ready(batch.maps),
    )
    weight = batch.weight.to(device).unsqueeze(1)
    error = (velocity.float() - (noise - z)).square()
    return (weight * error).mean() / weight.mean()


def draw(
    data: LatentSet, rng: np.random.Generator, full_share: float, batch_full: int, batch_window: int
) -> tuple[Batch, str]:
    """The next batch: a task, a length, whole frames or mouth windows."""
    task = str(rng.choice(TASKS, p=TASK_SHARES))
    whole = rng.random() < full_share
    size = batch_full if whole else batch_window
    group = data.groups(task)
    if group is None:
        frames, indices = int(rng.choice(LENGTHS, p=LENGTH_SHARES)), rng.integers(0, len(data), size)
    else:
        counts = {frames: len(rows) for frames, rows in group.items()}
        shares = np.array(list(counts.values())) / sum(counts.values())
        frames = int(rng.choice(list(counts), p=shares))
        indices = rng.choice(group[frames], size)
    batch = conditioned(data, indices, task, frames)
    if not whole:
        clip = STRIDED if task.startswith("blueprint") else DENSE
        batch = mouth_window(batch, data.stack("mouth", indices)[:, clip], rng)
    return forget(batch, rng), task


@torch.no_grad()
def film(dit: AudioDiT, text: TextEncoder, batch: Batch, sigmas: Tensor, seed: int, device: torch.device) -> Tensor:
    """Latents, shaped as `batch.z`, that the network makes of noise under the batch's conditions; without guidance."""
    words = text(text.tokenize(batch.captions).to(device))
    audio = batch.audio.to(device)
    given = Conditions(
        condition=batch.condition.to(device),
        text=words,
        negative=torch.zeros_like(words),
        image=batch.image.to(device),
        audio=audio,
        silence=torch.zeros_like(audio),
        controls=batch.controls.to(device).unsqueeze(1),
        maps=batch.maps.to(device),
    )
    noise = torch.randn(batch.z.shape, generator=torch.Generator().manual_seed(seed)).to(device)
    return denoise(dit, noise, given, sigmas, NoGuidance(), Euler())


def decoded(autoencoder: MiniAutoencoder, z: Tensor) -> Tensor:
    """Normalised latents (B, 16, T, h, w) -> (B, 3, F, H, W) in [-1, 1]."""
    with autocast(z.device):
        return autoencoder.decode(autoencoder.denormalise(z)).float().clamp(-1, 1)


class Judge:
    """Generates held-out clips and measures them: correlation of mouth opening, shuffled control, PSNR far into it."""

    def __init__(self, test: LatentSet, autoencoder: Path, perception: Path, device: torch.device) -> None:
        self.test, self.device = test, device
        self.autoencoder = load_model(MiniAutoencoder, autoencoder).to(device, memory_format=torch.channels_last)
        self.eye = load_model(PerceptionNet, perception).to(device)

    @torch.no_grad()
    def clip(
        self, dit: AudioDiT, text: TextEncoder, index: int, task: str, audio_of: int, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Generated and true (3, 29, H, W) for one held-out sample, hearing the audio of sample `audio_of`."""
        batch = conditioned(self.test, np.array([index]), task, 8)
        heard = self.test.stack("audio", np.array([audio_of]))[:, 0, int(task.startswith("blueprint"))]
        batch.audio = heard.unsqueeze(1)
        z = film(dit, text, batch, shifted_sigmas(6, 2.0), seed, self.device)
        return decoded(self.autoencoder, z)[0], decoded(self.autoencoder, batch.z.to(self.device))[0]

    def openings(self, video: Tensor) -> np.ndarray:
        """(F,) mouth opening seen in (3, F, H, W)."""
        return np.array([sight.mouth_opening for sight in look(self.eye, video.transpose(0, 1))])

    def judge(self, dit: AudioDiT, text: TextEncoder, clips: int = 8) -> dict[str, float]:
        """Figures over the first `clips` undamaged single-person samples."""
        picked = [i for i, row in enumerate(self.test.rows) if row["people"] == 1 and row["damage"] in (None, "none")]
        picked = picked[:clips]
        made: dict[str, list[np.ndarray]] = {"own": [], "shuffled": [], "true": []}
        early, late, blueprint = [], [], []
        for place, index in enumerate(picked):
            other = picked[(place + 3) % len(picked)]
            video, true = self.clip(dit, text, index, "first_last", index, place)
            made["own"].append(self.openings(video))
            made["true"].append(self.openings(true))
            made["shuffled"].append(self.openings(self.clip(dit, text, index, "first_last", other, place)[0]))
            early.append(psnr(video[:, 1:5], true[:, 1:5]))
            late.append(psnr(video[:, 13:17], true[:, 13:17]))
            video, true = self.clip(dit, text, index, "blueprint", index, place)
            blueprint.append(psnr(video[:, 13:], true[:, 13:]))
        joined = {name: np.concatenate(curves) for name, curves in made.items()}
        return {
            "r": np.corrcoef(joined["own"], joined["true"])[0, 1],
            "r_shuffled": np.corrcoef(joined["shuffled"], joined["true"])[0, 1],
            "psnr_early": np.mean(early),
            "psnr_middle": np.mean(late),
            "psnr_blueprint": np.mean(blueprint),
        }


class Learner(nn.Module):
    """The two networks that learn together."""

    def __init__(self, init: Path | None = None) -> None:
        super().__init__()
        if init:
            self.dit = load_model(AudioDiT, init / "transformer")
        else:
            self.dit = AudioDiT(**MINI)
            # Start from "no velocity": the first steps then learn instead of undoing noise.
            nn.init.zeros_(self.dit.proj_out.weight)
            nn.init.zeros_(self.dit.proj_out.bias)
        self.text = load_model(TextEncoder, init / "text_encoder") if init else TextEncoder()


def main(
    data: Annotated[Path, typer.Option(help="precomputed training latents")],
    test: Annotated[Path, typer.Option(help="precomputed held-out latents")],
    run: RunOption,
    autoencoder: Annotated[Path, typer.Option(help="autoencoder weights, to judge pictures")],
    perception: Annotated[Path, typer.Option(help="perception weights, to judge lips")],
    out: Annotated[Path | None, typer.Option(help="write averaged weights here after every judgement")] = None,
    init: Annotated[Path | None, typer.Option(help="start from this model folder")] = None,
    minutes: float = 60.0,
    rate: float = 1e-3,
    batch_full: int = 4,
    batch_window: int = 16,
    full_share: float = 0.3,
    late_share: float = 0.5,
    judge_every: float = 10.0,
    compile_blocks: CompileOption = False,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    train_set, test_set = LatentSet(data), LatentSet(test)
    judge = Judge(test_set, autoencoder, perception, device)
    learner = Learner(init).to(device, torch.bfloat16).train()
    if compile_blocks:
        for block in learner.dit.blocks:
            block.compile(dynamic=True)

    def loss_of(rng: np.random.Generator) -> tuple[str, Tensor]:
        # Whole frames count for more at the end, when lips are there and pictures have to settle.
        share = full_share if clock.progress() < 0.66 else max(full_share, late_share)
        batch, _ = draw(train_set, rng, share, batch_full, batch_window)
        loss = flow_loss(learner.dit, learner.text, batch, noise_levels(len(batch.z)).to(device))
        return f"loss_{'window' if batch.windowed else 'full'}", loss

    def report(shipped: Learner) -> dict[str, float]:
        if out is not None:
            save_model(shipped.dit, out / "transformer")
            save_model(shipped.text, out / "text_encoder")
        return judge.judge(shipped.dit, shipped.text)

    clock = Run(run, minutes)
    fit_bf16(
        learner, "learner", clock, loss_of, report, rate=rate, log_every=200, judge_every=judge_every, data=train_set
    )


if __name__ == "__main__":
    typer.run(main)
