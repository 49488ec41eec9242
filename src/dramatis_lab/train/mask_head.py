"""Train the mask head on a frozen video network: who is where, from noise to the finished clip.

The backbone films nothing: it looks once at a noisy clip of a group as a job does, at everybody in a window
(`sampling.windows`), and what its blocks make of the tokens is what heads learn from. Gates are drawn from all that a
job may have: shares by the places of heads (the first step), true masks, and blurred and confused ones, for later steps
gate with the head's own predictions.

One look is worth many steps of so small a head: looks are kept in a pool, and every step learns from some tokens of
any. Heads at several depths learn from the same looks, so that they can be compared.

    python -m dramatis_lab.train.mask_head --data RUNS/windows/train2 --data RUNS/windows/train3 \
        --test RUNS/windows/test2 --test RUNS/windows/test3 --model RUNS/mini --run RUNS/masks \
        --adapter RUNS/mini/group_adapter.safetensors --block 5 --minutes 40 --out RUNS/mini/mask_head
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
from torch import Tensor, nn

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.mask_head import PATCH, Identities, MaskHead, identity_tokens, token_places
from dramatis.models.published.lora import Lora, merge_loras
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis.sampling.conditioning import with_mask
from dramatis.sampling.windows import Windows
from dramatis_lab.train.common import Run, RunOption, fit, pick_device
from dramatis_lab.train.group_windows import Clip, Clips, caption_of, given_flags, told

POOL = 800
"""Looks that are kept, the latest ones."""
TOKENS = 256
"""Of a look that one step learns from."""
WITHHELD = 0.1
"""Share of the numbers of a token that a step does not see."""
JUDGED_SIGMAS = (0.95, 0.8, 0.5, 0.2, 0.05)


@dataclass(frozen=True)
class Looks:
    """What the backbone makes of a clip of N people. tokens: of each watched block (1, T, S, D).  masks:
    (1, N, T, h, w) the truth, shares of a cell."""

    tokens: dict[int, Tensor]
    identities: Identities
    masks: Tensor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tokens."""
        return self.masks.shape[-2] // PATCH, self.masks.shape[-1] // PATCH

    def sampled(self, rng: np.random.Generator, count: int) -> Sampled:
        """So many tokens from anywhere in the clip."""
        cells = rearrange(self.masks, "b n t (y p) (x q) -> b n (t y x) (p q)", p=PATCH, q=PATCH)
        chosen = torch.from_numpy(rng.integers(cells.shape[2], size=count)).to(cells.device)
        at = token_places(self.grid, cells.device).repeat(self.masks.shape[2], 1)[chosen].unsqueeze(0)
        tokens = {block: x.flatten(1, 2)[:, chosen] for block, x in self.tokens.items()}
        return Sampled(tokens, at, self.identities, cells[:, :, chosen])


@dataclass(frozen=True)
class Sampled:
    """Tokens of B looks at as many people. tokens: of each block (B, L, D).  at: (B, L, 2) their places.  cells:
    (B, N, L, 4) the truth."""

    tokens: dict[int, Tensor]
    at: Tensor
    identities: Identities
    cells: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Sampled]) -> Sampled:
        """All of them in one batch."""
        tokens = {block: torch.cat([part.tokens[block] for part in parts]) for block in parts[0].tokens}
        known = [part.identities for part in parts]
        identities = Identities(torch.cat([one.tokens for one in known]), torch.cat([one.squares for one in known]))
        at, cells = (torch.cat([getattr(part, name) for part in parts]) for name in ("at", "cells"))
        return cls(tokens, at, identities, cells)


class Backbone:
    """The frozen video network with what it is told, as groups are filmed; it never learns.

    adapter: what it learnt besides for groups (`train.group_adapter`), None for nothing.
    """

    def __init__(self, model: Path, device: torch.device, adapter: Path | None = None) -> None:
        self.device = device
        dit = load_model(AudioDiT, model / "transformer")
        merge_loras(dit, [] if adapter is None else [Lora(adapter)])
        self.dit = dit.to(device).requires_grad_(False)
        self.text = load_model(TextEncoder, model / "text_encoder").to(device).requires_grad_(False)

    @torch.no_grad()
    def look(self, clip: Clip, sigma: float, gates: Tensor, blocks: Collection[int], seed: int) -> Looks:
        """What `blocks` make of one clip at a noise level. gates: (1, N, T, h/2, w/2)."""
        row, tensors = clip
        own = {name: value.float()[None].to(self.device) for name, value in tensors.items()}
        noise = torch.randn(own["z"].shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        tokens: dict[int, Tensor] = {}

        def watch(block: int, hidden: Tensor) -> None:
            if block in blocks:
                tokens[block] = hidden

        spans = tuple((int(start), int(stop)) for start, stop in tensors["spans"])
        Windows(self.dit, spans, own["maps"][0])(
            torch.lerp(own["z"], noise, sigma),
            with_mask(own["given"], given_flags(tensors).to(self.device)),
            torch.tensor([1000 * sigma], device=self.device),
            told(self.text, caption_of(row), self.device),
            reference_tokens(own["reference"]),
            own["audio"],
            masks=gates.to(self.device),
            controls=own["controls"],
            watch=watch,
        )
        return Looks(tokens, Identities(identity_tokens(self.dit, own["crops"]), own["squares"]), own["masks"])


def drawn_gates(shares: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
    """Gates as a job may have them. shares: (N, T, h/2, w/2) by heads.  masks: (N, T, h, w).  Returns (1, N, T, h/2,
    w/2), which sum to 1 over people."""
    true = F.avg_pool2d(masks, 2)
    true = true + (1 - true.sum(0)).clamp_min(0) * shares
    share = float(rng.choice([0.0, 1.0, rng.random()]))
    gates = torch.lerp(shares, true, share)
    if rng.random() < 0.5:
        gates = F.avg_pool2d(gates, 3, stride=1, padding=1, count_include_pad=False)
    if rng.random() < 0.25:
        gates = torch.lerp(gates, gates.roll(1, 0), float(rng.uniform(0, 0.4)))
    return (gates / gates.sum(0)).unsqueeze(0)


def drawn_sigma(rng: np.random.Generator) -> float:
    """Any noise level; both ends more often, where jobs begin and where they end."""
    return float(rng.choice([rng.random(), rng.uniform(0.9, 1.0), rng.uniform(0.0, 0.1)], p=[0.6, 0.25, 0.15]))


class Pool:
    """The latest looks of the backbone."""

    def __init__(self, backbone: Backbone, clips: Clips, blocks: Collection[int], size: int = POOL) -> None:
        self.backbone, self.clips, self.blocks = backbone, clips, blocks
        self.looks: deque[Looks] = deque(maxlen=size)
        self.looked = self.drawn = 0

    def add(self, rng: np.random.Generator) -> None:
        """Look at a clip that was drawn."""
        self.looked += 1
        clip = self.clips.clips[int(rng.integers(len(self.clips)))]
        shares, masks = (clip[1][name].float() for name in ("shares", "masks"))
        gates = drawn_gates(shares, masks, rng)
        self.looks.append(self.backbone.look(clip, drawn_sigma(rng), gates, self.blocks, int(rng.integers(2**31))))

    def draw(self, rng: np.random.Generator, count: int) -> Sampled:
        """Some tokens of `count` looks, all of as many people: one of the latest, and any others."""
        self.drawn += 1
        latest = self.looks[int(rng.integers(max(0, len(self.looks) - count), len(self.looks)))]
        alike = [look for look in self.looks if look.masks.shape[1] == latest.masks.shape[1]]
        chosen = rng.integers(len(alike), size=count - 1)
        return Sampled.joined([look.sampled(rng, TOKENS) for look in (latest, *(alike[k] for k in chosen))])


class Heads(nn.Module):
    """Heads at several depths, which learn from the same looks and nothing from each other."""

    def __init__(self, dim: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(MaskHead(dim=dim, block=block) for block in blocks)

    def by_block(self) -> dict[int, MaskHead]:
        """The heads by the block that each reads."""
        return {head.config.block: head for head in self.heads if isinstance(head, MaskHead)}

    def logits(self, looks: Looks) -> dict[int, Tensor]:
        """(1, N + 1, T, h, w) of each block."""
        known = looks.identities
        return {block: head(looks.tokens[block].float(), known, looks.grid) for block, head in self.by_block().items()}

    def forward(self, some: Sampled) -> dict[int, Tensor]:
        """(B, N + 1, L, 4) of each block. Some numbers of a token are withheld: there are few people to learn from."""
        crops = F.dropout(some.identities.tokens, WITHHELD, self.training)
        known = Identities(crops, some.identities.squares)
        tokens = {block: F.dropout(x.float(), WITHHELD, self.training) for block, x in some.tokens.items()}
        return {block: head.judge(tokens[block], some.at, known) for block, head in self.by_block().items()}


def targets(masks: Tensor) -> Tensor:
    """(B, N, ...) shares of cells -> (B, N + 1, ...), the background first; sums to 1."""
    return torch.cat([(1 - masks.sum(1, keepdim=True)).clamp_min(0), masks], 1)


def loss_of(heads: Heads, some: Sampled) -> Tensor:
    """Cross-entropy of every cell's owner, summed over heads."""
    wanted = targets(some.cells)
    losses = [-(wanted * logits.log_softmax(1)).sum(1).mean() for logits in heads(some).values()]
    return torch.stack(losses).sum()


def overlap(logits: Tensor, masks: Tensor) -> list[float]:
    """Intersection over union of each person in one clip, over all its cells: (1, N + 1, T, h, w) and (1, N, T, h, w).
    A cell is whose share of it is the largest. People who are not seen do not count."""
    found, true = logits[0].argmax(0), targets(masks)[0].argmax(0)
    return [
        float(((found == person) & (true == person)).sum() / ((found == person) | (true == person)).sum())
        for person in range(1, logits.shape[1])
        if (true == person).any()
    ]


def first_look(backbone: Backbone, clip: Clip, sigma: float, blocks: Collection[int], seed: int) -> Looks:
    """What the backbone makes of a clip with the gates of a job's first step: by where heads are."""
    return backbone.look(clip, sigma, clip[1]["shares"].float()[None], blocks, seed)


class Judge:
    """Held-out clips as the backbone sees them in the first step of a job; looked at once, for it does not change."""

    def __init__(self, test: Clips, backbone: Backbone, blocks: Collection[int]) -> None:
        self.test, self.backbone, self.blocks = test, backbone, blocks

    @cached_property
    def cases(self) -> list[tuple[str, float, Looks]]:
        """Kind of group, noise level, and what was seen."""
        cases = []
        for place, clip in enumerate(self.test.clips):
            kind = f"{clip[0]['people']}_{'close' if clip[0]['close'] else 'apart'}"
            for sigma in JUDGED_SIGMAS:
                cases.append((kind, sigma, first_look(self.backbone, clip, sigma, self.blocks, place)))
        return cases

    @torch.no_grad()
    def judge(self, heads: Heads) -> dict[str, float]:
        """Mean overlap of each head: by number and nearness of people, and by noise level."""
        found: dict[str, list[float]] = {}
        for kind, sigma, looks in self.cases:
            for block, logits in heads.logits(looks).items():
                values = overlap(logits, looks.masks)
                for name in (kind, f"sigma_{sigma:g}"):
                    found.setdefault(f"block_{block}_{name}", []).extend(values)
        return {name: float(np.mean(values)) for name, values in sorted(found.items())}


def main(
    data: Annotated[list[Path], typer.Option(help="precomputed groups, a folder for each number of people")],
    test: Annotated[list[Path], typer.Option(help="precomputed held-out groups")],
    model: Annotated[Path, typer.Option(help="model folder whose transformer is the backbone")],
    run: RunOption,
    block: Annotated[list[int], typer.Option(help="block to read; several train a head each")],
    adapter: Annotated[Path | None, typer.Option(help="LoRA that groups are filmed with")] = None,
    out: Annotated[Path | None, typer.Option(help="write the first block's averaged head here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start the first block's head from these weights")] = None,
    minutes: float = 40.0,
    rate: float = 2e-3,
    batch_size: int = 8,
    steps_a_look: Annotated[int, typer.Option(help="steps for each new look of the backbone")] = 2,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    backbone, clips = Backbone(model, device, adapter), Clips(data)
    judge = Judge(Clips(test), backbone, block)
    pool = Pool(backbone, clips, block)
    heads = Heads(backbone.dit.patch_embedding.out_channels, block)
    if init is not None:
        heads.heads[0] = load_model(MaskHead, init)
    heads = heads.to(device).train()

    def step_loss(rng: np.random.Generator) -> Tensor:
        while pool.looked < max(batch_size, pool.drawn / steps_a_look):
            pool.add(rng)
        return loss_of(heads, pool.draw(rng, batch_size))

    shipped = fit(
        heads,
        Run(run, minutes),
        step_loss,
        judge.judge,
        rate=rate,
        weight_decay=1e-2,
        report_every=100,
        refresh=clips.refresh,
    )
    if out is not None:
        save_model(shipped.heads[0], out)


if __name__ == "__main__":
    typer.run(main)
