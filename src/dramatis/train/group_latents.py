"""Precompute what the mask head trains on: latents, conditions and masks of groups in wide frames.

Everything that is frozen does its work once: the autoencoder on clips and identity crops, the speech encoder on every
voice. The data are datasets with `people` (`world.dataset`), one folder for each number of people. Where a dataset has
strided frames, half of its samples are blueprint clips.

Per sample (N people, T = 8 latent frames, F = 29 pixel frames; h w = latent grid, half of it for tokens); of T the
row's `length` count, the rest is zeros:
    z (16, T, h, w)         normalised latents of the clip
    given (16, T, h, w)     condition latents with the first frame given, and the last where the row's `tail` is true
    reference (16, h, w)    image latent of the reference frame
    crops (N, 16, 16, 16)   image latents of everybody's identity crop
    squares (N, 3)          left, top and side of the crops, in heights of the picture
    audio (N, F, C), controls (N, F, 26), maps (F, 6, h, w)
    shares (N, T, h/2, w/2) whose each token is by the places of heads (`motion.group`)
    masks (N, T, h, w)      ground truth, shares of a cell (of all T)

    python -m dramatis.train.group_latents --data GROUPS/train2 --model RUNS/mini --out RUNS/groups/train2
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from dramatis.media.loudness import integrated_loudness, loudness_gain
from dramatis.media.masks import latent_masks, masks_of
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.mask_head import IDENTITY_SIDE, identity_square
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME, SpeechEncoder, log_mel
from dramatis.motion.group import group_maps, group_positions
from dramatis.motion.performance import Performance, performances
from dramatis.sampling.conditioning import Given, warp_fill
from dramatis.sampling.gating import head_gates
from dramatis.senses.people import Square, view
from dramatis.train.autoencoder import DENSE, STRIDED
from dramatis.train.common import pick_device
from dramatis.train.latents import LATENT_FRAMES, OTHER_CAMERA_SHARE, other_camera, precompute
from dramatis.train.shards import ShardSet

LENGTHS, LENGTH_SHARES = (3, 5, 8), (0.3, 0.5, 0.2)
"""Latent frames of a clip: masks need no long ones, and short ones cost less."""
TAIL_SHARE = 0.5


@torch.no_grad()
def voices_heard(data: ShardSet, index: int, speech: SpeechEncoder, device: torch.device) -> Tensor:
    """Features (N, frames of the sample, C) of every voice, each at the loudness that films are made at."""
    heard = []
    for samples in data.get(index, "audio").astype(np.float32) / 32768:
        level = samples * loudness_gain(integrated_loudness(samples, SAMPLE_RATE))
        last = len(samples) // SAMPLES_PER_FRAME - 1
        features = speech(log_mel(torch.from_numpy(level).unsqueeze(0)).to(device))[0].cpu()
        heard.append(features[data.get(index, "index").astype(int).clip(0, last)])
    return torch.stack(heard)


class GroupPrecomputer:
    """Holds the two frozen networks; `sample` makes the tensors of one sample."""

    def __init__(self, autoencoder: MiniAutoencoder, speech: SpeechEncoder, device: torch.device) -> None:
        self.autoencoder = (
            nn.Module.to(autoencoder, device, torch.bfloat16).to(memory_format=torch.channels_last).eval()
        )
        self.speech = speech.to(device).eval()
        self.device = device

    @torch.no_grad()
    def sample(
        self, data: ShardSet, index: int, rng: np.random.Generator, varied: bool
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All tensors of one sample, and what its row says of them. varied: cameras and lengths differ."""
        row = data.row(index)
        strided = len(data.get(index, "index")) > STRIDED.start and bool(rng.random() < 0.5)
        span = STRIDED if strided else DENSE
        video = to_tensor(data.get(index, "frames"))[0].to(self.device)
        if varied and rng.random() < OTHER_CAMERA_SHARE:
            video = other_camera(video, rng)
        clip, reference = video[None, :, span], video[None, :, :1]
        length = int(rng.choice(LENGTHS, p=LENGTH_SHARES)) if varied else LATENT_FRAMES
        tail = bool(rng.random() < TAIL_SHARE)
        anchors, controls = (data.get(index, name).astype(np.float32) for name in ("anchors", "controls"))
        scene = Group(anchors[:, span], controls[:, span], (clip.shape[3], clip.shape[4]))
        count = 4 * length - 3
        shown = torch.cat([clip[:, :, :count], scene.filled(clip, count, tail)])
        z, given = nn.functional.pad(self._encode(shown), (0, 0, 0, 0, 0, LATENT_FRAMES - length))
        squares = [identity_square(face, scene.size) for face in anchors[:, 0]]
        picture = to_pictures(reference)[0]
        crops = torch.cat([to_tensor(view(picture, Square(*square), IDENTITY_SIDE)[None]) for square in squares])
        out = {
            "z": z,
            "given": given,
            "reference": self._encode(reference)[0, :, 0],
            "squares": torch.tensor(squares) / scene.size[0],
            "crops": self._encode(crops)[:, :, 0],
            "audio": voices_heard(data, index, self.speech, self.device)[:, span],
            "controls": torch.from_numpy(controls[:, span]),
            "masks": torch.from_numpy(latent_masks(masks_of(data.get(index, "person")[span], row["people"]))),
            **scene.geometry(),
        }
        about = {"length": length, "tail": tail, "strided": strided}
        return {name: value.half().cpu().contiguous() for name, value in out.items()}, about

    def _encode(self, video: Tensor) -> Tensor:
        raw = self.autoencoder.encode(video.to(self.device, torch.bfloat16))
        return self.autoencoder.normalise(raw.float()).cpu()


class Group:
    """Where everybody is in one clip. anchors: (N, F, 9, 2) px.  controls: (N, F, 26).  size: (H, W)."""

    def __init__(self, anchors: NDArray[np.float32], controls: NDArray[np.float32], size: tuple[int, int]) -> None:
        self.anchors, self.size = anchors, size
        self.acted = performances(controls)

    def filled(self, clip: Tensor, count: int, tail: bool) -> Tensor:
        """The first `count` frames of a clip (1, 3, F, H, W) with the given ones in place and moved ones between."""
        given = Given(clip[:, :, :1], clip[:, :, count - 1 : count] if tail else None)
        return warp_fill(given, self._moved(0, count, clip), self._moved(count - 1, count, clip) if tail else None)

    def _moved(self, source: int, count: int, like: Tensor) -> Tensor:
        some: list[Performance] = [acted.take(np.arange(count)) for acted in self.acted]
        return torch.from_numpy(group_positions(self.anchors[:, :count], some, source, self.size)).to(like)

    def geometry(self) -> dict[str, Tensor]:
        height, width = self.size
        maps = group_maps(self.anchors, self.acted[0], self.size, (height // 8, width // 8))
        return {"maps": torch.from_numpy(maps), "shares": head_gates(self.anchors, self.size)}


def main(
    data: Annotated[Path, typer.Option(help="shards of groups, all of one number of people")],
    model: Annotated[Path, typer.Option(help="model folder with autoencoder and speech encoder")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed shards")],
    varied: Annotated[bool, typer.Option(help="clips of varied length, to train on; else whole clips")] = True,
) -> None:
    """Precompute every shard that is not there yet."""
    autoencoder = load_model(MiniAutoencoder, model / "autoencoder")
    work = GroupPrecomputer(autoencoder, load_model(SpeechEncoder, model / "speech_encoder"), pick_device())
    shards = ShardSet(data)
    indices = range(len(shards))
    precompute(shards, indices, out, lambda index: work.sample(shards, index, np.random.default_rng(index), varied))


if __name__ == "__main__":
    typer.run(main)
