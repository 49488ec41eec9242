from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dramatis.sampling.conditioning import (
    Given,
    enlarge,
    latent_means,
    mask_channels,
    warp_fill,
    warped,
    with_low,
    with_mask,
    zero_fill,
)
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import (
    AudioGuidance,
    JointGuidance,
    NoGuidance,
    TextAudioGuidance,
    TextGuidance,
    Within,
    guider,
)
from dramatis.sampling.schedules import entered_at, multitalk_sigmas, shifted_sigmas
from dramatis.sampling.solvers import Euler
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit


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
    assert AudioGuidance(2.0).combine([cond, uncond]) == 5
    assert TextAudioGuidance(5.0, 4.0).combine([cond, drop, uncond]) == 1 + 5 + 4


def test_centred_guidance_moves_places_but_no_frame_as_a_whole() -> None:
    cond, uncond = torch.randn(2, 1, 4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    plain, centred = guider(2.0, 2.0), guider(2.0, 2.0, centred=True)
    assert centred.branches == plain.branches
    out = centred.combine([cond, uncond])
    assert torch.allclose(out.mean((-2, -1)), cond.mean((-2, -1)), atol=1e-6)
    shift = plain.combine([cond, uncond]) - out
    assert torch.allclose(shift, shift[..., :1, :1].expand_as(shift), atol=1e-5)
    assert shift.abs().max() > 0.1


def test_one_guider_within_a_place_and_another_elsewhere() -> None:
    cond, drop, uncond = torch.randn(3, 1, 4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    where = torch.zeros(1, 1, 3, 6, 6)
    where[..., :3], where[..., 3] = 1, 0.25
    both = Within(JointGuidance(3.0), TextGuidance(2.0), where)
    known = dict(zip(TextAudioGuidance.branches, (cond, drop, uncond), strict=True))
    assert set(both.branches) == set(known), "branches that both ask for are evaluated once"
    out = both.combine([known[branch] for branch in both.branches])
    inside, outside = JointGuidance(3.0).combine([cond, uncond]), TextGuidance(2.0).combine([cond, drop])
    assert torch.equal(out[..., :3], inside[..., :3])
    assert torch.equal(out[..., 4:], outside[..., 4:])
    assert torch.allclose(out[..., 3], (inside / 4 + outside * 3 / 4)[..., 3], atol=1e-6)
    assert Within(JointGuidance(3.0), JointGuidance(2.0), where).branches == JointGuidance.branches


def test_latent_frames_take_the_mean_of_their_pixel_frames() -> None:
    frames = torch.arange(9.0)[:, None, None].expand(2, 9, 1, 1)
    assert latent_means(frames)[..., 0, 0].tolist() == [[0.0, 2.5, 6.5]] * 2


def test_no_branch_is_evaluated_for_nothing() -> None:
    assert len(guider(1.0, 1.0).branches) == 1
    assert len(guider(3.0, 1.0).branches) == 2
    assert len(guider(3.0, 3.0).branches) == 2
    assert len(guider(3.0, 4.0).branches) == 3
    assert guider(1.0, 4.0).branches == AudioGuidance.branches


def test_mask_channels_follow_wan() -> None:
    flags = torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0, 0])
    mask = mask_channels(flags)
    assert mask[:, 0].tolist() == [1, 1, 1, 1]
    assert mask[:, 1].tolist() == [0, 0, 0, 1]
    assert mask[:, 2].tolist() == [0, 0, 0, 0]


def here(frames: int, side: int, shift: float = 0.0) -> torch.Tensor:
    """(F, H, W, 2) positions: every pixel's own place, `shift` pixels to the right of it a frame."""
    places = torch.arange(side) + 0.5
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1)
    return grid + shift * torch.arange(frames).view(-1, 1, 1, 1) * torch.tensor([1.0, 0.0])


def test_a_warp_samples_where_it_is_told() -> None:
    picture = torch.rand(1, 3, 8, 8)
    video = warped(picture, here(3, 8, shift=1.0))
    assert video.shape == (1, 3, 3, 8, 8)
    assert torch.allclose(video[:, :, 0], picture, atol=1e-5)
    assert torch.allclose(video[:, :, 2, :, :6], picture[..., 2:], atol=1e-5)
    assert torch.allclose(video[:, :, 2, :, 7], picture[..., 7], atol=1e-5)  # the border is repeated


def test_a_fill_keeps_what_is_given_and_fades_half_way() -> None:
    head, tail = torch.zeros(1, 3, 1, 8, 8), torch.ones(1, 3, 1, 8, 8)
    video = warp_fill(Given(head, tail), here(13, 8), here(13, 8))[0, 0, :, 0, 0]
    assert video[:5].tolist() == [0, 0, 0, 0, 0]
    assert video[6] == 0.5
    assert video[8:].tolist() == [1, 1, 1, 1, 1]
    assert (video.diff() >= 0).all()
    assert (warp_fill(Given(head), here(13, 8), None) == 0).all()


def test_a_fill_keeps_every_given_frame() -> None:
    video = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    filled = warp_fill(Given(video[:, :, :5], video[:, :, -4:]), here(13, 16), here(13, 16))
    assert torch.equal(filled[:, :, :5], video[:, :, :5])
    assert torch.equal(filled[:, :, -4:], video[:, :, -4:])


def test_a_fill_of_zeros_is_grey_between() -> None:
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    video = torch.zeros(1, 3, 9, 16, 16)
    video[:, :, :1] = video[:, :, -1:] = picture
    assert torch.equal(zero_fill(Given(picture, picture), 9), video)


def test_condition_channels_are_mask_and_latents() -> None:
    latents, picture = torch.randn(1, 16, 4, 2, 2), torch.zeros(1, 3, 13, 16, 16)
    given = Given(picture[:, :, :5], picture[:, :, -4:])
    condition = with_mask(latents, given.flags(13))
    assert condition[0, :4, :, 0, 0].tolist() == [[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    assert torch.equal(condition[:, 4:], latents)
    single = with_mask(latents[:, :, :3], Given(picture[:, :, :1], picture[:, :, :1]).flags(9))
    assert single[0, :4, :, 0, 0].sum(0).tolist() == [4, 0, 1]


def test_enlarged_frames_are_the_same_pictures_and_stay_in_range() -> None:
    ramp = torch.linspace(-1, 1, 8).expand(1, 3, 5, 6, 8) * torch.tensor([0.2, 0.4, 0.6, 0.8, 1.0]).view(5, 1, 1)
    out = enlarge(ramp, (12, 16))
    assert out.shape == (1, 3, 5, 12, 16)
    small = F.avg_pool3d(out, (1, 2, 2))
    assert torch.allclose(small[..., 2:-2], ramp[..., 2:-2], atol=1e-5)
    assert torch.allclose(enlarge(ramp[:, :, 2:3], (12, 16)), out[:, :, 2:3])  # every frame by itself
    hard = torch.where(torch.arange(8) < 4, -1.0, 1.0).expand(1, 3, 1, 6, 8)
    assert enlarge(hard, (12, 16)).abs().max() <= 1
    assert enlarge(hard.bfloat16(), (12, 16)).dtype == torch.bfloat16


def test_low_frames_follow_mask_and_given_frames() -> None:
    condition, low = torch.randn(2, 20, 3, 4, 4), torch.randn(2, 16, 3, 4, 4).double()
    out = with_low(condition, low)
    assert out.shape == (2, 36, 3, 4, 4)
    assert out.dtype == condition.dtype
    assert torch.equal(out[:, :20], condition)
    assert torch.equal(out[:, 20:], low.float())


@torch.no_grad()
@pytest.mark.parametrize("others", [(), ("controls",), ("image",), ("condition",), ("condition", "controls", "image")])
def test_the_loop_equals_a_straight_line_reference(others: tuple[str, ...]) -> None:
    """Euler with three-way guidance, written out in full; the negative branches, and they alone, may read
    another condition, other controls and another image."""
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


def test_multitalk_timesteps_end_at_one_and_then_at_zero() -> None:
    even = 1000 * multitalk_sigmas(4, 1.0)
    assert even.tolist() == pytest.approx([1000, 667, 334, 1, 0])
    assert multitalk_sigmas(1, 7.0).tolist() == [1, 0]
    for shift in (2.0, 7.0, 11.0):
        sigmas = multitalk_sigmas(40, shift)
        assert (sigmas[0], sigmas[-1], len(sigmas)) == (1, 0, 41)
        assert sigmas[-2] == pytest.approx(shift * 0.001 / (1 + (shift - 1) * 0.001))


@pytest.mark.parametrize(("steps", "shift"), [(40, 7.0), (4, 2.0), (4, 11.0)])
def test_a_schedule_is_entered_at_a_strength(steps: int, shift: float) -> None:
    sigmas = multitalk_sigmas(steps, shift)
    assert torch.equal(entered_at(sigmas, 1.0), sigmas)
    part = entered_at(sigmas, 0.5)
    assert (part[0], part[-1]) == (0.5, 0)
    assert (part.diff() < 0).all()
    assert set(part[1:].tolist()) == {sigma for sigma in sigmas.tolist() if sigma < 0.5}


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
    made = denoise(dit, noise, conditions, multitalk_sigmas(steps, shift), guider(text_scale, audio_scale), Euler())

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


def to_denoise() -> tuple[Tensor, Conditions]:
    """Noise and what it becomes a clip by."""
    given = inputs()
    noise = given.pop("latents")
    del given["timestep"]
    return noise, Conditions(**given, negative=-given["text"], silence=0 * given["audio"])


def test_every_step_may_be_guided_in_its_own_way() -> None:
    dit, sigmas = tiny_dit(), shifted_sigmas(2, 1.0)
    noise, conditions = to_denoise()
    made = denoise(dit, noise, conditions, sigmas, [guider(3.0, 3.0), NoGuidance()], Euler())
    half = denoise(dit, noise, conditions, sigmas[:2], guider(3.0, 3.0), Euler())
    assert torch.equal(made, denoise(dit, half, conditions, sigmas[1:], NoGuidance(), Euler()))
    assert not torch.equal(made, denoise(dit, noise, conditions, sigmas, guider(3.0, 3.0), Euler()))


@torch.no_grad()
def test_steps_are_reported() -> None:
    dit = tiny_dit()
    noise, conditions = to_denoise()
    seen: list[tuple[int, int]] = []
    denoise(dit, noise, conditions, shifted_sigmas(2, 1.0), NoGuidance(), Euler(), lambda *s: seen.append(s))
    assert seen == [(1, 2), (2, 2)]
