"""The ear of the public 14B family: chinese-wav2vec2-base, every layer of it, at 25 frames per second.

The mini hears with its own `SpeechEncoder`; the public MultiTalk family was trained on these features: loudness
-23 LUFS, zero mean and unit variance over the whole sound, convolution features interpolated to the frame rate *before*
they are projected, the hidden states after each layer side by side, windows of five frames.

Sound is heard in pieces of `PIECE` frames with `MARGIN` frames of context on either side, so memory does not grow with
its length. Up to `PIECE` + 2 `MARGIN` frames (40 s) there is one piece, and then every number is the family's own. The
layers of a longer sound differ slightly from those of the whole, since attention and the first layer's group norm see
40 s instead of everything.

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
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME

LAYERS, CHANNELS = 12, 768
"""What the DiT's audio projection reads."""
PIECE = 750
MARGIN = 125
WINDOW = 5

SampleReader = Callable[[int, int], NDArray[np.float32]]
"""Mono samples [start, stop) at 16 kHz, full scale 1; fewer where the sound ends."""


@dataclass(frozen=True)
class Level:
    """What brings a sound to zero mean and unit variance: (gain * samples - mean) / std."""

    gain: float
    mean: float
    std: float

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples of any shape at the level that the network wants."""
        return ((self.gain * samples - self.mean) / self.std).astype(np.float32)


def level_of(blocks: Iterable[NDArray[np.floating]]) -> Level:
    """The level of a whole sound, given as (n,) blocks at 16 kHz: loudness to -23 LUFS, then standardised.

    As transformers' `Wav2Vec2FeatureExtractor` does it: the variance is of all samples, plus 1e-7.
    """
    meter = LoudnessMeter(SAMPLE_RATE)
    count, total, squares = 0, 0.0, 0.0
    for block in blocks:
        samples = block.astype(np.float64)
        meter.add(samples)
        count += len(samples)
        total += float(samples.sum())
        squares += float(samples @ samples)
    assert count, "a sound has samples"
    gain = loudness_gain(meter.integrated())
    mean = total / count
    variance = max(0.0, squares / count - mean * mean)
    return Level(gain, gain * mean, math.sqrt(gain * gain * variance + 1e-7))


def check_wav2vec2(folder: Path, pickles: bool = False, layers: int = LAYERS, channels: int = CHANNELS) -> None:
    """Whether a folder holds a wav2vec2 encoder that the DiT can hear with. Raises UserError; reads no weights.

    layers, channels: what the DiT's audio projection takes. pickles: see `open_weights`.
    """
    config = check_published(folder, Wav2Vec2Model, pickles=pickles)
    found = config.get("num_hidden_layers", LAYERS), config.get("hidden_size", CHANNELS)
    if found != (layers, channels) or config.get("do_stable_layer_norm"):
        raise UserError(
            f"{folder}: this wav2vec2 has {found[0]} layers of {found[1]}, and the video model hears {layers} of "
            f"{channels} (base layout); give chinese-wav2vec2-base."
        )


def load_wav2vec2(folder: Path, pickles: bool = False, layers: int = LAYERS, channels: int = CHANNELS) -> Wav2Vec2Model:
    """The speech encoder from its folder, float32; arguments and errors as for `check_wav2vec2`."""
    check_wav2vec2(folder, pickles, layers, channels)
    return load_published(Wav2Vec2Model, folder, torch.float32, pickles)


def layers_in_pieces(
    net: Wav2Vec2Model, read: SampleReader, frames: int, level: Level, piece: int = PIECE, margin: int = MARGIN
) -> Iterator[NDArray[np.float16]]:
    """Layer features of `frames` video frames in order, as parts (n, L, C), one at a time in memory.

    read: the sound; past its end it is silent. level: of the whole sound, see `level_of`.
    """
    assert piece >= 1 and margin >= 0
    if frames <= piece + 2 * margin:
        piece = frames
    for first in range(0, frames, piece):
        last = min(frames, first + piece)
        start, stop = max(0, first - margin), min(frames, last + margin)
        heard = hear_layers(net, level(_padded(read, start, stop)))
        yield heard[first - start : last - start].numpy().astype(np.float16)


@torch.no_grad()
def hear_layers(net: Wav2Vec2Model, samples: NDArray[np.float32]) -> Tensor:
    """Standardised (N,) samples of whole frames, N = 640 F -> hidden states after each layer (F, L, C), float32.

    From whole frames the convolutions make 2F-1 vectors, so that interpolating with aligned corners takes every second
    one as it is: frames of a piece fall exactly where those of the whole sound do.
    """
    assert len(samples) % SAMPLES_PER_FRAME == 0 and len(samples), "whole video frames only"
    frames = len(samples) // SAMPLES_PER_FRAME
    sound = torch.from_numpy(samples).to(net.device, net.dtype)[None]
    features = F.interpolate(net.feature_extractor(sound), frames, mode="linear", align_corners=True)
    hidden, _ = net.feature_projection(features.transpose(1, 2))
    with _outputs(net.encoder.layers) as outputs:
        net.encoder(hidden)
    return torch.stack(outputs, dim=2)[0].float().cpu()


def windows(layers: Tensor, first: int, stop: int) -> Tensor:
    """Features (F, L, C) of a whole sound -> those of frames [first, stop) with their neighbours (n, W, L, C).

    Where a window reaches past the sound, its first or last frame stands again. `torch.stack` over people gives the
    (people, frames, 5, 12, 768) of the DiT.
    """
    assert 0 <= first < stop
    around = torch.arange(first, stop).unsqueeze(1) + torch.arange(WINDOW) - WINDOW // 2
    return layers[around.clamp(0, len(layers) - 1)]


def _padded(read: SampleReader, start: int, stop: int) -> NDArray[np.float32]:
    """Samples of video frames [start, stop), zero where the sound has ended."""
    samples = read(start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME)
    return np.pad(samples, (0, (stop - start) * SAMPLES_PER_FRAME - len(samples))).astype(np.float32)


@contextmanager
def _outputs(layers: nn.ModuleList) -> Iterator[list[Tensor]]:
    """What each layer gives while the context lasts: `output_hidden_states` on the bare encoder of transformers 5
    returns nothing."""
    found: list[Tensor] = []

    def keep(_module: nn.Module, _given: object, out: Tensor | tuple[Tensor, ...]) -> None:
        found.append(out[0] if isinstance(out, tuple) else out)

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
