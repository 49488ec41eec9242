"""How much memory there is, and that large blocks that are freed go back to the system."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from dramatis.runtime.memory import main_memory

GROW = """
import resource, sys
import torch
from dramatis.runtime.memory import steady_memory
if sys.argv[1] == "steady":
    steady_memory()

def held():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

torch.ones(30 * 2**18).sum()  # freed, it teaches the C library to keep blocks of up to 30 MiB
before = held()
pairs = [(torch.ones(25 * 2**18), bytes(40_000)) for _ in range(12)]
small = [pair[1] for pair in pairs]
del pairs
print(held() - before)
"""


def test_main_memory_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**28 < main_memory() < 2**50

    def fill(status: Any) -> int:
        # ctypes keeps what `byref` points to under this name only.
        structure = status._obj
        assert structure.length == ctypes.sizeof(structure) == 64, "what the system expects"
        ctypes.memmove(ctypes.addressof(structure) + 8, (16 * 2**30).to_bytes(8, sys.byteorder), 8)
        return 1

    kernel = SimpleNamespace(kernel32=SimpleNamespace(GlobalMemoryStatusEx=fill))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", kernel, raising=False)
    assert main_memory() == 16 * 2**30


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of the GNU C library")
def test_freed_blocks_are_not_kept() -> None:
    def left(mode: str) -> float:
        made = subprocess.run([sys.executable, "-c", GROW, mode], capture_output=True, text=True, check=True)
        return float(made.stdout)

    assert left("steady") < 10 < left("as it is")
