from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dramatis.errors import UserError
from dramatis.models.loading import (
    check_model_folder,
    hash_models,
    list_faults,
    load_model,
    misfits,
    read_header,
    save_model,
    shard_files,
)
from dramatis.models.text import TextEncoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(TextEncoder(dim=8, buckets=40, text_len=6, heads=2), tmp_path / "net")
    return tmp_path / "net"


def test_round_trip_in_half_precision(folder: Path) -> None:
    net = load_model(TextEncoder, folder)
    again = load_model(TextEncoder, folder)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert not net.training


def test_packed_matrices_take_half_and_come_back_nearly_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = TextEncoder(dim=64, buckets=400, text_len=6, heads=2).eval()
    save_model(net, tmp_path / "plain")
    save_model(net, tmp_path / "packed", packed=True)
    plain, packed = (sum(path.stat().st_size for path in shard_files(tmp_path / name)) for name in ("plain", "packed"))
    assert packed < 0.65 * plain
    again = load_model(TextEncoder, tmp_path / "packed")
    for (key, value), other in zip(net.state_dict().items(), again.state_dict().values(), strict=True):
        largest = value.abs().flatten(1).amax(1) if value.ndim > 1 else value.abs()
        step = (largest / 127).view(-1, *[1] * (value.ndim - 1))
        assert ((value - other).abs() <= 0.6 * step + 1e-3 * value.abs() + 1e-6).all(), key


def test_shards_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dramatis.models.loading.SHARD_BYTES", 800)
    save_model(TextEncoder(dim=8, buckets=40, text_len=6, heads=2), tmp_path)
    assert len(shard_files(tmp_path)) > 2
    load_model(TextEncoder, tmp_path)


def test_a_shard_cut_short_is_refused(folder: Path) -> None:
    shard = shard_files(folder)[0]
    shard.write_bytes(shard.read_bytes()[:-50])
    with pytest.raises(UserError, match="damaged or cut short"):
        check_model_folder(folder, TextEncoder)


def test_a_missing_file_is_named(folder: Path) -> None:
    shard_files(folder)[0].unlink()
    with pytest.raises(UserError, match="missing"):
        check_model_folder(folder, TextEncoder)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"config\.json"):
        check_model_folder(folder, TextEncoder)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "_class_name": "Other"}))
    with pytest.raises(UserError, match="not TextEncoder"):
        load_model(TextEncoder, folder)


def test_tensors_that_do_not_fit_are_listed(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "buckets": 41}))
    with pytest.raises(UserError, match=r"table\.weight: wrong shape"):
        load_model(TextEncoder, folder)


def test_of_many_faults_the_first_are_named_and_the_rest_counted() -> None:
    wanted = {f"layer.{n}": (2, 3) for n in range(9)}
    found = {"layer.0": (2, 3), "layer.1": (3, 2), "other": (1,)}
    faults = misfits(wanted, found)
    assert faults[-2:] == ["other: unexpected", "layer.1: wrong shape (3, 2), not (2, 3)"]
    assert list_faults(faults).startswith("layer.2: missing; layer.3: missing;")
    assert list_faults(faults).endswith("layer.7: missing; and 3 more")
    assert list_faults(faults[-1:]) == faults[-1]


def test_a_header_tells_names_shapes_and_formats(folder: Path) -> None:
    stored = read_header(shard_files(folder)[0])
    net = load_model(TextEncoder, folder)
    assert {key: value.shape for key, value in stored.items()} == {
        k: tuple(v.shape) for k, v in net.state_dict().items()
    }
    assert {value.dtype for value in stored.values()} == {"F16"}


def test_the_fingerprint_follows_the_weights(folder: Path) -> None:
    before = hash_models(folder)
    assert before == hash_models(folder)
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    assert hash_models(folder) != before
