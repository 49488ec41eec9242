from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tests.dramatis_lab.train.conftest import face_at, logged
from tests.tiny import tiny_autoencoder

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model, save_model
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.autoencoder import (
    BORDER_WEIGHT,
    DECODER,
    MOUTH,
    batch,
    detail_boxes,
    evaluate,
    laplacian,
    latent_statistics,
    main,
    random_crop,
    reconstruction_loss,
    spoilt,
    texture_loss,
)

CPU = torch.device("cpu")


def test_detail_boxes_hold_mouth_and_eyes_and_little_else() -> None:
    marks = np.stack([face_at((32, 32), 40), face_at((60, 60), 40), face_at((-50, -50), 40)])
    boxes = detail_boxes(marks, (64, 64))
    assert boxes.shape == (3, 64, 64)
    for x, y in marks[0][[*range(36, 48), *MOUTH]].astype(int):
        assert boxes[0, y, x]
    nose = marks[0][29].astype(int)
    assert not boxes[0, nose[1], nose[0]]
    assert boxes[0].mean() < 0.3
    assert boxes[1].any()
    assert not boxes[2].any()


def test_a_batch_is_crops_in_range_with_their_boxes(shards: Path) -> None:
    data = ShardSet(shards)
    video, boxes = batch(data, np.random.default_rng(0), size=6, frames=9, side=32, device=CPU)
    assert video.shape == (6, 3, 9, 32, 32)
    assert boxes.shape == (6, 1, 9, 32, 32)
    assert video.min() >= -1
    assert video.max() <= 1
    assert set(boxes.unique().tolist()) == {0.0, 1.0}
    again, _ = batch(data, np.random.default_rng(0), size=6, frames=9, side=32, device=CPU)
    assert torch.equal(video, again)


def test_samples_without_strided_frames_are_cropped_and_measured(dense_shards: Path) -> None:
    data, rng = ShardSet(dense_shards), np.random.default_rng(0)
    assert len(data.get(0, "index")) == 30
    for _ in range(20):
        clip, boxes = random_crop(data, rng, frames=9, side=32)
        assert clip.shape == (9, 32, 32, 3)
        assert boxes.shape == (9, 32, 32)
    assert set(evaluate(tiny_autoencoder(), data, CPU, clips=1)) == {"psnr", "psnr_detail", "sharpness"}


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


def test_twenty_steps_lower_the_loss(shards: Path) -> None:
    model = tiny_autoencoder().train()
    video, boxes = batch(ShardSet(shards), np.random.default_rng(0), size=2, frames=5, side=32, device=CPU)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = reconstruction_loss(model(video), video, boxes, 4.0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_figures_and_statistics_of_a_model(shards: Path) -> None:
    model, data = tiny_autoencoder(), ShardSet(shards)
    figures = evaluate(model, data, CPU, clips=1)
    assert set(figures) == {"psnr", "psnr_detail", "psnr_strided", "sharpness"}
    assert all(0 < value < 40 for value in figures.values())
    mean, std = latent_statistics(model, data, CPU)
    assert mean.shape == std.shape == (16,)
    assert (std > 0).all()


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


def test_decoder_only_keeps_the_encoder_and_the_statistics(shards: Path, tmp_path: Path, three_steps_a_call) -> None:
    three_steps_a_call("autoencoder")
    before = tiny_autoencoder()
    save_model(before, tmp_path / "init")
    main(
        data=shards, test=shards, run=tmp_path / "run", out=tmp_path / "out", init=tmp_path / "init",
        batch_size=2, frames=5, side=32, texture=1.0, decoder_only=True,
    )  # fmt: skip
    old, new = load_model(MiniAutoencoder, tmp_path / "init"), load_model(MiniAutoencoder, tmp_path / "out")
    assert tuple(new.config["latents_std"]) == tuple(old.config["latents_std"])
    same = {name: torch.equal(a, new.state_dict()[name]) for name, a in old.state_dict().items()}
    assert {name for name, kept in same.items() if not kept}
    assert all(kept for name, kept in same.items() if not name.startswith(DECODER))


def test_training_resumes_and_writes_weights_with_their_statistics(
    shards: Path, tmp_path: Path, three_steps_a_call
) -> None:
    three_steps_a_call("autoencoder")
    save_model(tiny_autoencoder(), tmp_path / "init")
    for _ in range(2):
        main(
            data=shards,
            test=shards,
            run=tmp_path / "run",
            out=tmp_path / "out",
            init=tmp_path / "init",
            batch_size=2,
            frames=5,
            side=32,
        )
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows if "psnr" in row] == [3, 6]
    model = load_model(MiniAutoencoder, tmp_path / "out")
    assert tuple(model.config["latents_std"]) != (1.0,) * 16


def test_latents_are_spoilt_by_cell_and_by_frame() -> None:
    torch.manual_seed(0)
    z = torch.randn(4, 16, 5, 16, 16)
    assert torch.equal(spoilt(z, 0.0, 0.0), z)
    white, smooth = spoilt(z, 0.1, 0.0) - z, spoilt(z, 0.0, 0.4) - z
    assert abs(float(white.std()) - 0.1) < 0.01

    def likeness(x: torch.Tensor, dim: int) -> float:
        first, second = x.narrow(dim, 0, x.shape[dim] - 1), x.narrow(dim, 1, x.shape[dim] - 1)
        return float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])

    # Neighbouring cells err alike, neighbouring latent frames do not.
    assert likeness(smooth, 4) > 0.8
    assert likeness(smooth, 3) > 0.8
    assert abs(likeness(smooth, 2)) < 0.1
    assert abs(likeness(white, 4)) < 0.1
    assert float(smooth.std()) < 0.4
