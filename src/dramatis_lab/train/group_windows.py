"""Precompute what the mask head and the group adapter train on: clips of groups as jobs film them.

The data are datasets of groups, one folder for each number of people: rendered ones with strided frames, at twice the
size (`world.dataset`), or annotated videos (`annotate.groups`). They are shrunk so that faces are as large as the
profile films them. One file a sample, with a dense clip whose both ends are given and, where the sample has strided
frames, a strided one of which the first is given, or both.

Per clip (N people, T latent frames, F = 4T - 3 pixel frames; h w = latent grid, half of it for tokens):
    z, given (16, T, h, w)      normalised latents of the clip, and of the given frames moved
    reference (16, h, w)        image latent of the reference frame
    crops (N, 16, 16, 16)       image latents of everybody's identity crop
    squares (N, 3)              left, top and side of the crops, in heights of the picture
    audio (N, F, C)             what everybody says; zeros, sound unknown, where the data have no voices
    controls (N, F, 26)
    maps (N, F, 6, h, w)        coordinate maps for each person alone
    shares (N, T, h/2, w/2)     whose each token is by the places of heads
    masks (N, T, h, w)          ground truth, shares of a cell
    weight (N, T, h, w)         what counts in each face (`loss_weights`)
    spans (N, 2)                first and last column (exclusive) of everybody's window, cells
    contrast (N,)               variance of the latents within each face
    tail ()                     1 where the last frame is given

    python -m dramatis_lab.train.group_windows --data GROUPS/train3 --model RUNS/mini --out RUNS/windows/train3
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dramatis.media.masks import latent_masks, masks_of
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.mask_head import IDENTITY_SIDE, identity_square
from dramatis.models.perception import interocular
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder
from dramatis.motion.group import group_positions, head_windows, person_maps
from dramatis.motion.performance import Performance, performances
from dramatis.runtime.files import publish
from dramatis.sampling.conditioning import Given, warp_fill
from dramatis.sampling.gating import head_gates
from dramatis.senses.seeing.people import Square, view
from dramatis.story.vocabulary import alone
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.autoencoder import DENSE, STRIDED
from dramatis_lab.train.common import pick_device
from dramatis_lab.train.latents import loss_weights, other_camera, sound_of

EYES = 31.0
"""Pixels between the outer eye corners, as the mini's profile films groups."""
SIDES = (128, 192)
"""Smallest and largest height of a frame, px."""
WINDOW = 128
"""Width of a window, px."""
LENGTHS = {
    DENSE.start: ((5, 6, 7, 8), (0.25, 0.2, 0.15, 0.4)),
    STRIDED.start: ((3, 4, 5, 6, 8), (0.15, 0.35, 0.2, 0.15, 0.15)),
}
STRIDED_TAIL_SHARE = 0.2
LIGHTER = (-0.7, 0.2)
"""Logarithms of the smallest and largest exponent of the tone curve: dark faces are filmed lighter."""
Clip = tuple[dict[str, Any], dict[str, Tensor]]
"""The row of a precomputed clip, with `strided` besides, and its tensors."""


@torch.no_grad()
def voices_heard(data: ShardSet, index: int, speech: SpeechEncoder, device: torch.device) -> Tensor:
    """Features (N, frames of the sample, C) of every voice, each at the loudness that films are made at."""
    shown = data.get(index, "index")
    if not data.has(index, "audio"):
        return torch.zeros(data.row(index)["people"], len(shown), speech.norm.normalized_shape[0])
    heard = [sound_of(voice, shown) for voice in data.get(index, "audio")]
    return torch.stack([speech(mel.to(device))[0].cpu()[frames] for mel, frames in heard])


class WindowPrecomputer:
    """Holds the two frozen networks; `sample` makes the clips of one sample."""

    def __init__(self, autoencoder: MiniAutoencoder, speech: SpeechEncoder, device: torch.device) -> None:
        self.autoencoder = autoencoder.to(device).eval()
        self.speech = speech.to(device).eval()
        self.device = device

    @torch.no_grad()
    def sample(self, data: ShardSet, index: int, rng: np.random.Generator) -> list[dict[str, Tensor]]:
        """The clips of one sample."""
        landmarks = data.get(index, "landmarks").astype(np.float32)
        frames = data.get(index, "frames")
        eyes = [interocular(marks) for marks in landmarks[:, 0]]
        wanted = EYES / float(np.exp(np.mean(np.log(eyes)))) * float(np.exp(rng.normal(0, 0.08)))
        height = 16 * round(float(np.clip(frames.shape[1] * wanted, *SIDES)) / 16)
        scale = height / frames.shape[1]
        whole = height, round(frames.shape[2] * scale)
        # Both sides are multiples of 16; what is beyond is cut on the right.
        size = height, whole[1] // 16 * 16
        video = F.interpolate(to_tensor(frames)[0].transpose(0, 1), whole, mode="bicubic", antialias=True)
        video = varied_light(video[..., : size[1]].transpose(0, 1).clamp(-1, 1), rng)
        anchors, controls = (data.get(index, name).astype(np.float32) for name in ("anchors", "controls"))
        known = self._people(video[None, :, :1], anchors[:, 0] * scale)
        heard = voices_heard(data, index, self.speech, self.device)
        person = data.get(index, "person")
        out = []
        for span in (DENSE, STRIDED) if len(frames) == STRIDED.stop else (DENSE,):
            lengths, shares = LENGTHS[span.start]
            length = int(rng.choice(lengths, p=shares))
            some = slice(span.start, span.start + 4 * length - 3)
            tail = span == DENSE or bool(rng.random() < STRIDED_TAIL_SHARE)
            clip = self._clip(video[None, :, some], Group(anchors[:, some] * scale, controls[:, some], size), tail)
            owners = F.interpolate(torch.from_numpy(person[some])[:, None], whole)[:, 0, :, : size[1]].numpy()
            faces = [loss_weights(marks[some] * scale, size, (size[0] // 8, size[1] // 8)) for marks in landmarks]
            clip |= known | {
                "audio": heard[:, some],
                "controls": torch.from_numpy(controls[:, some]),
                "masks": torch.from_numpy(latent_masks(masks_of(owners, len(anchors)))),
                "weight": torch.from_numpy(np.stack(faces)),
            }
            clip["contrast"] = contrasts(clip["z"], clip["masks"], clip["weight"])
            out.append({name: value.float().cpu().contiguous() for name, value in clip.items()})
        return out

    def _people(self, reference: Tensor, anchors: NDArray[np.float32]) -> dict[str, Tensor]:
        """The reference frame (1, 3, 1, H, W), and who is known by which part of it. anchors: (N, 9, 2) px."""
        picture = to_pictures(reference)[0]
        squares = [identity_square(face, (picture.shape[0], picture.shape[1])) for face in anchors]
        crops = torch.cat([to_tensor(view(picture, Square(*square), IDENTITY_SIDE)[None]) for square in squares])
        return {
            "reference": self._encode(reference)[0, :, 0],
            "crops": self._encode(crops)[:, :, 0],
            "squares": torch.tensor(squares) / picture.shape[0],
        }

    def _clip(self, clip: Tensor, scene: Group, tail: bool) -> dict[str, Tensor]:
        height, width = scene.size
        z, shown = self._encode(torch.cat([clip, scene.filled(clip, clip.shape[2], tail)]))
        maps = person_maps(scene.anchors, scene.acted[0], scene.size, (height // 8, width // 8))
        return {
            "z": z,
            "given": shown,
            "maps": torch.from_numpy(maps),
            "shares": head_gates(scene.anchors, scene.size),
            "spans": torch.tensor(head_windows(scene.anchors, width, WINDOW, 16)) // 8,
            "tail": torch.tensor(float(tail)),
        }

    def _encode(self, video: Tensor) -> Tensor:
        return self.autoencoder.normalise(self.autoencoder.encode(video.to(self.device)).float()).cpu()


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


def varied_light(video: Tensor, rng: np.random.Generator) -> Tensor:
    """(3, F, H, W) in [-1, 1]: as it is, lighter or darker, or as another camera would have taken it."""
    drawn = rng.random()
    if drawn < 0.3:
        return video
    if drawn < 0.6:
        return 2 * ((video + 1) / 2).clamp_min(0) ** float(np.exp(rng.uniform(*LIGHTER))) - 1
    return other_camera(video, rng)


class Clips:
    """Precomputed samples, all in memory."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders, self.files = folders, set[Path]()
        self.clips: list[Clip] = []
        self.refresh()

    def __len__(self) -> int:
        return len(self.clips)

    def refresh(self) -> None:
        """Take in files that appeared since the last look."""
        for path in sorted({path for folder in self.folders for path in folder.glob("*.safetensors")} - self.files):
            with safe_open(path, framework="pt") as file:
                row = json.loads(file.metadata()["row"])
                clips: dict[str, dict[str, Tensor]] = {}
                for number, name in (key.split(".") for key in file.keys()):  # noqa: SIM118
                    clips.setdefault(number, {})[name] = file.get_tensor(f"{number}.{name}")
            self.clips += [(row | {"strided": number == "1"}, clip) for number, clip in sorted(clips.items())]
            self.files.add(path)


def caption_of(row: dict[str, Any]) -> str:
    """The words of a clip, as a look at one person is told them."""
    return alone(row["whole_caption" if row["strided"] else "caption"])


@torch.no_grad()
def told(text: TextEncoder, caption: str, device: torch.device) -> Tensor:
    """(1, L, D) text states."""
    return text(text.tokenize([caption]).to(device))


def given_flags(clip: dict[str, Tensor]) -> Tensor:
    """(F,) 1 where a frame of a clip is given, F > 1: the first, and the last where its `tail` is."""
    flags = torch.zeros(4 * clip["z"].shape[1] - 3)
    flags[0], flags[-1] = 1, clip["tail"]
    return flags


def contrasts(z: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """(N,) variance of the latents (16, T, h, w) within each face: the less, the more an error in it is seen."""
    out = []
    for mask, faces in zip(masks, weight, strict=True):
        inside = (mask > 0.5) & (faces > 1)
        cells = z[:, inside]
        out.append(cells.var(1).mean() if int(inside.sum()) > 8 else torch.tensor(torch.nan))
    return torch.stack(out)


def main(
    data: Annotated[Path, typer.Option(help="shards of groups, all of one number of people")],
    model: Annotated[Path, typer.Option(help="model folder with autoencoder and speech encoder")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed samples")],
) -> None:
    """Precompute every sample that is not there yet."""
    autoencoder = load_model(MiniAutoencoder, model / "autoencoder")
    work = WindowPrecomputer(autoencoder, load_model(SpeechEncoder, model / "speech_encoder"), pick_device())
    shards = ShardSet(data)
    out.mkdir(parents=True, exist_ok=True)
    for index in range(len(shards)):
        path, row = shards.rows[index]
        target = out / f"{path.stem}-{row['slot']:03d}.safetensors"
        if target.exists():
            continue
        clips = work.sample(shards, index, np.random.default_rng(index))
        partial = target.with_suffix(".part")
        halves = {f"{number}.{name}": value.half() for number, clip in enumerate(clips) for name, value in clip.items()}
        save_file(halves, partial, metadata={"row": json.dumps(row)})
        publish(partial, target)
        print(f"{index + 1}/{len(shards)} {target.name}", flush=True)


if __name__ == "__main__":
    typer.run(main)
