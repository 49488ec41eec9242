from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dramatis_lab.train.reconstruction import (
    BORDER_WEIGHT,
    laplacian,
    reconstruction_loss,
    texture_loss,
    video_psnr,
)


def test_a_change_of_error_costs_more_between_latent_frames_than_within() -> None:
    video, boxes = torch.zeros(1, 3, 13, 16, 16), torch.zeros(1, 1, 13, 16, 16)
    still = torch.full_like(video, 0.5)

    def cost(step: int) -> float:
        """Of an error that changes its sign, not its size, before frame `step`."""
        wrong = still.clone()
        wrong[:, :, :step] *= -1
        return float(reconstruction_loss(wrong, video, boxes, 4.0) - reconstruction_loss(still, video, boxes, 4.0))

    within = [cost(step) for step in (2, 3, 4, 6, 7, 8, 10, 11, 12)]
    between = [cost(step) for step in (1, 5, 9)]
    assert np.allclose(within, within[0])
    assert np.allclose(between, between[0])
    assert np.isclose(between[0], BORDER_WEIGHT * within[0])
    assert np.isclose((3 * between[0] + 9 * within[0]) / 12, 1 / 12), "on the whole it costs what it did"


def test_the_loss_counts_detail_more_and_is_zero_for_a_perfect_copy() -> None:
    video = torch.zeros(1, 3, 5, 16, 16)
    boxes = torch.zeros(1, 1, 5, 16, 16)
    boxes[..., 4:12, 4:12] = 1
    wrong = video + 0.5 * boxes
    assert reconstruction_loss(video, video, boxes, 4.0) == 0
    assert reconstruction_loss(wrong, video, boxes, 4.0) > 2 * reconstruction_loss(wrong, video, boxes, 1.0)


def test_the_texture_loss_sees_blur_and_noise_but_no_shift() -> None:
    video = torch.rand(1, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blurred = F.avg_pool3d(video, (1, 3, 3), stride=1, padding=(0, 1, 1))
    assert texture_loss(video, video) == 0
    assert texture_loss(blurred, video) > 0.5
    assert texture_loss(video * 1.5, video) > 0.2
    assert texture_loss(video.roll(1, -1), video) < 0.2 * texture_loss(blurred, video)


def test_a_checkerboard_does_not_make_up_for_blur() -> None:
    video = torch.rand(1, 3, 5, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blurred = F.avg_pool3d(video, (1, 3, 3), stride=1, padding=(0, 1, 1))
    checker = ((torch.arange(64)[:, None] + torch.arange(64)) % 2) * 2.0 - 1
    missing = laplacian(video).std() - laplacian(blurred).std()
    pretended = blurred + checker * missing / laplacian(checker.expand_as(video)).std()
    assert laplacian(pretended).std() > 0.8 * laplacian(video).std()
    assert texture_loss(pretended, video) > 0.9 * texture_loss(blurred, video)


def test_psnr_of_a_known_error_and_of_chosen_pixels() -> None:
    true = torch.zeros(1, 3, 2, 4, 4)
    seen = true + 0.2
    assert video_psnr(seen, true) == pytest.approx(-10 * math.log10(0.01))
    where = torch.zeros(1, 1, 2, 4, 4)
    where[..., 0] = 1
    seen[..., 1:] = 1.0
    assert video_psnr(seen, true, where) == pytest.approx(20.0, abs=1e-4)
    assert video_psnr(true, true) == pytest.approx(100.0)
