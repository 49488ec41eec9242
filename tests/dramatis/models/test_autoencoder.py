from __future__ import annotations

import pytest
import torch

from dramatis.models.autoencoder import FRAMES_PER_CALL, MiniAutoencoder
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
def awake() -> MiniAutoencoder:
    """A tiny network whose residual parts, zero at first, do something."""
    net = tiny_autoencoder()
    for name, parameter in net.named_parameters():
        if name.endswith("conv2.weight"):
            torch.nn.init.normal_(parameter, std=0.1)
    return net


@torch.no_grad()
def test_latents_do_not_depend_on_later_frames() -> None:
    net = awake()
    video = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    changed = video.clone()
    changed[:, :, 9:] = -changed[:, :, 9:]
    z, other = net.encode(video), net.encode(changed)
    assert torch.equal(z[:, :, :3], other[:, :, :3])
    assert not torch.equal(z[:, :, 3], other[:, :, 3])


@torch.no_grad()
@pytest.mark.parametrize("place", [0, 2, 3, 5])
def test_decoding_looks_one_latent_frame_ahead_and_two_back(place: int) -> None:
    net = awake()
    z = torch.randn(1, 16, 6, 2, 2, generator=torch.Generator().manual_seed(0))
    changed = z.clone()
    changed[:, :, place] += 1
    differs = (net.decode(z) != net.decode(changed)).flatten(3).any(-1)[0].any(0)
    groups = torch.cat([differs[:1].expand(3), differs]).view(6, 4)  # the first frame is a group of its own
    assert torch.equal(groups.any(1), groups.all(1))
    assert groups.any(1).nonzero().flatten().tolist() == [t for t in range(6) if place - 1 <= t <= place + 2]


def test_a_few_frames_at_a_time_are_as_all_at_once() -> None:
    net = awake()
    video = torch.rand(2, 3, 21, 16, 16) * 2 - 1
    assert 2 * 21 % FRAMES_PER_CALL, "the last piece is a short one"
    whole = net.encode(video)
    again = net.decode(whole)
    with torch.no_grad():
        assert torch.equal(net.encode(video), whole)
        assert torch.equal(net.decode(whole), again)


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
    with pytest.raises(ValueError, match="4n"):
        tiny_autoencoder().encode(torch.zeros(1, 3, 4, 16, 16))
