"""Whose voice reaches which part of the picture, step by step (report, section 3.3).

The mask head looks at a deep block of the conditional branch, and what it says gates every block of the next step. The
first step has nobody to ask: it starts from where the performance puts everybody's head. Places that the head calls
background go to whose head is nearest; no lips are there, but every place is somebody's, as in training.

Shape legend: N people, T latent frames, h w latent cells; tokens are two cells a side.
"""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from dramatis.models.mask_head import Identities, MaskHead
from dramatis.motion.group import head_shares
from dramatis.sampling.conditioning import latent_means


def head_gates(anchors: ArrayLike, size: tuple[int, int]) -> Tensor:
    """Gates (N, T, H/16, W/16) by where heads are, which sum to 1 over people.

    anchors: (N, F, 9, 2) pixels of the rigid anchors, F = 4T - 3.  size: (H, W) pixels.
    """
    return latent_means(torch.from_numpy(head_shares(anchors, size, (size[0] // 16, size[1] // 16))))


class Gating:
    """The gates of one clip.

    Args:
        shares: (1, N, T, h/2, w/2) gates of the first step, which sum to 1 over people.
        head: predicts masks; None keeps the gates as they are.
        identities: how the head knows them, batch 1.
    """

    def __init__(self, shares: Tensor, head: MaskHead | None = None, identities: Identities | None = None) -> None:
        self.gates = self.shares = shares
        self.head, self.identities = head, identities
        self.masks: Tensor | None = None
        """(1, N + 1, T, h, w) what the head said last, the background first."""
        self._seen: Tensor | None = None

    def watch(self, block: int, hidden: Tensor) -> None:
        """Shown what every block makes of the tokens (1, T, S, D); keeps that of the head's block."""
        if self.head is not None and block == self.head.config.block:
            self._seen = hidden

    def advance(self) -> None:
        """After a step: gates for the next one. Where a step was not computed, they stay."""
        if self.head is None or self._seen is None:
            return
        assert self.identities is not None, "the head knows people by their pictures"
        height, width = self.shares.shape[-2:]
        self.masks = self.head(self._seen, self.identities, (height, width)).float().softmax(1)
        tokens = F.avg_pool2d(self.masks.flatten(0, 1), 2).unflatten(0, self.masks.shape[:2])
        self.gates = tokens[:, 1:] + tokens[:, :1] * self.shares
        self._seen = None
