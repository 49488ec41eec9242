"""How much memory and how many operations a video network needs, counted without either: a dry run on tensors without
content.

Every operation of the real `forward` runs on shapes alone, and the bytes that are alive are counted as they come and
go. So the figure follows the code when the code changes. What it cannot see: the workspace of kernels, holes between
allocations, and what else lives on the card; `RESERVE` stands for those.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
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

DRY_LAYERS = 2
"""Blocks of a dry run: each needs what the others need, so two tell what forty do."""
RESERVE = 1.5e9
"""Bytes of a card for its context, kernels' workspaces and holes; not measured."""


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


# The counter knows the fused attention of graphics cards; without content, tensors take the processor's.
_COUNTED = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}


@dataclass(frozen=True)
class Footprint:
    """Of one evaluation of a video network on one clip.

    block_weights, other_weights: numbers inside and outside the blocks. layers: blocks. activations: greatest number
    of bytes alive at once beside the weights, inputs included. operations: floating-point, of all layers.
    """

    block_weights: int
    other_weights: int
    layers: int
    activations: int
    operations: float


def peak_beside(net: nn.Module, given: Iterable[Tensor], call: Callable[[], object]) -> int:
    """Greatest number of bytes alive at once in a call, beside the weights; `given` are counted throughout."""
    inputs = list(given)
    with LiveBytes([*inputs, *net.parameters(), *net.buffers()]) as live, torch.no_grad():
        call()
    return live.peak + sum(tensor.nbytes for tensor in inputs)


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors made inside that are still alive: `now`, and at most, `peak`.

    outside: tensors from before, which views will share.
    """

    def __init__(self, outside: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in outside}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._count(leaf)
        return out

    def _count(self, tensor: Tensor) -> None:
        # Views and in-place results share the storage of what they were made from.
        storage = tensor.untyped_storage()
        place, size = storage._cdata, storage.nbytes()
        if place not in self._known:
            self._known.add(place)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._known.discard(place)
        self.now -= size


def footprint(
    config: Mapping[str, Any], frames: int, height: int, width: int, dtype: torch.dtype = torch.bfloat16
) -> Footprint:
    """Of a network with this `AudioDiT` config on clips of F = 4T-3 frames of height x width pixels, one person.

    Takes about a second and no memory, whatever the size.
    """
    layers = int(config["num_layers"])
    with FakeTensorMode(), numbers_are(dtype):
        dit = AudioDiT.from_config({**config, "num_layers": min(layers, DRY_LAYERS)}).eval().requires_grad_(False)
        inputs = example_inputs(dit, frames, height, width, dtype)
        given = [tensor for tensor in inputs.values() if tensor is not None]
        with FlopCounterMode(display=False, custom_mapping=_COUNTED) as counter:
            activations = peak_beside(dit, given, lambda: dit(**inputs))
    block = sum(weight.numel() for weight in dit.blocks[0].parameters())
    other = sum(weight.numel() for name, weight in dit.named_parameters() if not name.startswith("blocks."))
    # The counter names what it counts by module path from the class down.
    counted = {name: sum(found.values()) for name, found in counter.get_flop_counts().items()}
    blocks, whole = counted["AudioDiT.blocks.0"], counted["AudioDiT"]
    operations = whole + (layers - min(layers, DRY_LAYERS)) * blocks
    return Footprint(layers * block, other, layers, activations, operations)


@cache
def autoencoder_peak(
    frames: int, height: int, width: int, tile: int, dtype: torch.dtype = torch.float32
) -> tuple[int, int]:
    """(weights, greatest number of bytes alive beside them) of Wan's autoencoder, which encodes a clip's pictures whole
    and decodes them in tiles; all tiles of a clip are held until they are joined, about four times its pixels."""
    with FakeTensorMode(), numbers_are(dtype):
        net = AutoencoderKLWan().eval().requires_grad_(False)
        weights = sum(weight.nbytes for weight in net.parameters())
        # It works through a few frames at a time, so nine tell what a whole clip needs, but for the clip itself.
        video, latents = torch.empty(1, 3, 9, height, width), torch.empty(1, 16, 3, tile // 8, tile // 8)
        encoding = peak_beside(net, [video], lambda: net.encode(video))
        decoding = peak_beside(net, [latents], lambda: net.decode(latents))
    clip = 3 * frames * height * width * dtype.itemsize
    return weights, max(encoding + clip, decoding + 4 * clip)


@contextmanager
def numbers_are(dtype: torch.dtype) -> Iterator[None]:
    """Make tensors of this format by default; weights without content cannot change theirs afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def example_inputs(dit: AudioDiT, frames: int, height: int, width: int, dtype: torch.dtype) -> dict[str, Tensor | None]:
    """Arguments of `AudioDiT.forward` for a clip of one person, of the right shapes and with anything in them."""
    config, latent = dit.config, (frames - 1) // 4 + 1
    cells = (latent, height // 8, width // 8)

    def empty(*shape: int) -> Tensor:
        return torch.empty(1, *shape, dtype=dtype)

    windowed = config.audio_projection == "multitalk"
    audio = (config.audio_window, config.audio_layers, config.audio_channels) if windowed else (config.audio_channels,)
    image_tokens = cells[1] * cells[2] // 4 if config.control_dim else 257
    return {
        "latents": empty(config.out_channels, *cells),
        "condition": empty(config.in_channels - config.out_channels, *cells),
        "timestep": torch.zeros(1),
        "text": empty(config.text_len, config.text_dim),
        "image": empty(image_tokens, config.image_dim) if config.image_dim else None,
        "audio": empty(1, frames, *audio),
        "controls": empty(1, frames, config.control_dim) if config.control_dim else None,
        "maps": empty(frames, config.control_channels, *cells[1:]) if config.control_channels else None,
    }
