"""Memory: how much the computer has, and how its use stays constant while thousands of clips are generated."""

from __future__ import annotations

import ctypes
import os
import sys

_LARGE_BLOCK = 4 * 2**20
"""Bytes from which a freed block goes back to the system at once."""
_M_MMAP_THRESHOLD = -3


class _MemoryStatus(ctypes.Structure):
    """The structure that Windows fills in (MEMORYSTATUSEX)."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 6),
    )


def main_memory() -> int:
    """Bytes of main memory that this computer has.

    The system itself is asked, since a package that knows it everywhere would be a dependency for one number.
    """
    if sys.platform == "win32":
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def steady_memory() -> None:
    """Keep the C library from holding on to large freed blocks, in this process from now on.

    The GNU library raises its own threshold with every large block it sees. Workers that allocate and free tensors of
    many sizes then leave its arenas full of holes, and a process grows with the length of the video. On other systems
    nothing is changed.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
