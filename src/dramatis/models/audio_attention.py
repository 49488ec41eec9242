"""The audio branch: speech features to a few tokens per latent frame, and the attention that injects them.

Two projections share one output shape. `MultiTalkAudioProjection` is the public MultiTalk family's (wav2vec2 layers in
windows of five frames); `FrameAudioProjection` is the mini's (one feature vector per video frame from our own speech
encoder). The attention is per latent frame: a video token attends only to the audio of its own moment.

Shape legend: B batch, N people, F video frames (4T-3), T latent frames, S space tokens, A audio tokens, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from dramatis.models.attention import Rotary, attend, rotate


class MultiTalkAudioProjection(nn.Module):
    """Window features (B, F, window, layers, channels) -> tokens (B, T, tokens, output_dim).

    The first frame goes alone through `proj1`. Of each later group of four, the head of the first frame's window, the
    centres of the two middle ones and the tail of the last go through `proj1_vf`: eight vectors.
    """

    def __init__(
        self,
        window: int = 5,
        layers: int = 12,
        channels: int = 768,
        intermediate_dim: int = 512,
        output_dim: int = 768,
        context_tokens: int = 32,
    ) -> None:
        super().__init__()
        self.context_tokens, self.output_dim, self.window = context_tokens, output_dim, window
        vector = layers * channels
        self.proj1 = nn.Linear(window * vector, intermediate_dim)
        self.proj1_vf = nn.Linear((window + 3) * vector, intermediate_dim)
        self.proj2 = nn.Linear(intermediate_dim, intermediate_dim)
        self.proj3 = nn.Linear(intermediate_dim, context_tokens * output_dim)
        self.norm = nn.LayerNorm(output_dim)

    def forward(self, audio: Tensor) -> Tensor:
        middle = self.window // 2
        first = rearrange(audio[:, :1], "b t w l c -> b t (w l c)")
        groups = rearrange(audio[:, 1:], "b (t k) w l c -> b t k w l c", k=4)
        later = torch.cat(
            [
                groups[:, :, 0, : middle + 1],
                groups[:, :, 1:-1, middle],
                groups[:, :, -1, middle:],
            ],
            dim=2,
        )
        hidden = torch.cat(
            [F.relu(self.proj1(first)), F.relu(self.proj1_vf(rearrange(later, "b t k l c -> b t (k l c)")))], dim=1
        )
        tokens = self.proj3(F.relu(self.proj2(hidden)))
        return self.norm(rearrange(tokens, "b t (a c) -> b t a c", a=self.context_tokens))


class FrameAudioProjection(nn.Module):
    """Frame features (B, F, channels) -> tokens (B, T, 6, output_dim): a latent frame's four and one on either side."""

    context_tokens = 6

    def __init__(self, channels: int, output_dim: int) -> None:
        super().__init__()
        self.output_dim = output_dim
        self.proj = nn.Sequential(nn.Linear(channels, output_dim), nn.SiLU(), nn.Linear(output_dim, output_dim))
        self.position = nn.Parameter(torch.randn(self.context_tokens, output_dim) * 0.5)
        self.norm = nn.LayerNorm(output_dim)

    def forward(self, audio: Tensor) -> Tensor:
        padded = torch.cat([audio[:, :1].expand(-1, 4, -1), audio, audio[:, -1:]], dim=1)
        windows = padded.unfold(1, 6, 4)
        return self.norm(self.proj(rearrange(windows, "b t c a -> b t a c")) + self.position)


class AudioCrossAttention(nn.Module):
    """Video tokens of one latent frame attend to that frame's audio tokens; no query-key norm, as in MultiTalk."""

    def __init__(self, dim: int, heads: int, audio_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_linear = nn.Linear(dim, dim)
        self.kv_linear = nn.Linear(audio_dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(
        self,
        x_BTSC: Tensor,
        audio_BNTAC: Tensor,
        gates_BNTS: Tensor | None = None,
        rotaries: tuple[Rotary, Rotary] | None = None,
    ) -> Tensor:
        """What the audio adds to every token: sum_i M_i * attention(x, audio_i) (report, section 3.3).

        Args:
            x_BTSC: video tokens.
            audio_BNTAC: audio tokens of every person.
            gates_BNTS: soft masks M of the people; None for all ones.
            rotaries: binds the voices by position instead: rotates queries by (B, T, S, D) angles, and the keys of all
                voices, one after the other, by (N A, D); every token then attends to all voices at once.
        """
        frames = x_BTSC.shape[1]
        query = rearrange(self.q_linear(x_BTSC), "b t s (h d) -> (b t) s h d", h=self.heads)
        if rotaries is not None:
            (cos, sin), (key_cos, key_sin) = rotaries
            key, value = self._keys(rearrange(audio_BNTAC, "b n t a c -> b t (n a) c"))
            query = rotate(query, (cos.flatten(0, 1).unsqueeze(2), sin.flatten(0, 1).unsqueeze(2)))
            voices = [attend(query, rotate(key, (key_cos.unsqueeze(1), key_sin.unsqueeze(1))), value)]
        else:
            voices = [attend(query, *self._keys(audio)) for audio in audio_BNTAC.unbind(1)]
        parts = [rearrange(voice, "(b t) s h d -> b t s (h d)", t=frames) for voice in voices]
        if gates_BNTS is None:
            out: Tensor = self.proj(parts[0] if len(parts) == 1 else torch.stack(parts).sum(0))
            # One projection serves all voices, and its bias is added once for each.
            return out if len(parts) == 1 else out + (len(parts) - 1) * self.proj.bias
        gates = gates_BNTS.unsqueeze(-1).to(x_BTSC.dtype)
        mixed = torch.stack([gates[:, person] * part for person, part in enumerate(parts)]).sum(0)
        # The bias is added for each voice, weighted by its gate.
        projected: Tensor = self.proj(mixed)
        return projected + (gates.sum(1) - 1) * self.proj.bias

    def _keys(self, audio_BTAC: Tensor) -> Tensor:
        """Keys and values (2, B T, A, heads, D)."""
        return rearrange(self.kv_linear(audio_BTAC), "b t a (k h d) -> k (b t) a h d", k=2, h=self.heads)
