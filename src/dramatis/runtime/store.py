"""The artifact store: every stage's output is one file under the hash of everything that made it.

A finished artifact is never recomputed. This one rule gives resume after a crash, re-rendering of one edited shot, and
caching. An artifact is a safetensors file whose header contains a checksum of the contents; a file that is cut short or
altered counts as missing, so that the stage simply runs again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dramatis.runtime.files import publish

ArtifactValue = NDArray[Any] | bytes
"""One value of an artifact: an array of any shape and plain type, or opaque bytes (a file, a JSON text)."""
STORE_FORMAT = 2
"""Part of every key: raising it retires all artifacts of the older layout. 2: the modules have moved."""
_STALE_SECONDS = 3600.0
_HEADER = "dramatis"


class ArtifactStore:
    """Artifacts of one job or of a shared cache under `root`. Safe for several threads and processes at once.

    Layout: `root/<first two hex digits>/<key>.safetensors`, and `root/partial/` for files that are being written.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._partial = self.root / "partial"
        self._partial.mkdir(parents=True, exist_ok=True)
        self._sweep()

    @staticmethod
    def key(inputs: Mapping[str, Any]) -> str:
        """SHA-256 (hex) of a JSON-able mapping; the order of its keys does not matter.

        Raises TypeError for values that JSON cannot hold, and ValueError for NaN and infinity.
        """
        text = json.dumps(
            {"format": STORE_FORMAT, "inputs": inputs}, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def path(self, key: str) -> Path:
        """The artifact's file, whether it exists or not."""
        return self.root / key[:2] / f"{key}.safetensors"

    def has(self, key: str) -> bool:
        """True when the artifact is there and its checksum holds."""
        return self.get(key) is not None

    def get(self, key: str) -> dict[str, ArtifactValue] | None:
        """The artifact's values, or None when it is missing, cut short or altered."""
        try:
            with safe_open(str(self.path(key)), framework="numpy") as file:
                header = json.loads((file.metadata() or {})[_HEADER])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        if header.get("key") != key or header.get("sha256") != _checksum(arrays):
            return None
        raw = set(header["raw"])
        return {name: array.tobytes() if name in raw else array for name, array in arrays.items()}

    def put(self, key: str, values: Mapping[str, ArtifactValue]) -> None:
        """Write an artifact whole: to a partial file, which gets its name once it is on the disk.

        Raises TypeError for values that are neither arrays nor bytes.
        """
        arrays: dict[str, NDArray[Any]] = {}
        for name, value in values.items():
            if isinstance(value, bytes):
                arrays[name] = np.frombuffer(value, dtype=np.uint8)
            elif isinstance(value, np.ndarray):
                arrays[name] = np.asarray(value, order="C")
            else:
                raise TypeError(f"artifact value {name!r} is {type(value).__name__}, not an array or bytes")
        raw = sorted(name for name, value in values.items() if isinstance(value, bytes))
        header = json.dumps({"key": key, "raw": raw, "sha256": _checksum(arrays)}, sort_keys=True)
        partial = self._partial / f"{key}.{uuid4().hex}"
        final = self.path(key)
        final.parent.mkdir(exist_ok=True)
        try:
            partial.write_bytes(save(arrays, metadata={_HEADER: header}))
            publish(partial, final)
        finally:
            partial.unlink(missing_ok=True)

    def fetch(self, key: str, make: Callable[[], Mapping[str, ArtifactValue]]) -> dict[str, ArtifactValue]:
        """The artifact, made and stored first if it is not there. The values returned have always been read back."""
        if (values := self.get(key)) is not None:
            return values
        self.put(key, make())
        values = self.get(key)
        if values is None:
            raise OSError(f"The artifact {self.path(key)} cannot be read back: the disk is full or failing.")
        return values

    def remove(self, key: str) -> None:
        """Delete an artifact, so that it is made again."""
        self.path(key).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Delete what killed writers left. Recent files stay, since another process may be writing them."""
        for partial in self._partial.iterdir():
            try:
                if time.time() - partial.stat().st_mtime > _STALE_SECONDS:
                    os.unlink(partial)
            except FileNotFoundError:  # another process deleted or finished it first
                continue


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over names, types, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode("utf-8"))
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
