"""Several voices in one sound file, for the one track of the video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dramatis.media.audio import stream
from dramatis.runtime.files import publish

RATES = (16_000, 48_000)
"""Least and largest samples a second of a mix."""
CEILING = 10.0 ** (-1.0 / 20.0)
"""Largest sample of a mix, -1 dBFS: encoders overshoot a little."""


def mix_down(tracks: Sequence[Path], wav: Path, rate: int) -> None:
    """Write the sum of all tracks as a mono 16-bit wav that lasts as long as the longest; shorter ones end in silence.

    Levels stay as they are, unless the sum would clip: then the whole mix is made quieter. Tracks are streamed, so
    memory does not grow with their length.
    """
    rate = min(max(rate, RATES[0]), RATES[1])
    peak = max((float(np.abs(block).max(initial=0.0)) for block in _summed(tracks, rate)), default=0.0)
    gain = min(1.0, CEILING / peak) if peak else 1.0
    wav.parent.mkdir(parents=True, exist_ok=True)
    partial = wav.with_name(f".{wav.name}.partial")
    try:
        with soundfile.SoundFile(partial, "w", rate, 1, subtype="PCM_16", format="WAV") as file:
            for block in _summed(tracks, rate):
                file.write(gain * block)
        publish(partial, wav)
    finally:
        partial.unlink(missing_ok=True)


def _summed(tracks: Sequence[Path], rate: int) -> Iterator[NDArray[np.float32]]:
    for blocks in zip_longest(*(stream(track, rate) for track in tracks)):
        voices = [block for block in blocks if block is not None]
        total = np.zeros(max(map(len, voices)), np.float32)
        for voice in voices:
            total[: len(voice)] += voice
        yield total
