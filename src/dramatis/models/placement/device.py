"""A video network larger than its card, or slower than it could be: weights in fewer bits, blocks that wait in main
memory, steps that are reused, other kernels for attention.

torchao and diffusers do the work; here stands which parts of an `AudioDiT` they may take. Nothing of it changes the
network's interface, and nothing is used unless a profile or the user asks for it: every one of them costs some
exactness or some time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from diffusers.hooks import FirstBlockCacheConfig
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.models.attention_dispatch import AttentionBackendName, _check_attention_backend_requirements
from torch import nn

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT, AudioDiTBlock, SplitContextProcessor
from dramatis.runtime.packages import need

Bits = Literal["bf16", "int8", "float8"]
"""Formats of the blocks' weights: as they are; eight bits to save memory; eight bits that a card also multiplies in."""
FLOAT8 = (8, 9)
"""Compute capability from which NVIDIA's cards multiply float8: RTX 40, L40S, H100 and later."""

# diffusers' hooks know its own blocks by name; ours returns one tensor.
TransformerBlockRegistry.register(
    AudioDiTBlock,
    TransformerBlockMetadata(return_hidden_states_index=None, return_encoder_hidden_states_index=None),
)


@dataclass(frozen=True)
class Fit:
    """How a network lies on a card. bits: format of the blocks' weights; streamed: whether blocks wait in main memory
    for their turn."""

    bits: Bits = "bf16"
    streamed: bool = False

    @property
    def bytes_per_weight(self) -> float:
        """Of the blocks."""
        return 2.0 if self.bits == "bf16" else 1.0

    def __str__(self) -> str:
        whole = self.bits if self.bits != "bf16" else "whole"
        return f"{whole}, streamed" if self.streamed else whole


def check_bits(bits: Bits, device: torch.device) -> None:
    """Whether blocks can be kept in this format on this device. Raises UserError."""
    if bits == "bf16":
        return
    need("torchao", f"a network in {bits}")
    if bits == "float8" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < FLOAT8):
        raise UserError(
            "a network in float8 needs a graphics card that multiplies it (RTX 40, L40S, H100 or later); "
            "write `bits: int8` into the profile, or leave it out."
        )


def check_attention(backend: str) -> None:
    """Whether diffusers knows an attention backend and finds what it needs. Raises UserError."""
    known = sorted(name.value for name in AttentionBackendName)
    if backend not in known:
        raise UserError(f"there is no attention backend {backend!r}; choose one of {', '.join(known)}.")
    try:
        _check_attention_backend_requirements(AttentionBackendName(backend))
    except RuntimeError as error:
        raise UserError(f"the attention backend {backend!r} cannot be used ({error}); choose another.") from error


def place(
    dit: AudioDiT,
    fit: Fit,
    device: torch.device,
    dtype: torch.dtype,
    reuse: float = 0.0,
    compiled: bool = False,
    attention: str | None = None,
) -> AudioDiT:
    """The network on its device in its format, ready to be called; see `shrink`, `stream_blocks`, `reuse_steps` and
    `attend_by`.

    Block by block: beside what stays, memory holds one block, if the weights come memory-mapped. compiled: blocks are
    compiled at the first call. A network that streams or reuses serves one caller at a time. Raises UserError as
    `check_bits` and `check_attention`.
    """
    check_bits(fit.bits, device)
    if attention is not None:
        attend_by(dit, attention)
    waiting = torch.device("cpu") if fit.streamed else device
    for block in dit.blocks:
        block.to(waiting, dtype)
        if fit.bits != "bf16":
            shrink(block, fit.bits)
    for name, part in dit.named_children():
        if name != "blocks":
            part.to(waiting, dtype)
    dit.scale_shift_table.data = dit.scale_shift_table.data.to(waiting, dtype)
    if fit.streamed:
        stream_blocks(dit, device)
    if reuse:
        reuse_steps(dit, reuse)
    if compiled:
        dit.compile_repeated_blocks()
    return dit


def shrink(block: nn.Module, bits: Literal["int8", "float8"]) -> None:
    """Keep the weights of a block's linear layers in eight bits, one scale a row; sums stay in the network's format.

    int8: products stay in the network's format too. float8: the tokens are rounded likewise, one scale a token, and the
    card multiplies eight bits by eight. What stands outside the blocks decides every token at once, is small, and keeps
    its format.
    """
    from torchao.quantization import (
        Float8DynamicActivationFloat8WeightConfig,
        Int8WeightOnlyConfig,
        PerRow,
        quantize_,
    )

    config = Int8WeightOnlyConfig() if bits == "int8" else Float8DynamicActivationFloat8WeightConfig(PerRow())
    quantize_(block, config, filter_fn=lambda module, _: isinstance(module, nn.Linear))


def attend_by(dit: AudioDiT, backend: str) -> None:
    """Compute the attention among video tokens, and to words and picture, by one of diffusers' backends.

    The audio branch keeps torch's own: it reads few tokens, and binding voices compares its sums. Raises UserError as
    `check_attention`.
    """
    check_attention(backend)
    for module in dit.modules():
        processor = getattr(module, "processor", None)
        if isinstance(processor, SplitContextProcessor):
            processor.backend = AttentionBackendName(backend)


def stream_blocks(dit: AudioDiT, device: torch.device) -> None:
    """Let blocks wait in main memory and come to `device` for their turn, on a CUDA device while the one before works.

    The card then holds two blocks, and a step takes at least as long as the weights need to cross over once.
    """
    dit.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="block_level",
        num_blocks_per_group=1,
        use_stream=device.type == "cuda",
        # Locked copies of all blocks would take as much main memory again; each is locked when its turn comes.
        low_cpu_mem_usage=True,
    )


def reuse_steps(dit: AudioDiT, threshold: float) -> None:
    """Skip all blocks but the first in steps where that one changes less than `threshold`, relative to the step before.

    What the others added in the last full step is added again. For networks that take dozens of steps; in few-step
    ones every step counts.
    """
    dit.enable_cache(FirstBlockCacheConfig(threshold=threshold))


@contextmanager
def one_clip(dit: AudioDiT) -> Iterator[None]:
    """Around the denoising of a clip: nothing is reused from the clip before."""
    try:
        yield
    finally:
        if dit.is_cache_enabled:
            dit._reset_stateful_cache()


@contextmanager
def one_branch(dit: AudioDiT, name: str) -> Iterator[None]:
    """Around one evaluation: each guidance branch compares its steps with its own."""
    if dit.is_cache_enabled:
        with dit.cache_context(name):
            yield
    else:
        yield
