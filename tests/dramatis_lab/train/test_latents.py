from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tests.dramatis_lab.train.conftest import face_at
from tests.tiny import tiny_autoencoder

from dramatis.models.loading import save_model
from dramatis.models.speech import SpeechEncoder
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.dit import LatentSet
from dramatis_lab.train.latents import (
    EYE_WEIGHT,
    MOUTH_WEIGHT,
    Precomputer,
    augmented_mel,
    loss_weights,
    main,
    other_camera,
)

GRID = (16, 16)


def tiny_ear() -> SpeechEncoder:
    torch.manual_seed(0)
    return SpeechEncoder(channels=12, blocks=(1, 1)).eval()


def test_mouth_counts_most_then_eyes() -> None:
    marks = np.repeat(face_at((64, 64), 70)[None], 29, 0)
    weights = loss_weights(marks, (128, 128), GRID)
    assert weights.shape == (8, *GRID)
    assert weights.dtype == np.float32
    assert set(np.unique(weights)) == {1.0, EYE_WEIGHT, MOUTH_WEIGHT}
    mouth = (marks[0, 48:68].mean(0) / 8).astype(int)
    eye = (marks[0, 36:42].mean(0) / 8).astype(int)
    assert (weights[:, mouth[1], mouth[0]] == MOUTH_WEIGHT).all()
    assert (weights[:, eye[1], eye[0]] == EYE_WEIGHT).all()
    assert (weights[:, 0, 0] == 1).all()


def test_a_latent_frame_weighs_what_any_of_its_four_frames_does() -> None:
    marks = np.repeat(face_at((-500, -500), 70)[None], 29, 0)
    marks[7] = face_at((64, 64), 70)
    weights = loss_weights(marks, (128, 128), GRID)
    assert [float(frame.max()) for frame in weights] == [1.0, 1.0, MOUTH_WEIGHT, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_augmented_sound_keeps_its_shape_and_differs() -> None:
    mel = torch.randn(2, 5, 4, 80, generator=torch.Generator().manual_seed(0))
    other = augmented_mel(mel, np.random.default_rng(1))
    assert other.shape == mel.shape
    assert not torch.allclose(other, mel)


def test_a_sample_has_the_promised_tensors(shards: Path) -> None:
    work = Precomputer(tiny_autoencoder(), tiny_ear(), torch.device("cpu"))
    made, about = work.sample(ShardSet(shards), 1, np.random.default_rng(0), varied=False)
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


def test_another_camera_changes_the_look_and_no_place() -> None:
    video = (torch.rand(3, 5, 24, 24, generator=torch.Generator().manual_seed(0)) > 0.5).float() * 2 - 1
    seen = [other_camera(video, np.random.default_rng(seed)) for seed in range(6)]
    for clip in seen:
        assert clip.shape == video.shape
        assert clip.min() >= -1
        assert clip.max() <= 1
        assert np.corrcoef(clip.mean(0).flatten(), video.mean(0).flatten())[0, 1] > 0.7
    assert not torch.allclose(seen[0], seen[1])
    still = video[:, :1].expand(-1, 5, -1, -1)
    assert other_camera(still, np.random.default_rng(0)).diff(dim=1).abs().max() < 1e-6


def test_varied_clips_end_where_their_row_says(shards: Path) -> None:
    work = Precomputer(tiny_autoencoder(), tiny_ear(), torch.device("cpu"))
    data = ShardSet(shards)
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
    data = LatentSet(tmp_path / "latents")
    assert len(data) == 4
    assert data.rows[1]["caption"] == "a person 1"
    assert data.stack("z", np.array([0, 3])).shape == (2, 2, 16, 8, 8, 8)
