"""Finds hard cuts, because nobody can be followed across one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame

_CELLS = 24
"""Cells on each side of the grid on which frames are compared, so coarse that small movements do not count."""
_REMEMBERED = 12
"""Number of past changes whose median is the usual change."""


def mark_cuts(frames: Iterable[Frame], settings: AnnotationSettings) -> Iterator[tuple[bool, Frame]]:
    """Each frame with a flag that tells whether it begins a shot: the first does, and so does any sudden change."""
    recent_changes: deque[float] = deque(maxlen=_REMEMBERED)
    before: NDArray[np.float32] | None = None
    for frame in frames:
        now = thumbnail(frame)
        change = 0.0 if before is None else float(np.abs(now - before).mean())
        cut = change > max(settings.cut, settings.cut_ratio * float(np.median(recent_changes or [0.0])))
        if before is not None:
            # Cuts too: one hardly moves the median, and many raise it for a video that never rests.
            recent_changes.append(change)
        yield cut or before is None, frame
        before = now


def thumbnail(frame: Frame) -> NDArray[np.float32]:
    """Mean colours of 24x24 cells, (24, 24, 3) in 0..255."""
    rows, columns = (np.linspace(0, side, min(_CELLS, side) + 1).astype(int)[:-1] for side in frame.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(frame.astype(np.float32), rows, 0), columns, 1)
    sizes = np.multiply.outer(np.diff(np.append(rows, frame.shape[0])), np.diff(np.append(columns, frame.shape[1])))
    return np.asarray(sums / sizes[..., None], np.float32)
