"""Guiders: what they combine, and that no branch is evaluated for nothing."""

from __future__ import annotations

import torch

from dramatis.sampling.guidance import (
    AudioGuidance,
    JointGuidance,
    NoGuidance,
    RegionGuidance,
    TextAudioGuidance,
    TextGuidance,
    choose_guider,
)


def test_guidance_combines_as_written() -> None:
    cond, drop, uncond = (torch.full((1,), value) for value in (3.0, 2.0, 1.0))
    assert NoGuidance().combine([cond]) == 3
    assert TextGuidance(2.0).combine([cond, uncond]) == 5
    assert JointGuidance(2.0).combine([cond, uncond]) == 5
    assert AudioGuidance(2.0).combine([cond, uncond]) == 5
    assert TextAudioGuidance(5.0, 4.0).combine([cond, drop, uncond]) == 1 + 5 + 4


def test_guidance_that_keeps_means_moves_places_but_no_frame_as_a_whole() -> None:
    cond, uncond = torch.randn(2, 1, 4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    plain, keeping = choose_guider(2.0, 2.0), choose_guider(2.0, 2.0, keep_mean=True)
    assert keeping.branches == plain.branches
    out = keeping.combine([cond, uncond])
    assert torch.allclose(out.mean((-2, -1)), cond.mean((-2, -1)), atol=1e-6)
    shift = plain.combine([cond, uncond]) - out
    assert torch.allclose(shift, shift[..., :1, :1].expand_as(shift), atol=1e-5)
    assert shift.abs().max() > 0.1


def test_one_guider_within_a_place_and_another_elsewhere() -> None:
    cond, drop, uncond = torch.randn(3, 1, 4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    where = torch.zeros(1, 1, 3, 6, 6)
    where[..., :3], where[..., 3] = 1, 0.25
    both = RegionGuidance(JointGuidance(3.0), TextGuidance(2.0), where)
    known = dict(zip(TextAudioGuidance.branches, (cond, drop, uncond), strict=True))
    assert set(both.branches) == set(known), "branches that both ask for are evaluated once"
    out = both.combine([known[branch] for branch in both.branches])
    inside, outside = JointGuidance(3.0).combine([cond, uncond]), TextGuidance(2.0).combine([cond, drop])
    assert torch.equal(out[..., :3], inside[..., :3])
    assert torch.equal(out[..., 4:], outside[..., 4:])
    assert torch.allclose(out[..., 3], (inside / 4 + outside * 3 / 4)[..., 3], atol=1e-6)
    assert RegionGuidance(JointGuidance(3.0), JointGuidance(2.0), where).branches == JointGuidance.branches


def test_no_branch_is_evaluated_for_nothing() -> None:
    assert len(choose_guider(1.0, 1.0).branches) == 1
    assert len(choose_guider(3.0, 1.0).branches) == 2
    assert len(choose_guider(3.0, 3.0).branches) == 2
    assert len(choose_guider(3.0, 4.0).branches) == 3
    assert choose_guider(1.0, 4.0).branches == AudioGuidance.branches
