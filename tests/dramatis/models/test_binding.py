"""Two voices bound by position: masses, places and rotations on made tensors; the whole is checked by the goldens."""

from __future__ import annotations

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from dramatis.models.attention import rotate
from dramatis.models.binding import VoiceBinding, attention_mass, rotary_angles, token_positions
from dramatis.models.placement.footprint import peak_activations


def made(frames: int = 2, cells: int = 5, heads: int = 2, width: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (1, frames * cells, heads, width)
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


REGIONS = torch.tensor([[[1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]]).float()


def test_mass_is_the_mean_attention_to_the_tokens_of_a_region() -> None:
    query, key = made()
    scores = torch.einsum("blhd,bshd->bhls", query, key[:, :5]) / 6**0.5
    shares = scores.softmax(-1).mean(1)
    expected = torch.stack([shares[..., :2].mean(-1), shares[..., 2], shares[..., 3:].mean(-1)], dim=1)
    assert torch.allclose(attention_mass(query, key[:, :5], REGIONS), expected, atol=1e-6)


def test_masses_need_no_room_for_all_scores() -> None:
    """At 832x480 and 81 frames they would be 4 GB; queries, keys, and what an attention gives out are 0.7."""
    tokens, first = 21 * 30 * 52, 30 * 52
    with FakeTensorMode():
        query, key = (torch.empty(1, count, 40, 128, dtype=torch.bfloat16) for count in (tokens, first))
        regions = torch.empty(1, 3, first)
        peak = peak_activations(torch.nn.Identity(), [query, key, regions], lambda: attention_mass(query, key, regions))
    assert peak < 1e9


def test_a_region_without_tokens_attracts_none() -> None:
    query, key = made()
    regions = REGIONS.clone()
    regions[:, 2] = 0
    mass = attention_mass(query, key[:, :5], regions)
    assert (mass[:, 2] == 0).all()
    assert (mass[:, :2] > 0).all()
    assert (token_positions(mass) != 12).all()


def test_places_spread_over_the_span_of_the_strongest_region() -> None:
    mass = torch.tensor([[[0.5, 0.3, 0.1, 0.2], [0.1, 0.2, 0.9, 0.1], [0.0, 0.0, 0.0, 0.4]]])
    # Least and greatest masses count over all tokens, also those of the other person.
    assert torch.allclose(token_positions(mass), torch.tensor([[4.0, 2.0, 24.0, 12.0]]))


def test_equal_masses_are_no_division_by_zero() -> None:
    assert token_positions(torch.ones(1, 3, 4)).tolist() == [[0.0] * 4]


def test_angles_turn_by_position_and_slow_down_along_the_channels() -> None:
    cos, sin = rotary_angles(torch.tensor([0.0, 2.0]), 4)
    assert torch.equal(cos[0], torch.ones(4))
    assert torch.equal(sin[0], torch.zeros(4))
    turned = rotate(torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 1, 4), (cos[1], sin[1])).flatten()
    expected = torch.tensor([2.0, 2.0, 0.02, 0.02])
    assert torch.allclose(
        turned, torch.stack([f(a) for f, a in zip([torch.cos, torch.sin] * 2, expected, strict=True)])
    )


def test_keys_of_the_voices_lie_in_the_middle_of_their_listeners() -> None:
    query, key = made()
    binding = VoiceBinding(REGIONS)
    binding.on_attention(query, key)
    (cos, _), (key_cos, key_sin) = binding.rotaries(6, tokens=3)
    assert cos.shape == (1, 2, 5, 6)
    expected = rotary_angles(torch.tensor([2.0, 2.0, 2.0, 22.0, 22.0, 22.0]), 6)
    assert torch.equal(key_cos, expected[0])
    assert torch.equal(key_sin, expected[1])
