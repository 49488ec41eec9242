"""How a video network is placed on its device, for networks larger than their card or slower than they could be.

Weights in fewer bits, blocks that wait in main memory, steps that are reused, other attention kernels: torchao and
diffusers do the work, and this module decides which parts of an `AudioDiT` they apply to. Nothing here changes the
network's interface, and nothing is used unless a profile or the user asks for it, since each option costs some
exactness or some time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from diffusers.hooks import FirstBlockCacheConfig

# diffusers offers no public way to register a block or to check a backend; `test_device.py` fails if these names move.
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.models.attention_dispatch import AttentionBackendName, _check_attention_backend_requirements
from torch import nn

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT, AudioDiTBlock, SplitContextProcessor
from dramatis.runtime.packages import require_package

WeightFormat = Literal["bf16", "int8", "float8"]
"""Formats of the blocks' weights: as they are; eight bits to save memory; eight bits that the card also multiplies."""
FLOAT8_CAPABILITY = (8, 9)
"""Compute capability from which NVIDIA's cards multiply float8: RTX 40, L40S, H100 and later."""

# diffusers' hooks look blocks up in this registry, which knows only its own; ours returns one tensor.
TransformerBlockRegistry.register(
    AudioDiTBlock,
    TransformerBlockMetadata(return_hidden_states_index=None, return_encoder_hidden_states_index=None),
)


@dataclass(frozen=True)
class Placement:
    """How a network is placed on a card.

    weight_format: of the blocks' weights. streamed: whether blocks wait in main memory for their turn.
    """

    weight_format: WeightFormat = "bf16"
    streamed: bool = False

    @property
    def bytes_per_weight(self) -> float:
        """Bytes of one of the blocks' weights."""
        return 2.0 if self.weight_format == "bf16" else 1.0

    def __str__(self) -> str:
        whole = self.weight_format if self.weight_format != "bf16" else "whole"
        return f"{whole}, streamed" if self.streamed else whole


def check_weight_format(weight_format: WeightFormat, device: torch.device) -> None:
    """Check that blocks can be kept in this format on this device. Raises UserError."""
    if weight_format == "bf16":
        return
    require_package("torchao", f"A network in {weight_format}")
    if weight_format == "float8" and (
        device.type != "cuda" or torch.cuda.get_device_capability(device) < FLOAT8_CAPABILITY
    ):
        raise UserError(
            "A network in float8 needs a graphics card that multiplies it (RTX 40, L40S, H100 or later); "
            "write `weight_format: int8` into the profile, or leave it out."
        )


def check_attention(backend: str) -> None:
    """Check that diffusers knows an attention backend and finds the packages it needs. Raises UserError."""
    known = sorted(name.value for name in AttentionBackendName)
    if backend not in known:
        raise UserError(f"There is no attention backend {backend!r}; choose one of {', '.join(known)}.")
    try:
        _check_attention_backend_requirements(AttentionBackendName(backend))
    except RuntimeError as error:
        raise UserError(f"The attention backend {backend!r} cannot be used ({error}); choose another.") from error


def place_on_device(
    dit: AudioDiT,
    placement: Placement,
    device: torch.device,
    dtype: torch.dtype,
    *,
    first_block_cache: float = 0.0,
    compiled: bool = False,
    attention: str | None = None,
) -> AudioDiT:
    """The network on its device in its format, ready to be called.

    first_block_cache: threshold of `reuse_steps`, 0 for none. compiled: compile the blocks at the first call.
    attention: see `set_attention_backend`. See also `quantise` and `stream_blocks`.

    Blocks are moved one by one: if the weights are memory-mapped, memory holds one block beside those already placed. A
    network that streams or reuses serves one caller at a time. Raises UserError as `check_weight_format` and
    `check_attention`.
    """
    check_weight_format(placement.weight_format, device)
    if attention is not None:
        set_attention_backend(dit, attention)
    waiting = torch.device("cpu") if placement.streamed else device
    for block in dit.blocks:
        block.to(waiting, dtype)
        if placement.weight_format != "bf16":
            quantise(block, placement.weight_format)
    for name, part in dit.named_children():
        if name != "blocks":
            part.to(waiting, dtype)
    dit.scale_shift_table.data = dit.scale_shift_table.data.to(waiting, dtype)
    if placement.streamed:
        stream_blocks(dit, device)
    if first_block_cache:
        reuse_steps(dit, first_block_cache)
    if compiled:
        dit.compile_repeated_blocks()
    return dit


def quantise(block: nn.Module, weight_format: Literal["int8", "float8"]) -> None:
    """Keep the weights of a block's linear layers in eight bits, one scale a row; sums stay in the network's format.

    int8: products stay in the network's format too. float8: the tokens are rounded likewise, one scale a token, and the
    card multiplies eight bits by eight. The layers outside the blocks affect every token at once and are small, so they
    keep their format.
    """
    from torchao.quantization import (
        Float8DynamicActivationFloat8WeightConfig,
        Int8WeightOnlyConfig,
        PerRow,
        quantize_,
    )

    config = Int8WeightOnlyConfig() if weight_format == "int8" else Float8DynamicActivationFloat8WeightConfig(PerRow())
    quantize_(block, config, filter_fn=lambda module, _: isinstance(module, nn.Linear))


def set_attention_backend(dit: AudioDiT, backend: str) -> None:
    """Compute the attention among video tokens, and to text and picture, with one of diffusers' backends.

    The audio branch keeps torch's own: it reads few tokens, and binding voices compares its sums. Raises UserError as
    `check_attention`.
    """
    check_attention(backend)
    for module in dit.modules():
        processor = getattr(module, "processor", None)
        if isinstance(processor, SplitContextProcessor):
            processor.backend = AttentionBackendName(backend)


def stream_blocks(dit: AudioDiT, device: torch.device) -> None:
    """Keep blocks in main memory and copy each to `device` for its turn, on a CUDA device while the previous one runs.

    The card then holds two blocks, and a step takes at least as long as copying all weights to the card once.
    """
    dit.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="block_level",
        num_blocks_per_group=1,
        use_stream=device.type == "cuda",
        # Page-locked copies of all blocks would take as much main memory again; each is locked when its turn comes.
        low_cpu_mem_usage=True,
    )


def reuse_steps(dit: AudioDiT, threshold: float) -> None:
    """Skip all blocks but the first in steps where that one changes less than `threshold`, relative to the step before.

    The contribution of the other blocks to the last full step is added again. This is for samplers of dozens of steps;
    with few steps, each one counts.
    """
    dit.enable_cache(FirstBlockCacheConfig(threshold=threshold))


@contextmanager
def clip_cache(dit: AudioDiT) -> Iterator[None]:
    """Around the denoising of a clip: nothing is reused from the clip before."""
    try:
        yield
    finally:
        if dit.is_cache_enabled:
            # diffusers has no public way to clear its cache; without this, a test sees one clip leak into the next.
            dit._reset_stateful_cache()  # noqa: SLF001


@contextmanager
def branch_cache(dit: AudioDiT, name: str) -> Iterator[None]:
    """Around one evaluation: each guidance branch compares its steps with its own previous ones."""
    if dit.is_cache_enabled:
        with dit.cache_context(name):
            yield
    else:
        yield
