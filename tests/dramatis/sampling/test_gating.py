from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from dramatis.models.mask_head import Identities, MaskHead
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.gating import Gating
from dramatis.sampling.guidance import CONDITIONAL, choose_guider
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from tests.dramatis.models.test_dit import inputs, pair
from tests.dramatis.models.test_mask_head import tiny_head
from tests.tiny import tiny_dit

SHARES = torch.full((1, 2, 3, 4, 4), 0.5)


def a_pair() -> tuple[Conditions, Tensor]:
    given = pair(inputs())
    noise = given.pop("latents")
    given.pop("timestep")
    audio = given["audio"]
    return Conditions(**given, negative=-given["text"], silence=torch.zeros_like(audio)), noise


def identities(head: MaskHead) -> Identities:
    tokens = torch.randn(1, 2, 4, head.config.dim, generator=torch.Generator().manual_seed(4))
    return Identities(tokens, torch.tensor([[[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]]))


def film(gating: Gating | None) -> Tensor:
    given, noise = a_pair()
    return denoise(tiny_dit(), noise, given, shifted_sigmas(3, 2.0), choose_guider(1.5, 1.5), Euler(), gating=gating)


@torch.no_grad()
def test_the_gates_of_a_step_are_what_the_head_saw_in_the_one_before() -> None:
    """Three steps with two branches, written out in full."""
    head, dit, (given, x) = tiny_head(), tiny_dit(), a_pair()
    who, gates, sigmas = identities(head), SHARES, shifted_sigmas(3, 2.0)
    for now, then in pairwise(sigmas):
        seen: dict[int, Tensor] = {}
        common = {"masks": gates, "controls": given.controls, "maps": given.maps}
        t = 1000 * now[None]
        cond = dit(x, given.condition, t, given.text, given.image, given.audio, **common, on_block=seen.__setitem__)
        uncond = dit(x, given.condition, t, given.negative, given.image, given.silence, **common)
        x = x + (then - now) * (uncond + 1.5 * (cond - uncond))
        masks = head(seen[head.config.block], who, (4, 4)).softmax(1)
        tokens = masks.unflatten(4, (4, 2)).unflatten(3, (4, 2)).mean((4, 6))
        gates = tokens[:, 1:] + tokens[:, :1] * SHARES
    made = film(Gating(SHARES, head, who))
    assert torch.allclose(made, x, atol=1e-5)
    assert not torch.allclose(made, film(Gating(SHARES)), atol=1e-4), "the head has a say"


@torch.no_grad()
def test_gates_always_share_out_everything() -> None:
    head = tiny_head()
    gating = Gating(SHARES, head, identities(head))
    gating.on_block(head.config.block, torch.randn(1, 3, 16, head.config.dim))
    gating.on_block(head.config.block + 1, torch.zeros(1, 3, 16, head.config.dim))
    gating.advance()
    assert not torch.allclose(gating.gates, SHARES)
    assert torch.allclose(gating.gates.sum(1), torch.ones(1, 3, 4, 4), atol=1e-5)
    before = gating.gates
    gating.advance()
    assert gating.gates is before, "a step that nobody saw changes nothing"


@torch.no_grad()
def test_without_a_head_the_gates_stay_where_the_heads_are() -> None:
    given, noise = a_pair()
    fixed = Conditions(**{**vars(given), "masks": SHARES})
    plain = denoise(tiny_dit(), noise, fixed, shifted_sigmas(3, 2.0), choose_guider(1.5, 1.5), Euler())
    assert torch.allclose(film(Gating(SHARES)), plain, atol=1e-6)


def test_the_head_looks_at_the_conditional_branch_alone() -> None:
    class Counter(Gating):
        asked = 0

        def on_block(self, block: int, hidden: Tensor) -> None:
            super().on_block(block, hidden)
            self.asked += 1

    gating = Counter(SHARES)
    film(gating)
    assert CONDITIONAL in choose_guider(1.5, 1.5).branches
    assert gating.asked == 3 * len(tiny_dit().blocks)
