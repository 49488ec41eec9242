"""The audio-driven video DiT: one class, from the shipped mini to the public 14B checkpoints.

Wan 2.1 image-to-video layout (3-D RoPE, adaLN modulation, text and image cross-attention) plus the MultiTalk audio
branch. Input channels are 16 noise + 4 mask + 16 condition latents: the mask says which pixel frames are given, and so
one network serves first-frame, first-last-frame, gap-filling and blueprint tasks (report, section 3.1).
Two optional inputs exist for models trained on them and are absent from the public checkpoints: a control vector per
frame (what the audio does not tell of the performance: pose, camera, emotion) and coordinate maps per latent cell.

Shape legend: B batch, N people, T latent frames, F = 4T-3 video frames, H W latent cells, S tokens of a frame, D width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import FeedForward
from diffusers.models.attention_dispatch import AttentionBackendName
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_wan import (
    WanAttention,
    WanRotaryPosEmbed,
    WanTimeTextImageEmbedding,
)
from einops import rearrange
from torch import Tensor, nn

from dramatis.models.attention import Rotary, attend, rotate
from dramatis.models.audio_attention import AudioCrossAttention, FrameAudioProjection, MultiTalkAudioProjection
from dramatis.models.binding import VoiceBinding


class SplitContextProcessor:
    """Wan attention with text and image context as separate arguments.

    diffusers' own processor finds the image tokens by counting 512 text tokens from the end, which ties it to one text
    length; the mini's is shorter. `on_attention` receives queries and keys after their rotation. backend: see `attend`.
    """

    backend: AttentionBackendName | None = None

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: Rotary | None = None,
        image_states: Tensor | None = None,
        on_attention: Callable[[Tensor, Tensor], None] | None = None,
    ) -> Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        key = attn.norm_k(attn.to_k(context)).unflatten(2, (attn.heads, -1))
        value = attn.to_v(context).unflatten(2, (attn.heads, -1))
        if rotary_emb is not None:
            query, key = rotate(query, rotary_emb), rotate(key, rotary_emb)
        if on_attention is not None:
            on_attention(query, key)
        out = attend(query, key, value, attention_mask, self.backend).flatten(2)
        if image_states is not None:
            key = attn.norm_added_k(attn.add_k_proj(image_states)).unflatten(2, (attn.heads, -1))
            value = attn.add_v_proj(image_states).unflatten(2, (attn.heads, -1))
            out = out + attend(query, key, value, backend=self.backend).flatten(2)
        return attn.to_out[1](attn.to_out[0](out))


class AudioDiTBlock(nn.Module):
    """Self-attention, text and image cross-attention, gated audio injection, feed-forward."""

    def __init__(
        self,
        dim: int,
        ffn_dim: int,
        heads: int,
        audio_dim: int,
        eps: float,
        *,
        image_context: bool,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.attn1 = WanAttention(dim, heads, dim // heads, eps, processor=SplitContextProcessor())
        self.norm2 = nn.LayerNorm(dim, eps)
        self.attn2 = WanAttention(
            dim,
            heads,
            dim // heads,
            eps,
            added_kv_proj_dim=dim if image_context else None,
            cross_attention_dim_head=dim // heads,
            processor=SplitContextProcessor(),
        )
        self.norm_x = nn.LayerNorm(dim, eps)
        self.audio_cross_attn = AudioCrossAttention(dim, heads, audio_dim)
        self.norm3 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = FeedForward(dim, inner_dim=ffn_dim, activation_fn="gelu-approximate")
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def forward(
        self,
        hidden_states: Tensor,
        modulation: Tensor,
        text: Tensor,
        image: Tensor | None,
        audio: Tensor,
        gates: Tensor | None,
        rotary: Rotary,
        regions: Tensor | None = None,
    ) -> Tensor:
        """The block's output, (B, T, S, D).

        Args:
            hidden_states: (B, T, S, D), under the name that diffusers' hooks look for.
            modulation: (B, 1 or T, 6, 1 or S, D).
            text: text states.
            image: image states, or None.
            audio: (B, N, T, A, C).
            gates: (B, N, T, S) soft masks; None for all ones.
            rotary: the rotation of the video tokens.
            regions: (B, 3, S) binds two voices by position instead (see `binding`).
        """
        x, frames = hidden_states, hidden_states.shape[1]
        table = (self.scale_shift_table[:, None, :, None] + modulation).to(x.dtype)
        shift1, scale1, gate1, shift2, scale2, gate2 = table.unbind(2)

        def flat(x: Tensor) -> Tensor:
            return rearrange(x, "b t s d -> b (t s) d")

        def clip(x: Tensor) -> Tensor:
            return rearrange(x, "b (t s) d -> b t s d", t=frames)

        binding = None if regions is None else VoiceBinding(regions)
        on_attention = None if binding is None else binding.on_attention
        modulated = flat(self.norm1(x) * (1 + scale1) + shift1)
        x = x + gate1 * clip(self.attn1(modulated, rotary_emb=rotary, on_attention=on_attention))
        x = x + clip(self.attn2(flat(self.norm2(x)), encoder_hidden_states=text, image_states=image))
        x = self._add_audio(x, audio, gates, binding)
        return x + gate2 * self.ffn(self.norm3(x) * (1 + scale2) + shift2)

    def _add_audio(self, x: Tensor, audio: Tensor, gates: Tensor | None, binding: VoiceBinding | None) -> Tensor:
        """Report, section 3.3: each person's sound reaches only that person's region."""
        attention = self.audio_cross_attn
        rotaries = None if binding is None else binding.rotaries(x.shape[-1] // attention.heads, audio.shape[3])
        return x + attention(self.norm_x(x), audio, gates, rotaries)


class AudioDiT(ModelMixin, ConfigMixin, PeftAdapterMixin, CacheMixin):
    """Audio-driven video diffusion transformer; the defaults are the public 14B layout.

    Args:
        audio_projection: "multitalk" (wav2vec2 windows) or "frame" (one vector a video frame).
        audio_channels: channels of one audio feature vector.
        control_dim: width of the per-frame control vector; 0 = none (the public checkpoints).
        control_channels: channels of the coordinate maps per pixel frame; 0 = none.
    """

    _supports_gradient_checkpointing = False
    _no_split_modules: ClassVar = ["AudioDiTBlock"]
    _repeated_blocks: ClassVar = ["AudioDiTBlock"]

    # diffusers reads the config off this signature, so it lists every field.
    @register_to_config
    def __init__(  # noqa: PLR0913
        self,
        patch_size: tuple[int, int, int] = (1, 2, 2),
        num_attention_heads: int = 40,
        attention_head_dim: int = 128,
        in_channels: int = 36,
        out_channels: int = 16,
        text_dim: int = 4096,
        # `forward` reads it from the config.
        text_len: int = 512,  # noqa: ARG002
        freq_dim: int = 256,
        ffn_dim: int = 13824,
        num_layers: int = 40,
        eps: float = 1e-6,
        image_dim: int | None = 1280,
        rope_max_seq_len: int = 1024,
        audio_projection: str = "multitalk",
        audio_channels: int = 768,
        audio_window: int = 5,
        audio_layers: int = 12,
        audio_intermediate_dim: int = 512,
        audio_output_dim: int = 768,
        audio_context_tokens: int = 32,
        control_dim: int = 0,
        control_channels: int = 0,
    ) -> None:
        super().__init__()
        dim = num_attention_heads * attention_head_dim
        self.rope = WanRotaryPosEmbed(attention_head_dim, patch_size, rope_max_seq_len)
        self.patch_embedding = nn.Conv3d(in_channels, dim, kernel_size=patch_size, stride=patch_size)
        self.condition_embedder = WanTimeTextImageEmbedding(dim, freq_dim, dim * 6, text_dim, image_dim)
        if audio_projection == "multitalk":
            self.audio_proj: nn.Module = MultiTalkAudioProjection(
                audio_window,
                audio_layers,
                audio_channels,
                audio_intermediate_dim,
                audio_output_dim,
                audio_context_tokens,
            )
        else:
            assert audio_projection == "frame", f"unknown audio projection {audio_projection!r}"
            self.audio_proj = FrameAudioProjection(audio_channels, audio_output_dim)
        if control_dim:
            # Audio joins the control path as well: it helps lips early in training.
            self.control_embedder = nn.Sequential(nn.Linear(4 * control_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
            self.audio_embedder = nn.Linear(self.audio_proj.context_tokens * audio_output_dim, dim)
        if control_channels:
            patch = math.prod(patch_size)
            self.map_embedding = nn.Linear(2 * control_channels * patch, dim)
            nn.init.zeros_(self.map_embedding.weight)
        self.blocks = nn.ModuleList(
            AudioDiTBlock(dim, ffn_dim, num_attention_heads, audio_output_dim, eps, image_context=image_dim is not None)
            for _ in range(num_layers)
        )
        self.norm_out = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.proj_out = nn.Linear(dim, out_channels * math.prod(patch_size))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, dim) / dim**0.5)

    # One argument for each condition; they differ in shape, and most are absent from some model.
    def forward(  # noqa: PLR0913
        self,
        latents: Tensor,
        condition: Tensor,
        timestep: Tensor,
        text: Tensor,
        image: Tensor | None,
        audio: Tensor,
        masks: Tensor | None = None,
        controls: Tensor | None = None,
        maps: Tensor | None = None,
        regions: Tensor | None = None,
        on_block: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """Predict the flow-matching velocity (noise - clean).

        Args:
            latents: (B, 16, T, H, W) noisy latents.
            condition: (B, 20, T, H, W): 4 mask channels (1 = that pixel frame is given), 16 condition latents.
            timestep: (B,) in [0, 1000], 1000 = pure noise.
            text: (B, <= text_len, text_dim); padded with zeros.
            image: (B, tokens, image_dim) image-encoder tokens of the reference, or None.
            audio: (B, N, F, ...) features of N people, one entry per video frame.
            masks: (B, N, T, H/2, W/2) soft masks of the people, which sum to 1 at most: where each person's sound and
                performance apply. None: everybody's reach the whole picture, as is right for one person.
            controls: (B, N, F, control_dim) the performance of each person, for models that have `control_dim`.
            maps: (B, F, control_channels, H, W) coordinate maps, for models that have `control_channels`. Rotary
                positions are relative, so only these maps tell a window where in the picture it lies.
            regions: (B, 3, H, W) masks of two people and the background in the first latent frame: their voices are
                bound by position, as the public checkpoints learnt it, and `masks` must be None.
            on_block: called after every block with its index and its output, hidden states (B, T, S, D).

        Returns:
            (B, 16, T, H, W).
        """
        patch_t, patch_h, patch_w = self.config.patch_size
        rotary = self.rope(latents)
        x = self.patch_embedding(torch.cat([latents, condition], dim=1))
        height, width = x.shape[3:]
        x = rearrange(x, "b d t h w -> b t (h w) d")
        if maps is not None:
            x = x + self.map_embedding(self._map_tokens(maps))

        text = nn.functional.pad(text, (0, 0, 0, self.config.text_len - text.shape[1]))
        temb, _, text, image = self.condition_embedder(timestep, text, image)
        people = audio.shape[1]
        audio = self.audio_proj(audio.flatten(0, 1)).unflatten(0, (-1, people))
        gates = None if masks is None else rearrange(masks, "b n t h w -> b n t (h w)")
        embedded = self._embed(temb, audio, controls)
        modulation = self.condition_embedder.time_proj(self.condition_embedder.act_fn(embedded)).unflatten(-1, (6, -1))
        modulation = rearrange(_mix_people(modulation, gates), "b t s k d -> b t k s d")
        if regions is not None:
            assert people == 2, "positions bind two people"
            assert masks is None, "positions take the place of soft masks"
            regions = rearrange(regions[..., ::patch_h, ::patch_w], "b c h w -> b c (h w)")
        for index, block in enumerate(self.blocks):
            x = block(x, modulation, text, image, audio, gates, rotary, regions)
            if on_block is not None:
                on_block(index, x)

        shift, scale = (self.scale_shift_table[:, None, None] + _mix_people(embedded, gates).unsqueeze(3)).unbind(3)
        x = self.proj_out(self.norm_out(x) * (1 + scale) + shift)
        return rearrange(
            x,
            "b t (h w) (pt ph pw c) -> b c (t pt) (h ph) (w pw)",
            h=height,
            w=width,
            pt=patch_t,
            ph=patch_h,
            pw=patch_w,
        )

    def _embed(self, temb: Tensor, audio: Tensor, controls: Tensor | None) -> Tensor:
        """The timestep, with what each of N people does and says: (B, N, T, D).

        (B, 1, 1, D), the timestep alone, for models without controls.
        """
        time = temb[:, None, None]
        if controls is None:
            return time
        people = controls.shape[1]
        acted = self.control_embedder(group_frames(controls.flatten(0, 1))).unflatten(0, (-1, people))
        return time + acted + self.audio_embedder(audio.flatten(3))

    def _map_tokens(self, maps: Tensor) -> Tensor:
        """(B, F, C, H, W) -> (B, T, S, 2C*patch): the first and the last pixel frame of every latent frame."""
        _, patch_h, patch_w = self.config.patch_size
        first = torch.cat([maps[:, :1], maps[:, 1::4]], dim=1)
        last = maps[:, ::4]
        pair = torch.cat([first, last], dim=2)
        return rearrange(pair, "b t c (h p) (w q) -> b t (h w) (p q c)", p=patch_h, q=patch_w)


def _mix_people(people: Tensor, gates: Tensor | None) -> Tensor:
    """The embeddings of N people, (B, N, T, ..., D), as each token receives them: (B, T, S, ..., D).

    gates: (B, N, T, S) weights of the people; what they leave over goes to the mean of all. Without gates every token
    receives the mean, (B, T, 1, ..., D).
    """
    mean = people.mean(1).unsqueeze(2)
    if gates is None or people.shape[1] == 1:
        return mean
    apart = (people - people.mean(1, keepdim=True)).flatten(3)
    return mean + torch.einsum("bnts,bntd->btsd", gates.to(apart.dtype), apart).unflatten(-1, people.shape[3:])


def group_frames(per_frame: Tensor) -> Tensor:
    """(B, F, C) -> (B, T, 4C): the pixel frames of every latent frame side by side; the first one stands four times."""
    padded = torch.cat([per_frame[:, :1].expand(-1, 3, -1), per_frame], dim=1)
    return rearrange(padded, "b (t k) c -> b t (k c)", k=4)
