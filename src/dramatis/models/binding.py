"""Two voices in one picture as the public checkpoints learnt it: label rotary positions (L-RoPE).

MultiTalk (arXiv 2505.22647, section 3.3) gives no token a mask. Every video token gets a place on a line instead, near
one of two voices, and the audio attention turns queries and keys by their places. Which voice a token belongs to is
read off the block's own self-attention: how much it attends to each person's region of the first latent frame.

What the paper leaves open was found from the official network's output (tests/goldens, `multitalk_two_people`): the
mass is a softmax over the first frame's tokens alone, from queries and keys after their three-dimensional rotation; a
class's mass is the mean over the tokens of its region and over all heads; the background is a class like the two
people; the masks are sampled at every patch's first cell; a person's masses are spread from their least to their
greatest over that person's span; the rotation has base 10000 and turns neighbouring channels as pairs.

Shape legend: B batch, L = T*S video tokens, T latent frames, S tokens of a frame, A audio tokens of one voice, D width
of a head.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from dramatis.models.attention import Rotary, attend

SPANS = ((0.0, 4.0), (20.0, 24.0))
"""Where the tokens of the first and of the second person lie."""
BACKGROUND = 12.0
VOICES = (2.0, 22.0)
"""Where the two voices lie: in the middle of their listeners."""
CLASSES = 3
BASE = 10_000.0


class VoiceBinding:
    """One block's places: `watch` reads them off its self-attention, `rotaries` turns its audio attention by them.

    Args:
        regions: (B, 3, S) masks of the first person, the second and the background in the first latent frame; a token
            belongs to a region where the mask is greater than 0.
    """

    def __init__(self, regions: Tensor) -> None:
        assert regions.shape[1] == CLASSES, "two people and the background"
        self._regions = regions
        self._places: Tensor | None = None

    def watch(self, query: Tensor, key: Tensor) -> None:
        """Take queries and keys (B, L, heads, D) of a self-attention, after their rotation."""
        first = key[:, : self._regions.shape[-1]]
        # Which region is the strongest has no gradient.
        self._places = places(attention_mass(query.detach(), first.detach(), self._regions))

    def rotaries(self, width: int, tokens: int) -> tuple[Rotary, Rotary]:
        """For queries, cosines and sines (B, T, S, D); for the keys of both voices one after the other, (2A, D).

        width: D. tokens: A.
        """
        assert self._places is not None, "the self-attention comes first"
        queries = rearrange(self._places, "b (t s) -> b t s", s=self._regions.shape[-1])
        keys = torch.tensor(VOICES, device=queries.device).repeat_interleave(tokens)
        return angles(queries, width), angles(keys, width)


def attention_mass(query: Tensor, key: Tensor, regions: Tensor) -> Tensor:
    """How much every token attends to each region of the first frame: (B, 3, L), mean over its tokens and the heads.

    query (B, L, heads, D), key (B, S, heads, D), regions (B, 3, S). A region without tokens has no mass.
    """
    inside = (regions > 0).to(query.dtype)
    # The masks as values of an ordinary attention: no kernel then has to hold all L x S scores at once. Such kernels
    # want a token's numbers side by side, and padding keeps the order in memory where torch compiles it.
    values = rearrange(inside, "b c s -> b s 1 c").contiguous()
    values = F.pad(values, (0, key.shape[-1] - CLASSES)).expand(-1, -1, key.shape[2], -1)
    mass = attend(query, key, values)[..., :CLASSES].float().mean(2)
    return rearrange(mass, "b l c -> b c l") / inside.float().sum(-1, keepdim=True).clamp_min(1)


def places(mass: Tensor) -> Tensor:
    """(B, 3, L) masses -> (B, L) places: in the span of the person with the greatest mass, or the background's."""
    least, greatest = mass.amin(-1, keepdim=True), mass.amax(-1, keepdim=True)
    share = (mass - least) / (greatest - least).clamp_min(torch.finfo(mass.dtype).tiny)
    people = [start + share[:, person] * (stop - start) for person, (start, stop) in enumerate(SPANS)]
    candidates = torch.stack([*people, torch.full_like(people[0], BACKGROUND)], dim=1)
    return candidates.gather(1, mass.argmax(1, keepdim=True)).squeeze(1)


def angles(positions: Tensor, width: int) -> Rotary:
    """Cosines and sines (..., width) of positions (...), each angle twice, as `rotate` takes them."""
    frequencies = BASE ** (-torch.arange(0, width, 2, device=positions.device, dtype=torch.float32) / width)
    turned = (positions.unsqueeze(-1) * frequencies).repeat_interleave(2, dim=-1)
    return turned.cos(), turned.sin()
