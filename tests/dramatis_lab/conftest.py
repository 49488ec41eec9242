"""Shards that the tests of data and training share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dramatis_lab.samples import write_shard


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two shards of two samples."""
    folder = tmp_path_factory.mktemp("shards")
    for number in range(2):
        write_shard(folder, number)
    return folder


@pytest.fixture(scope="session")
def dense_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without strided frames: what the high-resolution networks train on."""
    folder = tmp_path_factory.mktemp("dense_shards")
    for number in range(2):
        write_shard(folder, number, strided=False)
    return folder
