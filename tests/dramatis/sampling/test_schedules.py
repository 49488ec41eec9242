"""Noise schedules: their ends, their order, and where a refinement begins."""

from __future__ import annotations

import pytest
import torch

from dramatis.sampling.schedules import multitalk_sigmas, shifted_sigmas, truncate_sigmas


@pytest.mark.parametrize("shift", [1.0, 3.0, 11.0])
def test_sigmas_descend_from_noise_to_clean(shift: float) -> None:
    sigmas = shifted_sigmas(6, shift)
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()
    assert sigmas[3] == pytest.approx(shift * 0.5 / (1 + (shift - 1) * 0.5))


def test_multitalk_timesteps_end_at_one_and_then_at_zero() -> None:
    even = 1000 * multitalk_sigmas(4, 1.0)
    assert even.tolist() == pytest.approx([1000, 667, 334, 1, 0])
    assert multitalk_sigmas(1, 7.0).tolist() == [1, 0]
    for shift in (2.0, 7.0, 11.0):
        sigmas = multitalk_sigmas(40, shift)
        assert len(sigmas) == 41
        assert sigmas[0] == 1
        assert sigmas[-1] == 0
        assert sigmas[-2] == pytest.approx(shift * 0.001 / (1 + (shift - 1) * 0.001))


@pytest.mark.parametrize(("steps", "shift"), [(40, 7.0), (4, 2.0), (4, 11.0)])
def test_a_schedule_is_entered_at_a_strength(steps: int, shift: float) -> None:
    sigmas = multitalk_sigmas(steps, shift)
    assert torch.equal(truncate_sigmas(sigmas, 1.0), sigmas)
    part = truncate_sigmas(sigmas, 0.5)
    assert part[0] == 0.5
    assert part[-1] == 0
    assert (part.diff() < 0).all()
    assert set(part[1:].tolist()) == {sigma for sigma in sigmas.tolist() if sigma < 0.5}
