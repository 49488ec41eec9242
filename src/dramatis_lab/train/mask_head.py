"""Train the mask head on a frozen video network: who is where, from noise to the finished clip.

The backbone generates nothing: it reads a noisy clip of a group once, as a job does, with everybody in a window of
their own (`sampling.windows`), and the heads learn from the hidden states of its blocks. Gates are drawn from all that
a job may have: shares by head position (the first step), true masks, and blurred and confused ones, for later steps
gate with the head's own predictions.

One pass of the backbone costs more than many steps of so small a head: its features are kept in a pool, and every step
learns from some tokens of any. Heads at several depths learn from the same features, so that they can be compared.

    python -m dramatis_lab.train mask_head --config recipes/mini/mask_head.yaml --data RUNS/windows/train2 \
        --data RUNS/windows/train3 --test RUNS/windows/test2 --test RUNS/windows/test3 --model RUNS/mini \
        --adapter RUNS/mini/group_adapter.safetensors --run RUNS/masks --out RUNS/mini/mask_head
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from einops import rearrange
from pydantic import Field
from torch import Tensor, nn

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.mask_head import Identities, MaskHead, identity_tokens, token_centres
from dramatis.models.published.lora import Lora, merge_loras
from dramatis.models.reference import reference_tokens
from dramatis.models.shapes import TOKEN_CELLS
from dramatis.models.text import TextEncoder
from dramatis.sampling.conditioning import with_mask
from dramatis.sampling.windows import PersonWindows
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.group_clips import GroupClip, GroupClipDataset, given_flags, group_caption
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.flow import encode_caption
from dramatis_lab.train.loop import fit
from dramatis_lab.train.run import RunOption, TrainingRun

POOL_SIZE = 800
"""Clips whose features are kept, the latest ones."""
TOKENS_PER_CLIP = 256
"""Tokens of one clip's features that one step learns from."""
TOKEN_DROPOUT = 0.1
"""Share of the numbers of a token that a step does not see."""
EVALUATED_SIGMAS = (0.95, 0.8, 0.5, 0.2, 0.05)


class MaskHeadConfig(TrainConfig):
    """blocks: to read, each with a head of its own. steps_per_clip: steps for each new clip that the backbone reads."""

    batch_size: int = Field(ge=1)
    blocks: tuple[int, ...] = Field(min_length=1)
    steps_per_clip: int = Field(ge=1)


@dataclass(frozen=True)
class BackboneFeatures:
    """What the backbone makes of a clip of N people.

    tokens: hidden states of each block (1, T, S, D).  masks: (1, N, T, h, w) the truth, shares of a cell.
    """

    tokens: dict[int, Tensor]
    identities: Identities
    masks: Tensor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tokens."""
        return self.masks.shape[-2] // TOKEN_CELLS, self.masks.shape[-1] // TOKEN_CELLS

    def sample_tokens(self, rng: np.random.Generator, count: int) -> TokenSample:
        """`count` tokens from anywhere in the clip."""
        cells = rearrange(self.masks, "b n t (y p) (x q) -> b n (t y x) (p q)", p=TOKEN_CELLS, q=TOKEN_CELLS)
        chosen = torch.from_numpy(rng.integers(cells.shape[2], size=count)).to(cells.device)
        positions = token_centres(self.grid, cells.device).repeat(self.masks.shape[2], 1)[chosen].unsqueeze(0)
        tokens = {block: x.flatten(1, 2)[:, chosen] for block, x in self.tokens.items()}
        return TokenSample(tokens, positions, self.identities, cells[:, :, chosen])


@dataclass(frozen=True)
class TokenSample:
    """Tokens of B clips with the same number of people.

    tokens: of each block (B, L, D).  positions: (B, L, 2). cells: (B, N, L, 4) the truth.
    """

    tokens: dict[int, Tensor]
    positions: Tensor
    identities: Identities
    cells: Tensor

    @classmethod
    def concatenate(cls, parts: Sequence[TokenSample]) -> TokenSample:
        """All of them in one batch."""
        tokens = {block: torch.cat([part.tokens[block] for part in parts]) for block in parts[0].tokens}
        identities = Identities(
            torch.cat([part.identities.tokens for part in parts]),
            torch.cat([part.identities.squares for part in parts]),
        )
        positions, cells = (torch.cat([getattr(part, name) for part in parts]) for name in ("positions", "cells"))
        return cls(tokens, positions, identities, cells)


class FrozenBackbone:
    """The video network as it renders groups, with its text encoder; it never learns.

    adapter: the LoRA for groups (`train.group_adapter`), None for none.
    """

    def __init__(self, model: Path, device: torch.device, adapter: Path | None = None) -> None:
        self.device = device
        dit = load_model(AudioDiT, model / "transformer")
        merge_loras(dit, [] if adapter is None else [Lora(adapter)])
        self.dit = dit.to(device).requires_grad_(requires_grad=False)
        self.text = load_model(TextEncoder, model / "text_encoder").to(device).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def compute(
        self, clip: GroupClip, sigma: float, gates: Tensor, blocks: Collection[int], seed: int
    ) -> BackboneFeatures:
        """The hidden states of `blocks` for one clip at a noise level. gates: (1, N, T, h/2, w/2)."""
        row, tensors = clip
        inputs = {name: value.float()[None].to(self.device) for name, value in tensors.items()}
        noise = torch.randn(inputs["z"].shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        tokens: dict[int, Tensor] = {}

        def keep(block: int, hidden: Tensor) -> None:
            if block in blocks:
                tokens[block] = hidden

        spans = tuple((int(start), int(stop)) for start, stop in tensors["spans"])
        PersonWindows(self.dit, spans, inputs["maps"][0])(
            torch.lerp(inputs["z"], noise, sigma),
            with_mask(inputs["given"], given_flags(tensors).to(self.device)),
            torch.tensor([1000 * sigma], device=self.device),
            encode_caption(self.text, group_caption(row), self.device),
            reference_tokens(inputs["reference"]),
            inputs["audio"],
            masks=gates.to(self.device),
            controls=inputs["controls"],
            on_block=keep,
        )
        identities = Identities(identity_tokens(self.dit, inputs["crops"]), inputs["squares"])
        return BackboneFeatures(tokens, identities, inputs["masks"])


def sample_gates(shares: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
    """Gates as a job may have them.

    shares: (N, T, h/2, w/2) by head position.  masks: (N, T, h, w).  Returns (1, N, T, h/2, w/2), which sum to 1
    over people.
    """
    true = F.avg_pool2d(masks, 2)
    true = true + (1 - true.sum(0)).clamp_min(0) * shares
    share = float(rng.choice([0.0, 1.0, rng.random()]))
    gates = torch.lerp(shares, true, share)
    if rng.random() < 0.5:
        gates = F.avg_pool2d(gates, 3, stride=1, padding=1, count_include_pad=False)
    if rng.random() < 0.25:
        gates = torch.lerp(gates, gates.roll(1, 0), float(rng.uniform(0, 0.4)))
    return (gates / gates.sum(0)).unsqueeze(0)


def sample_sigma(rng: np.random.Generator) -> float:
    """Any noise level; both ends more often, where jobs begin and where they end."""
    return float(rng.choice([rng.random(), rng.uniform(0.9, 1.0), rng.uniform(0.0, 0.1)], p=[0.6, 0.25, 0.15]))


class FeaturePool:
    """The backbone's features of the latest clips that were drawn."""

    def __init__(
        self, backbone: FrozenBackbone, clips: GroupClipDataset, blocks: Collection[int], size: int = POOL_SIZE
    ) -> None:
        self.backbone, self.clips, self.blocks = backbone, clips, blocks
        self.features: deque[BackboneFeatures] = deque(maxlen=size)
        self.computed = self.sampled = 0

    def add(self, rng: np.random.Generator) -> None:
        """Draw a clip and compute its features."""
        self.computed += 1
        clip = self.clips.clips[int(rng.integers(len(self.clips)))]
        shares, masks = (clip.tensors[name].float() for name in ("shares", "masks"))
        gates = sample_gates(shares, masks, rng)
        sigma, seed = sample_sigma(rng), int(rng.integers(2**31))
        self.features.append(self.backbone.compute(clip, sigma, gates, self.blocks, seed))

    def sample(self, rng: np.random.Generator, count: int) -> TokenSample:
        """Some tokens of `count` clips, all of as many people: one of the latest, and any others."""
        self.sampled += 1
        latest = self.features[int(rng.integers(max(0, len(self.features) - count), len(self.features)))]
        alike = [features for features in self.features if features.masks.shape[1] == latest.masks.shape[1]]
        chosen = [latest, *(alike[index] for index in rng.integers(len(alike), size=count - 1))]
        return TokenSample.concatenate([features.sample_tokens(rng, TOKENS_PER_CLIP) for features in chosen])


class MaskHeads(nn.Module):
    """Heads at several depths, which learn from the same features and nothing from each other."""

    def __init__(self, dim: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(MaskHead(dim=dim, block=block) for block in blocks)

    def by_block(self) -> dict[int, MaskHead]:
        """The heads by the block that each reads."""
        return {head.config.block: head for head in self.heads if isinstance(head, MaskHead)}

    def logits(self, features: BackboneFeatures) -> dict[int, Tensor]:
        """(1, N + 1, T, h, w) of each block."""
        identities, grid = features.identities, features.grid
        return {
            block: head(features.tokens[block].float(), identities, grid) for block, head in self.by_block().items()
        }

    def forward(self, sample: TokenSample) -> dict[int, Tensor]:
        """(B, N + 1, L, 4) of each block. Some numbers of a token are withheld: there are few people to learn from."""
        crops = F.dropout(sample.identities.tokens, TOKEN_DROPOUT, self.training)
        identities = Identities(crops, sample.identities.squares)
        tokens = {block: F.dropout(x.float(), TOKEN_DROPOUT, self.training) for block, x in sample.tokens.items()}
        heads = self.by_block().items()
        return {block: head.token_logits(tokens[block], sample.positions, identities) for block, head in heads}


def ownership_targets(masks: Tensor) -> Tensor:
    """(B, N, ...) shares of cells -> (B, N + 1, ...), the background first; sums to 1."""
    return torch.cat([(1 - masks.sum(1, keepdim=True)).clamp_min(0), masks], 1)


def ownership_loss(heads: MaskHeads, sample: TokenSample) -> Tensor:
    """Cross-entropy of every cell's owner, summed over heads."""
    targets = ownership_targets(sample.cells)
    losses = [-(targets * logits.log_softmax(1)).sum(1).mean() for logits in heads(sample).values()]
    return torch.stack(losses).sum()


def mask_overlaps(logits: Tensor, masks: Tensor) -> list[float]:
    """Intersection over union of each person in one clip, over all its cells: (1, N + 1, T, h, w) and (1, N, T, h, w).

    A cell belongs to whoever has the largest share of it. People who are not visible do not count.
    """
    predicted, true = logits[0].argmax(0), ownership_targets(masks)[0].argmax(0)
    return [
        float(((predicted == person) & (true == person)).sum() / ((predicted == person) | (true == person)).sum())
        for person in range(1, logits.shape[1])
        if (true == person).any()
    ]


def first_step_features(
    backbone: FrozenBackbone, clip: GroupClip, sigma: float, blocks: Collection[int], seed: int
) -> BackboneFeatures:
    """The backbone's features of a clip under the gates of a job's first step: shares by head position."""
    return backbone.compute(clip, sigma, clip.tensors["shares"].float()[None], blocks, seed)


class MaskEvaluator:
    """Held-out clips as the backbone sees them in the first step of a job; computed once, for it does not change."""

    def __init__(self, test: GroupClipDataset, backbone: FrozenBackbone, blocks: Collection[int]) -> None:
        self.test, self.backbone, self.blocks = test, backbone, blocks

    @cached_property
    def cases(self) -> list[tuple[str, float, BackboneFeatures]]:
        """Kind of group, noise level, and features."""
        cases = []
        for seed, clip in enumerate(self.test.clips):
            kind = f"{clip.row['people']}_{'close' if clip.row['close'] else 'apart'}"
            cases += [
                (kind, sigma, first_step_features(self.backbone, clip, sigma, self.blocks, seed))
                for sigma in EVALUATED_SIGMAS
            ]
        return cases

    @torch.no_grad()
    def evaluate(self, heads: MaskHeads) -> dict[str, float]:
        """Mean overlap of each head: by number and nearness of people, and by noise level."""
        overlaps: dict[str, list[float]] = {}
        for kind, sigma, features in self.cases:
            for block, logits in heads.logits(features).items():
                values = mask_overlaps(logits, features.masks)
                for name in (kind, f"sigma_{sigma:g}"):
                    overlaps.setdefault(f"block_{block}_{name}", []).extend(values)
        return {name: float(np.mean(values)) for name, values in sorted(overlaps.items())}


def train_mask_head(
    config: MaskHeadConfig,
    data: Annotated[list[Path], typer.Option(help="precomputed groups, a folder for each number of people")],
    test: Annotated[list[Path], typer.Option(help="precomputed held-out groups")],
    model: Annotated[Path, typer.Option(help="model folder whose transformer is the backbone")],
    run: RunOption,
    adapter: Annotated[Path | None, typer.Option(help="LoRA that groups are rendered with")] = None,
    out: Annotated[Path | None, typer.Option(help="write the first block's averaged head here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start the first block's head from these weights")] = None,
) -> None:
    """Train the mask head on the frozen video DiT."""
    device = pick_device()
    torch.manual_seed(0)
    backbone, dataset = FrozenBackbone(model, device, adapter), GroupClipDataset(data)
    evaluator = MaskEvaluator(GroupClipDataset(test), backbone, config.blocks)
    pool = FeaturePool(backbone, dataset, config.blocks)
    heads = MaskHeads(backbone.dit.patch_embedding.out_channels, config.blocks)
    if init is not None:
        heads.heads[0] = load_model(MaskHead, init)
    heads = heads.to(device).train()

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        while pool.computed < max(config.batch_size, pool.sampled / config.steps_per_clip):
            pool.add(rng)
        return "loss", ownership_loss(heads, pool.sample(rng, config.batch_size))

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(heads, training, config, step_loss, evaluator.evaluate, dataset)
    if out is not None:
        save_model(shipped.heads[0], out)
