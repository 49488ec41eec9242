from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.loading import load_model, save_model
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.autoencoder import (
    DECODER_PREFIXES,
    evaluate_autoencoder,
    latent_statistics,
    perturb_latents,
    sample_clips,
    sample_crop,
    train_autoencoder,
)
from dramatis_lab.train.reconstruction import reconstruction_loss
from tests.dramatis_lab.train.conftest import logged, recipe
from tests.tiny import tiny_autoencoder

CPU = torch.device("cpu")


def test_a_batch_is_crops_in_range_with_their_boxes(shards: Path) -> None:
    data = ShardDataset(shards)
    video, boxes = sample_clips(data, np.random.default_rng(0), size=6, frames=9, side=32, device=CPU)
    assert video.shape == (6, 3, 9, 32, 32)
    assert boxes.shape == (6, 1, 9, 32, 32)
    assert video.min() >= -1
    assert video.max() <= 1
    assert set(boxes.unique().tolist()) == {0.0, 1.0}
    again, _ = sample_clips(data, np.random.default_rng(0), size=6, frames=9, side=32, device=CPU)
    assert torch.equal(video, again)


def test_samples_without_strided_frames_are_cropped_and_measured(dense_shards: Path) -> None:
    data, rng = ShardDataset(dense_shards), np.random.default_rng(0)
    assert len(data.get(0, "index")) == 30
    for _ in range(20):
        clip, boxes = sample_crop(data, rng, frames=9, side=32)
        assert clip.shape == (9, 32, 32, 3)
        assert boxes.shape == (9, 32, 32)
    assert set(evaluate_autoencoder(tiny_autoencoder(), data, CPU, clips=1)) == {"psnr", "psnr_detail", "sharpness"}


def test_twenty_steps_lower_the_loss(shards: Path) -> None:
    model = tiny_autoencoder().train()
    video, boxes = sample_clips(ShardDataset(shards), np.random.default_rng(0), size=2, frames=5, side=32, device=CPU)
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
    model, data = tiny_autoencoder(), ShardDataset(shards)
    figures = evaluate_autoencoder(model, data, CPU, clips=1)
    assert set(figures) == {"psnr", "psnr_detail", "psnr_strided", "sharpness"}
    assert all(0 < value < 40 for value in figures.values())
    mean, std = latent_statistics(model, data, CPU)
    assert mean.shape == std.shape == (16,)
    assert (std > 0).all()


def test_decoder_only_keeps_the_encoder_and_the_statistics(shards: Path, tmp_path: Path) -> None:
    before = tiny_autoencoder()
    save_model(before, tmp_path / "init")
    config = recipe("autoencoder", "decoder", steps=3, batch_size=2, frames=5, side=32, texture=1.0)
    folders = {name: tmp_path / name for name in ("run", "out", "init")}
    train_autoencoder(config, data=shards, test=shards, **folders)
    old, new = load_model(MiniAutoencoder, tmp_path / "init"), load_model(MiniAutoencoder, tmp_path / "out")
    assert tuple(new.config["latents_std"]) == tuple(old.config["latents_std"])
    same = {name: torch.equal(a, new.state_dict()[name]) for name, a in old.state_dict().items()}
    assert {name for name, kept in same.items() if not kept}
    assert all(kept for name, kept in same.items() if not name.startswith(DECODER_PREFIXES))


def test_training_resumes_and_writes_weights_with_their_statistics(shards: Path, tmp_path: Path) -> None:
    save_model(tiny_autoencoder(), tmp_path / "init")
    for steps in (3, 6):
        train_autoencoder(
            recipe("autoencoder", steps=steps, batch_size=2, frames=5, side=32),
            data=shards,
            test=shards,
            run=tmp_path / "run",
            out=tmp_path / "out",
            init=tmp_path / "init",
        )
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows if "psnr" in row] == [3, 6]
    model = load_model(MiniAutoencoder, tmp_path / "out")
    assert tuple(model.config["latents_std"]) != (1.0,) * 16


def test_latents_are_spoilt_by_cell_and_by_frame() -> None:
    torch.manual_seed(0)
    z = torch.randn(4, 16, 5, 16, 16)
    assert torch.equal(perturb_latents(z, 0.0, 0.0), z)
    white, smooth = perturb_latents(z, 0.1, 0.0) - z, perturb_latents(z, 0.0, 0.4) - z
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
