"""Where a voice is heard, even in noise: Silero's voice activity network, which comes with its package.

Loudness and melody tell a voice from silence, but mistake a fan for a whisper and a whistle for a song. The network
does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dramatis.story.observations import AudioEvent
from dramatis.story.values import AUDIO_RATE, FPS, FrameSpan

_WINDOW = 512
"""Samples that the network judges at a time."""
_BODY, _LEAD, _BATCH = 640, 32, 16
"""Windows of a piece, windows before it in which the network settles, and pieces judged side by side."""
_BEGINS, _ENDS = 0.5, 0.35
"""Probability at which a voice begins, and below which it has ended."""
_SHORTEST = 15
"""Frames: anything shorter belongs to the sound around it."""


def voice_probability(blocks: Iterable[ArrayLike], frames: int) -> NDArray[np.float32]:
    """The probability that a voice is heard in each of `frames` video frames, (frames,) in [0, 1].

    blocks: mono 16 kHz audio in [-1, 1]. Memory stays small, whatever the length.
    """
    probabilities: list[NDArray[np.float32]] = []
    for pieces in _batches(blocks):
        with torch.inference_mode():
            heard = _network().audio_forward(torch.from_numpy(pieces), AUDIO_RATE)
        probabilities.append(heard[:, _LEAD:].reshape(-1).numpy())
    windows = np.concatenate(probabilities) if probabilities else np.zeros(1, np.float32)
    middles = (np.arange(frames) + 0.5) / FPS
    return np.interp(middles, (np.arange(len(windows)) + 0.5) * _WINDOW / AUDIO_RATE, windows).astype(np.float32)


def with_voices(events: Sequence[AudioEvent], probability: NDArray[np.float32]) -> tuple[AudioEvent, ...]:
    """The events, with sounds that are no voice marked as noise, and whispers taken for noise marked as speech.

    They tile the same frames. Song that contains a voice is left as it is: melody recognises it better.
    """
    voice = _steady(probability)
    marked: list[AudioEvent] = []
    for event in events:
        if event.kind == "pause":
            marked.append(event)
            continue
        share = float(voice[event.span.start : event.span.stop].mean())
        if event.kind == "singing" and share > 0.25:
            marked.append(event)
            continue
        for part, heard in _parts(event.span, voice):
            kind = "noise" if not heard else "speech"
            marked.append(event.model_copy(update={"kind": kind, "span": part}))
    return tuple(marked)


def _parts(span: FrameSpan, voice: NDArray[np.bool_]) -> Iterator[tuple[FrameSpan, bool]]:
    """Stretches with and without a voice, none shorter than `_SHORTEST` unless the whole span is."""
    runs = [(heard, len(list(some))) for heard, some in groupby(voice[span.start : span.stop].tolist())]
    while len(runs) > 1 and min(length for _, length in runs) < _SHORTEST:
        shortest = min(range(len(runs)), key=lambda index: runs[index][1])
        runs[shortest] = (not runs[shortest][0], runs[shortest][1])
        grouped = groupby(runs, key=lambda run: run[0])
        runs = [(heard, sum(length for _, length in some)) for heard, some in grouped]
    at = span.start
    for heard, length in runs:
        yield FrameSpan(at, at + length), heard
        at += length


def _steady(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether a voice is heard, by two thresholds, so that a level between them does not chop up a word."""
    steady = np.zeros(len(probability), bool)
    on = False
    for frame, value in enumerate(probability.tolist()):
        on = value > (_ENDS if on else _BEGINS)
        steady[frame] = on
    return steady


def _batches(blocks: Iterable[ArrayLike]) -> Iterator[NDArray[np.float32]]:
    """(pieces, samples), each piece with its lead before it; the last one is padded with silence."""
    body, lead = _BODY * _WINDOW, _LEAD * _WINDOW
    buffer, pieces = np.zeros(lead, np.float32), []
    for block in blocks:
        buffer = np.concatenate([buffer, np.nan_to_num(np.asarray(block, np.float32).ravel())])
        while len(buffer) >= lead + body:
            pieces.append(buffer[: lead + body])
            buffer = buffer[body:]
            if len(pieces) == _BATCH:
                yield np.stack(pieces)
                pieces = []
    if len(buffer) > lead:
        pieces.append(np.pad(buffer, (0, lead + body - len(buffer))))
    if pieces:
        yield np.stack(pieces)


@cache
def _network():  # type: ignore[no-untyped-def]
    from silero_vad import load_silero_vad

    with warnings.catch_warnings():
        # The package loads TorchScript, which torch deprecates; users can do nothing about it.
        warnings.simplefilter("ignore", DeprecationWarning)
        return load_silero_vad()
