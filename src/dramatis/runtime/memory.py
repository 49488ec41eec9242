"""Memory that stays flat while thousands of clips are filmed."""

from __future__ import annotations

import ctypes
import sys

LARGE = 4 * 2**20
"""Bytes from which a freed block goes back to the system at once."""
_M_MMAP_THRESHOLD = -3


def steady_memory() -> None:
    """Keep the C library from holding on to large freed blocks, in this process from now on.

    The GNU library raises its own threshold for that with every large block it sees; workers that make and free tensors
    of many sizes then leave its arenas full of holes, and a process grows with the length of the video. Elsewhere
    nothing is changed.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE)
