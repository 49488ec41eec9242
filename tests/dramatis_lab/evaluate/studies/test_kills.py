"""Watched commands: what they lose is seen, and so is that they fail."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dramatis.runtime.store import ArtifactStore
from dramatis_lab.evaluate.studies.kills import WatchedRun, watch_command

SCRIPT = "import sys, time; print('ready', flush=True); path = sys.argv[1]; {}; time.sleep({})"


def watched(tmp_path: Path, deed: str, sleep: float, limit: float | None) -> tuple[WatchedRun, str]:
    """A command that does `deed` to the path of one finished artifact, and that artifact's key."""
    store = ArtifactStore(tmp_path)
    keys = [store.key({"clip": n}) for n in range(2)]
    for key in keys:
        store.put(key, {"frames": np.arange(9)})
    script = SCRIPT.format(deed, sleep)
    return watch_command([sys.executable, "-c", script, str(store.path(keys[0]))], tmp_path, limit), keys[0]


@pytest.mark.parametrize("limit", [1.0, None])
@pytest.mark.parametrize(
    ("deed", "loses"),
    [
        ("pass", False),
        ("__import__('os').unlink(path)", True),
        ("data = open(path, 'rb').read(); open(path, 'wb').write(data)", True),
        ("open(path, 'rb+').write(b'damaged')", True),
    ],
)
def test_what_a_command_loses_is_seen(tmp_path: Path, deed: str, loses: bool, limit: float | None) -> None:
    run, key = watched(tmp_path, deed, 0 if limit is None else 60, limit)
    assert run.killed == (limit is not None)
    assert run.lost == ({key} if loses else frozenset())
    assert run.seconds < 30


def test_a_command_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="status 3"):
        watched(tmp_path, "sys.exit(3)", 0, 60)
