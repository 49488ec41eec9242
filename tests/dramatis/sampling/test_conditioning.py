"""Condition channels: masks, given frames, warps and enlarged clips."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from dramatis.sampling.conditioning import (
    GivenFrames,
    enlarge,
    latent_means,
    mask_channels,
    warp_fill,
    warp_picture,
    with_low,
    with_mask,
    zero_fill,
)


def test_mask_channels_follow_wan() -> None:
    flags = torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0, 0])
    mask = mask_channels(flags)
    assert mask[:, 0].tolist() == [1, 1, 1, 1]
    assert mask[:, 1].tolist() == [0, 0, 0, 1]
    assert mask[:, 2].tolist() == [0, 0, 0, 0]


def test_latent_frames_take_the_mean_of_their_pixel_frames() -> None:
    frames = torch.arange(9.0)[:, None, None].expand(2, 9, 1, 1)
    assert latent_means(frames)[..., 0, 0].tolist() == [[0.0, 2.5, 6.5]] * 2


def here(frames: int, side: int, shift: float = 0.0) -> torch.Tensor:
    """(F, H, W, 2) positions: every pixel's own place, `shift` pixels to the right of it a frame."""
    places = torch.arange(side) + 0.5
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1)
    return grid + shift * torch.arange(frames).view(-1, 1, 1, 1) * torch.tensor([1.0, 0.0])


def test_a_warp_samples_where_it_is_told() -> None:
    picture = torch.rand(1, 3, 8, 8)
    video = warp_picture(picture, here(3, 8, shift=1.0))
    assert video.shape == (1, 3, 3, 8, 8)
    assert torch.allclose(video[:, :, 0], picture, atol=1e-5)
    assert torch.allclose(video[:, :, 2, :, :6], picture[..., 2:], atol=1e-5)
    assert torch.allclose(video[:, :, 2, :, 7], picture[..., 7], atol=1e-5)  # the border is repeated


def test_a_fill_keeps_what_is_given_and_fades_half_way() -> None:
    head, tail = torch.zeros(1, 3, 1, 8, 8), torch.ones(1, 3, 1, 8, 8)
    video = warp_fill(GivenFrames(head, tail), here(13, 8), here(13, 8))[0, 0, :, 0, 0]
    assert video[:5].tolist() == [0, 0, 0, 0, 0]
    assert video[6] == 0.5
    assert video[8:].tolist() == [1, 1, 1, 1, 1]
    assert (video.diff() >= 0).all()
    assert (warp_fill(GivenFrames(head), here(13, 8), None) == 0).all()


def test_a_fill_keeps_every_given_frame() -> None:
    video = torch.rand(1, 3, 13, 16, 16) * 2 - 1
    filled = warp_fill(GivenFrames(video[:, :, :5], video[:, :, -4:]), here(13, 16), here(13, 16))
    assert torch.equal(filled[:, :, :5], video[:, :, :5])
    assert torch.equal(filled[:, :, -4:], video[:, :, -4:])


def test_a_fill_of_zeros_is_grey_between() -> None:
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    video = torch.zeros(1, 3, 9, 16, 16)
    video[:, :, :1] = video[:, :, -1:] = picture
    assert torch.equal(zero_fill(GivenFrames(picture, picture), 9), video)


def test_condition_channels_are_mask_and_latents() -> None:
    latents, picture = torch.randn(1, 16, 4, 2, 2), torch.zeros(1, 3, 13, 16, 16)
    given = GivenFrames(picture[:, :, :5], picture[:, :, -4:])
    condition = with_mask(latents, given.flags(13))
    assert condition[0, :4, :, 0, 0].tolist() == [[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    assert torch.equal(condition[:, 4:], latents)
    single = with_mask(latents[:, :, :3], GivenFrames(picture[:, :, :1], picture[:, :, :1]).flags(9))
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
