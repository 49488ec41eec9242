from __future__ import annotations

import pytest
import torch

from dramatis.models.autoencoder import MiniAutoencoder
from tests.tiny import tiny_autoencoder


@torch.no_grad()
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_shapes_follow_the_4n_plus_1_grid(groups: int) -> None:
    net = tiny_autoencoder()
    video = torch.rand(1, 3, 4 * groups - 3, 16, 24) * 2 - 1
    z = net.encode(video)
    assert z.shape == (1, 16, groups, 2, 3)
    assert net.decode(z).shape == video.shape


@torch.no_grad()
def test_latents_do_not_depend_on_later_frames() -> None:
    net = tiny_autoencoder()
    video = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    changed = video.clone()
    changed[:, :, 9:] = -changed[:, :, 9:]
    z, other = net.encode(video), net.encode(changed)
    assert torch.equal(z[:, :, :3], other[:, :, :3])
    assert not torch.equal(z[:, :, 3], other[:, :, 3])


@torch.no_grad()
def test_a_still_clip_holds_one_latent() -> None:
    """Held frames cost nothing: what `hold_condition` relies on."""
    net = tiny_autoencoder()
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    z = net.encode(picture.expand(-1, -1, 9, -1, -1))
    assert torch.allclose(z, net.encode(picture).expand_as(z), atol=1e-6)


@torch.no_grad()
def test_latents_are_bounded() -> None:
    net = MiniAutoencoder(channels=(4, 8, 8), latent_width=8)
    for parameter in net.parameters():
        parameter.mul_(10)
    assert net.encode(torch.ones(1, 3, 5, 16, 16)).abs().max() <= 3


def test_normalise_and_back() -> None:
    net = MiniAutoencoder(channels=(4, 8, 8), latent_width=8, latents_mean=(0.5,) * 16, latents_std=(2.0,) * 16)
    z = torch.randn(1, 16, 2, 2, 2)
    assert torch.allclose(net.normalise(z), (z - 0.5) / 2)
    assert torch.allclose(net.denormalise(net.normalise(z)), z, atol=1e-6)


def test_an_off_grid_clip_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="4n"):
        tiny_autoencoder().encode(torch.zeros(1, 3, 4, 16, 16))
