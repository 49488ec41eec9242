"""How much memory and how many operations a video network needs, counted in a dry run on tensors without content.

Every operation of the real `forward` runs on shapes alone, and the bytes that are alive are counted as they come and
go. So the figure follows the code when the code changes. Invisible to it are the workspaces of kernels, gaps between
allocations, and other uses of the card; `RESERVED_BYTES` stands for those.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from dramatis.models.dit import AudioDiT
from dramatis.models.shapes import PixelShape

DRY_LAYERS = 2
"""Blocks of a dry run: all blocks need the same, so two tell what forty need."""
RESERVED_BYTES = 1.5e9
"""Bytes of a card for its context, the workspaces of kernels and gaps between allocations; not measured."""


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


# The counter knows the fused attention of graphics cards; tensors without content use the processor's.
# torch gives this operation no public name; `test_footprint.py` counts it.
_COUNTED = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}  # noqa: SLF001


@dataclass(frozen=True)
class Footprint:
    """What one evaluation of a video network on one clip needs.

    block_weights, other_weights: number of weights inside and outside the blocks. layers: number of blocks.
    activations: greatest number of bytes alive at once beside the weights, inputs included. operations: floating-point
    operations of all layers.
    """

    block_weights: int
    other_weights: int
    layers: int
    activations: int
    operations: float


def peak_activations(net: nn.Module, inputs: Sequence[Tensor], call: Callable[[], object]) -> int:
    """Greatest number of bytes alive at once in a call, beside the weights; `inputs` are counted throughout."""
    with LiveBytes([*inputs, *net.parameters(), *net.buffers()]) as live, torch.no_grad():
        call()
    return live.peak + sum(tensor.nbytes for tensor in inputs)


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors made inside that are still alive: `now`, and at the peak.

    outside: tensors from before, whose storage views will share.
    """

    def __init__(self, outside: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known = {_address(tensor) for tensor in outside}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._count(leaf)
        return out

    def _count(self, tensor: Tensor) -> None:
        # Views and in-place results share the storage of what they were made from.
        storage = tensor.untyped_storage()
        address, size = _address(tensor), storage.nbytes()
        if address not in self._known:
            self._known.add(address)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, address, size)

    def _forget(self, address: int, size: int) -> None:
        self._known.discard(address)
        self.now -= size


def _address(tensor: Tensor) -> int:
    """The identity of a tensor's storage."""
    # Storages without content have no data pointer, so torch's own handle identifies them; `test_footprint.py` tells
    # if an upgrade changes it.
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001


def measure_footprint(
    config: Mapping[str, Any], frames: int, height: int, width: int, dtype: torch.dtype = torch.bfloat16
) -> Footprint:
    """The footprint of a network with this `AudioDiT` config on clips of F = 4T-3 frames of height x width pixels.

    Counted for one person. Takes about a second and no memory, whatever the size.
    """
    layers = int(config["num_layers"])
    with FakeTensorMode(), default_dtype(dtype):
        dit = AudioDiT.from_config({**config, "num_layers": min(layers, DRY_LAYERS)})
        dit.eval().requires_grad_(requires_grad=False)
        inputs = example_inputs(dit, frames, height, width, dtype)
        tensors = [tensor for tensor in inputs.values() if tensor is not None]
        with FlopCounterMode(display=False, custom_mapping=_COUNTED) as counter:
            activations = peak_activations(dit, tensors, lambda: dit(**inputs))
    block = sum(weight.numel() for weight in dit.blocks[0].parameters())
    other = sum(weight.numel() for name, weight in dit.named_parameters() if not name.startswith("blocks."))
    # The counter names modules by their path from the class down.
    counts = {name: sum(by_operation.values()) for name, by_operation in counter.get_flop_counts().items()}
    per_block, whole = counts["AudioDiT.blocks.0"], counts["AudioDiT"]
    operations = whole + (layers - min(layers, DRY_LAYERS)) * per_block
    return Footprint(layers * block, other, layers, activations, operations)


@cache
def autoencoder_peak(
    frames: int, height: int, width: int, tile: int, dtype: torch.dtype = torch.float32
) -> tuple[int, int]:
    """Bytes of the weights of Wan's autoencoder, and the greatest number of bytes alive beside them.

    It encodes a clip's pictures whole and decodes them in tiles; all tiles of a clip are kept until they are joined,
    about four times its pixels.
    """
    with FakeTensorMode(), default_dtype(dtype):
        net = AutoencoderKLWan().eval().requires_grad_(requires_grad=False)
        weights = sum(weight.nbytes for weight in net.parameters())
        # It works through a few frames at a time, so nine tell what a whole clip needs, but for the clip itself.
        video = torch.empty(1, 3, 9, height, width)
        latents = torch.empty(1, net.config.z_dim, *PixelShape(9, tile, tile).latent())
        encoding = peak_activations(net, [video], lambda: net.encode(video))
        decoding = peak_activations(net, [latents], lambda: net.decode(latents))
    clip = 3 * frames * height * width * dtype.itemsize
    return weights, max(encoding + clip, decoding + 4 * clip)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make tensors of this format by default, since weights without content cannot change theirs afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def example_inputs(dit: AudioDiT, frames: int, height: int, width: int, dtype: torch.dtype) -> dict[str, Tensor | None]:
    """Arguments of `AudioDiT.forward` for a clip of one person, of the right shapes and with arbitrary content."""
    config, latent = dit.config, PixelShape(frames, height, width).latent()

    def empty(*shape: int) -> Tensor:
        return torch.empty(1, *shape, dtype=dtype)

    windowed = config.audio_projection == "multitalk"
    audio = (config.audio_window, config.audio_layers, config.audio_channels) if windowed else (config.audio_channels,)
    image_tokens = math.prod(latent.token_grid) if config.control_dim else 257
    return {
        "latents": empty(config.out_channels, *latent),
        "condition": empty(config.in_channels - config.out_channels, *latent),
        "timestep": torch.zeros(1),
        "text": empty(config.text_len, config.text_dim),
        "image": empty(image_tokens, config.image_dim) if config.image_dim else None,
        "audio": empty(1, frames, *audio),
        "controls": empty(1, frames, config.control_dim) if config.control_dim else None,
        "maps": empty(frames, config.control_channels, *latent.grid) if config.control_channels else None,
    }
