"""Are deep features better aligned with people? Overlap of linear probes and of mask heads against depth and noise.

The probe of a block is one linear layer on its tokens, each standardised: background, the left or the right of two
people, for each of the four latent cells of a token. It learns on training groups and is judged on held-out ones. Heads
are those of a run of `train.mask_head` with several blocks. Both see the backbone in the first step of a job. More
probes look at the same clips with less shown to the backbone: is it what the backbone is shown that lets shallow blocks
know?

    python -m dramatis_lab.evaluate.studies.mask_depth --data RUNS/windows/train2 --test RUNS/windows/test2 \
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

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model
from dramatis.models.mask_head import MaskHead
from dramatis.models.pictures import to_pictures
from dramatis.models.shapes import TOKEN_CELLS
from dramatis_lab.data.group_clips import GroupClipDataset
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.train.mask_head import (
    EVALUATED_SIGMAS,
    BackboneFeatures,
    FeaturePool,
    FrozenBackbone,
    MaskEvaluator,
    TokenSample,
    first_step_features,
    mask_overlaps,
    ownership_targets,
)

PROBE_TOKENS = 2048
"""Tokens in a step of the probes' training."""
SHOWN_SIGMAS = (0.95, 0.5, 0.05)
"""Noise levels of the masks on the contact sheet."""
OverlapCurves = dict[str, list[float]]
"""Noise level -> overlap at each depth."""


class PlainGroupClipDataset(GroupClipDataset):
    """Clips as image-to-video networks see them: zeros for frames that are not given, and no maps of where heads are.

    The mini never learnt from such clips.
    """

    def refresh(self) -> None:
        super().refresh()
        for _, clip in self.clips:
            clip["maps"] = torch.zeros_like(clip["maps"])
            clip["given"][:, 1 : clip["given"].shape[1] - int(clip["tail"])] = 0


def left_to_right(masks: Tensor) -> Tensor:
    """Masks (B, 2, T, h, w) with the people in the order from the left."""
    columns = torch.arange(masks.shape[-1], dtype=masks.dtype)
    middle = (masks.sum((2, 3)) * columns).sum(-1) / masks.sum((2, 3, 4)).clamp_min(1e-6)
    return torch.stack([clip[order] for clip, order in zip(masks, middle.argsort(1), strict=True)])


class Probe(nn.Module):
    """Linear on standardised tokens: (B, L, D) -> logits (B, 3, L, 4)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.linear = nn.Linear(dim, 3 * TOKEN_CELLS * TOKEN_CELLS)

    def forward(self, tokens: Tensor) -> Tensor:
        return rearrange(self.linear(self.norm(tokens.float())), "b l (n c) -> b n l c", n=3)

    def masks(self, features: BackboneFeatures, block: int) -> Tensor:
        """Logits (1, 3, T, h, w) of a whole clip."""
        (rows, columns), frames = features.grid, features.masks.shape[2]
        cells = self(features.tokens[block].flatten(1, 2))
        return rearrange(
            cells, "b n (t y x) (p q) -> b n t (y p) (x q)", t=frames, y=rows, x=columns, p=TOKEN_CELLS, q=TOKEN_CELLS
        )


def train_probes(pool: FeaturePool, dim: int, steps: int) -> dict[int, Probe]:
    """A probe for each block of the pool; all learn from the same tokens."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    probes = {block: Probe(dim) for block in pool.blocks}
    weights = [parameter for probe in probes.values() for parameter in probe.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=5e-3, weight_decay=1e-3)
    ordered = [replace(features, masks=left_to_right(features.masks)) for features in pool.features]
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 5e-3 * (1 - step / steps)
        chosen = rng.integers(len(ordered), size=8)
        sample = TokenSample.concatenate([ordered[index].sample_tokens(rng, PROBE_TOKENS // 8) for index in chosen])
        target = ownership_targets(sample.cells)
        loss = torch.stack(
            [-(target * probe(sample.tokens[block]).log_softmax(1)).sum(1).mean() for block, probe in probes.items()]
        ).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return probes


@torch.no_grad()
def evaluate_probes(probes: dict[int, Probe], evaluator: MaskEvaluator) -> OverlapCurves:
    """Mean overlap over people and clips, by noise level and depth."""
    curves: OverlapCurves = {}
    for sigma in EVALUATED_SIGMAS:
        cases = [features for _, level, features in evaluator.cases if level == sigma]
        curves[f"{sigma:g}"] = []
        for block, probe in sorted(probes.items()):
            pairs = [(probe.masks(features, block), left_to_right(features.masks)) for features in cases]
            overlaps = [value for logits, masks in pairs for value in mask_overlaps(logits, masks)]
            curves[f"{sigma:g}"].append(float(np.mean(overlaps)))
    return curves


def probe_curves(
    backbone: FrozenBackbone, data: Path, test: Path, kind: type[GroupClipDataset], clips: int, steps: int
) -> OverlapCurves:
    """Overlaps of probes of every block, trained on `clips` clips drawn from `data` and judged on those of `test`."""
    blocks = range(len(backbone.dit.blocks))
    pool, rng = FeaturePool(backbone, kind([data]), blocks, size=clips), np.random.default_rng(0)
    for _ in range(clips):
        pool.add(rng)
    probes = train_probes(pool, backbone.dit.patch_embedding.out_channels, steps)
    return evaluate_probes(probes, MaskEvaluator(kind([test]), backbone, blocks))


def read_heads(run: Path) -> tuple[list[int], OverlapCurves]:
    """(blocks, overlaps by noise level) of the last evaluation of a training run."""
    row = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    blocks = sorted({int(name.split("_")[1]) for name in row if name.startswith("block_")})
    return blocks, {
        f"{sigma:g}": [row[f"block_{block}_sigma_{sigma:g}"] for block in blocks] for sigma in EVALUATED_SIGMAS
    }


def draw_curves(panels: Sequence[tuple[str, Sequence[int], OverlapCurves]]) -> Image.Image:
    """Draw panels of overlap, 0 to 1, against the number of the block, with a line for each noise level."""
    width, height, margin = 430, 330, 46
    colours = ((32, 60, 140), (30, 130, 160), (40, 150, 80), (210, 140, 20), (190, 40, 40))
    sheet = Image.new("RGB", (width * len(panels), height), "white")
    pen = ImageDraw.Draw(sheet)
    for panel, (title, blocks, curves) in enumerate(panels):
        left, right, top, bottom = panel * width + margin, (panel + 1) * width - 90, 30, height - margin

        def at(
            block: float, value: float, box: tuple[int, int, int, int] = (left, right, top, bottom)
        ) -> tuple[float, float]:
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
        for line, (sigma, colour) in enumerate(zip(curves, colours, strict=True)):
            pen.text((right + 14, top + 16 * line), f"sigma {sigma}", fill=colour)
    return sheet


def draw_masks(
    backbone: FrozenBackbone, head: MaskHead, autoencoder: MiniAutoencoder, clips: GroupClipDataset
) -> Image.Image:
    """Draw a row for each clip: its last frame, then who owns what in truth and by the head at three noise levels."""
    rows = []
    for seed, clip in list(enumerate(clips.clips))[::4]:
        with torch.no_grad():
            frame = to_pictures(autoencoder.decode(autoencoder.denormalise(clip.tensors["z"].float()[None])))[-1]
        cells = [frame]
        for sigma in (None, *SHOWN_SIGMAS):
            features = first_step_features(backbone, clip, sigma or 0.5, [head.config.block], seed)
            with torch.no_grad():
                logits = head(features.tokens[head.config.block].float(), features.identities, features.grid)
            owners = (ownership_targets(features.masks) if sigma is None else logits)[0, :, -1].argmax(0).numpy()
            cells.append(tint_owners(frame, owners))
        rows.append(np.concatenate(cells, 1))
    widest = max(row.shape[1] for row in rows)
    return Image.fromarray(np.concatenate([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]))


def tint_owners(frame: NDArray[np.uint8], owners: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The frame (8h, 8w, 3), tinted by who owns each latent cell (h, w); 0 is the background."""
    colours = np.array([(0, 0, 0), (255, 60, 60), (60, 255, 60), (80, 80, 255)], np.uint8)
    owner = owners.repeat(8, 0).repeat(8, 1)
    return np.where(owner[..., None] > 0, frame // 2 + colours[owner] // 2, frame)


def main(
    data: Annotated[Path, typer.Option(help="precomputed training groups of two")],
    test: Annotated[Path, typer.Option(help="precomputed held-out groups of two")],
    run: Annotated[Path, typer.Option(help="run folder of mask heads at several depths")],
    shown: Annotated[
        list[Path], typer.Option(help="precomputed held-out groups for the contact sheet of the shipped head")
    ],
    model: Path = Path("src/dramatis/weights/mini"),
    clips: Annotated[int, typer.Option(help="clips that probes learn from, drawn from the training groups")] = 120,
    steps: int = 1500,
) -> None:
    """Train the probes, judge them, and write figures and pictures."""
    adapter = model / "group_adapter.safetensors"
    backbone = FrozenBackbone(model, torch.device("cpu"), adapter if adapter.is_file() else None)
    curves, unshown = (
        probe_curves(backbone, data, test, kind, clips, steps) for kind in (GroupClipDataset, PlainGroupClipDataset)
    )
    depths, heads = read_heads(run)
    numbers = {"probe": curves, "probe_unshown": unshown, "blocks": depths, "head": heads}
    checkout_path("benchmarks", "mask_depth.json").write_text(json.dumps(numbers, indent=1) + "\n")
    blocks = list(range(len(backbone.dit.blocks)))
    panels = [
        ("linear probe, two people", blocks, curves),
        ("the same, nothing shown between given frames", blocks, unshown),
        ("mask head, two and three people", depths, heads),
    ]
    draw_curves(panels).save(checkout_path("docs", "pictures", "masks_depth.png"))
    head, autoencoder = load_model(MaskHead, model / "mask_head"), load_model(MiniAutoencoder, model / "autoencoder")
    draw_masks(backbone, head, autoencoder, GroupClipDataset(shown)).save(
        checkout_path("docs", "pictures", "masks.png")
    )


if __name__ == "__main__":
    typer.run(main)
