from __future__ import annotations

from typing import Any

import pytest
import torch

from dramatis.models.dit import AudioDiT, group_frames
from dramatis_lab.evaluate.studies.goldens import PARITY_TOLERANCE, Golden, largest_difference, prediction, read_goldens
from tests import ROOT
from tests.tiny import DIT, tiny_dit

GOLDENS = ROOT / "tests" / "goldens"


def inputs(batch: int = 1, frames: int = 3, side: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    pixel_frames = 4 * frames - 3
    return {
        "latents": noise(batch, 16, frames, side, side),
        "condition": noise(batch, 20, frames, side, side),
        "timestep": torch.full((batch,), 400.0),
        "text": noise(batch, 5, DIT["text_dim"]),
        "image": noise(batch, 4, DIT["image_dim"]),
        "audio": noise(batch, 1, pixel_frames, DIT["audio_channels"]),
        "controls": noise(batch, 1, pixel_frames, DIT["control_dim"]),
        "maps": noise(batch, pixel_frames, DIT["control_channels"], side, side),
    }


def golden(name: str) -> Golden:
    return next(golden for golden in read_goldens(GOLDENS) if golden.name == name)


@pytest.mark.parametrize("name", ["multitalk_one_person", "multitalk_two_people"])
def test_equals_the_official_multitalk_network(name: str) -> None:
    assert largest_difference(golden(name)) < PARITY_TOLERANCE


@pytest.mark.parametrize("name", ["multitalk_one_person", "multitalk_two_people"])
def test_stays_near_the_official_multitalk_network_in_bf16(name: str) -> None:
    case = golden(name)
    assert (prediction(case, torch.bfloat16) - case.output).norm() < 2e-2 * case.output.norm()


@torch.no_grad()
def test_two_voices_are_bound_by_position_only_where_regions_say_so() -> None:
    net, given = tiny_dit(), inputs()
    del given["controls"]
    given["audio"] = torch.cat([given["audio"], given["audio"].flip(2)], 1)
    regions = torch.zeros(1, 3, 8, 8)
    regions[:, 0, 2:, :4] = regions[:, 1, 2:, 4:] = regions[:, 2, :2] = 1
    bound = net(**given, regions=regions)
    assert not torch.allclose(bound, net(**given), atol=1e-5)
    assert not torch.allclose(bound, net(**given, regions=regions[:, [1, 0, 2]]), atol=1e-5)
    mirrored = {**given, "audio": given["audio"].flip(1)}
    assert not torch.allclose(bound, net(**mirrored, regions=regions), atol=1e-5)


def test_the_public_14b_config_has_exactly_its_tensors() -> None:
    with torch.device("meta"):
        net = AudioDiT()
    assert len(net.state_dict()) == 1633
    assert round(sum(p.numel() for p in net.parameters()) / 1e9, 2) == 18.88


@torch.no_grad()
def test_output_has_the_shape_of_the_latents() -> None:
    given = inputs(batch=2)
    assert tiny_dit()(**given).shape == given["latents"].shape


@torch.no_grad()
@pytest.mark.parametrize("name", ["condition", "text", "image", "audio", "controls"])
def test_every_condition_matters(name: str) -> None:
    net, given = tiny_dit(), inputs()
    before = net(**given)
    given[name] = given[name] + torch.randn(given[name].shape, generator=torch.Generator().manual_seed(2))
    assert not torch.allclose(before, net(**given), atol=1e-5)


@torch.no_grad()
def test_sound_is_heard_only_in_the_masked_region_before_tokens_mix() -> None:
    """A person whose mask is empty everywhere cannot be heard; two half masks with one voice equal the whole."""
    net, given = tiny_dit(), inputs()
    del given["controls"]  # the control path has no place in the picture
    one = torch.ones(1, 1, 3, 4, 4)
    silent = torch.cat([one, torch.zeros_like(one)], 1)
    both = torch.cat([given["audio"], torch.randn_like(given["audio"])], 1)
    alone = net(**given)
    assert torch.allclose(net(**{**given, "audio": both}, masks=silent), alone, atol=1e-5)
    left = one.clone()
    left[..., 2:] = 0
    halves = torch.cat([left, one - left], 1)
    twice = torch.cat([given["audio"], given["audio"]], 1)
    assert torch.allclose(net(**{**given, "audio": twice}, masks=halves), alone, atol=1e-5)


def pair(given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same picture with a second person, who says and does something else."""
    twice = {name: torch.cat([given[name], given[name].flip(2) + 1], 1) for name in ("audio", "controls")}
    return {**given, **twice}


@torch.no_grad()
def test_each_of_several_people_is_told_what_they_do_in_their_region() -> None:
    net, given = tiny_dit(), inputs()
    both = pair(given)
    second = {**given, "audio": both["audio"][:, 1:], "controls": both["controls"][:, 1:]}
    whole = torch.zeros(1, 2, 3, 4, 4)
    whole[:, 0] = 1
    assert torch.allclose(net(**both, masks=whole), net(**given), atol=1e-5)
    assert torch.allclose(net(**both, masks=whole.flip(1)), net(**second), atol=1e-5)
    halves = torch.zeros_like(whole)
    halves[:, 0, ..., :2] = halves[:, 1, ..., 2:] = 1
    mixed = net(**both, masks=halves)
    swapped = {name: both[name].flip(1) for name in ("audio", "controls")}
    assert torch.allclose(net(**{**both, **swapped}, masks=halves.flip(1)), mixed, atol=1e-5), "order does not matter"
    assert not torch.allclose(net(**{**both, **swapped}, masks=halves), mixed, atol=1e-5)


@torch.no_grad()
def test_soft_gates_mix_and_a_third_person_without_a_place_changes_nothing() -> None:
    net, given = tiny_dit(), inputs()
    both = pair(given)
    soft = torch.rand(1, 1, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    gates = torch.cat([soft, 1 - soft], 1)
    out = net(**both, masks=gates)
    third = {name: torch.cat([both[name], both[name][:, :1] * -3], 1) for name in ("audio", "controls")}
    with_none = torch.cat([gates, torch.zeros_like(soft)], 1)
    # Where gates sum to 1, the mean that they are measured against cancels out.
    assert torch.allclose(net(**{**both, **third}, masks=with_none), out, atol=1e-5)
    assert not torch.allclose(net(**both), out, atol=1e-4), "without gates everybody reaches everywhere"


def test_training_attention_equals_inference_attention() -> None:
    net, given = tiny_dit(), inputs()
    with torch.no_grad():
        quiet = net(**given)
    trained = net(**given)
    assert trained.requires_grad
    assert torch.allclose(quiet, trained.detach(), atol=1e-5)


def test_group_frames_repeats_the_first() -> None:
    grouped = group_frames(torch.arange(5.0).view(1, 5, 1))
    assert grouped[0].tolist() == [[0, 0, 0, 0], [1, 2, 3, 4]]
