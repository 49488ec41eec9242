from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dramatis.models.loading import save_model
from dramatis.models.speech import SpeechEncoder
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.precompute_latents import (
    LatentPrecomputer,
    main,
)
from dramatis_lab.data.shards import ShardDataset
from tests.tiny import tiny_autoencoder

GRID = (16, 16)


def tiny_ear() -> SpeechEncoder:
    torch.manual_seed(0)
    return SpeechEncoder(channels=12, blocks=(1, 1)).eval()


def test_a_sample_has_the_promised_tensors(shards: Path) -> None:
    work = LatentPrecomputer(tiny_autoencoder(), tiny_ear(), torch.device("cpu"))
    made, about = work.sample(ShardDataset(shards), 1, np.random.default_rng(0), varied=False)
    assert about == {"lengths": [8, 8], "gap": False}
    assert {name: tuple(value.shape) for name, value in made.items()} == {
        "z": (2, 16, 8, 8, 8),
        "first": (2, 16, 8, 8, 8),
        "both": (2, 16, 8, 8, 8),
        "reference": (16, 8, 8),
        "audio": (2, 2, 29, 12),
        "controls": (2, 29, 26),
        "maps": (2, 29, 6, 8, 8),
        "weight": (2, 8, 8, 8),
        "mouth": (2, 2),
    }
    assert all(value.dtype == torch.float16 and value.isfinite().all() for value in made.values())
    # The first latent frame of a clip holds one pixel frame, and that one is given.
    for name in ("first", "both"):
        assert torch.allclose(made["z"][:, :, 0].float(), made[name][:, :, 0].float(), atol=0.05)
    # The strided clip begins at the reference.
    assert torch.allclose(made["z"][1, :, 0].float(), made["reference"].float(), atol=0.05)


def test_varied_clips_end_where_their_row_says(shards: Path) -> None:
    work = LatentPrecomputer(tiny_autoencoder(), tiny_ear(), torch.device("cpu"))
    data = ShardDataset(shards)
    made = [work.sample(data, 0, np.random.default_rng(seed), varied=True) for seed in range(8)]
    assert len({n for _, about in made for n in about["lengths"]}) > 2
    assert any(about["gap"] for _, about in made)
    assert not all(about["gap"] for _, about in made)
    for tensors, about in made:
        assert not about["gap"] or about["lengths"][0] in (5, 8)
        for clip, length in enumerate(about["lengths"]):
            assert (tensors["both"][clip, :, length:] == 0).all()
            assert (tensors["both"][clip, :, length - 1] != 0).any()


def test_shards_are_precomputed_once(shards: Path, tmp_path: Path) -> None:
    save_model(tiny_autoencoder(), tmp_path / "autoencoder")
    save_model(tiny_ear(), tmp_path / "speech")
    stamps = []
    for _ in range(2):
        main(data=shards, autoencoder=tmp_path / "autoencoder", speech=tmp_path / "speech", out=tmp_path / "latents")
        stamps.append({path.name: path.stat().st_mtime_ns for path in (tmp_path / "latents").iterdir()})
    assert list(stamps[0])
    assert stamps[0] == stamps[1]
    data = LatentDataset(tmp_path / "latents")
    assert len(data) == 4
    assert data.rows[1]["caption"] == "a person 1"
    assert data.stack("z", np.array([0, 3])).shape == (2, 2, 16, 8, 8, 8)
