"""Are deep features better aligned with people? Overlap of linear probes and of mask heads against depth and noise.

The probe of a block is one linear layer on its tokens, each standardised: background, the left or the right of two
people, for each of the four latent cells of a token. It learns on training groups and is judged on held-out ones. Heads
are those of a run of `train.mask_head` with several blocks. Both see the backbone in the first step of a job. More
probes look at the same clips with less shown to the backbone: is it what it is shown that lets shallow blocks know?

    python benchmarks/mask_depth.py --data RUNS/windows/train2 --test RUNS/windows/test2 \
        --run RUNS/masks --model src/dramatis/weights/mini --shown RUNS/windows/test2 --shown RUNS/windows/test3
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor, nn

from dramatis.backbones.mini import GROUP_ADAPTER
from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.mask_head import PATCH, MaskHead
from dramatis.models.pictures import to_pictures
from dramatis_lab.train.group_windows import Clips
from dramatis_lab.train.mask_head import (
    JUDGED_SIGMAS,
    Backbone,
    Judge,
    Looks,
    Pool,
    Sampled,
    first_look,
    overlap,
    targets,
)

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PICTURE, MASKS = PICTURES / "masks_depth.png", PICTURES / "masks.png"
NUMBERS = Path(__file__).parent / "mask_depth.json"
TOKENS = 2048
SHOWN_SIGMAS = (0.95, 0.5, 0.05)
Curves = dict[str, list[float]]
"""Noise level -> overlap at each depth."""


class Unshown(Clips):
    """Clips as image-to-video networks see them: nothing stands for the frames that are not given, and no maps tell
    where heads are. The mini never learnt from such clips."""

    def refresh(self) -> None:
        super().refresh()
        for _, clip in self.clips:
            clip["maps"] = torch.zeros_like(clip["maps"])
            clip["given"][:, 1 : clip["given"].shape[1] - int(clip["tail"])] = 0


def by_place(masks: Tensor) -> Tensor:
    """(B, 2, T, h, w) masks in the order from the left."""
    columns = torch.arange(masks.shape[-1], dtype=masks.dtype)
    middle = (masks.sum((2, 3)) * columns).sum(-1) / masks.sum((2, 3, 4)).clamp_min(1e-6)
    return torch.stack([own[order] for own, order in zip(masks, middle.argsort(1), strict=True)])


class Probe(nn.Module):
    """Linear on standardised tokens: (B, L, D) -> logits (B, 3, L, 4)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.linear = nn.Linear(dim, 3 * PATCH * PATCH)

    def forward(self, tokens: Tensor) -> Tensor:
        return rearrange(self.linear(self.norm(tokens.float())), "b l (n c) -> b n l c", n=3)

    def masks(self, looks: Looks, block: int) -> Tensor:
        """Logits (1, 3, T, h, w) for a whole clip."""
        (rows, columns), frames = looks.grid, looks.masks.shape[2]
        cells = self(looks.tokens[block].flatten(1, 2))
        return rearrange(cells, "b n (t y x) (p q) -> b n t (y p) (x q)", t=frames, y=rows, x=columns, p=PATCH, q=PATCH)


def train_probes(pool: Pool, dim: int, steps: int) -> dict[int, Probe]:
    """One for each block that the pool watches, all from the same tokens."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    probes = {block: Probe(dim) for block in pool.blocks}
    weights = [parameter for probe in probes.values() for parameter in probe.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=5e-3, weight_decay=1e-3)
    ordered = [replace(look, masks=by_place(look.masks)) for look in pool.looks]
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 5e-3 * (1 - step / steps)
        picked = rng.integers(len(ordered), size=8)
        some = Sampled.joined([ordered[place].sampled(rng, TOKENS // 8) for place in picked])
        wanted = targets(some.cells)
        loss = torch.stack(
            [-(wanted * probe(some.tokens[block]).log_softmax(1)).sum(1).mean() for block, probe in probes.items()]
        ).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return probes


@torch.no_grad()
def judge_probes(probes: dict[int, Probe], judge: Judge) -> Curves:
    """Mean overlap over people and clips, by noise level and depth."""
    curves: Curves = {}
    for sigma in JUDGED_SIGMAS:
        cases = [looks for _, level, looks in judge.cases if level == sigma]
        found = [
            [value for looks in cases for value in overlap(probe.masks(looks, block), by_place(looks.masks))]
            for block, probe in sorted(probes.items())
        ]
        curves[f"{sigma:g}"] = [float(np.mean(values)) for values in found]
    return curves


def probe_curves(backbone: Backbone, data: Path, test: Path, kind: type[Clips], looks: int, steps: int) -> Curves:
    """Probes of every block: trained on `looks` of the clips in `data`, judged on those in `test`."""
    blocks = range(len(backbone.dit.blocks))
    pool, rng = Pool(backbone, kind([data]), blocks, size=looks), np.random.default_rng(0)
    for _ in range(looks):
        pool.add(rng)
    probes = train_probes(pool, backbone.dit.patch_embedding.out_channels, steps)
    return judge_probes(probes, Judge(kind([test]), backbone, blocks))


def read_heads(run: Path) -> tuple[list[int], Curves]:
    """Blocks, and overlap by noise level, of the last judgement of a training run."""
    row = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    blocks = sorted({int(name.split("_")[1]) for name in row if name.startswith("block_")})
    return blocks, {f"{s:g}": [row[f"block_{b}_sigma_{s:g}"] for b in blocks] for s in JUDGED_SIGMAS}


def draw_curves(panels: Sequence[tuple[str, Sequence[int], Curves]]) -> Image.Image:
    """Overlap from 0 to 1 against the number of the block, a line for each noise level."""
    width, height, margin = 430, 330, 46
    colours = ((32, 60, 140), (30, 130, 160), (40, 150, 80), (210, 140, 20), (190, 40, 40))
    sheet = Image.new("RGB", (width * len(panels), height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (title, blocks, curves) in enumerate(panels):
        left, right, top, bottom = number * width + margin, (number + 1) * width - 90, 30, height - margin

        def at(block: float, value: float, box: tuple[int, int, int, int] = (left, right, top, bottom)) -> tuple:
            x = box[0] + (box[1] - box[0]) * block / 7
            return x, box[3] - (box[3] - box[2]) * value

        pen.text((left, 8), title, fill="black")
        for value in np.arange(0, 1.001, 0.1):
            pen.line([at(0, value), at(7, value)], fill=(225, 225, 225))
            pen.text((left - 28, at(0, value)[1] - 6), f"{value:.1f}", fill="black")
        for block in range(8):
            pen.text((at(block, 0)[0] - 3, bottom + 6), str(block), fill="black")
        pen.text((left + 90, bottom + 22), "block", fill="black")
        for values, colour in zip(curves.values(), colours, strict=True):
            points = [at(block, value) for block, value in zip(blocks, values, strict=True)]
            pen.line(points, fill=colour, width=2)
            for x, y in points:
                pen.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
        for place, (sigma, colour) in enumerate(zip(curves, colours, strict=True)):
            pen.text((right + 14, top + 16 * place), f"sigma {sigma}", fill=colour)
    return sheet


def show_masks(backbone: Backbone, head: MaskHead, autoencoder: MiniAutoencoder, clips: Clips) -> Image.Image:
    """Held-out clips, a row each: the last frame, whose it is in truth, and as the head says at three noise levels."""
    rows = []
    for place, clip in list(enumerate(clips.clips))[::4]:
        with torch.no_grad():
            frame = to_pictures(autoencoder.decode(autoencoder.denormalise(clip[1]["z"].float()[None])))[-1]
        cells = [frame]
        for sigma in (None, *SHOWN_SIGMAS):
            looks = first_look(backbone, clip, sigma or 0.5, [head.config.block], place)
            with torch.no_grad():
                logits = head(looks.tokens[head.config.block].float(), looks.identities, looks.grid)
            owners = (targets(looks.masks) if sigma is None else logits)[0, :, -1].argmax(0).numpy()
            cells.append(coloured(frame, owners))
        rows.append(np.concatenate(cells, 1))
    widest = max(row.shape[1] for row in rows)
    return Image.fromarray(np.concatenate([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]))


def coloured(frame: NDArray[np.uint8], owners: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The frame (8h, 8w, 3) under the colours of whom its latent cells (h, w) belong to."""
    colours = np.array([(0, 0, 0), (255, 60, 60), (60, 255, 60), (80, 80, 255)], np.uint8)
    spread = owners.repeat(8, 0).repeat(8, 1)[..., None]
    return np.where(spread > 0, frame // 2 + colours[spread[..., 0]] // 2, frame)


def main(
    data: Annotated[Path, typer.Option(help="precomputed training groups of two")],
    test: Annotated[Path, typer.Option(help="precomputed held-out groups of two")],
    run: Annotated[Path, typer.Option(help="run folder of heads at several depths")],
    shown: Annotated[list[Path], typer.Option(help="precomputed held-out groups to draw the shipped head's masks of")],
    model: Path = Path("src/dramatis/weights/mini"),
    looks: Annotated[int, typer.Option(help="looks of the backbone that probes learn from")] = 120,
    steps: int = 1500,
) -> None:
    """Train the probes, judge them, write numbers and picture."""
    adapter = model / GROUP_ADAPTER
    backbone = Backbone(model, torch.device("cpu"), adapter if adapter.is_file() else None)
    curves, unshown = (probe_curves(backbone, data, test, kind, looks, steps) for kind in (Clips, Unshown))
    depths, heads = read_heads(run)
    numbers = {"probe": curves, "probe_unshown": unshown, "blocks": depths, "head": heads}
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")
    blocks = list(range(len(backbone.dit.blocks)))
    panels = [
        ("linear probe, two people", blocks, curves),
        ("the same, nothing shown between given frames", blocks, unshown),
        ("mask head, two and three people", depths, heads),
    ]
    draw_curves(panels).save(PICTURE)
    head, autoencoder = load_model(MaskHead, model / "mask_head"), load_model(MiniAutoencoder, model / "autoencoder")
    show_masks(backbone, head, autoencoder, Clips(shown)).save(MASKS)


if __name__ == "__main__":
    typer.run(main)
