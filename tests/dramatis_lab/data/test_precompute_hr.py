from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from safetensors.torch import load_file
from torch import Tensor

from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.sampling.conditioning import warp_picture
from dramatis_lab.data import precompute_hr
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.precompute_hr import SINGLE_FRAMES, HighResolutionPrecomputer, main
from dramatis_lab.data.shards import DENSE, ShardDataset
from dramatis_lab.train.reconstruction import laplacian
from tests.dramatis_lab.samples import SIDE

CPU = torch.device("cpu")


class EveryPixel:
    """An autoencoder that loses nothing: latents are the pixels themselves, sorted by cell and group."""

    def encode(self, video: Tensor) -> Tensor:
        padded = torch.cat([video[:, :, :1].expand(-1, -1, 3, -1, -1), video], dim=2)
        return rearrange(padded, "b c (t k) (h y) (w x) -> b (c k y x) t h w", k=4, y=8, x=8)

    def decode(self, z: Tensor) -> Tensor:
        return rearrange(z, "b (c k y x) t h w -> b c (t k) (h y) (w x)", c=3, k=4, y=8, x=8)[:, :, 3:]

    def normalise(self, z: Tensor) -> Tensor:
        return z

    denormalise = normalise


@pytest.fixture
def work(model: Path) -> HighResolutionPrecomputer:
    return HighResolutionPrecomputer(model, CPU)


@pytest.fixture
def pixels(work: HighResolutionPrecomputer, monkeypatch: pytest.MonkeyPatch) -> HighResolutionPrecomputer:
    """Whole pictures without loss or noise, and nothing generated anew."""
    monkeypatch.setattr(precompute_hr, "CROP_CELLS", SIDE // 8)
    monkeypatch.setattr(precompute_hr, "REGENERATED_SHARE", 0.0)
    monkeypatch.setattr(precompute_hr, "LOW_NOISE", 0.0)
    work.autoencoder = EveryPixel()
    return work


def seen(z: Tensor) -> Tensor:
    """(C, T, h, w) latents of `EveryPixel` -> (3, F, H, W)."""
    return EveryPixel().decode(z[None].float())[0]


@pytest.mark.parametrize("regenerated", [0.0, 1.0])
def test_a_sample_has_the_promised_tensors(
    work: HighResolutionPrecomputer, dense_shards: Path, monkeypatch: pytest.MonkeyPatch, regenerated: float
) -> None:
    monkeypatch.setattr(precompute_hr, "CROP_CELLS", 6)
    monkeypatch.setattr(precompute_hr, "REGENERATED_SHARE", regenerated)
    torch.manual_seed(0)
    made, about = work.sample(ShardDataset(dense_shards), 1, np.random.default_rng(0), varied=False)
    assert about == {"length": 8}
    assert {name: tuple(value.shape) for name, value in made.items()} == {
        "z": (16, 8, 6, 6),
        "low": (16, 8, 6, 6),
        "both": (16, 8, 6, 6),
        "key_z": (SINGLE_FRAMES, 16, 6, 6),
        "key_low": (SINGLE_FRAMES, 16, 6, 6),
        "key_fill": (SINGLE_FRAMES, 16, 6, 6),
        "key_index": (SINGLE_FRAMES,),
        "reference": (16, 8, 8),
        "audio": (29, 12),
        "controls": (29, 26),
        "maps": (29, 6, 6, 6),
        "weight": (8, 6, 6),
        "true": (29, 48, 48, 3),
        "fill": (29, 48, 48, 3),
        "key_moved": (SINGLE_FRAMES, 48, 48, 3),
    }
    pixels = {"true", "fill", "key_moved"}
    assert all(made[name].dtype == torch.uint8 for name in pixels)
    assert all(made[name].dtype == torch.float16 for name in made.keys() - pixels - {"key_index"})
    assert torch.equal(made["true"][0], made["fill"][0])
    assert torch.equal(made["true"][-1], made["fill"][-1])
    assert all(value.isfinite().all() for value in made.values())
    assert not torch.equal(made["z"], made["low"])
    assert torch.equal(made["z"][:, 0], made["both"][:, 0])  # the first frame is given


def test_what_is_generated_anew_differs(
    work: HighResolutionPrecomputer, dense_shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompute_hr, "CROP_CELLS", 6)
    data, made = ShardDataset(dense_shards), []
    for share in (0.0, 1.0):
        monkeypatch.setattr(precompute_hr, "REGENERATED_SHARE", share)
        torch.manual_seed(0)
        made.append(work.sample(data, 0, np.random.default_rng(0), varied=False)[0])
    assert not torch.allclose(made[0]["low"], made[1]["low"], atol=0.01)


def test_clip_and_singles_are_the_frames_and_low_is_softer(
    pixels: HighResolutionPrecomputer, dense_shards: Path
) -> None:
    data = ShardDataset(dense_shards)
    made, _ = pixels.sample(data, 0, np.random.default_rng(0), varied=False)
    true = torch.from_numpy(data.frames(0, DENSE)).float().div(127.5).sub(1).permute(3, 0, 1, 2)
    clip, low, both = (seen(made[name]) for name in ("z", "low", "both"))
    assert torch.allclose(clip, true, atol=0.01)  # bf16
    assert 0.001 < (low - clip).abs().mean() < 0.1
    assert laplacian(low[None]).var() < 0.5 * laplacian(clip[None]).var()
    assert torch.equal(both[:, [0, -1]], clip[:, [0, -1]])
    assert not torch.allclose(both[:, 14], clip[:, 14], atol=0.05)
    shown = made["key_index"]
    assert len(set(shown.tolist())) == SINGLE_FRAMES
    assert shown.max() < 29
    for name, frames in (("key_z", clip), ("key_low", low)):
        singles = torch.cat([seen(single.unsqueeze(1)) for single in made[name]], dim=1)
        assert torch.equal(singles, frames[:, shown])


def test_the_fill_of_a_single_frame_is_the_reference_in_its_pose(
    pixels: HighResolutionPrecomputer, dense_shards: Path
) -> None:
    data = ShardDataset(dense_shards)
    made, _ = pixels.sample(data, 0, np.random.default_rng(1), varied=False)
    reference = seen(made["reference"].unsqueeze(1))
    anchors = data.get(0, "anchors").astype(np.float32)
    assert np.ptp(made["key_index"].numpy()) > 10
    for frame, fill in zip(made["key_index"].tolist(), made["key_fill"], strict=True):
        pair = anchors[[0, DENSE.start + frame]]
        positions = warp_positions(pair, Performance.still(2), 0, (SIDE, SIDE))[1:]
        wanted = warp_picture(reference[None, :, 0], torch.from_numpy(positions))[0]
        assert torch.allclose(seen(fill.unsqueeze(1)), wanted, atol=0.02)


def test_varied_clips_end_where_their_row_says(pixels: HighResolutionPrecomputer, dense_shards: Path) -> None:
    data = ShardDataset(dense_shards)
    made = [pixels.sample(data, 0, np.random.default_rng(seed), varied=True) for seed in range(8)]
    assert len({about["length"] for _, about in made}) > 2
    for tensors, about in made:
        for name in ("z", "low", "both"):
            assert (tensors[name][:, about["length"] :] == 0).all()
            assert (tensors[name][:, about["length"] - 1] != 0).any()
        assert tensors["key_index"].max() <= 4 * about["length"] - 4


def test_the_square_holds_the_face_more_often_than_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precompute_hr, "CROP_CELLS", 4)
    marks = np.full((68, 2), 100.0, np.float32)
    rng, held = np.random.default_rng(0), []
    for _ in range(200):
        down, right = precompute_hr._square(marks, (128, 192), rng)
        for part, length in ((down, 128), (right, 192)):
            assert part.start >= 0
            assert part.stop <= length
            assert part.stop - part.start == 32
            assert part.start % 16 == 0
        held.append(down.start <= 100 < down.stop and right.start <= 100 < right.stop)
    assert 0.5 < np.mean(held) < 0.9


def test_shards_are_precomputed_once_by_any_number_of_processes(
    dense_shards: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompute_hr, "CROP_CELLS", 6)
    data = tmp_path / "data"
    shutil.copytree(dense_shards, data)
    manifest = data / "shard-00001.json"
    rows = json.loads(manifest.read_text())
    manifest.write_text(json.dumps([rows[0] | {"damage": "blur"}, rows[1] | {"damage": "none"}]))
    main(data=data, model=model, out=tmp_path / "whole")
    for part in (1, 0):
        main(data=data, model=model, out=tmp_path / "parts", part=part, parts=2)
        assert len(list((tmp_path / "parts").iterdir())) == 2 - part
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").iterdir()}
    main(data=data, model=model, out=tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").iterdir()} == stamps
    for path in stamps:
        one, other = load_file(path), load_file(tmp_path / "parts" / path.name)
        assert all(torch.equal(one[name], other[name]) for name in one)
    latents = LatentDataset(tmp_path / "whole")
    assert [row["caption"] for row in latents.rows] == ["a person 0", "a person 1", "a person 1"]
    assert latents.stack("z", np.array([0, 2])).shape == (2, 16, 8, 6, 6)
