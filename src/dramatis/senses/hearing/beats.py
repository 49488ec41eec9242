"""Where music beats, so that cuts can fall on it; only looked for where somebody sings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.story.observations import AudioEvent
from dramatis.story.values import FPS

SAMPLE_RATE = 16_000
PIECE_SECONDS = 40
SUNG_SHARE = 0.3
_HOP = 256


def beats(blocks: Iterable[ArrayLike], events: Sequence[AudioEvent], frames: int) -> tuple[int, ...]:
    """Frames on which beats fall; none where less than a third of the recording is sung."""
    sung = sum(len(event.span) for event in events if event.kind == "singing")
    if sung < SUNG_SHARE * frames:
        return ()
    # A second to import, which speech does not have to wait for.
    from librosa.beat import beat_track
    from librosa.onset import onset_strength

    found: list[int] = []
    for number, piece in enumerate(_pieces(blocks)):
        strength = onset_strength(y=piece, sr=SAMPLE_RATE, hop_length=_HOP)
        _, places = beat_track(onset_envelope=strength, sr=SAMPLE_RATE, hop_length=_HOP)
        seconds = number * PIECE_SECONDS + np.asarray(places, np.float64) * _HOP / SAMPLE_RATE
        found += [frame for frame in np.round(seconds * FPS).astype(int).tolist() if frame < frames]
    return tuple(dict.fromkeys(found))


def _pieces(blocks: Iterable[ArrayLike]) -> Iterator[NDArray[np.float32]]:
    size = PIECE_SECONDS * SAMPLE_RATE
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, np.asarray(block, np.float32).ravel()])
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
    if len(held) > SAMPLE_RATE:
        yield held
