from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dramatis.runtime import files
from dramatis.runtime.files import hash_file, publish, quick_hash_file, write_whole


def test_a_small_file_is_written_whole_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "story.yaml"
    write_whole(path, "naïve 表情\n")
    assert path.read_bytes() == "naïve 表情\n".encode()
    write_whole(path, b"\x00\x01")
    assert path.read_bytes() == b"\x00\x01"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "story.yaml"
    write_whole(path, "old")

    def full_disk(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "publish", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_publishing_replaces_what_was_there(tmp_path: Path) -> None:
    partial, final = tmp_path / "a.partial", tmp_path / "a"
    final.write_text("old")
    partial.write_text("new")
    publish(partial, final)
    assert final.read_text() == "new"
    assert not partial.exists()


def test_a_file_is_hashed_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BLOCK", 7)
    path = tmp_path / "sound"
    path.write_bytes(bytes(range(200)))
    assert hash_file(path) == hashlib.sha256(bytes(range(200))).hexdigest()


@pytest.mark.parametrize("size", [0, 10, 1_000_000, 5_000_000])
def test_a_sample_tells_files_apart_by_size_ends_and_pieces(tmp_path: Path, size: int) -> None:
    def written(data: bytes) -> str:
        (tmp_path / "weights").write_bytes(data)
        return quick_hash_file(tmp_path / "weights")

    whole = bytes(size)
    assert written(whole) == written(whole)
    assert written(whole) != written(whole + b"\x00")
    for place in (0, size // 2, size - 1) if size else ():
        assert written(whole) != written(whole[:place] + b"\x01" + whole[place + 1 :])
