"""Small inputs that tests make on the fly: a voice-like sound, and what the fixtures that write files look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class MakeAudio(Protocol):
    """Writes an audio file whose suffix chooses the codec, and returns its path."""

    def __call__(
        self, name: str = "voice.wav", seconds: float = 1.0, rate: int = 16_000, channels: int = 1
    ) -> Path: ...


class MakeImage(Protocol):
    """Writes a picture, red on the left and blue on the right, and returns its path; `options` are for saving."""

    def __call__(
        self, name: str = "face.png", size: tuple[int, int] = (96, 128), mode: str = "RGB", **options: Any
    ) -> Path: ...


def voice(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """(n, channels) float32: a vowel-like buzz with syllables, peak about 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    partials = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 8))
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
    mono = (0.25 * partials * syllables).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)
