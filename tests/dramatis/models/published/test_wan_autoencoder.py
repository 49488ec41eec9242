from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.published.wan_autoencoder import WanAutoencoder, check_wan_autoencoder, load_wan_autoencoder

CONFIG = {"base_dim": 4}


def tiny_net(**config: int) -> AutoencoderKLWan:
    torch.manual_seed(0)
    return AutoencoderKLWan(**CONFIG | config).eval().requires_grad_(requires_grad=False)


def official(key: str) -> str:
    """A name of diffusers' in Wan's own file."""
    rules = (
        (r"^(encoder|decoder)\.conv_in\.", r"\1.conv1."),
        (r"^(encoder|decoder)\.norm_out\.", r"\1.head.0."),
        (r"^(encoder|decoder)\.conv_out\.", r"\1.head.2."),
        (r"^quant_conv\.", "conv1."),
        (r"^post_quant_conv\.", "conv2."),
        (r"\.mid_block\.resnets\.([01])\.", lambda found: f".middle.{2 * int(found[1])}."),
        (r"\.mid_block\.attentions\.0\.", ".middle.1."),
        (r"\.down_blocks\.", ".downsamples."),
        (r"\.up_blocks\.(\d)\.resnets\.(\d)\.", lambda found: f".upsamples.{4 * int(found[1]) + int(found[2])}."),
        (r"\.up_blocks\.(\d)\.upsamplers\.0\.", lambda found: f".upsamples.{4 * int(found[1]) + 3}."),
    )
    layers = (("norm1", "residual.0"), ("conv1", "residual.2"), ("norm2", "residual.3"), ("conv2", "residual.6"))
    if re.search(r"resnets|down_blocks", key):
        for ours, theirs in (*layers, ("conv_shortcut", "shortcut")):
            key = key.replace(f".{ours}.", f".{theirs}.")
    for pattern, name in rules:
        key = re.sub(pattern, name, key)
    return key


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save({official(key): value for key, value in tiny_net().state_dict().items()}, tmp_path / "Wan2.1_VAE.pth")
    return tmp_path / "Wan2.1_VAE.pth"


def film(frames: int, height: int, width: int) -> Tensor:
    return torch.rand(1, 3, frames, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_shapes_follow_the_4n_plus_1_grid(groups: int) -> None:
    net = WanAutoencoder(tiny_net())
    video = film(4 * groups - 3, 16, 24)
    latents = net.encode(video)
    assert latents.shape == (1, 16, groups, 2, 3)
    assert net.decode(latents).shape == video.shape
    assert net(video).abs().max() <= 1


@torch.no_grad()
def test_latents_are_the_mean_by_the_configs_statistics() -> None:
    net = WanAutoencoder(tiny_net())
    video = film(5, 16, 16)
    raw = net.net.encode(video).latent_dist.mean
    seen = net.normalise(net.encode(video))
    for channel in (0, 7, 15):
        expected = (raw[:, channel] - net.config.latents_mean[channel]) / net.config.latents_std[channel]
        assert torch.allclose(seen[:, channel], expected, atol=1e-6)
    assert torch.allclose(net.denormalise(seen), raw, atol=1e-5)


@torch.no_grad()
def test_tiles_lie_where_they_belong() -> None:
    """A network of which every pixel sees only its own latent cell decodes in tiles exactly as at once."""
    net = tiny_net()
    for module in net.decoder.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d) and module.weight.shape[-1] == 3:
            centre = module.weight[..., 1, 1].clone()
            module.weight.zero_()
            module.weight[..., 1, 1] = centre
    for parameter in net.decoder.mid_block.attentions[0].proj.parameters():
        parameter.zero_()
    latents = torch.randn(1, 16, 2, 7, 5, generator=torch.Generator().manual_seed(0))
    expected = WanAutoencoder(net, tile=64, overlap=8).decode(latents)
    made = WanAutoencoder(net, tile=32, overlap=16).decode(latents)
    assert made.shape == (1, 3, 5, 56, 40)
    assert torch.allclose(made, expected, atol=1e-5)
    assert expected.std() > 0.01


@torch.no_grad()
def test_tiles_of_a_random_network_are_nearly_the_whole() -> None:
    """It sees far, and its attention sees a tile instead of the picture: a wider overlap brings the two together."""
    latents = torch.randn(1, 16, 1, 20, 16, generator=torch.Generator().manual_seed(0))
    expected = WanAutoencoder(tiny_net(), tile=256).decode(latents)

    def error(overlap: int) -> float:
        made = WanAutoencoder(tiny_net(), tile=128, overlap=overlap).decode(latents)
        return float((made - expected).square().mean().sqrt() / expected.std())

    assert error(64) < 0.2
    assert error(64) < error(8)


@torch.no_grad()
def test_encoding_knows_no_tiles() -> None:
    net, plain = WanAutoencoder(tiny_net(), tile=32, overlap=16), tiny_net()
    video = film(5, 48, 64)
    net.decode(net.encode(video))
    assert torch.equal(net.encode(video), plain.encode(video).latent_dist.mode())


@torch.no_grad()
def test_decoding_holds_no_more_for_a_larger_picture() -> None:
    net = WanAutoencoder(tiny_net(), tile=32, overlap=16)
    largest = 0

    def measure(_module: torch.nn.Module, _given: object, out: Tensor) -> None:
        nonlocal largest
        largest = max(largest, out.numel())

    for module in net.net.decoder.modules():
        module.register_forward_hook(measure)
    found = []
    for side in (4, 6):
        largest = 0
        net.decode(torch.zeros(1, 16, 2, side, side))
        found.append(largest)
    assert found[0] == found[1] > 0


@torch.no_grad()
def test_both_layouts_hold_the_same_network(weights: Path, tmp_path: Path) -> None:
    tiny_net().save_pretrained(tmp_path / "vae")
    video, expected = film(5, 16, 16), WanAutoencoder(tiny_net())
    for net in (load_wan_autoencoder(weights, pickles=True, config=CONFIG), load_wan_autoencoder(tmp_path / "vae")):
        assert torch.equal(net.encode(video), expected.encode(video))
        assert torch.equal(net(video), expected(video))
        assert not net.training
    assert load_wan_autoencoder(tmp_path / "vae", dtype=torch.bfloat16).dtype == torch.bfloat16


def test_what_does_not_fit_is_refused_before_it_is_read(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allow pickles"):
        check_wan_autoencoder(weights)
    with pytest.raises(UserError, match="do not fit"):
        check_wan_autoencoder(weights, pickles=True)  # four channels are not Wan 2.1
    tiny_net(z_dim=48).save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match="48 latent channels"):
        check_wan_autoencoder(tmp_path / "other")
    (tmp_path / "other" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x08\x00")
    with pytest.raises(UserError, match="cut short"):
        check_wan_autoencoder(tmp_path / "other")


def test_an_off_grid_clip_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="4n"):
        WanAutoencoder(tiny_net()).encode(film(4, 16, 16))
