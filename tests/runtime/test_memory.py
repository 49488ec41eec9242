"""Large blocks that are freed go back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of the GNU C library")
def test_freed_blocks_are_not_kept() -> None:
    def left(mode: str) -> float:
        made = subprocess.run([sys.executable, "-c", GROW, mode], capture_output=True, text=True, check=True)
        return float(made.stdout)

    assert left("steady") < 10 < left("as it is")
