"""Where somebody's voice is heard, in noise as well: Silero's voice activity network, which its package carries.

Loudness and melody tell a voice from silence; they mistake a fan for a whisper and a whistle for a song. The network
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
from dramatis.story.values import FPS, FrameSpan

SAMPLE_RATE = 16_000
WINDOW = 512
"""Samples that the network judges at once."""
_BODY, _LEAD, _BATCH = 640, 32, 16
"""Windows of a piece, windows heard before it so that the network has settled, and pieces judged side by side."""
_BEGINS, _ENDS = 0.5, 0.35
"""Probability at which a voice begins and at which it has ended."""
_SHORTEST = 15
"""Frames: what is shorter belongs to the sound around it."""


def voice_probability(blocks: Iterable[ArrayLike], frames: int) -> NDArray[np.float32]:
    """How probably a voice is heard in each of `frames` video frames, (frames,) in [0, 1].

    blocks: mono 16 kHz audio in [-1, 1]. Memory stays small, whatever the length.
    """
    found: list[NDArray[np.float32]] = []
    for pieces in _batches(blocks):
        with torch.inference_mode():
            heard = _network().audio_forward(torch.from_numpy(pieces), SAMPLE_RATE)
        found.append(heard[:, _LEAD:].reshape(-1).numpy())
    windows = np.concatenate(found) if found else np.zeros(1, np.float32)
    middles = (np.arange(frames) + 0.5) / FPS
    return np.interp(middles, (np.arange(len(windows)) + 0.5) * WINDOW / SAMPLE_RATE, windows).astype(np.float32)


def with_voices(events: Sequence[AudioEvent], probability: NDArray[np.float32]) -> tuple[AudioEvent, ...]:
    """The events with what is no voice marked as noise, and whispers that passed for noise as speech; they tile the
    same frames. Song is left as it is where a voice is in it: melody tells it better."""
    voice = _steady(probability)
    out: list[AudioEvent] = []
    for event in events:
        if event.kind == "pause":
            out.append(event)
            continue
        share = float(voice[event.span.start : event.span.stop].mean())
        if event.kind == "singing" and share > 0.25:
            out.append(event)
            continue
        for part, heard in _parts(event.span, voice):
            kind = "noise" if not heard else "speech"
            out.append(event.model_copy(update={"kind": kind, "span": part}))
    return tuple(out)


def _parts(span: FrameSpan, voice: NDArray[np.bool_]) -> Iterator[tuple[FrameSpan, bool]]:
    """Stretches of voice and of none, none shorter than `_SHORTEST`, except where the whole is."""
    runs = [(heard, len(list(some))) for heard, some in groupby(voice[span.start : span.stop].tolist())]
    while len(runs) > 1 and min(length for _, length in runs) < _SHORTEST:
        place = min(range(len(runs)), key=lambda place: runs[place][1])
        runs[place] = (not runs[place][0], runs[place][1])
        grouped = groupby(runs, key=lambda run: run[0])
        runs = [(heard, sum(length for _, length in some)) for heard, some in grouped]
    at = span.start
    for heard, length in runs:
        yield FrameSpan(at, at + length), heard
        at += length


def _steady(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Two thresholds, so that a level between them does not chop a word."""
    out = np.zeros(len(probability), bool)
    on = False
    for place, value in enumerate(probability.tolist()):
        on = value > (_ENDS if on else _BEGINS)
        out[place] = on
    return out


def _batches(blocks: Iterable[ArrayLike]) -> Iterator[NDArray[np.float32]]:
    """(pieces, samples) with every piece's lead before it; the last is filled with silence."""
    body, lead = _BODY * WINDOW, _LEAD * WINDOW
    held, pieces = np.zeros(lead, np.float32), []
    for block in blocks:
        held = np.concatenate([held, np.nan_to_num(np.asarray(block, np.float32).ravel())])
        while len(held) >= lead + body:
            pieces.append(held[: lead + body])
            held = held[body:]
            if len(pieces) == _BATCH:
                yield np.stack(pieces)
                pieces = []
    if len(held) > lead:
        pieces.append(np.pad(held, (0, lead + body - len(held))))
    if pieces:
        yield np.stack(pieces)


@cache
def _network():  # type: ignore[no-untyped-def]
    from silero_vad import load_silero_vad

    with warnings.catch_warnings():
        # The package loads TorchScript, which torch would like to see replaced; nothing that a user can mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        return load_silero_vad()
