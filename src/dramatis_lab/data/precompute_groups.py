"""Precompute what the mask head and the group adapter train on: clips of groups, prepared as jobs render them.

The data are datasets of groups, one folder for each number of people: rendered ones with strided frames, at twice the
size (`world.takes.dataset`), or annotated videos (`annotate.groups`). They are shrunk so that faces are as large as the
profile renders them. One file a sample, with a dense clip whose both ends are given and, where the sample has strided
frames, a strided one of which the first is given, or both.

Per clip (N people, T latent frames, F = 4T - 3 pixel frames; h w = latent grid, half of it for tokens):
    z, given (16, T, h, w)      normalised latents of the clip, and of the given frames moved
    reference (16, h, w)        image latent of the reference frame
    crops (N, 16, 16, 16)       image latents of everybody's identity crop
    squares (N, 3)              left, top and side of the crops, in heights of the picture
    audio (N, F, C)             each person's speech features; zeros, sound unknown, where the data have no voices
    controls (N, F, 26)
    maps (N, F, 6, h, w)        coordinate maps for each person alone
    shares (N, T, h/2, w/2)     each person's share of every token, by head position
    masks (N, T, h, w)          ground truth, shares of a cell
    weight (N, T, h, w)         loss weights around each face (`loss_weights`)
    spans (N, 2)                first and last column (exclusive) of each person's window, cells
    contrast (N,)               variance of the latents within each face
    tail ()                     1 where the last frame is given

    python -m dramatis_lab.data.precompute_groups --data GROUPS/train3 --model RUNS/mini --out RUNS/windows/train3
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import Tensor

from dramatis.media.masks import owner_masks
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.mask_head import IDENTITY_SIDE, identity_square
from dramatis.models.perception import interocular
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.shapes import latent_grid, latent_masks, pixel_frames
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.group import group_positions, head_windows, person_maps
from dramatis.motion.performance import Performance, unpack_controls
from dramatis.sampling.conditioning import GivenFrames, warp_fill
from dramatis.sampling.gating import head_gates
from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.pyramid import crop
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.face_regions import loss_weights
from dramatis_lab.data.group_clips import write_group_clips
from dramatis_lab.data.light import vary_light
from dramatis_lab.data.mels import voice_mel
from dramatis_lab.data.shards import DENSE, STRIDED, ShardDataset

EYE_DISTANCE = 31.0
"""Pixels between the outer eye corners, at which the mini's profile renders groups."""
FRAME_HEIGHTS = (128, 192)
"""Smallest and largest height of a frame, px."""
WINDOW_WIDTH = 128
"""Width of a window, px."""
GROUP_CLIP_LENGTHS = {
    DENSE.start: ((5, 6, 7, 8), (0.25, 0.2, 0.15, 0.4)),
    STRIDED.start: ((3, 4, 5, 6, 8), (0.15, 0.35, 0.2, 0.15, 0.15)),
}
STRIDED_TAIL_SHARE = 0.2


@torch.no_grad()
def voice_features(data: ShardDataset, index: int, speech: SpeechEncoder, device: torch.device) -> Tensor:
    """Features (N, frames of the sample, C) of every voice, each at the loudness that videos are made at."""
    timeline = data.get(index, "index")
    if not data.has(index, "audio"):
        return torch.zeros(data.row(index)["people"], len(timeline), speech.norm.normalized_shape[0])
    mels = [voice_mel(voice, timeline) for voice in data.get(index, "audio")]
    return torch.stack([speech(mel.to(device))[0].cpu()[frames] for mel, frames in mels])


class GroupPrecomputer:
    """Holds the two frozen networks; `sample` makes the clips of one sample."""

    def __init__(self, autoencoder: MiniAutoencoder, speech: SpeechEncoder, device: torch.device) -> None:
        self.autoencoder = autoencoder.to(device).eval()
        self.speech = speech.to(device).eval()
        self.device = device

    @torch.no_grad()
    def sample(self, data: ShardDataset, index: int, rng: np.random.Generator) -> list[dict[str, Tensor]]:
        """The clips of one sample."""
        landmarks = data.get(index, "landmarks").astype(np.float32)
        frames = data.get(index, "frames")
        eye_distances = [interocular(marks) for marks in landmarks[:, 0]]
        scale = EYE_DISTANCE / float(np.exp(np.mean(np.log(eye_distances)))) * float(np.exp(rng.normal(0, 0.08)))
        height = 16 * round(float(np.clip(frames.shape[1] * scale, *FRAME_HEIGHTS)) / 16)
        scale = height / frames.shape[1]
        resized = height, round(frames.shape[2] * scale)
        # Both sides are multiples of 16; what is beyond is cut on the right.
        size = height, resized[1] // 16 * 16
        video = F.interpolate(to_tensor(frames)[0].transpose(0, 1), resized, mode="bicubic", antialias=True)
        video = vary_light(video[..., : size[1]].transpose(0, 1).clamp(-1, 1), rng)
        anchors, controls = (data.get(index, name).astype(np.float32) for name in ("anchors", "controls"))
        identities = self._identities(video[None, :, :1], anchors[:, 0] * scale)
        audio = voice_features(data, index, self.speech, self.device)
        person = data.get(index, "person")
        clips = []
        for span in (DENSE, STRIDED) if len(frames) == STRIDED.stop else (DENSE,):
            lengths, shares = GROUP_CLIP_LENGTHS[span.start]
            length = int(rng.choice(lengths, p=shares))
            pixels = slice(span.start, span.start + pixel_frames(length))
            motion = GroupMotion(anchors[:, pixels] * scale, controls[:, pixels], size)
            tail = span == DENSE or bool(rng.random() < STRIDED_TAIL_SHARE)
            clip = self._clip(video[None, :, pixels], motion, tail=tail)
            owners = F.interpolate(torch.from_numpy(person[pixels])[:, None], resized)[:, 0, :, : size[1]].numpy()
            weights = [loss_weights(marks[pixels] * scale, size, latent_grid(size)) for marks in landmarks]
            clip |= identities | {
                "audio": audio[:, pixels],
                "controls": torch.from_numpy(controls[:, pixels]),
                "masks": torch.from_numpy(latent_masks(owner_masks(owners, len(anchors)))),
                "weight": torch.from_numpy(np.stack(weights)),
            }
            clip["contrast"] = face_contrasts(clip["z"], clip["masks"], clip["weight"])
            clips.append({name: value.float().cpu().contiguous() for name, value in clip.items()})
        return clips

    def _identities(self, reference: Tensor, anchors: NDArray[np.float32]) -> dict[str, Tensor]:
        """The reference frame (1, 3, 1, H, W), and the identity crop of each person in it. anchors: (N, 9, 2) px."""
        picture = to_pictures(reference)[0]
        squares = [identity_square(face, (picture.shape[0], picture.shape[1])) for face in anchors]
        crops = torch.cat([to_tensor(crop(picture, CropBox(*square), IDENTITY_SIDE)[None]) for square in squares])
        return {
            "reference": self._encode(reference)[0, :, 0],
            "crops": self._encode(crops)[:, :, 0],
            "squares": torch.tensor(squares) / picture.shape[0],
        }

    def _clip(self, clip: Tensor, motion: GroupMotion, *, tail: bool) -> dict[str, Tensor]:
        width = motion.size[1]
        z, given = self._encode(torch.cat([clip, motion.fill(clip, clip.shape[2], tail=tail)]))
        maps = person_maps(motion.anchors, motion.performances[0], motion.size, latent_grid(motion.size))
        return {
            "z": z,
            "given": given,
            "maps": torch.from_numpy(maps),
            "shares": head_gates(motion.anchors, motion.size),
            "spans": torch.tensor(head_windows(motion.anchors, width, WINDOW_WIDTH, 16)) // 8,
            "tail": torch.tensor(float(tail)),
        }

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(self.device)).float()).cpu()


class GroupMotion:
    """How everybody in one clip moves. anchors: (N, F, 9, 2) px.  controls: (N, F, 26).  size: (H, W)."""

    def __init__(self, anchors: NDArray[np.float32], controls: NDArray[np.float32], size: tuple[int, int]) -> None:
        self.anchors, self.size = anchors, size
        self.performances = unpack_controls(controls)

    def fill(self, clip: Tensor, count: int, *, tail: bool) -> Tensor:
        """The first `count` frames of a clip (1, 3, F, H, W) with the given ones in place and moved ones between."""
        given = GivenFrames(clip[:, :, :1], clip[:, :, count - 1 : count] if tail else None)
        return warp_fill(given, self._moved(0, count, clip), self._moved(count - 1, count, clip) if tail else None)

    def _moved(self, source: int, count: int, like: Tensor) -> Tensor:
        performances: list[Performance] = [performance.take(np.arange(count)) for performance in self.performances]
        return torch.from_numpy(group_positions(self.anchors[:, :count], performances, source, self.size)).to(like)


def face_contrasts(z: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """(N,) variance of the latents (16, T, h, w) within each face: the lower it is, the more visible an error."""
    contrasts = []
    for mask, face_weight in zip(masks, weight, strict=True):
        inside = (mask > 0.5) & (face_weight > 1)
        cells = z[:, inside]
        contrasts.append(cells.var(1).mean() if int(inside.sum()) > 8 else torch.tensor(torch.nan))
    return torch.stack(contrasts)


def main(
    data: Annotated[Path, typer.Option(help="shards of groups, all with the same number of people")],
    model: Annotated[Path, typer.Option(help="model folder with autoencoder and speech encoder")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed samples")],
) -> None:
    """Precompute every sample that is still missing."""
    autoencoder = load_model(MiniAutoencoder, model / "autoencoder")
    precomputer = GroupPrecomputer(autoencoder, load_model(SpeechEncoder, model / "speech_encoder"), pick_device())
    shards = ShardDataset(data)
    out.mkdir(parents=True, exist_ok=True)
    for index in range(len(shards)):
        path, row = shards.rows[index]
        target = out / f"{path.stem}-{row['slot']:03d}.safetensors"
        if target.exists():
            continue
        clips = precomputer.sample(shards, index, np.random.default_rng(index))
        write_group_clips(target, row, clips)
        print(f"{index + 1}/{len(shards)} {target.name}", flush=True)


if __name__ == "__main__":
    typer.run(main)
