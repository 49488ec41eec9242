"""Which part of the picture each voice reaches, step by step (report, section 3.3).

The mask head reads a deep block of the conditional branch, and the masks it predicts gate every block of the next step.
The first step has no prediction yet: it starts from where the performance puts each person's head. Tokens that the mask
head calls background go to the person whose head is nearest; no lips are there, but every token belongs to somebody, as
in training.

Shape legend: N people, F pixel frames, H W pixels, T latent frames, h w latent cells; tokens are two cells a side.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from dramatis.models.mask_head import Identities, MaskHead
from dramatis.models.shapes import TOKEN_CELLS, WAN_STRIDES, PixelShape, Strides
from dramatis.motion.group import head_shares
from dramatis.sampling.conditioning import latent_means


def head_gates(anchors: ArrayLike, size: tuple[int, int], strides: Strides = WAN_STRIDES) -> Tensor:
    """Gates (N, T, h/2, w/2) by where heads are, one for each token; they sum to 1 over people.

    anchors: (N, F, 9, 2) pixels of the rigid anchors.  size: (H, W) pixels.  strides: of the autoencoder.
    """
    latent = PixelShape(np.shape(anchors)[1], *size).latent(strides)
    return latent_means(torch.from_numpy(head_shares(anchors, size, latent.token_grid)))


class Gating:
    """The gates of one clip.

    Args:
        shares: (1, N, T, h/2, w/2) gates of the first step, which sum to 1 over people.
        head: predicts masks; None keeps the gates as they are.
        identities: by which the head knows the people, batch 1.
    """

    def __init__(self, shares: Tensor, head: MaskHead | None = None, identities: Identities | None = None) -> None:
        self.gates = self.shares = shares
        self.head, self.identities = head, identities
        self.masks: Tensor | None = None
        """(1, N + 1, T, h, w) the head's latest masks, the background first."""
        self._hidden: Tensor | None = None

    def on_block(self, block: int, hidden: Tensor) -> None:
        """Take the output (1, T, S, D) of every block; that of the head's block is kept."""
        if self.head is not None and block == self.head.config.block:
            self._hidden = hidden

    def advance(self) -> None:
        """Predict the gates of the next step, after a step. If the step was not computed, they stay as they are."""
        if self.head is None or self._hidden is None:
            return
        assert self.identities is not None, "the head knows people by their pictures"
        height, width = self.shares.shape[-2:]
        self.masks = self.head(self._hidden, self.identities, (height, width)).float().softmax(1)
        tokens = F.avg_pool2d(self.masks.flatten(0, 1), TOKEN_CELLS).unflatten(0, self.masks.shape[:2])
        self.gates = tokens[:, 1:] + tokens[:, :1] * self.shares
        self._hidden = None
