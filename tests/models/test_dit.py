from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from dramatis.models.dit import AudioDiT, group_frames
from dramatis.models.loading import from_official
from tests.tiny import DIT, tiny_dit

GOLDENS = Path(__file__).parent.parent / "goldens"


def inputs(batch: int = 1, frames: int = 3, side: int = 8) -> dict[str, torch.Tensor]:
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
        "controls": noise(batch, pixel_frames, DIT["control_dim"]),
        "maps": noise(batch, pixel_frames, DIT["control_channels"], side, side),
    }


def golden_case(name: str) -> tuple[dict, dict[str, np.ndarray]]:
    return json.loads((GOLDENS / f"{name}.json").read_text()), load_file(GOLDENS / f"{name}.safetensors")


@torch.no_grad()
def test_equals_the_official_multitalk_network() -> None:
    spec, stored = golden_case("multitalk_one_person")

    def z(key: str, shape: list[int]) -> np.ndarray:
        seed = (zlib.crc32(key.encode()) + spec["seed"]) % 2**32
        return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)  # the recipe

    def weight(key: str, shape: list[int]) -> torch.Tensor:
        if len(shape) == 1:
            value = 1 + 0.1 * z(key, shape) if key.endswith("weight") else 0.05 * z(key, shape)
        else:
            value = z(key, shape) / np.sqrt(np.prod(shape[1:]))
        return torch.from_numpy(value.astype(np.float32))

    c = spec["config"]
    net = AudioDiT(
        num_attention_heads=c["num_heads"],
        attention_head_dim=c["dim"] // c["num_heads"],
        text_dim=c["text_dim"],
        text_len=c["text_len"],
        freq_dim=c["freq_dim"],
        ffn_dim=c["ffn_dim"],
        num_layers=c["num_layers"],
        audio_intermediate_dim=c["intermediate_dim"],
        audio_output_dim=c["output_dim"],
        audio_context_tokens=c["context_tokens"],
    )
    net.load_state_dict(from_official({key: weight(key, shape) for key, shape in spec["shapes"].items()}))
    t, h, w = spec["latent_frames"], spec["height"], spec["width"]
    out = net.eval()(
        torch.from_numpy(z("latents", [1, 16, t, h, w])),
        torch.from_numpy(z("condition", [1, 20, t, h, w])),
        torch.from_numpy(stored["timestep"]).float().reshape(1),
        torch.from_numpy(z("text", [1, spec["text_tokens"], c["text_dim"]])),
        torch.from_numpy(z("clip", [1, 257, 1280])),
        torch.from_numpy(z("audio", [1, 4 * (t - 1) + 1, 5, 12, 768]))[None],
    )
    assert (out - torch.from_numpy(stored["output"])).abs().max() < 1e-4


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
