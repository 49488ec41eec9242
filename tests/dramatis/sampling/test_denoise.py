"""The loop against the same mathematics written out in full."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import (
    NoGuidance,
    TextAudioGuidance,
    choose_guider,
)
from dramatis.sampling.schedules import multitalk_sigmas, shifted_sigmas
from dramatis.sampling.solvers import Euler
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit


def to_denoise() -> tuple[Tensor, Conditions]:
    """Noise and what it becomes a clip by."""
    given = inputs()
    noise = given.pop("latents")
    del given["timestep"]
    return noise, Conditions(**given, negative=-given["text"], silence=0 * given["audio"])


@torch.no_grad()
@pytest.mark.parametrize("others", [(), ("controls",), ("image",), ("condition",), ("condition", "controls", "image")])
def test_the_loop_equals_a_straight_line_reference(others: tuple[str, ...]) -> None:
    """Euler with three-way guidance, written out in full.

    The negative branches, and they alone, may read another condition, other controls and another image.
    """
    dit, given = tiny_dit(), inputs()
    noise = given.pop("latents")
    negative = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(5))
    timestep = given.pop("timestep")
    silence = torch.zeros_like(given["audio"])
    other = {name: torch.zeros_like(given[name]) for name in others}
    apart = {f"negative_{name}": value for name, value in other.items()}
    conditions = Conditions(**given, negative=negative, silence=silence, **apart)
    without = {**given, "text": negative, **other}
    sigmas = shifted_sigmas(3, 2.0)
    made = denoise(dit, noise, conditions, sigmas, TextAudioGuidance(2.5, 3.0), Euler())

    x = noise
    for k in range(3):
        t = torch.full_like(timestep, 1000 * sigmas[k].item())
        cond = dit(x, timestep=t, **given)
        drop = dit(x, timestep=t, **without)
        uncond = dit(x, timestep=t, **{**without, "audio": silence})
        velocity = uncond + 2.5 * (cond - drop) + 3.0 * (drop - uncond)
        x = x + (sigmas[k + 1] - sigmas[k]) * velocity
    assert torch.allclose(made, x, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("text_scale", "audio_scale"), [(5.0, 4.0), (1.0, 2.0), (1.0, 1.0)])
def test_the_loop_equals_the_public_pipelines(text_scale: float, audio_scale: float) -> None:
    """MultiTalk's sampling in its own terms, written out: times from 1000 to 1 and then 0, the output negated."""
    dit, given = tiny_dit(), inputs()
    noise, steps, shift = given.pop("latents"), 4, 7.0
    del given["timestep"]
    negative = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(5))
    silence = torch.zeros_like(given["audio"])
    conditions = Conditions(**given, negative=negative, silence=silence)
    made = denoise(
        dit, noise, conditions, multitalk_sigmas(steps, shift), choose_guider(text_scale, audio_scale), Euler()
    )

    times = [*torch.linspace(1000, 1, steps).tolist(), 0.0]
    times = [1000 * shift * (time / 1000) / (1 + (shift - 1) * (time / 1000)) for time in times]
    x = noise
    for now, then in pairwise(times):
        t = torch.tensor([now])
        cond = dit(x, timestep=t, **given)
        if text_scale == audio_scale == 1.0:
            out = cond
        elif text_scale == 1.0:
            quiet = dit(x, timestep=t, **{**given, "audio": silence})
            out = quiet + audio_scale * (cond - quiet)
        else:
            drop_text = dit(x, timestep=t, **{**given, "text": negative})
            uncond = dit(x, timestep=t, **{**given, "text": negative, "audio": silence})
            out = uncond + text_scale * (cond - drop_text) + audio_scale * (drop_text - uncond)
        x = x + -out * (now - then) / 1000
    assert torch.allclose(made, x, atol=2e-5)


def test_every_step_may_be_guided_in_its_own_way() -> None:
    dit, sigmas = tiny_dit(), shifted_sigmas(2, 1.0)
    noise, conditions = to_denoise()
    made = denoise(dit, noise, conditions, sigmas, [choose_guider(3.0, 3.0), NoGuidance()], Euler())
    half = denoise(dit, noise, conditions, sigmas[:2], choose_guider(3.0, 3.0), Euler())
    assert torch.equal(made, denoise(dit, half, conditions, sigmas[1:], NoGuidance(), Euler()))
    assert not torch.equal(made, denoise(dit, noise, conditions, sigmas, choose_guider(3.0, 3.0), Euler()))


@torch.no_grad()
def test_steps_are_reported() -> None:
    dit = tiny_dit()
    noise, conditions = to_denoise()
    seen: list[tuple[int, int]] = []
    denoise(dit, noise, conditions, shifted_sigmas(2, 1.0), NoGuidance(), Euler(), lambda *s: seen.append(s))
    assert seen == [(1, 2), (2, 2)]
