"""Shards resume, refuse a foreign folder and come out byte for byte equal; real samples keep the format."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from dramatis.errors import UserError
from dramatis_lab.world.takes import dataset
from dramatis_lab.world.takes.dataset import WINDOW_FRAMES, Recipe, make_sample, shard_paths, write_dataset
from tests.raw_assets import ASSETS, needs_assets

ARRAYS = (
    "frames", "index", "audio", "controls", "anchors", "landmarks", "visemes", "opening", "person", "face",
)  # fmt: skip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A stand-in for rendering that depends on its seeds alone, and counts its calls."""
    calls: list[int] = []

    def sample(
        seed: int, identity: int, _assets: Path, _recipe: Recipe
    ) -> tuple[dict[str, NDArray[np.uint8]], dict[str, int]]:
        calls.append(seed)
        pixels = np.random.default_rng(seed).integers(0, 256, (2, 4, 4, 3), np.uint8)
        return {"frames": pixels}, {"seed": seed, "identity": identity}

    monkeypatch.setattr(dataset, "make_sample", sample)
    return calls


def test_shards_resume_and_are_reproducible(tmp_path: Path, quick: list[int]) -> None:
    recipe = Recipe(seed=5, samples_per_shard=4)
    assert write_dataset(tmp_path / "a", 3, ASSETS, recipe, workers=1) == 3
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    shard_paths(tmp_path / "a", 1)[1].unlink()
    assert write_dataset(tmp_path / "a", 3, ASSETS, recipe, workers=1) == 1
    assert write_dataset(tmp_path / "a", 3, ASSETS, recipe, workers=1) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == first
    assert len(quick) == 4 * (3 + 1)
    rows = json.loads(shard_paths(tmp_path / "a", 0)[1].read_text())
    assert len({row["identity"] for row in rows}) == 2  # three takes with the first person, one with the next


@pytest.mark.usefixtures("quick")
def test_another_recipe_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path, 1, ASSETS, Recipe(samples_per_shard=1), workers=1)
    with pytest.raises(UserError, match="another recipe"):
        write_dataset(tmp_path, 1, ASSETS, Recipe(samples_per_shard=1, seed=1), workers=1)
    with pytest.raises(UserError, match="split"):
        Recipe(split="validation")
    with pytest.raises(UserError, match="multiple of 16"):
        Recipe(size=100)
    with pytest.raises(UserError, match="choose 1, 2 or 3"):
        Recipe(people=4)
    with pytest.raises(UserError, match="smaller size"):
        Recipe(people=3, size=512)


@pytest.mark.usefixtures("quick")
def test_a_folder_from_before_there_were_groups_goes_on(tmp_path: Path) -> None:
    recipe = Recipe(samples_per_shard=1)
    write_dataset(tmp_path, 1, ASSETS, recipe, workers=1)
    about = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps({k: v for k, v in about.items() if k != "people"}))
    assert write_dataset(tmp_path, 2, ASSETS, recipe, workers=1) == 1


@needs_assets
def test_a_real_sample_has_the_promised_arrays() -> None:
    recipe = Recipe(size=48)
    arrays, row = make_sample(7, 3, ASSETS, recipe)
    count, timeline = 1 + 2 * WINDOW_FRAMES, len(arrays["opening"])
    shapes = {
        "frames": (count, 48, 48, 3),
        "index": (count,),
        "audio": (timeline * 640,),
        "controls": (count, 26),
        "anchors": (count, 9, 2),
        "landmarks": (count, 68, 2),
        "visemes": (timeline, 16),
        "opening": (timeline,),
        "person": (count, 48, 48),
        "face": (count, 48, 48),
    }
    assert {name: array.shape for name, array in arrays.items()} == shapes
    assert arrays["index"][0] == 0
    assert arrays["index"].max() < timeline
    assert np.array_equal(arrays["frames"][0], arrays["frames"][1 + WINDOW_FRAMES])
    assert all(np.isfinite(array.astype(np.float32)).all() for array in arrays.values())
    # Landmarks of the visible inner face lie on the person's face.
    x, y = np.floor(arrays["landmarks"][0, 27:].astype(float)).astype(int).clip(0, 47).T
    assert arrays["face"][0, y, x].mean() > 0.8
    assert (arrays["person"][0, y, x] == 1).mean() > 0.8
    assert row["caption"]
    assert row["negative"]
    assert row["split"] == "train"
    assert json.loads(json.dumps(row)) == row


@needs_assets
def test_a_row_tells_what_the_reference_shows() -> None:
    corners = [48, 54], [51, 57]
    smiles: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(12):
        arrays, row = make_sample(seed, 3, ASSETS, Recipe(size=32, strided=False))
        points = arrays["landmarks"][0].astype(float)
        rise = (points[corners[1], 1].mean() - points[corners[0], 1].mean()) / np.ptp(points[:, 0])
        emotion, amount = row["caught"] or ("neutral", 1.0)
        smiles[emotion == "happy" and amount > 0.5].append(rise)
    assert min(len(values) for values in smiles.values()) > 0
    assert np.mean(smiles[True]) > np.mean(smiles[False]) + 0.02


@needs_assets
def test_a_sample_may_leave_the_strided_frames_out() -> None:
    arrays, _ = make_sample(7, 3, ASSETS, Recipe(size=32, strided=False))
    whole, _ = make_sample(7, 3, ASSETS, Recipe(size=32))
    for name in ("frames", "index", "controls", "anchors", "landmarks", "person", "face"):
        assert np.array_equal(arrays[name], whole[name][: 1 + WINDOW_FRAMES])
    assert np.array_equal(arrays["audio"], whole["audio"])


@needs_assets
def test_equal_seeds_write_equal_files(tmp_path: Path) -> None:
    recipe = Recipe(size=32, samples_per_shard=1)
    for name in "ab":
        write_dataset(tmp_path / name, 1, ASSETS, recipe, workers=1)
    a, b = (shard_paths(tmp_path / name, 0)[0] for name in "ab")
    assert a.read_bytes() == b.read_bytes()
    assert set(load_file(a)) == {f"0/{name}" for name in ARRAYS}


@needs_assets
def test_a_group_tells_of_everybody() -> None:
    recipe = Recipe(size=32, strided=False, people=2)
    arrays, row = make_sample(11, 3, ASSETS, recipe)
    count, timeline = 1 + WINDOW_FRAMES, arrays["opening"].shape[1]
    assert arrays["frames"].shape == (count, 32, 64, 3)
    assert arrays["anchors"].shape == (2, count, 9, 2)
    assert arrays["landmarks"].shape == (2, count, 68, 2)
    assert arrays["controls"].shape == (2, count, 26)
    assert arrays["audio"].shape == (2, 640 * timeline)
    assert arrays["visemes"].shape == (2, timeline, 16)
    assert row["people"] == 2
    assert {"close", "conversation"} <= set(row)
    # Everybody is filmed by one camera, and where a nose is, that person is seen.
    camera = slice(-7, -1)
    assert np.array_equal(arrays["controls"][0, :, camera], arrays["controls"][1, :, camera])
    assert not np.array_equal(arrays["controls"][0], arrays["controls"][1])
    for person in range(2):
        x, y = np.floor(arrays["landmarks"][person, 0, 30].astype(float)).astype(int)
        assert arrays["person"][0, y, x] == person + 1
