from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from dramatis.media.masks import latent_masks
from dramatis.motion.face import RIGID_ANCHORS
from dramatis.motion.performance import Performance
from dramatis.train.dit import LatentSet
from dramatis.train.group_latents import LENGTHS, main
from tests.tiny import write_model
from tests.train.conftest import face_at

HEIGHT, WIDTH, PEOPLE = 64, 128, 2
TIMELINE = 60


def sample(seed: int) -> dict[str, np.ndarray]:
    """The reference and 29 frames of two faces side by side, one of which drifts."""
    rng = np.random.default_rng(seed)
    index = np.concatenate([[0], np.arange(10, 39)]).astype(np.int32)
    frames = np.full((len(index), HEIGHT, WIDTH, 3), rng.integers(60, 200, 3), np.uint8)
    person = np.zeros((len(index), HEIGHT, WIDTH), np.uint8)
    landmarks = np.empty((PEOPLE, len(index), 68, 2), np.float32)
    for who, middle in enumerate((32, 96)):
        for row, time in enumerate(index):
            landmarks[who, row] = face_at((middle + 4 * who * np.sin(time / 9), 36))
            low, high = landmarks[who, row].min(0).astype(int), landmarks[who, row].max(0).astype(int)
            frames[row, low[1] : high[1], low[0] : high[0]] = (210, 160 - 90 * who, 130)
            person[row, low[1] - 6 : high[1] + 4, low[0] - 4 : high[0] + 4] = who + 1
    hum = np.sin(np.arange(TIMELINE * 640) * 0.06) * 9000
    controls = np.repeat(Performance.still(1).vector(), len(index), 0)
    return {
        "frames": frames,
        "index": index,
        "person": person,
        "audio": np.stack([hum, 0.5 * hum]).astype(np.int16),
        "controls": np.stack([controls] * PEOPLE).astype(np.float16),
        "anchors": np.ascontiguousarray(landmarks[:, :, list(RIGID_ANCHORS)]).astype(np.float16),
    }


def write_groups(folder: Path, count: int) -> Path:
    folder.mkdir()
    arrays = {f"{slot}/{key}": value for slot in range(count) for key, value in sample(slot).items()}
    save_file(arrays, folder / "shard-00000.safetensors")
    rows = [{"caption": "two people", "people": PEOPLE, "close": False} for _ in range(count)]
    (folder / "shard-00000.json").write_text(json.dumps(rows))
    return folder


def test_samples_tell_of_everybody(tmp_path: Path) -> None:
    groups, model = write_groups(tmp_path / "groups", 6), write_model(tmp_path / "model")
    main(data=groups, model=model, out=tmp_path / "out")
    made = LatentSet(tmp_path / "out")
    shapes = {
        "z": (16, 8, 8, 16),
        "given": (16, 8, 8, 16),
        "reference": (16, 8, 16),
        "crops": (PEOPLE, 16, 16, 16),
        "squares": (PEOPLE, 3),
        "audio": (PEOPLE, 29, 12),
        "controls": (PEOPLE, 29, 26),
        "maps": (29, 6, 8, 16),
        "shares": (PEOPLE, 8, 4, 8),
        "masks": (PEOPLE, 8, 8, 16),
    }
    assert {name: tuple(parts[0].shape) for name, parts in made.parts.items()} == shapes
    assert {row["length"] for row in made.rows} <= set(LENGTHS) and len({row["length"] for row in made.rows}) > 1
    assert {row["tail"] for row in made.rows} == {False, True}
    for place, row in enumerate(made.rows):
        picked = np.array([place])
        assert not made.stack("z", picked)[0, :, row["length"] :].any()
        assert made.stack("z", picked)[0, :, row["length"] - 1].any()
    true = np.stack([sample(0)["person"][1:] == who + 1 for who in range(PEOPLE)])
    assert np.allclose(made.stack("masks", np.array([0]))[0].numpy(), latent_masks(true), atol=1e-3)
    shares = made.stack("shares", np.array([0]))[0]
    assert torch.allclose(shares.sum(0), torch.ones(()), atol=2e-3)
    assert shares[0, :, :, 0].min() > 0.9 and shares[1, :, :, -1].min() > 0.9
    crops = made.stack("crops", np.array([0]))[0]
    assert not torch.allclose(crops[0], crops[1], atol=1e-2)


def test_held_out_clips_are_whole(tmp_path: Path) -> None:
    groups, model = write_groups(tmp_path / "groups", 1), write_model(tmp_path / "model")
    main(data=groups, model=model, out=tmp_path / "out", varied=False)
    assert LatentSet(tmp_path / "out").rows[0]["length"] == 8
