"""Small samples in the formats that training reads: a canonical face that drifts over a coloured ground, and noise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from dramatis.motion.face import RIGID_ANCHORS, TEMPLATE_68
from dramatis.motion.performance import Performance

SIDE = 64
HIGH_SIDE = 12
LENGTHS = (8, 5, 8, 3)
"""Of precomputed high-resolution latents: side in cells, and the latent frames of each sample."""
LATENT_SIDE = 12
LENGTHS_OF = (8, 5, 8, 2, 8, 8)
GAP_ROW = 5
"""Of precomputed latents: side in cells, the latent frames of each dense clip, and the row with a gap."""
TIMELINE = 120
PEOPLE, GROUP_SIZE, GROUP_TIMELINE = 2, (64, 128), 60


def face_at(centre: tuple[float, float], scale: float = 34.0) -> np.ndarray:
    """(68, 2) px landmarks of the canonical face, about `scale` px high."""
    return (np.array(centre) + TEMPLATE_68[:, :2] * [scale, -scale]).astype(np.float32)


OUTER_EYES = (36, 45)
"""Landmarks at the outer corners of the eyes, image left and right."""


def dotted_faces(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Black 128x128 pictures with a red dot on one outer eye corner and a green one on the other."""
    marks = np.stack([face_at((60 + 0.3 * i, 66), 70) for i in range(count)])
    y, x = np.mgrid[:128, :128] + 0.5
    images = -np.ones((count, 3, 128, 128), np.float32)
    for picture, points in zip(images, marks, strict=True):
        for channel, mark in enumerate(OUTER_EYES):
            distance = (x - points[mark, 0]) ** 2 + (y - points[mark, 1]) ** 2
            picture[channel] = 2 * np.exp(-distance / 18) - 1
    masks = np.stack([images[:, 0], images[:, 1]], 1) * 0.5 + 0.5
    return torch.from_numpy(images), torch.from_numpy(marks), torch.from_numpy(masks)


def write_stills_shard(folder: Path) -> None:
    """A shard of two samples of three stills, 96 px wide: one face that drifts and is hidden in the third."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    for slot in range(2):
        person, face = np.zeros((3, 96, 96), np.uint8), np.zeros((3, 96, 96), np.uint8)
        person[:, 25:, 20:80] = 1
        face[:, 30:60, 30:66] = 1
        frames = np.full((3, 96, 96, 3), 90, np.uint8)
        frames[person > 0] = (180, 140, 120)
        truth = {
            "frames": frames,
            "landmarks": np.stack([face_at((40 + 6 * number, 44), 30) for number in range(3)]),
            "visible": np.array([1.0, 1.0, 0.0], np.float32),
            "hands": np.tile(np.array([[24, 88], [200, 88]], np.float32), (3, 1, 1)),
            "person": person,
            "face": face,
        }
        arrays |= {f"{slot}/{key}": value for key, value in truth.items()}
    save_file(arrays, folder / "shard-00000.safetensors")
    (folder / "shard-00000.json").write_text(json.dumps([{"people": 1, "stills": True}] * 2))


def sample(seed: int, strided: bool = True) -> dict[str, np.ndarray]:
    """All arrays of one sample: a reference frame, 29 dense and, if `strided`, 29 strided ones."""
    rng = np.random.default_rng(seed)
    index = np.concatenate([[0], np.arange(10, 39), 4 * np.arange(29 if strided else 0)]).astype(np.int32)
    frames = np.empty((len(index), SIDE, SIDE, 3), np.uint8)
    frames[:] = rng.integers(60, 200, 3)
    person = np.zeros((len(index), SIDE, SIDE), np.uint8)
    landmarks = np.empty((len(index), 68, 2), np.float32)
    for row, time in enumerate(index):
        landmarks[row] = face_at((30 + 4 * np.sin(time / 9), 36))
        low, high = landmarks[row].min(0).astype(int), landmarks[row].max(0).astype(int)
        frames[row, low[1] : high[1], low[0] : high[0]] = (210, 160, 130)
        person[row, low[1] - 6 : high[1] + 4, low[0] - 4 : high[0] + 4] = 1
    vowels = np.sin(np.arange(TIMELINE * 640) * 0.06) * (np.sin(np.arange(TIMELINE * 640) / 1500) > 0)
    return {
        "frames": frames,
        "index": index,
        "audio": (vowels * 9000).astype(np.int16),
        "controls": np.repeat(Performance.still(1).pack_controls(), len(index), 0).astype(np.float16),
        "anchors": landmarks[:, list(RIGID_ANCHORS)].astype(np.float16),
        "landmarks": landmarks.astype(np.float16),
        "person": person,
        "face": person,
    }


def write_shard(folder: Path, number: int, count: int = 2, strided: bool = True) -> None:
    """One shard of `count` samples and its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays, rows = {}, []
    for slot in range(count):
        for key, value in sample(100 * number + slot, strided).items():
            arrays[f"{slot}/{key}"] = np.ascontiguousarray(value)  # safetensors writes memory as it lies
        rows.append({"caption": f"a person {slot}", "whole_caption": "a person", "people": 1, "damage": None})
    save_file(arrays, folder / f"shard-{number:05d}.safetensors")
    (folder / f"shard-{number:05d}.json").write_text(json.dumps(rows))


def group_sample(seed: int) -> dict[str, np.ndarray]:
    """Two faces side by side, one of which drifts: the reference, 29 dense and 29 strided frames."""
    height, width = GROUP_SIZE
    rng = np.random.default_rng(seed)
    index = np.concatenate([[0], np.arange(10, 39), 2 * np.arange(29)]).astype(np.int32)
    frames = np.full((len(index), height, width, 3), rng.integers(60, 200, 3), np.uint8)
    person = np.zeros((len(index), height, width), np.uint8)
    landmarks = np.empty((PEOPLE, len(index), 68, 2), np.float32)
    for who, middle in enumerate((32, 96)):
        for row, time in enumerate(index):
            landmarks[who, row] = face_at((middle + 4 * who * np.sin(time / 9), 36))
            low, high = landmarks[who, row].min(0).astype(int), landmarks[who, row].max(0).astype(int)
            frames[row, low[1] : high[1], low[0] : high[0]] = (210, 160 - 90 * who, 130)
            person[row, low[1] - 6 : high[1] + 4, low[0] - 4 : high[0] + 4] = who + 1
    hum = np.sin(np.arange(GROUP_TIMELINE * 640) * 0.06) * 9000
    controls = np.repeat(Performance.still(1).pack_controls(), len(index), 0)
    return {
        "frames": frames,
        "index": index,
        "person": person,
        "audio": np.stack([hum, 0.5 * hum]).astype(np.int16),
        "controls": np.stack([controls] * PEOPLE).astype(np.float16),
        "anchors": np.ascontiguousarray(landmarks[:, :, list(RIGID_ANCHORS)]).astype(np.float16),
        "landmarks": landmarks.astype(np.float16),
    }


def annotated_sample(seed: int) -> dict[str, np.ndarray]:
    """The same as an annotation has it: no voices, no strided frames, and three columns more than a frame can have."""
    arrays = group_sample(seed)
    cut = {
        name: np.pad(arrays[name][:30], [(0, 0), (0, 0), (0, 3), (0, 0)][: arrays[name].ndim])
        for name in ("frames", "person")
    }
    cut["index"] = arrays["index"][:30]
    cut |= {name: arrays[name][:, :30] for name in ("controls", "anchors", "landmarks")}
    return {name: np.ascontiguousarray(array) for name, array in cut.items()}


def write_groups(folder: Path, count: int, made: Callable[[int], dict[str, np.ndarray]] = group_sample) -> Path:
    """One shard of `count` samples of two people, and its manifest."""
    folder.mkdir()
    arrays = {f"{slot}/{key}": value for slot in range(count) for key, value in made(slot).items()}
    save_file(arrays, folder / "shard-00000.safetensors")
    row = {"caption": "two people", "whole_caption": "two people", "people": PEOPLE, "close": False}
    (folder / "shard-00000.json").write_text(json.dumps([row] * count))
    return folder


def write_high_latents(folder: Path, seed: int = 0) -> Path:
    """Random latents in the format of `dramatis_lab.data.precompute_hr`."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(len(LENGTHS), *shape, generator=generator).half()

    def pixels(frames: int) -> torch.Tensor:
        shape = (len(LENGTHS), frames, 8 * HIGH_SIDE, 8 * HIGH_SIDE, 3)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    tensors = {name: noise(16, 8, HIGH_SIDE, HIGH_SIDE) for name in ("z", "low", "both")}
    tensors |= {name: noise(4, 16, HIGH_SIDE, HIGH_SIDE) for name in ("key_z", "key_low", "key_fill")}
    tensors |= {
        "key_index": torch.tensor([[0, 1, 4, 5]] * len(LENGTHS)),
        "reference": noise(16, 16, 16),
        "audio": noise(29, 12),
        "controls": noise(29, 26),
        "maps": noise(29, 6, HIGH_SIDE, HIGH_SIDE),
        "weight": noise(8, HIGH_SIDE, HIGH_SIDE).abs() + 1,
        "true": pixels(29),
        "fill": pixels(29),
        "key_moved": pixels(4),
    }
    rows = [{"caption": f"shot {place}", "length": length} for place, length in enumerate(LENGTHS)]
    save_tensors(tensors, folder / "shard-00000.safetensors", metadata={"rows": json.dumps(rows)})
    return folder


def write_latents(folder: Path, count: int = 6, seed: int = 0, varied: bool = True) -> Path:
    """Random latents in the format of `dramatis_lab.data.precompute_latents`."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(count, *shape, generator=generator).half()

    tensors = {
        "z": noise(2, 16, 8, LATENT_SIDE, LATENT_SIDE),
        "first": noise(2, 16, 8, LATENT_SIDE, LATENT_SIDE),
        "both": noise(2, 16, 8, LATENT_SIDE, LATENT_SIDE),
        "reference": noise(16, LATENT_SIDE, LATENT_SIDE),
        "audio": noise(2, 2, 29, 12),
        "controls": noise(2, 29, 26),
        "maps": noise(2, 29, 6, LATENT_SIDE, LATENT_SIDE),
        "weight": noise(2, 8, LATENT_SIDE, LATENT_SIDE).abs() + 1,
        "mouth": torch.full((count, 2, 2), LATENT_SIDE / 2).half(),
    }
    rows = [
        {"caption": f"shot {i}", "whole_caption": f"whole {i}", "people": 1, "damage": None}
        | {"lengths": [LENGTHS_OF[i] if varied else 8, 8], "gap": varied and i == GAP_ROW}
        for i in range(count)
    ]
    save_tensors(tensors, folder / "shard-00000.safetensors", metadata={"rows": json.dumps(rows)})
    return folder
