"""How a whole recording becomes features, streamed: memory does not grow with the sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.media import audio as sound
from dramatis.media.loudness import LoudnessMeter, loudness_gain
from dramatis.models.speech import SpeechEncoder, log_mel
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME, FrameSpan

BLOCK_FRAMES = 500


Spans = tuple[FrameSpan, ...] | None
"""Of the frames in which one person is heard in a recording; None: in all of it."""


def speech_blocks(path: Path, spans: Spans = None) -> Iterator[NDArray[np.float32]]:
    """Blocks of what one person says in a recording, mono at 16 kHz."""
    return sound.only_within(sound.stream(path, AUDIO_RATE), spans, AUDIO_RATE)


class AudioReader:
    """What one person says in an audio file, mono samples at 16 kHz, read forwards.

    `tape(start, stop)` forgets what lies before `start`.
    """

    def __init__(self, path: Path, spans: Spans = None) -> None:
        self._source = speech_blocks(path, spans)
        self._pending = np.zeros(0, np.float32)
        self._at = 0

    def __call__(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples [start, stop), fewer where the sound ends; no `start` lies before an earlier one."""
        assert start >= self._at, "a tape is not wound back"
        while self._at + len(self._pending) < stop and (block := next(self._source, None)) is not None:
            self._pending = np.concatenate([self._pending, block])
        self._pending, self._at = self._pending[start - self._at :], start
        return self._pending[: stop - start]


@torch.no_grad()
def heard_mouth(
    encoder: SpeechEncoder, features: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What features (frames, C) ask of a mouth: probabilities of `VISEMES` (frames, 16), and openings (frames,).

    Openings are in distances of the outer eye corners.
    """
    logits, shapes = encoder.heads(torch.from_numpy(np.asarray(features, np.float32))[None].to(encoder.device))
    return logits[0].softmax(-1).cpu().numpy(), shapes[0, :, 0].cpu().numpy()


def encode_speech(
    encoder: SpeechEncoder, path: Path, frames: int, spans: Spans = None
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Speech features (frames, C) and expected mouth openings (frames,) of one voice in a file, streamed in blocks.

    Every block is heard with the encoder's whole context around it, so the cut does not show in the numbers' meaning.
    """
    meter = LoudnessMeter(AUDIO_RATE)
    for block in speech_blocks(path, spans):
        meter.add(block)
    gain = loudness_gain(meter.integrated())
    features, openings = [], []
    for samples, lead, kept in _windows(AudioReader(path, spans), frames, encoder.reach):
        heard, opening = _listen(encoder, samples * gain)
        features.append(heard[lead : lead + kept].astype(np.float16))
        openings.append(opening[lead : lead + kept])
    return np.concatenate(features), np.concatenate(openings)


@torch.no_grad()
def _listen(encoder: SpeechEncoder, samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    features = encoder(log_mel(torch.from_numpy(samples.astype(np.float32))[None]))
    _, shapes = encoder.heads(features)
    return features[0].numpy(), shapes[0, :, 0].numpy()


def _windows(tape: AudioReader, frames: int, reach: int) -> Iterator[tuple[NDArray[np.float32], int, int]]:
    """Blocks of samples with context: (samples, frames of lead-in, frames to keep)."""
    margin = reach * SAMPLES_PER_FRAME
    for first in range(0, frames, BLOCK_FRAMES):
        kept = min(BLOCK_FRAMES, frames - first)
        stop = (first + kept) * SAMPLES_PER_FRAME + margin
        start = max(0, first * SAMPLES_PER_FRAME - margin)
        window = np.zeros(stop - start, np.float32)
        part = tape(start, stop)
        window[: len(part)] = part
        yield window, first - start // SAMPLES_PER_FRAME, kept
