"""The artifact store: whole or absent, whatever happens to the process or the file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dramatis.runtime.files import hash_file, write_whole
from dramatis.runtime.store import ArtifactStore

_NAMES = st.text(min_size=1, max_size=8)


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    values: dict[str, NDArray[Any] | bytes] = {
        "latents": np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32),
        "half": np.arange(5, dtype=np.float16),
        "scalar": np.array(3.5),
        "strided": np.arange(12, dtype=np.int32).reshape(3, 4)[:, ::2],
        "transposed": np.arange(6, dtype=np.uint8).reshape(2, 3).T,
        "empty": np.zeros((0, 4), np.float32),
        "mask": np.array([True, False]),
        "clip": b"\x00mp4 bytes",
        "nothing": b"",
    }
    key = store.key({"stage": "test"})
    assert store.get(key) is None
    assert not store.has(key)
    store.put(key, values)
    found = store.get(key)
    assert found is not None
    assert found.keys() == values.keys()
    for name, value in values.items():
        restored = found[name]
        if isinstance(value, bytes) or isinstance(restored, bytes):
            assert restored == value
        else:
            assert restored.dtype == value.dtype
            assert restored.shape == value.shape
            np.testing.assert_array_equal(restored, value)


def test_equal_values_are_equal_files(tmp_path: Path) -> None:
    values: dict[str, NDArray[Any] | bytes] = {"a": np.arange(4.0), "b": b"bytes", "c": np.zeros(3, np.uint8)}
    files = []
    for folder, order in (("one", list(values)), ("two", list(values)[::-1])):
        store = ArtifactStore(tmp_path / folder)
        store.put("0" * 64, {name: values[name] for name in order})
        files.append(store.path("0" * 64).read_bytes())
    assert files[0] == files[1]


@given(st.dictionaries(_NAMES, st.integers() | st.text() | st.none() | st.booleans(), max_size=5))
def test_keys_ignore_order_and_nothing_else(inputs: dict[str, str | int | bool | None]) -> None:
    key = ArtifactStore.key(inputs)
    assert key == ArtifactStore.key(dict(reversed(inputs.items())))
    assert len(key) == 64
    assert key != ArtifactStore.key({**inputs, "one more": 1})


def test_keys_refuse_what_has_no_fixed_text() -> None:
    with pytest.raises(TypeError):
        ArtifactStore.key({"array": np.zeros(2)})
    with pytest.raises(ValueError, match="JSON"):
        ArtifactStore.key({"guidance": float("nan")})


def test_every_cut_and_every_flipped_byte_counts_as_missing(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    key = store.key({"stage": "clip"})
    store.put(key, {"frames": np.arange(64, dtype=np.uint8), "raw": b"abcdef"})
    whole = store.path(key).read_bytes()
    for length in range(0, len(whole), 7):
        store.path(key).write_bytes(whole[:length])
        assert not store.has(key)
    for place in range(len(whole) - 70, len(whole), 9):
        store.path(key).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert not store.has(key)
    store.path(key).write_bytes(whole)
    assert store.has(key)


def test_an_artifact_under_a_foreign_name_counts_as_missing(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    first, second = store.key({"n": 1}), store.key({"n": 2})
    store.put(first, {"a": np.zeros(2)})
    store.path(second).parent.mkdir(exist_ok=True)
    store.path(second).write_bytes(store.path(first).read_bytes())
    assert store.has(first)
    assert not store.has(second)


def test_fetch_makes_once_and_remove_forgets(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    key = store.key({"stage": "fetch"})
    calls = []

    def make() -> dict[str, NDArray[np.int64]]:
        calls.append(1)
        return {"a": np.arange(3)}

    for _ in range(3):
        np.testing.assert_array_equal(store.fetch(key, make)["a"], np.arange(3))
    assert len(calls) == 1
    store.remove(key)
    store.fetch(key, make)
    assert len(calls) == 2


def test_wrong_values_leave_nothing(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with pytest.raises(TypeError, match="'a' is list"):
        store.put("0" * 64, {"a": [1, 2]})  # type: ignore[dict-item]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


_WRITER = """
import sys
import numpy as np
from dramatis.runtime.store import ArtifactStore

store = ArtifactStore(sys.argv[1])
print("ready", flush=True)
for index in range(10_000):
    store.put(store.key({"n": index}), {"n": np.full(200_000, index, np.int64), "raw": b"x" * 1000})
"""


@pytest.mark.parametrize("delay", [0.02, 0.09, 0.17])
def test_killed_in_the_middle_of_writing(tmp_path: Path, delay: float) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    time.sleep(delay)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store = ArtifactStore(tmp_path)
    names = [path.stem for path in tmp_path.rglob("*.safetensors")]
    for index in range(len(names) + 1):
        found = store.get(store.key({"n": index}))
        assert (found is not None) == (store.key({"n": index}) in names), "what has its name is whole"
        if found is not None:
            assert np.all(found["n"] == index)
            assert found["raw"] == b"x" * 1000
    store.put(store.key({"n": len(names)}), {"n": np.zeros(1)})
    assert store.has(store.key({"n": len(names)})), "the store goes on"


def test_what_killed_writers_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    ArtifactStore(tmp_path)
    old, young = tmp_path / "partial" / "old", tmp_path / "partial" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    ArtifactStore(tmp_path)
    assert young.exists()
    assert not old.exists()


def test_small_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "story.yaml"
    write_whole(path, "größe: 1\n")
    write_whole(path, b"again")
    assert path.read_bytes() == b"again"
    assert [p.name for p in path.parent.iterdir()] == ["story.yaml"]
    assert hash_file(path) == hash_file(Path(path))
    assert len(hash_file(path)) == 64
