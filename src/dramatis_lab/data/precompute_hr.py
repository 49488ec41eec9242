"""Precompute what the high-resolution network trains on, from a dataset rendered at its size.

The low-resolution input is made as the cascade makes it: frames shrunk, encoded, most of them partly noised and
generated anew by the low-resolution DiT (its own faults, but the true motion), decoded and enlarged.

One square of every sample is kept, most often where the face is: the network renders larger pictures in tiles.

Per sample (T = 8 latent frames, F = 29 pixel frames, K = 4 single frames of the clip; h w = 20 latent cells of the
square, but those of the whole picture for the reference):
    z, low, both (16, T, h, w)      the clip, the enlarged low-resolution clip, the condition with both ends given;
                                    the row's `length` latent frames count
    key_z, key_low, key_fill (K, 16, h, w)  single frames, likewise; the fill is the reference moved to their pose
    key_index (K,)                  which frames of the clip they are
    true, fill (F, 8h, 8w, 3), key_moved (K, 8h, 8w, 3)  uint8: the clip, the nearer given end and the reference moved
                                    to the pose of each frame
    reference (16, h, w), audio (F, C), controls (F, 26), maps (F, 6, h, w), weight (T, h, w)

    python -m dramatis_lab.data.precompute_hr --data DATA256/train --model RUNS/mini --out RUNS/hr_latents/train
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.pictures import to_pictures
from dramatis.models.reference import reference_tokens
from dramatis.models.shapes import latent_grid, pixel_frames
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.sampling.conditioning import GivenFrames, enlarge, warp_fill, warp_picture, with_mask
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import NoGuidance
from dramatis.sampling.solvers import Euler
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.face_regions import MOUTH, loss_weights
from dramatis_lab.data.latents import LatentSample, write_latents
from dramatis_lab.data.light import OTHER_CAMERA_SHARE, vary_camera
from dramatis_lab.data.mels import sample_mel
from dramatis_lab.data.precompute_latents import LATENT_FRAMES
from dramatis_lab.data.shards import DENSE, ShardDataset

HIGH_RESOLUTION_SCALE = 2
CROP_CELLS = 20
"""Side of the part of the picture that is kept, in latent cells."""
PIXEL_TENSORS = ("true", "fill", "key_moved")
"""Tensors that only the refiner learns from: nine tenths of a sample's bytes."""
FACE_SHARE = 0.6
HIGH_RESOLUTION_LENGTHS, HIGH_RESOLUTION_LENGTH_SHARES = (3, 4, 5, 6, 7, 8), (0.05, 0.15, 0.25, 0.35, 0.1, 0.1)
"""Latent frames of a clip, as plans have them."""
SINGLE_FRAMES = 4
PIXEL_FRAMES = DENSE.stop - DENSE.start
REGENERATED_SHARE = 0.65
REGENERATED_SIGMAS = (0.2, 0.7)
LOW_NOISE = 0.15
"""Most noise on the latents of low-resolution clips that are not generated anew."""


class HighResolutionPrecomputer:
    """Holds the frozen networks of a model folder; `sample` makes the tensors of one sample."""

    def __init__(self, model: Path, device: torch.device) -> None:
        self.device = device
        self.autoencoder = load_model(MiniAutoencoder, model / "autoencoder").to(device, torch.bfloat16)
        self.autoencoder = self.autoencoder.to(memory_format=torch.channels_last)
        self.dit = load_model(AudioDiT, model / "transformer").to(device, torch.bfloat16)
        self.text = load_model(TextEncoder, model / "text_encoder").to(device)
        self.speech = load_model(SpeechEncoder, model / "speech_encoder").to(device)

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(torch.bfloat16))).float()

    @torch.no_grad()
    def sample(self, data: ShardDataset, index: int, rng: np.random.Generator, *, varied: bool) -> LatentSample:
        """All tensors of one sample, and what its row says of them. varied: cameras and lengths differ."""
        frames = torch.from_numpy(data.frames(index, slice(0, DENSE.stop))).to(self.device)
        video = frames.float().div(127.5).sub(1).permute(3, 0, 1, 2)
        if varied and rng.random() < OTHER_CAMERA_SHARE:
            video = vary_camera(video, rng)
        length = int(rng.choice(HIGH_RESOLUTION_LENGTHS, p=HIGH_RESOLUTION_LENGTH_SHARES)) if varied else LATENT_FRAMES
        count = pixel_frames(length)
        rows = np.arange(DENSE.start, DENSE.start + count)
        scene = _Scene(data, index, rows)
        clip, reference = video[None, :, DENSE.start : DENSE.start + count], video[None, :, :1]
        audio = self._sound(data, index)
        low = enlarge(self._low(data.row(index), scene, clip, reference, audio, rng), scene.size)
        ends = GivenFrames(clip[:, :, :1], clip[:, :, -1:])
        both = warp_fill(ends, scene.moved(clip, rows[0]), scene.moved(clip, rows[-1]))
        singles = np.sort(rng.choice(count, SINGLE_FRAMES, replace=False))
        moved = warp_picture(reference[:, :, 0], scene.moved(clip, 0)[singles])
        square = _square(data.get(index, "landmarks")[1].astype(np.float32), scene.size, rng)
        z = self._encode(torch.cat([clip, low, both])[..., square[0], square[1]])
        true, fill, key_moved = (to_uint8_frames(video[..., square[0], square[1]]) for video in (clip, both, moved))
        single_frames = torch.cat([clip[:, :, singles], low[:, :, singles], moved], dim=2)[..., square[0], square[1]]
        single_z = self._encode(single_frames[0].transpose(0, 1).unsqueeze(2))[:, :, 0]
        names = ("key_z", "key_low", "key_fill")
        out = {name: _padded(value) for name, value in zip(("z", "low", "both"), z, strict=True)}
        out |= {name: single_z[SINGLE_FRAMES * k :][:SINGLE_FRAMES] for k, name in enumerate(names)}
        out |= {"reference": self._encode(reference)[0, :, 0], "audio": audio[DENSE]}
        out |= scene.geometry(data, index, square) | {"key_index": torch.from_numpy(singles)}
        out |= {"true": _padded_frames(true), "fill": _padded_frames(fill), "key_moved": key_moved}
        tensors = {name: value.half() if value.is_floating_point() else value for name, value in out.items()}
        return {name: value.cpu().contiguous() for name, value in tensors.items()}, {"length": length}

    def _low(
        self, row: dict[str, Any], scene: _Scene, clip: Tensor, reference: Tensor, audio: Tensor, rng: Any
    ) -> Tensor:
        """The clip as the low-resolution half of the cascade would hand it over: (1, 3, F, H / 2, W / 2)."""
        small, still = _shrunk(clip), _shrunk(reference)
        z = self._encode(small)
        if rng.random() < REGENERATED_SHARE:
            z = self._regenerated(row, scene, small, still, audio, z, float(rng.uniform(*REGENERATED_SIGMAS)))
        else:
            z = z + float(rng.uniform(0, LOW_NOISE)) * torch.randn_like(z)
        return self.autoencoder.decode(self.autoencoder.denormalise(z.to(torch.bfloat16))).float().clamp(-1, 1)

    def _regenerated(
        self, row: dict[str, Any], scene: _Scene, small: Tensor, still: Tensor, audio: Tensor, z: Tensor, sigma: float
    ) -> Tensor:
        frames = small.shape[2]
        size = (small.shape[3], small.shape[4])
        rows = scene.rows
        ends = GivenFrames(small[:, :, :1], small[:, :, -1:])
        filled = warp_fill(ends, scene.moved(small, rows[0]), scene.moved(small, rows[-1]))
        anchors = scene.anchors[rows] / HIGH_RESOLUTION_SCALE
        maps = coordinate_maps(anchors, scene.performance.take(rows), size, latent_grid((size[0], size[0])))
        features = audio[rows][None, None]
        words = self.text(self.text.tokenize([row["caption"]]).to(self.device))
        given = Conditions(
            condition=with_mask(self._encode(filled), ends.flags(frames)),
            text=words,
            negative=words,
            image=reference_tokens(self._encode(still)[:, :, 0]),
            audio=features,
            silence=features,
            controls=torch.from_numpy(scene.controls[rows])[None, None].to(self.device),
            maps=torch.from_numpy(maps)[None].to(self.device),
        )
        start = torch.lerp(z, torch.randn_like(z), sigma)
        return denoise(self.dit, start, given, torch.tensor([sigma, sigma / 2, 0.0]), NoGuidance(), Euler())

    def _sound(self, data: ShardDataset, index: int) -> Tensor:
        mel, rows = sample_mel(data, index)
        return self.speech(mel.to(self.device))[0][rows[: DENSE.stop]]


class _Scene:
    """Where head and camera are in the frames of one sample: row 0 is the reference."""

    def __init__(self, data: ShardDataset, index: int, rows: np.ndarray) -> None:
        self.rows = rows
        self.anchors = data.get(index, "anchors").astype(np.float32)[: DENSE.stop]
        self.controls = data.get(index, "controls").astype(np.float32)[: DENSE.stop]
        self.performance = Performance.from_controls(self.controls)
        frames = data.frames(index, slice(0, 1))
        self.size = (frames.shape[1], frames.shape[2])

    def moved(self, video: Tensor, source: int) -> Tensor:
        """(F, H, W, 2): where the clip's pixels lie in row `source`, at the video's size."""
        size = (video.shape[3], video.shape[4])
        rows = np.concatenate([[source], self.rows])
        anchors = self.anchors[rows] * (size[0] / self.size[0])
        return torch.from_numpy(warp_positions(anchors, self.performance.take(rows), 0, size)[1:]).to(video)

    def geometry(self, data: ShardDataset, index: int, square: tuple[slice, slice]) -> dict[str, Tensor]:
        """Controls of the whole 29 frames, and maps and weights of the part of the picture that is kept."""
        grid = latent_grid(self.size)
        rows = np.arange(DENSE.start, DENSE.stop)
        landmarks = data.get(index, "landmarks").astype(np.float32)[DENSE]
        maps = coordinate_maps(self.anchors[rows], self.performance.take(rows), self.size, grid)
        weight = loss_weights(landmarks, self.size, grid)
        down, right = (slice(side.start // 8, side.stop // 8) for side in square)
        values = {"controls": self.controls[rows], "maps": maps[..., down, right], "weight": weight[..., down, right]}
        return {name: torch.from_numpy(value) for name, value in values.items()}


def _square(landmarks: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns of the part to keep, on the grid of the tokens; landmarks: (68, 2) px."""
    side, token = 8 * CROP_CELLS, 16
    corner = rng.uniform(0, [size[1] - side, size[0] - side])
    if rng.random() < FACE_SHARE:
        corner = landmarks[list(MOUTH)].mean(0) - side / 2 + rng.normal(0, side / 6, 2)
    x, y = (np.round(corner / token) * token).clip(0, [size[1] - side, size[0] - side]).astype(int)
    return slice(int(y), int(y) + side), slice(int(x), int(x) + side)


def _shrunk(video: Tensor) -> Tensor:
    """(1, 3, F, H, W) -> half the size, each pixel the mean of four."""
    return F.avg_pool3d(video, (1, HIGH_RESOLUTION_SCALE, HIGH_RESOLUTION_SCALE))


def to_uint8_frames(video: Tensor) -> Tensor:
    """(1, 3, F, H, W) in [-1, 1] -> (F, H, W, 3) uint8."""
    return torch.from_numpy(to_pictures(video))


def _padded_frames(frames: Tensor) -> Tensor:
    return F.pad(frames, (0, 0, 0, 0, 0, 0, 0, PIXEL_FRAMES - len(frames)))


def _padded(z: Tensor) -> Tensor:
    return F.pad(z, (0, 0, 0, 0, 0, LATENT_FRAMES - z.shape[1]))


def main(
    data: Annotated[Path, typer.Option(help="shards of the synthetic world, at the high resolution")],
    model: Annotated[Path, typer.Option(help="model folder with the trained low-resolution networks")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed shards")],
    *,
    varied: Annotated[bool, typer.Option(help="vary cameras and lengths, for training; else whole clips")] = True,
    part: Annotated[int, typer.Option(help="number of this process, of `parts` that share the work")] = 0,
    parts: int = 1,
) -> None:
    """Precompute every shard that is still missing."""
    precomputer = HighResolutionPrecomputer(model, pick_device())
    shards = ShardDataset(data)
    undamaged = [index for index, (_, row) in enumerate(shards.rows) if row["damage"] in (None, "none")]

    def sample(index: int) -> LatentSample:
        return precomputer.sample(shards, index, np.random.default_rng(index), varied=varied)

    write_latents(shards, undamaged, out, sample, part, parts)


if __name__ == "__main__":
    typer.run(main)
