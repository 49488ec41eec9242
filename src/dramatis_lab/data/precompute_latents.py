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

    python -m dramatis_lab.data.precompute_latents --data DATA/train --autoencoder RUNS/autoencoder/model \
        --speech RUNS/speech/model --out RUNS/latents/train
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.shapes import latent_grid, pixel_frames
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.sampling.conditioning import GivenFrames, given_in_place, warp_fill
from dramatis_lab.data.acted_fills import ACTED_SHARE, ActedSample, acted_frames_of
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.face_regions import MOUTH, loss_weights
from dramatis_lab.data.latents import LatentSample, write_latents
from dramatis_lab.data.light import OTHER_CAMERA_SHARE, vary_camera
from dramatis_lab.data.mels import augment_mel, sample_mel
from dramatis_lab.data.shards import DENSE, STRIDED, ShardDataset
from dramatis_lab.data.tasks import CascadeTask

LATENT_FRAMES = 8
CLIP_LENGTHS, CLIP_LENGTH_SHARES = (2, 3, 4, 5, 6, 7, 8), (0.02, 0.03, 0.1, 0.2, 0.25, 0.15, 0.25)
"""Latent frames of clips with both ends given: as plans have them, from short tails to whole clips."""
GAP_SHARE = 0.16
GAP_LENGTHS = (5, 5, 8)
"""Latent frames of clips with a gap: most as long as the window of a transition."""


class LatentPrecomputer:
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
    def sample(self, data: ShardDataset, index: int, rng: np.random.Generator, *, varied: bool) -> LatentSample:
        """All tensors of one sample, and what its row says of them.

        varied: cameras differ, and clips between given ends differ in length and task; else they are whole.
        """
        frames = torch.from_numpy(data.frames(index, slice(0, 59))).to(self.device)
        video = frames.float().div(127.5).sub(1).permute(3, 0, 1, 2)
        if varied and rng.random() < OTHER_CAMERA_SHARE:
            video = vary_camera(video, rng)
        clips = torch.stack([video[:, DENSE], video[:, STRIDED]])
        lengths = [int(n) for n in rng.choice(CLIP_LENGTHS, 2, p=CLIP_LENGTH_SHARES)] if varied else [LATENT_FRAMES] * 2
        gap = varied and rng.random() < GAP_SHARE
        if gap:
            lengths[0] = int(rng.choice(GAP_LENGTHS))
        height, width = frames.shape[1:3]
        # Evaluated as jobs film: every portrait acts.
        acts = rng.random() < ACTED_SHARE if varied else True
        acted = self._acted(data, index, video, rng) if acts else None
        first, both = [], []
        for clip_index, span in enumerate((DENSE, STRIDED)):
            task = CascadeTask.GAP if gap and span == DENSE else CascadeTask.SUB_CLIP
            pictures = None if acted is None else acted[:, span]
            from_first, from_both = self._fills(
                data, index, span, clips[clip_index], lengths[clip_index], task, pictures
            )
            first.append(from_first)
            both.append(from_both)
        z, first_z = self._encode(clips), self._encode(torch.stack(first))
        both_z = torch.zeros_like(z)
        for clip_index, filled in enumerate(both):
            both_z[clip_index, :, : lengths[clip_index]] = self._encode(filled.unsqueeze(0))[0]
        reference = self._encode(video[None, :, :1])[0, :, 0]
        latents = {"z": z, "first": first_z, "both": both_z, "reference": reference}
        out = {name: value.half() for name, value in latents.items()}
        out |= self._sound(data, index, rng) | self._geometry(data, index, (height, width))
        return out, {"lengths": lengths, "gap": gap}

    def _acted(self, data: ShardDataset, index: int, video: Tensor, rng: np.random.Generator) -> Tensor | None:
        """The sample's reference, acting in all its frames; None where its face is no face to the eye."""
        try:
            return acted_frames_of(data, index, video[:, 0], self.speech, ActedSample.drawn(rng))
        except ValueError:
            return None

    def _fills(
        self,
        data: ShardDataset,
        index: int,
        span: slice,
        clip: Tensor,
        length: int,
        task: CascadeTask,
        acted: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Filled pixels (3, F, H, W) with the first frame given, and with both ends of the first `length` latents.

        acted: (3, F, H, W) what the portrait does meanwhile; None: given frames are moved instead.
        """
        anchors = data.get(index, "anchors").astype(np.float32)[span]
        performance = Performance.from_controls(data.get(index, "controls").astype(np.float32)[span])
        size = (clip.shape[2], clip.shape[3])

        def moved(source: int, count: int) -> Tensor:
            positions = warp_positions(anchors[:count], performance.take(np.arange(count)), source, size)
            return torch.from_numpy(positions).to(clip)

        count = pixel_frames(length)
        video = clip[None, :, :count]
        given = GivenFrames(video[:, :, : task.head], video[:, :, count - task.tail :])
        if acted is not None:
            first = given_in_place(GivenFrames(clip[None, :, :1]), acted[None])
            return first[0], given_in_place(given, acted[None, :, :count])[0]
        from_first = moved(0, clip.shape[1])
        first = warp_fill(GivenFrames(clip[None, :, :1]), from_first, None)
        both = warp_fill(given, moved(task.head - 1, count), moved(count - task.tail, count))
        return first[0], both[0]

    def _sound(self, data: ShardDataset, index: int, rng: np.random.Generator) -> dict[str, Tensor]:
        mel, rows = sample_mel(data, index)
        mel = mel.to(self.device)
        features = torch.cat([self.speech(mel), self.speech(augment_mel(mel, rng))]).cpu()
        clips = [features[:, rows[span]] for span in (DENSE, STRIDED)]
        return {"audio": torch.stack(clips, 1).half()}

    def _geometry(self, data: ShardDataset, index: int, size: tuple[int, int]) -> dict[str, Tensor]:
        grid = latent_grid(size)
        landmarks = data.get(index, "landmarks").astype(np.float32)
        anchors = data.get(index, "anchors").astype(np.float32)
        controls = data.get(index, "controls").astype(np.float32)
        maps, weights, mouths = [], [], []
        for span in (DENSE, STRIDED):
            performance = Performance.from_controls(controls[span])
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


def main(
    data: Annotated[Path, typer.Option(help="shards of the synthetic world")],
    autoencoder: Annotated[Path, typer.Option(help="autoencoder weights")],
    speech: Annotated[Path, typer.Option(help="speech encoder weights")],
    out: Annotated[Path, typer.Option(help="folder for the precomputed shards")],
    *,
    varied: Annotated[bool, typer.Option(help="vary lengths and tasks, for training; else whole clips")] = True,
) -> None:
    """Precompute every shard that is still missing."""
    precomputer = LatentPrecomputer(
        load_model(MiniAutoencoder, autoencoder), load_model(SpeechEncoder, speech), pick_device()
    )
    shards = ShardDataset(data)

    def sample(index: int) -> LatentSample:
        return precomputer.sample(shards, index, np.random.default_rng(index), varied=varied)

    write_latents(shards, range(len(shards)), out, sample)


if __name__ == "__main__":
    typer.run(main)
