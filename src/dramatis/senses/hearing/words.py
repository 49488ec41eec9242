"""Which words are said and when: taken from the user's subtitles, or recognised in the sound.

The embedded recogniser is pocketsphinx with the English model that comes with its package. It takes a fifth of the
sound's duration, so long recordings are only transcribed on request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.media.subtitles import Cue
from dramatis.story.observations import AudioEvent, Word
from dramatis.story.values import AUDIO_RATE, FPS, FrameSpan

LANGUAGE = "English"
_MIN_MEAN_CONFIDENCE = 0.6
"""Least mean confidence at which recognised words are believed. Clear English reaches 0.8; the recogniser turns
Mandarin and other languages into English words too, with 0.1 to 0.5."""
_PAD = 0.2
"""Seconds of silence around a stretch, in which the recogniser settles."""
_LONGEST = 30.0
"""Most seconds that are recognised at once: memory stays flat."""


class Recogniser(Protocol):
    """Turns speech into words."""

    def __call__(self, samples: NDArray[np.float32]) -> list[tuple[str, float, float, float]]:
        """(word, start, stop, confidence) in seconds, of (N,) mono samples in [-1, 1] at 16 kHz."""
        ...

    def language(self, words: Sequence[Word]) -> str | None:
        """Name of the language of everything recognised; None if it is doubtful whether these are words at all."""
        ...


def words_of_cues(cues: Sequence[Cue], frames: int) -> tuple[Word, ...]:
    """The words of subtitles; within a cue, letters share the time equally. Cues past the end are dropped."""
    words = []
    for cue in cues:
        for text, start, stop in spread_words(cue.text, cue.start, cue.stop):
            span = _span(start, stop, frames)
            if span is not None:
                words.append(Word(text=text[:80], span=span))
    return tuple(words)


def spread_words(text: str, start: float, stop: float) -> list[tuple[str, float, float]]:
    """(word, start, stop) in seconds, for a text said from `start` to `stop`; letters share the time equally."""
    words = text.split()
    edges = np.cumsum([0, *(len(word) + 1 for word in words)])
    times = start + (stop - start) * edges / max(1, edges[-1])
    return [(word, float(a), float(b)) for word, a, b in zip(words, times, times[1:], strict=False)]


def recognised_words(
    blocks: Iterable[ArrayLike], events: Sequence[AudioEvent], frames: int, recogniser: Recogniser
) -> tuple[Word, ...]:
    """The words of every stretch of speech, recognised one stretch after another."""
    words = []
    for start, samples in speech_stretches(blocks, events):
        for text, begin, end, confidence in recogniser(samples):
            span = _span(start + begin, start + end, frames)
            if span is not None:
                words.append(Word(text=text[:80], span=span, confidence=round(min(1.0, max(0.0, confidence)), 3)))
    return tuple(words)


def speech_stretches(
    blocks: Iterable[ArrayLike], events: Sequence[AudioEvent]
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(start in seconds, samples) of every stretch of speech, cut where it is longer than half a minute."""
    wanted = []
    for event in events:
        if event.kind != "speech":
            continue
        start, stop = event.span.start / FPS, event.span.stop / FPS
        while stop - start > _LONGEST:
            wanted.append((start, start + _LONGEST))
            start += _LONGEST
        wanted.append((start, stop))
    buffer, first = np.zeros(0, np.float32), 0
    source = iter(blocks)
    for start, stop in wanted:
        begin, end = round(start * AUDIO_RATE), round(stop * AUDIO_RATE)
        while first + len(buffer) < end:
            block = next(source, None)
            if block is None:
                break
            buffer = np.concatenate([buffer, np.asarray(block, np.float32).ravel()])
            if first + len(buffer) < begin:
                buffer, first = np.zeros(0, np.float32), first + len(buffer)
        part = buffer[max(0, begin - first) : max(0, end - first)]
        if len(part):
            yield start, part
        drop = min(len(buffer), max(0, end - first))
        buffer, first = buffer[drop:], first + drop


class Pocketsphinx:
    """The embedded recogniser; its model is loaded on first use."""

    def __init__(self) -> None:
        self._decoder: Any = None

    def __call__(self, samples: NDArray[np.float32]) -> list[tuple[str, float, float, float]]:
        """See `Recogniser`."""
        if self._decoder is None:
            self._decoder = _decoder()
        silence = np.zeros(round(_PAD * AUDIO_RATE), np.float32)
        sound = np.concatenate([silence, samples, silence])
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(sound, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        words = []
        for segment in self._decoder.seg() or ():
            # Marks in brackets are silence, breath and noise; "to(2)" is another pronunciation of "to".
            if not segment.word.startswith(("<", "[", "+")):
                begin, end = segment.start_frame / 100 - _PAD, (segment.end_frame + 1) / 100 - _PAD
                words.append((segment.word.split("(")[0], max(0.0, begin), max(0.0, end), float(segment.prob)))
        return words

    def language(self, words: Sequence[Word]) -> str | None:
        """English if it was confident of what it heard, None if it was guessing."""
        if len(words) < 3 or sum(word.confidence for word in words) / len(words) < _MIN_MEAN_CONFIDENCE:
            return None
        return LANGUAGE


def _decoder() -> Any:
    from pocketsphinx import Decoder

    # Fewer states and every second frame of the acoustic score: half the time, and on clear speech the same words.
    return Decoder(loglevel="FATAL", fwdflat=False, maxhmmpf=2000, ds=2)


def _span(start: float, stop: float, frames: int) -> FrameSpan | None:
    begin = round(start * FPS)
    if begin >= frames:
        return None
    return FrameSpan(begin, min(frames, max(begin + 1, round(stop * FPS))))
