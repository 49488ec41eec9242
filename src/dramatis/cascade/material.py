"""What every stage reads: the reference picture, the sound as features, the performance as controls.

Made once per job and kept as an artifact. It grows by about half a kilobyte a frame (an hour: 45 MB), the one part of a
job that grows at all; pixels are only ever held for the clips at work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.cascade.backbone import Backbone
from dramatis.media import audio as sound
from dramatis.media.loudness import LoudnessMeter, loudness_gain
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME, SpeechEncoder, log_mel
from dramatis.motion.face import HeadFit, project
from dramatis.motion.performance import Performance

BLOCK_FRAMES = 500


@dataclass(frozen=True)
class Material:
    """One job's inputs as the networks take them. N = frames of the video.

    portrait: (H, W, 3) uint8, the reference image at the size of the video. reference: (h, w, 3) uint8, the same at the
    size of low-resolution frames. features: (N, C) float16 speech features. openings: (N,) float32, how far the mouth
    should be open by the sound. performance: N frames. head: the reference's head, in pixels of `reference`.
    """

    portrait: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    features: NDArray[np.float16]
    openings: NDArray[np.float32]
    performance: Performance
    head: HeadFit

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the low-resolution frames."""
        return self.reference.shape[0], self.reference.shape[1]

    @property
    def scale(self) -> int:
        """Side of a frame of the video over that of a low-resolution frame."""
        return self.portrait.shape[0] // self.reference.shape[0]

    def audio(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(F, C) features at frame numbers."""
        return self.features[frames].astype(np.float32)

    def controls(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(F, 26) controls at frame numbers."""
        return self.performance.take(frames).vector()

    def anchors(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(F, 9, 2) pixels of the head's rigid points at frame numbers, in low-resolution frames."""
        return project(self.head, self.performance.take(frames), self.size)

    def digest(self, frames: NDArray[np.int64]) -> str:
        """Hash of everything a clip over these frames reads from here."""
        value = hashlib.sha256(self.portrait.tobytes())
        value.update(self.reference.tobytes())
        value.update(np.ascontiguousarray(self.features[frames]).tobytes())
        value.update(np.ascontiguousarray(self.controls(frames)).tobytes())
        value.update(np.array([self.head.scale, *self.head.centre, *self.head.rotation.ravel()]).tobytes())
        return value.hexdigest()


def hear(backbone: Backbone, path: Path, frames: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Speech features (frames, C) and expected mouth openings (frames,) of an audio file, streamed in blocks.

    Every block is heard with the encoder's whole context around it, so the cut does not show in the numbers' meaning.
    """
    meter = LoudnessMeter(SAMPLE_RATE)
    for block in sound.stream(path, SAMPLE_RATE):
        meter.add(block)
    gain = loudness_gain(meter.integrated())
    encoder = backbone.speech
    features, openings = [], []
    for samples, lead, kept in _windows(path, frames, encoder.reach):
        heard, opening = _listen(encoder, samples * gain)
        features.append(heard[lead : lead + kept].astype(np.float16))
        openings.append(opening[lead : lead + kept])
    return np.concatenate(features), np.concatenate(openings)


@torch.no_grad()
def _listen(encoder: SpeechEncoder, samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    features = encoder(log_mel(torch.from_numpy(samples.astype(np.float32))[None]))
    _, shapes = encoder.heads(features)
    return features[0].numpy(), shapes[0, :, 0].numpy()


def _windows(path: Path, frames: int, reach: int) -> Iterator[tuple[NDArray[np.float32], int, int]]:
    """Blocks of samples with context: (samples, frames of lead-in, frames to keep)."""
    margin = reach * SAMPLES_PER_FRAME
    pending = np.zeros(0, np.float32)
    source = sound.stream(path, SAMPLE_RATE)
    first, at = 0, 0  # frame number of the first kept frame, sample number of pending[0]
    ended = False
    while first < frames:
        kept = min(BLOCK_FRAMES, frames - first)
        stop = (first + kept) * SAMPLES_PER_FRAME + margin
        while not ended and at + len(pending) < stop:
            block = next(source, None)
            ended = block is None
            if block is not None:
                pending = np.concatenate([pending, block])
        start = max(0, first * SAMPLES_PER_FRAME - margin)
        pending, at = pending[start - at :], start
        window = np.zeros(stop - start, np.float32)
        part = pending[: stop - start]
        window[: len(part)] = part
        yield window, first - start // SAMPLES_PER_FRAME, kept
        first += kept
