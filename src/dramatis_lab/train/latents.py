"""Precompute what the DiT trains on: latents, conditions, audio features and controls of every sample.

The autoencoder and the speech encoder are frozen while the DiT learns, so their work is done once. One output file per
shard of the dataset, skipped when it exists.

Per sample (T = 8 latent frames, F = 29 pixel frames, two clips: 0 dense, 1 strided; h w = latent grid):
    z (2, 16, T, h, w)      normalised latents of the clip
    first (2, 16, T, h, w)  condition latents when the first frame is given
    both (2, 16, T, h, w)   condition latents when both ends are given; the clip then has the row's `lengths` latent
                            frames, and where the row's `gap` is true five and four pixel frames of the dense clip
    reference (16, h, w)    image latent of the reference frame
    audio (2, 2, F, C)      speech features [plain, augmented][clip]
    controls (2, F, 26), maps (2, F, 6, h, w), weight (2, T, h, w) loss weights, mouth (2, 2) mouth centre in cells

    python -m dramatis_lab.train.latents --data DATA/train --autoencoder RUNS/autoencoder/model \
        --speech RUNS/speech/model --out RUNS/latents/train
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from safetensors.torch import save_file
from torch import Tensor

from dramatis.media.loudness import integrated_loudness, loudness_gain
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME, SpeechEncoder, log_mel
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.runtime.files import publish
from dramatis.sampling.conditioning import Given, warp_fill
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.autoencoder import DENSE, EYES, MOUTH, STRIDED
from dramatis_lab.train.common import autocast, pick_device

MOUTH_WEIGHT, EYE_WEIGHT = 6.0, 3.0
LATENT_FRAMES = 8
LENGTHS, LENGTH_SHARES = (2, 3, 4, 5, 6, 7, 8), (0.02, 0.03, 0.1, 0.2, 0.25, 0.15, 0.25)
"""Latent frames of clips with both ends given: what plans hold, from short tails to whole clips."""
GAP_SHARE = 0.16
GAP_LENGTHS = (5, 5, 8)
"""Latent frames of clips with a gap: most as long as the window of a seam."""
OTHER_CAMERA_SHARE = 0.6
BROWS = range(17, 27)


def augmented_mel(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Gain, spectral tilt and a shift of up to three bins: other microphones, other throats. (B, F, 4, 80)."""
    bins = torch.linspace(-1, 1, mel.shape[-1], device=mel.device)
    mel = mel + rng.normal(0, 0.25) + rng.normal(0, 0.25) * bins
    return torch.roll(mel, int(rng.integers(-3, 4)), dims=-1)


def other_camera(video: Tensor, rng: np.random.Generator) -> Tensor:
    """A clip (3, F, H, W) in [-1, 1] as another camera would have taken it: tone curve, white balance, saturation and
    softness, the same in all frames. The renderer's own look is one of many, and photographs have others."""
    light = (video + 1) / 2
    light = light.clamp_min(0) ** float(np.exp(rng.normal(0, 0.25)))
    light = light * torch.from_numpy(np.exp(rng.normal(0, 0.08, (3, 1, 1, 1))).astype(np.float32)).to(video)
    light = torch.lerp(light.mean(0, keepdim=True).expand_as(light), light, float(rng.uniform(0.3, 1.25)))
    kernel = torch.tensor([0.25, 0.5, 0.25]).to(video)
    padded = F.pad(light.transpose(0, 1), (1, 1, 1, 1), mode="replicate")
    soft = F.conv2d(padded, (kernel[:, None] * kernel).expand(3, 1, 3, 3), groups=3).transpose(0, 1)
    return (2 * torch.lerp(light, soft, float(rng.uniform(0, 1))) - 1).clamp(-1, 1)


def loss_weights(landmarks: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """Landmarks (F, 68, 2) px -> (T, h, w): 1 elsewhere, more around eyes and brows, most around the mouth."""
    out = np.ones((len(landmarks), *grid), np.float32)
    cell = np.array([size[1] / grid[1], size[0] / grid[0]])
    for part, weight in ((BROWS, EYE_WEIGHT), (EYES, EYE_WEIGHT), (MOUTH, MOUTH_WEIGHT)):
        points = landmarks[:, list(part)] / cell
        low = np.floor(points.min(1) - 0.6).astype(int).clip(0)
        high = np.ceil(points.max(1) + 0.6).astype(int).clip(0)
        for t in range(len(out)):
            box = out[t, low[t, 1] : high[t, 1], low[t, 0] : high[t, 0]]
            np.maximum(box, weight, out=box)
    groups = out[1:].reshape(-1, 4, *grid).max(1)
    return np.concatenate([out[:1], groups])


def sound(data: ShardSet, index: int) -> tuple[Tensor, np.ndarray]:
    """What a sample of one person sounds like: `sound_of` its voice."""
    return sound_of(data.get(index, "audio"), data.get(index, "index"))


def sound_of(voice: np.ndarray, index: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """What a voice sounds like, at the loudness that films are made at: mel (1, N, 4, 80), and which of the N frames
    each of the pictures at `index` shows. voice: (samples,) int16."""
    audio = voice.astype(np.float32) / 32768
    audio = audio * loudness_gain(integrated_loudness(audio, SAMPLE_RATE))
    last = len(audio) // SAMPLES_PER_FRAME - 1
    return log_mel(torch.from_numpy(audio).unsqueeze(0)), index.astype(int).clip(0, last)


class Precomputer:
    """Holds the two frozen networks; `sample` makes the tensors of one sample."""

    def __init__(self, autoencoder: MiniAutoencoder, speech: SpeechEncoder, device: torch.device) -> None:
        self.autoencoder = autoencoder.to(device).eval()
        self.speech = speech.to(device).eval()
        self.device = device

    @torch.no_grad()
    def _encode(self, video: Tensor) -> Tensor:
        with autocast(self.device):
            raw = self.autoencoder.encode(video)
        return self.autoencoder.normalise(raw.float()).cpu()

    @torch.no_grad()
    def sample(
        self, data: ShardSet, index: int, rng: np.random.Generator, varied: bool
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All tensors of one sample, and what its row says of them. varied: cameras differ, and clips of both given
        ends differ in length and task; else they are whole."""
        frames = torch.from_numpy(data.frames(index, slice(0, 59))).to(self.device)
        video = frames.float().div(127.5).sub(1).permute(3, 0, 1, 2)
        if varied and rng.random() < OTHER_CAMERA_SHARE:
            video = other_camera(video, rng)
        clips = torch.stack([video[:, DENSE], video[:, STRIDED]])
        lengths = [int(n) for n in rng.choice(LENGTHS, 2, p=LENGTH_SHARES)] if varied else [LATENT_FRAMES] * 2
        gap = varied and rng.random() < GAP_SHARE
        if gap:
            lengths[0] = int(rng.choice(GAP_LENGTHS))
        height, width = frames.shape[1:3]
        first, both = [], []
        for place, span in enumerate((DENSE, STRIDED)):
            one, two = self._fills(data, index, span, clips[place], lengths[place], gap and place == 0)
            first.append(one)
            both.append(two)
        z, first_z = self._encode(clips), self._encode(torch.stack(first))
        both_z = torch.zeros_like(z)
        for place, filled in enumerate(both):
            both_z[place, :, : lengths[place]] = self._encode(filled.unsqueeze(0))[0]
        reference = self._encode(video[None, :, :1])[0, :, 0]
        latents = {"z": z, "first": first_z, "both": both_z, "reference": reference}
        out = {name: value.half() for name, value in latents.items()}
        out |= self._sound(data, index, rng) | self._geometry(data, index, (height, width))
        return out, {"lengths": lengths, "gap": gap}

    def _fills(
        self, data: ShardSet, index: int, span: slice, clip: Tensor, length: int, gap: bool
    ) -> tuple[Tensor, Tensor]:
        """Filled pixels (3, F, H, W) with the first frame given, and with both ends of the first `length` latents."""
        anchors = data.get(index, "anchors").astype(np.float32)[span]
        performance = Performance.from_vector(data.get(index, "controls").astype(np.float32)[span])
        size = (clip.shape[2], clip.shape[3])

        def moved(source: int, count: int) -> Tensor:
            positions = warp_positions(anchors[:count], performance.take(np.arange(count)), source, size)
            return torch.from_numpy(positions).to(clip)

        count = 4 * length - 3
        head, tail = (5, 4) if gap else (1, 1)
        video = clip[None, :, :count]
        given = Given(video[:, :, :head], video[:, :, count - tail :])
        from_first = moved(0, clip.shape[1])
        first = warp_fill(Given(clip[None, :, :1]), from_first, None)
        both = warp_fill(given, moved(head - 1, count), moved(count - tail, count))
        return first[0], both[0]

    def _sound(self, data: ShardSet, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        mel, rows = sound(data, index)
        mel = mel.to(self.device)
        heard = torch.cat([self.speech(mel), self.speech(augmented_mel(mel, rng))]).cpu()
        picked = [heard[:, rows[span]] for span in (DENSE, STRIDED)]
        return {"audio": torch.stack(picked, 1).half()}

    def _geometry(self, data: ShardSet, index: int, size: tuple[int, int]) -> dict[str, Tensor]:
        grid = (size[0] // 8, size[1] // 8)
        landmarks = data.get(index, "landmarks").astype(np.float32)
        anchors = data.get(index, "anchors").astype(np.float32)
        controls = data.get(index, "controls").astype(np.float32)
        maps, weights, mouths = [], [], []
        for span in (DENSE, STRIDED):
            performance = Performance.from_vector(controls[span])
            maps.append(coordinate_maps(anchors[span], performance, size, grid))
            weights.append(loss_weights(landmarks[span], size, grid))
            mouths.append(landmarks[span][:, list(MOUTH)].mean((0, 1)) / (size[1] / grid[1]))
        values: dict[str, Any] = {
            "controls": np.stack([controls[DENSE], controls[STRIDED]]),
            "maps": np.stack(maps),
            "weight": np.stack(weights),
            "mouth": np.stack(mouths),
        }
        return {name: torch.from_numpy(value).half() for name, value in values.items()}


def precompute(
    shards: ShardSet,
    indices: Iterable[int],
    out: Path,
    sample: Callable[[int], tuple[dict[str, Tensor], dict[str, Any]]],
    part: int = 0,
    parts: int = 1,
) -> None:
    """Write the samples `indices`, shard by shard, where a shard is not there yet; of `parts` processes
    that share the work, this is number `part`. sample: the tensors of one, and what its row says of them."""
    out.mkdir(parents=True, exist_ok=True)
    by_shard: dict[Path, list[int]] = {}
    for index in indices:
        by_shard.setdefault(shards.rows[index][0], []).append(index)
    for number, (path, members) in enumerate(by_shard.items()):
        target = out / path.name
        if target.exists() or number % parts != part:
            continue
        torch.manual_seed(number)
        samples = [sample(index) for index in members]
        stacked = {name: torch.stack([tensors[name] for tensors, _ in samples]) for name in samples[0][0]}
        rows = [shards.row(index) | about for index, (_, about) in zip(members, samples, strict=True)]
        partial = target.with_suffix(".part")
        save_file(stacked, partial, metadata={"rows": json.dumps(rows)})
        publish(partial, target)
        print(f"{number + 1}/{len(by_shard)} {target.name}", flush=True)


def main(
    data: Annotated[Path, typer.Option(help="shards of the synthetic world")],
    autoencoder: Annotated[Path, typer.Option(help="autoencoder weights")],
    speech: Annotated[Path, typer.Option(help="speech encoder weights")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed shards")],
    varied: Annotated[bool, typer.Option(help="clips of varied length and task, to train on; else whole clips")] = True,
) -> None:
    """Precompute every shard that is not there yet."""
    work = Precomputer(load_model(MiniAutoencoder, autoencoder), load_model(SpeechEncoder, speech), pick_device())
    shards = ShardSet(data)
    indices = range(len(shards))
    precompute(shards, indices, out, lambda index: work.sample(shards, index, np.random.default_rng(index), varied))


if __name__ == "__main__":
    typer.run(main)
