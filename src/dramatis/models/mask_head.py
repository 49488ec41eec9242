"""Masks of every person, predicted from one of the video network's deep blocks.

Report, section 3.3: crops of all people from the reference go through the network's own patch embedding, without noise;
the deep video tokens attend to the tokens of every identity, and an MLP predicts each person's mask, frame by frame, on
the grid of the latents. The MLP also receives where in the reference each crop was taken, since people may look alike.
The background is one more class, learnt instead of looked up, and a softmax over all classes settles overlaps. Nothing
in the head depends on the number of people, so any number can be asked for.

Shape legend: B batch, N people, T latent frames, S tokens of a frame, H W latent cells (tokens are `TOKEN_CELLS` cells
a side), K tokens of a crop, L tokens from anywhere, D width of the video network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from numpy.typing import ArrayLike
from torch import Tensor, nn

from dramatis.models.dit import AudioDiT
from dramatis.models.shapes import TOKEN_CELLS

IDENTITY_SIDE = 128
"""Pixels along each side of an identity crop."""
OFFSET_CHANNELS = 16

_EYES, _BRIDGE_TO_CHIN = 0.372, 0.471
"""Distances on the canonical face, in head heights: of the outer eye corners, and of nose bridge and chin."""
_HEADS_HIGH, _ABOVE = 1.7, 0.44
"""Height of the square in head heights, and the share of it above the nose bridge: it ends at the shoulders."""


def identity_square(anchors: ArrayLike, size: tuple[int, int]) -> tuple[float, float, float]:
    """The square around a person's head and shoulders by which the mask head knows them.

    anchors: (9, 2) pixels of the rigid anchors (`motion.face.RIGID_ANCHORS`) in a picture of `size` (height, width).
    Returns left, top and side in pixels. The face stands in the middle, the square is 1.7 heads high and at most as
    high as the picture; it may reach beyond the picture's borders at the sides.
    """
    points = np.asarray(anchors, np.float64)
    eyes, height = (float(np.linalg.norm(points[a] - points[b])) for a, b in ((0, 1), (4, 6)))
    # A turned head is narrower and a bowed one shorter: the larger of two estimates is the less foreshortened.
    side = min(_HEADS_HIGH * max(eyes / _EYES, height / _BRIDGE_TO_CHIN), float(size[0]))
    left = float(points[:, 0].mean()) - side / 2
    top = float(np.clip(points[4, 1] - _ABOVE * side, 0, size[0] - side))
    return left, top, side


@dataclass(frozen=True)
class Identities:
    """How the mask head knows N people.

    tokens: (B, N, K, D) of their square crops, as `identity_tokens` makes them.
    squares: (B, N, 3) left, top and side of the crops in the reference, in heights of the picture.
    """

    tokens: Tensor
    squares: Tensor


def identity_tokens(dit: AudioDiT, crops: Tensor) -> Tensor:
    """Tokens of pictures of the people, from the video network's own patch embedding, without noise.

    crops: (B, N, 16, h, w) normalised latents, even sides. They take the channels of the noise and of the given frames,
    and the mask says that they are given. Returns (B, N, K, D), K = h/2 * w/2.
    """
    flat = crops.flatten(0, 1).unsqueeze(2)
    tokens = dit.patch_embedding(torch.cat([flat, torch.ones_like(flat[:, :4]), flat], dim=1))
    return rearrange(tokens, "(b n) d 1 h w -> b n (h w) d", b=len(crops))


class MaskHead(ModelMixin, ConfigMixin):
    """Predicts every person's mask from the tokens of one block.

    Args:
        dim: width D of the video network.
        block: index of the block whose output the head reads.
        width: of the head itself.
        heads: of its attention.
    """

    @register_to_config
    def __init__(
        self,
        dim: int = 256,
        # `Gating` and the training read it from the config.
        block: int = 5,  # noqa: ARG002
        width: int = 96,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.enter = nn.Linear(dim, width)
        self.identity_norm = nn.LayerNorm(dim)
        self.identity_enter = nn.Linear(dim, width)
        self.place = nn.Linear(OFFSET_CHANNELS, width)
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        # Key and value of the background, which has a single token.
        self.background = nn.Parameter(torch.randn(2, width) * 0.1)
        self.from_video = nn.Linear(width, 2 * width)
        self.from_person = nn.Linear(width + heads + OFFSET_CHANNELS, 2 * width, bias=False)
        self.mlp = nn.Sequential(nn.GELU(), nn.Linear(2 * width, 2 * width), nn.GELU())
        self.leave = nn.Linear(2 * width, TOKEN_CELLS * TOKEN_CELLS)

    def forward(self, tokens: Tensor, identities: Identities, grid: tuple[int, int]) -> Tensor:
        """Logits of every latent cell's owner.

        tokens: (B, T, S, D) hidden states after block `config.block`.  grid: rows and columns of the S tokens.
        Returns (B, N + 1, T, H, W); class 0 is the background, class n the n-th identity. Softmax over the classes.
        """
        batch, frames = tokens.shape[:2]
        centres = token_centres(grid, tokens.device).repeat(frames, 1).expand(batch, -1, -1)
        logits = self.token_logits(tokens.flatten(1, 2), centres, identities)
        return rearrange(
            logits,
            "b n (t y x) (p q) -> b n t (y p) (x q)",
            t=frames,
            y=grid[0],
            x=grid[1],
            p=TOKEN_CELLS,
            q=TOKEN_CELLS,
        )

    def token_logits(self, tokens: Tensor, centres: Tensor, identities: Identities) -> Tensor:
        """Logits (B, N + 1, L, 4) of the four cells of L tokens (B, L, D) from anywhere in a clip, each by itself.

        centres: (B, L, 2) where the tokens lie, as `token_centres`.
        """
        video = self.enter(self.norm(tokens))
        matches = self._look_up(video, self.identity_enter(self.identity_norm(identities.tokens)))
        corner, side = identities.squares.split((2, 1), -1)
        middle = corner + side / 2
        offset = _waves((centres.unsqueeze(1) - middle.unsqueeze(2)) / side.unsqueeze(2)).to(matches.dtype)
        offset = torch.cat([torch.zeros_like(offset[:, :1]), offset], 1)
        hidden = self.from_video(video).unsqueeze(1) + self.from_person(torch.cat([matches, offset], -1))
        return self.leave(self.mlp(hidden))

    def _look_up(self, video: Tensor, identities: Tensor) -> Tensor:
        """What each token finds in the background and in every identity, and how much attention it gave each.

        (B, L, W) and (B, N, K, W) -> (B, N + 1, L, W + heads). All compete in one softmax, so that of two people who
        look alike the likelier receives more.
        """
        batch, _, count, width = identities.shape
        # Computed in float32 whatever the network computes in, and rounded last.
        inside = _waves(_crop_centres(count, identities.device) - 0.5).to(identities.dtype)
        identities = identities + self.place(inside)
        background = self.background.view(2, 1, 1, width).expand(2, batch, 1, width)
        key = torch.cat([background[0], self.to_k(identities).flatten(1, 2)], 1)
        value = torch.cat([background[1], self.to_v(identities).flatten(1, 2)], 1)
        query, key, value = (rearrange(x, "b l (h d) -> b h l d", h=self.heads) for x in (self.to_q(video), key, value))
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        parts = [weights[..., :1], *weights[..., 1:].split(count, -1)]
        values = [value[:, :, :1], *value[:, :, 1:].split(count, 2)]
        matches = [
            torch.cat([rearrange(part @ content, "b h l d -> b l (h d)"), part.sum(-1).transpose(1, 2)], -1)
            for part, content in zip(parts, values, strict=True)
        ]
        return torch.stack(matches, 1)


def token_centres(grid: tuple[int, int], device: torch.device) -> Tensor:
    """(S, 2) x and y of the centres of the tokens of a picture, in its heights."""
    rows, columns = ((torch.arange(count, device=device) + 0.5) / grid[0] for count in grid)
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).flatten(0, 1)


def _crop_centres(count: int, device: torch.device) -> Tensor:
    """(K, 2) the centre of each token in its square crop, 0..1."""
    side = math.isqrt(count)
    assert side * side == count, f"{count} tokens are not those of a square crop"
    return token_centres((side, side), device)


def _waves(offset: Tensor) -> Tensor:
    """(..., 2) offsets from the middle of a crop, in its sides -> (..., OFFSET_CHANNELS) sines and cosines.

    Beyond two sides they stay the same.
    """
    scales = 2.0 ** torch.arange(OFFSET_CHANNELS // 4, device=offset.device)
    angles = (math.pi / 4) * offset.clamp(-2, 2).unsqueeze(-1) * scales
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(-2)
