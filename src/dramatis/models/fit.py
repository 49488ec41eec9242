"""A video network larger than its card: weights in fewer bits, blocks that wait in main memory, steps that are reused.

torchao and diffusers do the work; here stands which parts of an `AudioDiT` they may take. Nothing of it changes the
network's interface, and nothing is used unless a profile or the user asks for it: every one of them costs some
exactness or some time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch
from diffusers.hooks import FirstBlockCacheConfig
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from torch import nn

from dramatis.models.dit import AudioDiT, AudioDiTBlock
from dramatis.values import UserError

Bits = Literal["bf16", "int8", "float8"]

# diffusers' hooks know its own blocks by name; ours returns one tensor.
TransformerBlockRegistry.register(
    AudioDiTBlock,
    TransformerBlockMetadata(return_hidden_states_index=None, return_encoder_hidden_states_index=None),
)


@dataclass(frozen=True)
class Fit:
    """How a network lies on a card. bits: format of the blocks' weights, bf16 for as they are; streamed: whether blocks
    wait in main memory for their turn."""

    bits: Bits = "bf16"
    streamed: bool = False

    @property
    def bytes_per_weight(self) -> float:
        """Of the blocks."""
        return 2.0 if self.bits == "bf16" else 1.0

    def __str__(self) -> str:
        whole = self.bits if self.bits != "bf16" else "whole"
        return f"{whole}, streamed" if self.streamed else whole


def need_torchao(bits: Bits) -> None:
    """Whether weights can be kept in so many bits; raises UserError with the remedy."""
    if bits != "bf16" and find_spec("torchao") is None:
        raise UserError(
            f"weights in {bits} need torchao, which is not installed; run `pip install dramatis[quantised]`."
        )


def place(
    dit: AudioDiT,
    fit: Fit,
    device: torch.device,
    dtype: torch.dtype,
    reuse: float = 0.0,
    compiled: bool = False,
) -> AudioDiT:
    """The network on its device in its format, ready to be called; see `shrink`, `stream_blocks` and `reuse_steps`.

    Block by block: beside what stays, memory holds one block, if the weights come memory-mapped. compiled: blocks are
    compiled at the first call. A network that streams or reuses serves one caller at a time. Raises UserError where
    torchao is missing.
    """
    need_torchao(fit.bits)
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

    What stands outside the blocks decides every token at once, is small, and keeps its format.
    """
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

    config = Int8WeightOnlyConfig() if bits == "int8" else Float8WeightOnlyConfig()
    quantize_(block, config, filter_fn=lambda module, _: isinstance(module, nn.Linear))


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
