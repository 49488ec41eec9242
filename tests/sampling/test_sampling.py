from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from dramatis.sampling.conditioning import (
    Given,
    hold_condition,
    mask_channels,
    tile_nearest,
    zero_condition,
)
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import (
    JointGuidance,
    NoGuidance,
    TextAudioGuidance,
    TextGuidance,
    guider,
)
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from tests.models.test_dit import inputs
from tests.tiny import tiny_autoencoder, tiny_dit


@pytest.mark.parametrize("shift", [1.0, 3.0, 11.0])
def test_sigmas_descend_from_noise_to_clean(shift: float) -> None:
    sigmas = shifted_sigmas(6, shift)
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()
    assert sigmas[3] == pytest.approx(shift * 0.5 / (1 + (shift - 1) * 0.5))


def test_euler_is_exact_on_a_straight_flow() -> None:
    clean, noise = torch.randn(2, 1, 4, 2, 2, 2)
    x = noise
    sigmas = shifted_sigmas(3, 5.0)
    for now, then in pairwise(sigmas):
        x = Euler().step(x, noise - clean, float(now), float(then))
    assert torch.allclose(x, clean, atol=1e-5)


def test_guidance_combines_as_written() -> None:
    cond, drop, uncond = (torch.full((1,), value) for value in (3.0, 2.0, 1.0))
    assert NoGuidance().combine([cond]) == 3
    assert TextGuidance(2.0).combine([cond, uncond]) == 5
    assert JointGuidance(2.0).combine([cond, uncond]) == 5
    assert TextAudioGuidance(5.0, 4.0).combine([cond, drop, uncond]) == 1 + 5 + 4


def test_no_branch_is_evaluated_for_nothing() -> None:
    assert len(guider(1.0, 1.0).branches) == 1
    assert len(guider(3.0, 1.0).branches) == 2
    assert len(guider(3.0, 3.0).branches) == 2
    assert len(guider(3.0, 4.0).branches) == 3


def test_mask_channels_follow_wan() -> None:
    flags = torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0, 0])
    mask = mask_channels(flags)
    assert mask[:, 0].tolist() == [1, 1, 1, 1]
    assert mask[:, 1].tolist() == [0, 0, 0, 1]
    assert mask[:, 2].tolist() == [0, 0, 0, 0]


def test_tiles_hold_the_nearer_end() -> None:
    head, tail = torch.zeros(1, 1, 1, 1, 1), torch.ones(1, 1, 1, 1, 1)
    assert tile_nearest(head, tail, 6).flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert tile_nearest(head, None, 3).flatten().tolist() == [0, 0, 0]
    assert tile_nearest(head, tail, 2).flatten().tolist() == [0, 1]


@torch.no_grad()
def test_hold_condition_marks_and_holds() -> None:
    net = tiny_autoencoder()
    video = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    condition = hold_condition(net, Given(video[:, :, :5], video[:, :, -4:]), 13)
    assert condition.shape == (1, 20, 4, 2, 2)
    assert condition[0, :4, :, 0, 0].tolist() == [[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    # The head is causal: its latents equal those of the whole clip.
    assert torch.allclose(condition[:, 4:, :2], net.normalise(net.encode(video))[:, :, :2], atol=1e-6)
    assert torch.equal(condition[:, 4:, 2], condition[:, 4:, 1])


@torch.no_grad()
def test_zero_condition_encodes_grey_between() -> None:
    net = tiny_autoencoder()
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    condition = zero_condition(net, Given(picture, picture), 9)
    video = torch.zeros(1, 3, 9, 16, 16)
    video[:, :, :1] = video[:, :, -1:] = picture
    assert torch.allclose(condition[:, 4:], net.normalise(net.encode(video)), atol=1e-6)
    assert condition[0, :4, :, 0, 0].sum(0).tolist() == [4, 0, 1]


@torch.no_grad()
def test_the_loop_equals_a_straight_line_reference() -> None:
    """Euler with three-way guidance, written out in full."""
    dit, given = tiny_dit(), inputs()
    noise = given.pop("latents")
    negative = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(5))
    timestep = given.pop("timestep")
    conditions = Conditions(**given, negative=negative, silence=torch.zeros_like(given["audio"]))
    sigmas = shifted_sigmas(3, 2.0)
    made = denoise(dit, noise, conditions, sigmas, TextAudioGuidance(2.5, 3.0), Euler())

    x = noise
    for k in range(3):
        t = torch.full_like(timestep, 1000 * sigmas[k].item())
        cond = dit(x, timestep=t, **given)
        drop = dit(x, timestep=t, **{**given, "text": negative})
        uncond = dit(x, timestep=t, **{**given, "text": negative, "audio": torch.zeros_like(given["audio"])})
        velocity = uncond + 2.5 * (cond - drop) + 3.0 * (drop - uncond)
        x = x + (sigmas[k + 1] - sigmas[k]) * velocity
    assert torch.allclose(made, x, atol=1e-5)


@torch.no_grad()
def test_steps_are_reported() -> None:
    dit, given = tiny_dit(), inputs()
    noise = given.pop("latents")
    del given["timestep"]
    conditions = Conditions(**given, negative=given["text"], silence=given["audio"])
    seen: list[tuple[int, int]] = []
    denoise(dit, noise, conditions, shifted_sigmas(2, 1.0), NoGuidance(), Euler(), lambda *s: seen.append(s))
    assert seen == [(1, 2), (2, 2)]
