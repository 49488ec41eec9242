"""Mel spectrograms of samples, as they are and as other microphones would have recorded other throats."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dramatis.media.loudness import integrated_loudness, loudness_gain
from dramatis.models.speech import log_mel
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME
from dramatis_lab.data.shards import ShardDataset


def sample_mel(data: ShardDataset, index: int) -> tuple[Tensor, np.ndarray]:
    """`voice_mel` of the voice in a sample of one person."""
    return voice_mel(data.get(index, "audio"), data.get(index, "index"))


def voice_mel(voice: np.ndarray, index: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """A voice at the loudness that videos are made at, as mel (1, N, 4, 80).

    Besides, which of its N frames belongs to each of the pictures at `index`. voice: (samples,) int16.
    """
    audio = voice.astype(np.float32) / 32768
    audio = audio * loudness_gain(integrated_loudness(audio, AUDIO_RATE))
    last = len(audio) // SAMPLES_PER_FRAME - 1
    return log_mel(torch.from_numpy(audio).unsqueeze(0)), index.astype(int).clip(0, last)


def augment_mel(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Gain, spectral tilt and a shift of up to three bins: other microphones, other throats. (B, F, 4, 80)."""
    bins = torch.linspace(-1, 1, mel.shape[-1], device=mel.device)
    mel = mel + rng.normal(0, 0.25) + rng.normal(0, 0.25) * bins
    return torch.roll(mel, int(rng.integers(-3, 4)), dims=-1)
