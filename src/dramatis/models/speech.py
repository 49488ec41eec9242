"""The mini's speech encoder: log-mel frames in, one feature vector per video frame out.

Four hops of 10 ms make one video frame at 25 fps. Nothing has to be downloaded (the 14B family uses wav2vec2 instead).
The encoder is trained on visemes and mouth shapes straight from phoneme timings, then kept frozen while the DiT
learns. Its context is `SpeechEncoder.reach` video frames on either side, so hour-long audio can be encoded in blocks
with identical results.

Shape legend: B batch, N samples at 16 kHz, F video frames, M mel bins, C channels.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import Tensor, nn

from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME

MEL_HOP = 160
HOPS_PER_FRAME = SAMPLES_PER_FRAME // MEL_HOP
MEL_WINDOW = 400
MEL_BINS = 80


@functools.lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """(80, 257) Slaney mel filters for a 512-point transform at 16 kHz."""
    from librosa.filters import mel  # half a second to import: only when audio is really encoded

    return mel(sr=AUDIO_RATE, n_fft=512, n_mels=MEL_BINS, fmin=50, fmax=7600)


def log_mel(samples: Tensor) -> Tensor:
    """(B, 640 F) mono at 16 kHz, loudness near -23 LUFS -> (B, F, 4, 80) log-mel, about zero mean and unit variance.

    Hop k of video frame f is centred at sample 640 f + 160 k + 80, so that a frame reaches no further into its future
    than half a window.
    """
    assert samples.shape[1] % SAMPLES_PER_FRAME == 0, "whole video frames only"
    padded = F.pad(samples, (MEL_WINDOW // 2 - MEL_HOP // 2, MEL_WINDOW // 2 - MEL_HOP // 2))
    frames = padded.unfold(1, MEL_WINDOW, MEL_HOP) * torch.hann_window(MEL_WINDOW, device=samples.device)
    power = torch.fft.rfft(frames, n=512).abs().square()
    mel = power @ torch.from_numpy(mel_filters()).to(samples.device).T
    return rearrange((torch.log(mel + 1e-5) + 5.0) / 4.0, "b (f k) m -> b f k m", k=HOPS_PER_FRAME)


class ConvBlock(nn.Module):
    """Depth-wise convolution over time and a feed-forward around a skip; the layer norm keeps frames independent."""

    def __init__(self, channels: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.depthwise = nn.Conv1d(
            channels, channels, kernel, padding=dilation * (kernel // 2), groups=channels, dilation=dilation
        )
        self.up = nn.Linear(channels, 3 * channels)
        self.down = nn.Linear(3 * channels, channels)
        self.reach = dilation * (kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, C) -> the same."""
        mixed = self.depthwise(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + self.down(F.gelu(self.up(mixed)))


def _reach(blocks: nn.ModuleList) -> int:
    return sum(block.reach for block in blocks if isinstance(block, ConvBlock))


class SpeechEncoder(ModelMixin, ConfigMixin):
    """Log-mel hops to one feature vector per video frame.

    Args:
        channels: feature width.
        blocks: blocks at hop rate (100 Hz) and at frame rate (25 Hz).
        visemes: classes of the training head.
        shapes: continuous mouth measures of the training head (opening, jaw, width, pucker, press, voice).
    """

    @register_to_config
    def __init__(
        self, channels: int = 160, blocks: tuple[int, int] = (1, 4), visemes: int = 16, shapes: int = 6
    ) -> None:
        super().__init__()
        self.mel_in = nn.Linear(MEL_BINS, channels)
        self.hop_blocks = nn.ModuleList(ConvBlock(channels, 5) for _ in range(blocks[0]))
        self.to_frames = nn.Linear(HOPS_PER_FRAME * channels, channels)
        self.frame_blocks = nn.ModuleList(ConvBlock(channels, 5) for _ in range(blocks[1]))
        self.norm = nn.LayerNorm(channels)
        self.viseme_head = nn.Linear(channels, visemes)
        self.shape_head = nn.Linear(channels, shapes)

    @property
    def reach(self) -> int:
        """Video frames of context on either side that a feature can depend on."""
        return -(-_reach(self.hop_blocks) // HOPS_PER_FRAME) + _reach(self.frame_blocks) + 1

    def forward(self, mel: Tensor) -> Tensor:
        """(B, F, 4, 80) -> (B, F, channels)."""
        frames = mel.shape[1]
        x = self.mel_in(rearrange(mel, "b f k m -> b (f k) m"))
        for block in self.hop_blocks:
            x = block(x)
        x = self.to_frames(rearrange(x, "b (f k) c -> b f (k c)", f=frames))
        for block in self.frame_blocks:
            x = block(x)
        return self.norm(x)

    def heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, F, C) -> viseme logits (B, F, visemes), mouth shapes (B, F, shapes)."""
        return self.viseme_head(features), self.shape_head(features)
