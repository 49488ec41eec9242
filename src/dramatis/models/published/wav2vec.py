"""The speech encoder of the public 14B family: chinese-wav2vec2-base, every layer of it, at 25 frames per second.

The mini has its own `SpeechEncoder`. The public MultiTalk family was trained on these features: loudness -23 LUFS, zero
mean and unit variance over the whole recording, convolution features interpolated to the frame rate *before* they are
projected, the hidden states after each layer side by side, windows of five frames.

Audio is encoded in chunks of `CHUNK_FRAMES` frames with `CHUNK_MARGIN` frames of context on either side, so memory does
not grow with its length. Up to `CHUNK_FRAMES` + 2 `CHUNK_MARGIN` frames (40 s) there is one chunk, and every number is
the family's own. The features of longer audio differ slightly from those of the whole, since attention and the first
layer's group norm see 40 s instead of everything.

Shape legend: F video frames, N samples at 16 kHz, L layers, C channels, W window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import Wav2Vec2Model

from dramatis.errors import UserError
from dramatis.media.loudness import LoudnessMeter, loudness_gain
from dramatis.models.published.checkpoints import check_published, load_published
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME

LAYERS, HIDDEN_SIZE = 12, 768
"""Layers, and channels of each, that the DiT's audio projection reads."""
CHUNK_FRAMES = 750
CHUNK_MARGIN = 125
_WINDOW = 5

SampleReader = Callable[[int, int], NDArray[np.float32]]
"""Mono samples [start, stop) at 16 kHz, full scale 1; fewer where the sound ends."""


@dataclass(frozen=True)
class Level:
    """Brings audio to zero mean and unit variance: (gain * samples - mean) / std."""

    gain: float
    mean: float
    std: float

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples of any shape at the level that the network expects."""
        return ((self.gain * samples - self.mean) / self.std).astype(np.float32)


def measure_level(blocks: Iterable[NDArray[np.floating]]) -> Level:
    """The level of a whole recording, given as (n,) blocks at 16 kHz: loudness to -23 LUFS, then standardised.

    As in transformers' `Wav2Vec2FeatureExtractor`, the variance is of all samples, plus 1e-7.
    """
    meter = LoudnessMeter(AUDIO_RATE)
    count, total, squares = 0, 0.0, 0.0
    for block in blocks:
        samples = block.astype(np.float64)
        meter.add(samples)
        count += len(samples)
        total += float(samples.sum())
        squares += float(samples @ samples)
    assert count, "a recording has samples"
    gain = loudness_gain(meter.integrated())
    mean = total / count
    variance = max(0.0, squares / count - mean * mean)
    return Level(gain, gain * mean, math.sqrt(gain * gain * variance + 1e-7))


def check_wav2vec2(folder: Path, *, pickles: bool = False, layers: int = LAYERS, channels: int = HIDDEN_SIZE) -> None:
    """Check that a folder holds a wav2vec2 encoder whose features the DiT can read; reads no weights.

    layers, channels: of the DiT's audio projection. pickles: see `open_weights`. Raises UserError.
    """
    config = check_published(folder, Wav2Vec2Model, pickles=pickles)
    found = config.get("num_hidden_layers", LAYERS), config.get("hidden_size", HIDDEN_SIZE)
    if found != (layers, channels) or config.get("do_stable_layer_norm"):
        raise UserError(
            f"{folder}: this wav2vec2 has {found[0]} layers of {found[1]} channels, but the video model reads {layers} "
            f"of {channels} (base layout); give chinese-wav2vec2-base."
        )


def load_wav2vec2(
    folder: Path, *, pickles: bool = False, layers: int = LAYERS, channels: int = HIDDEN_SIZE
) -> Wav2Vec2Model:
    """The speech encoder from its folder, float32; arguments and errors as for `check_wav2vec2`."""
    check_wav2vec2(folder, pickles=pickles, layers=layers, channels=channels)
    return load_published(Wav2Vec2Model, folder, torch.float32, pickles=pickles)


def layers_in_chunks(
    net: Wav2Vec2Model,
    read: SampleReader,
    frames: int,
    level: Level,
    chunk: int = CHUNK_FRAMES,
    margin: int = CHUNK_MARGIN,
) -> Iterator[NDArray[np.float16]]:
    """Layer features of `frames` video frames in order, as parts (n, L, C), one at a time in memory.

    read: the samples; after their end there is silence. level: of the whole recording, see `measure_level`.
    """
    assert chunk >= 1, "a chunk has frames"
    assert margin >= 0, "a chunk may have context"
    if frames <= chunk + 2 * margin:
        chunk = frames
    for first in range(0, frames, chunk):
        last = min(frames, first + chunk)
        start, stop = max(0, first - margin), min(frames, last + margin)
        features = layer_features(net, level(_padded(read, start, stop)))
        yield features[first - start : last - start].numpy().astype(np.float16)


@torch.no_grad()
def layer_features(net: Wav2Vec2Model, samples: NDArray[np.float32]) -> Tensor:
    """Standardised (N,) samples of whole frames, N = 640 F -> hidden states after each layer (F, L, C), float32.

    From whole frames the convolutions make 2F-1 vectors, so that interpolating with aligned corners takes every second
    one as it is: frames of a chunk fall exactly where those of the whole recording do.
    """
    assert len(samples) % SAMPLES_PER_FRAME == 0, "whole video frames only"
    assert len(samples), "at least one video frame"
    frames = len(samples) // SAMPLES_PER_FRAME
    audio = torch.from_numpy(samples).to(net.device, net.dtype)[None]
    features = F.interpolate(net.feature_extractor(audio), frames, mode="linear", align_corners=True)
    hidden, _ = net.feature_projection(features.transpose(1, 2))
    with _outputs(net.encoder.layers) as outputs:
        net.encoder(hidden)
    return torch.stack(outputs, dim=2)[0].float().cpu()


def feature_windows(layers: Tensor, first: int, stop: int) -> Tensor:
    """Features (F, L, C) of a whole recording -> those of frames [first, stop) with their neighbours (n, W, L, C).

    Where a window reaches past either end, the first or last frame is repeated. `torch.stack` over people gives the
    (people, frames, 5, 12, 768) of the DiT.
    """
    assert 0 <= first < stop
    around = torch.arange(first, stop).unsqueeze(1) + torch.arange(_WINDOW) - _WINDOW // 2
    return layers[around.clamp(0, len(layers) - 1)]


def _padded(read: SampleReader, start: int, stop: int) -> NDArray[np.float32]:
    """Samples of video frames [start, stop), zero after the end of the recording."""
    samples = read(start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME)
    return np.pad(samples, (0, (stop - start) * SAMPLES_PER_FRAME - len(samples))).astype(np.float32)


@contextmanager
def _outputs(layers: nn.ModuleList) -> Iterator[list[Tensor]]:
    """The output of each layer while the context lasts.

    `output_hidden_states` on the bare encoder of transformers 5 returns nothing.
    """
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        outputs.append(output[0] if isinstance(output, tuple) else output)

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
