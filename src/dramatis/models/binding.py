"""Two voices in one picture as the public checkpoints learnt it: label rotary positions (L-RoPE).

MultiTalk (arXiv 2505.22647, section 3.3) gives no token a mask. Instead, every video token gets a position on a line,
near one of two voices, and the audio attention rotates queries and keys by their positions. The block's own
self-attention shows which voice a token belongs to: how much it attends to each person's region of the first latent
frame.

What the paper leaves open was inferred from the official network's output (tests/goldens, `multitalk_two_people`): the
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

PERSON_SPANS = ((0.0, 4.0), (20.0, 24.0))
"""Positions of the first and of the second person's tokens."""
BACKGROUND_POSITION = 12.0
VOICE_POSITIONS = (2.0, 22.0)
"""Positions of the two voices: in the middle of the tokens that hear them."""
CLASSES = 3
ROTARY_BASE = 10_000.0


class VoiceBinding:
    """The positions of one block's tokens, from its self-attention, and the rotations of its audio attention.

    Args:
        regions: (B, 3, S) masks of the first person, the second and the background in the first latent frame; a token
            belongs to a region where the mask is greater than 0.
    """

    def __init__(self, regions: Tensor) -> None:
        assert regions.shape[1] == CLASSES, "two people and the background"
        self._regions = regions
        self._positions: Tensor | None = None

    def on_attention(self, query: Tensor, key: Tensor) -> None:
        """Take the queries and keys (B, L, heads, D) of the self-attention, after their rotation."""
        first = key[:, : self._regions.shape[-1]]
        # The choice of the strongest region has no gradient.
        self._positions = token_positions(attention_mass(query.detach(), first.detach(), self._regions))

    def rotaries(self, width: int, tokens: int) -> tuple[Rotary, Rotary]:
        """For queries, cosines and sines (B, T, S, D); for the keys of both voices one after the other, (2A, D).

        width: D. tokens: A.
        """
        assert self._positions is not None, "the self-attention comes first"
        queries = rearrange(self._positions, "b (t s) -> b t s", s=self._regions.shape[-1])
        keys = torch.tensor(VOICE_POSITIONS, device=queries.device).repeat_interleave(tokens)
        return rotary_angles(queries, width), rotary_angles(keys, width)


def attention_mass(query: Tensor, key: Tensor, regions: Tensor) -> Tensor:
    """How much every token attends to each region of the first frame: (B, 3, L), mean over its tokens and the heads.

    query (B, L, heads, D), key (B, S, heads, D), regions (B, 3, S). A region without tokens has no mass.
    """
    inside = (regions > 0).to(query.dtype)
    # The masks are the values of an ordinary attention, so that no kernel has to hold all L x S scores at once. Such
    # kernels need a token's numbers side by side, and padding keeps the order in memory where torch compiles it.
    values = rearrange(inside, "b c s -> b s 1 c").contiguous()
    values = F.pad(values, (0, key.shape[-1] - CLASSES)).expand(-1, -1, key.shape[2], -1)
    mass = attend(query, key, values)[..., :CLASSES].float().mean(2)
    return rearrange(mass, "b l c -> b c l") / inside.float().sum(-1, keepdim=True).clamp_min(1)


def token_positions(mass: Tensor) -> Tensor:
    """(B, 3, L) masses -> (B, L) positions: in the span of the person with the greatest mass, or the background's."""
    least, greatest = mass.amin(-1, keepdim=True), mass.amax(-1, keepdim=True)
    share = (mass - least) / (greatest - least).clamp_min(torch.finfo(mass.dtype).tiny)
    people = [start + share[:, person] * (stop - start) for person, (start, stop) in enumerate(PERSON_SPANS)]
    candidates = torch.stack([*people, torch.full_like(people[0], BACKGROUND_POSITION)], dim=1)
    return candidates.gather(1, mass.argmax(1, keepdim=True)).squeeze(1)


def rotary_angles(positions: Tensor, width: int) -> Rotary:
    """Cosines and sines (..., width) of positions (...), each angle twice, as `rotate` takes them."""
    frequencies = ROTARY_BASE ** (-torch.arange(0, width, 2, device=positions.device, dtype=torch.float32) / width)
    turned = (positions.unsqueeze(-1) * frequencies).repeat_interleave(2, dim=-1)
    return turned.cos(), turned.sin()
