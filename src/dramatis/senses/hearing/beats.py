"""Where the beats of music fall, so that cuts can fall on them; only looked for if somebody sings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.story.observations import AudioEvent
from dramatis.story.values import AUDIO_RATE, FPS

PIECE_SECONDS = 40
"""Length of the pieces that beats are tracked in: memory stays flat."""
SUNG_SHARE = 0.3
"""Least share of a recording that is sung for beats to be looked for."""
_HOP = 256


def find_beats(blocks: Iterable[ArrayLike], events: Sequence[AudioEvent], frames: int) -> tuple[int, ...]:
    """Frames on which beats fall; none if less than `SUNG_SHARE` of the recording is sung."""
    sung = sum(len(event.span) for event in events if event.kind == "singing")
    if sung < SUNG_SHARE * frames:
        return ()
    # The import takes a second, for which speech need not wait.
    from librosa.beat import beat_track
    from librosa.onset import onset_strength

    beat_frames: list[int] = []
    for number, piece in enumerate(_pieces(blocks)):
        strength = onset_strength(y=piece, sr=AUDIO_RATE, hop_length=_HOP)
        _, hops = beat_track(onset_envelope=strength, sr=AUDIO_RATE, hop_length=_HOP)
        seconds = number * PIECE_SECONDS + np.asarray(hops, np.float64) * _HOP / AUDIO_RATE
        beat_frames += [frame for frame in np.round(seconds * FPS).astype(int).tolist() if frame < frames]
    return tuple(dict.fromkeys(beat_frames))


def _pieces(blocks: Iterable[ArrayLike]) -> Iterator[NDArray[np.float32]]:
    size = PIECE_SECONDS * AUDIO_RATE
    buffer = np.zeros(0, np.float32)
    for block in blocks:
        buffer = np.concatenate([buffer, np.asarray(block, np.float32).ravel()])
        while len(buffer) >= size:
            yield buffer[:size]
            buffer = buffer[size:]
    if len(buffer) > AUDIO_RATE:
        yield buffer
