from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis_lab.data.shards import ShardDataset
from tests.dramatis_lab.samples import sample, write_shard


def test_samples_come_back_as_written(shards: Path) -> None:
    data = ShardDataset(shards)
    assert len(data) == 4
    assert data.row(3)["slot"] == 1
    written = sample(101)
    assert np.array_equal(data.get(3, "landmarks"), written["landmarks"])
    assert np.array_equal(data.frames(3, slice(1, 30)), written["frames"][1:30])
    assert np.array_equal(data.frames(3, [0, 58, 7]), written["frames"][[0, 58, 7]])


def test_new_shards_are_taken_in_once_and_only_when_whole(tmp_path: Path) -> None:
    write_shard(tmp_path, 0)
    data = ShardDataset(tmp_path)
    write_shard(tmp_path, 1)
    (tmp_path / "shard-00002.json").write_text('[{"caption": "its arrays are still being written"}]')
    for _ in range(2):
        data.refresh()
    assert [row["slot"] for row in map(data.row, range(len(data)))] == [0, 1, 0, 1]


def test_an_empty_folder_has_no_samples(tmp_path: Path) -> None:
    data = ShardDataset(tmp_path)
    assert len(data) == 0
    with pytest.raises(IndexError):
        data.row(0)
