"""The autoencoder of the public 14B family, diffusers' `AutoencoderKLWan`, behind the interface of the mini's.

4n+1 frames, an eighth of the sides, four frames a latent, (z - mean) / std for the DiT. The whole picture is encoded at
once, since tiles would leave their borders in the condition. It is decoded in tiles of `tile` pixels: the memory needed
beside the clip itself depends on the tile's size, not on the picture's.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers
from torch import Tensor, nn

from dramatis.errors import UserError
from dramatis.models.autoencoder import LatentSpace
from dramatis.models.published.checkpoints import check_fit, check_published, open_weights, weight_files
from dramatis.models.shapes import PixelShape

STEM = "diffusion_pytorch_model"
LATENT_CHANNELS = 16
DECODE_TILE = 256
"""Side in pixels of the tiles that are decoded."""


class WanAutoencoder(LatentSpace, nn.Module):
    """`AutoencoderKLWan` called like `MiniAutoencoder`.

    Args:
        net: diffusers' network.
        tile: side in pixels of the tiles that are decoded. diffusers keeps all tiles of a clip in memory before it
            joins them, about four times the clip's own pixels.
        overlap: pixels that neighbouring tiles share and over which they fade into each other.
    """

    def __init__(self, net: AutoencoderKLWan, tile: int = DECODE_TILE, overlap: int = 64) -> None:
        super().__init__()
        self.net = net
        self.config = net.config
        assert tile % self.strides.space == 0, "tiles end on latent cells"
        assert overlap % self.strides.space == 0, "tiles begin on latent cells"
        assert 0 < overlap < tile, "tiles overlap by less than their side"
        net.enable_tiling(tile, tile, tile - overlap, tile - overlap)
        # While it works, the network keeps the preceding frames as its own state.
        self._alone = threading.Lock()

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return self.net.dtype

    def encode(self, video: Tensor) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1], F = 4n+1 -> raw latents (B, 16, n+1, H/8, W/8), the distribution's mode.

        Raises ValueError as `PixelShape.latent`.
        """
        PixelShape(*video.shape[2:]).latent(self.strides)
        with self._alone:
            self.net.disable_tiling()
            return self.net.encode(video).latent_dist.mode()

    def decode(self, latents: Tensor) -> Tensor:
        """Raw latents (B, 16, T, h, w) -> video (B, 3, 4T-3, 8h, 8w) in [-1, 1]."""
        with self._alone:
            self.net.use_tiling = True
            return self.net.decode(latents).sample

    def forward(self, video: Tensor) -> Tensor:
        """Encode and decode: (B, 3, F, H, W) -> the same shape."""
        return self.decode(self.encode(video))


def check_wan_autoencoder(weights: Path, *, pickles: bool = False, config: dict[str, Any] | None = None) -> None:
    """Check that the autoencoder's weights are there, whole and of the right shapes; reads no numbers.

    weights: a diffusers folder (`vae`), or a single file under Wan's names (`Wan2.1_VAE.pth`). config: of a single
    file, Wan 2.1's by default. pickles: see `open_weights`. Raises UserError.
    """
    _opened(weights, config, pickles=pickles)


def load_wan_autoencoder(
    weights: Path,
    *,
    pickles: bool = False,
    dtype: torch.dtype = torch.float32,
    config: dict[str, Any] | None = None,
) -> WanAutoencoder:
    """The autoencoder, evaluation mode, on the CPU; arguments and errors as for `check_wan_autoencoder`."""
    net, state = _opened(weights, config, pickles=pickles)
    net.load_state_dict({key: value.to(dtype) for key, value in state.items()}, assign=True)
    return WanAutoencoder(net.requires_grad_(requires_grad=False)).eval()


def _opened(
    weights: Path, config: dict[str, Any] | None, *, pickles: bool
) -> tuple[AutoencoderKLWan, dict[str, Tensor]]:
    """A network without memory of its own, and the memory-mapped tensors that fit it."""
    state: dict[str, Tensor] = {}
    if weights.is_dir():
        config = check_published(weights, AutoencoderKLWan, STEM)
        for path in weight_files(weights, STEM):
            state |= open_weights(path)
    else:
        state = convert_wan_vae_to_diffusers(open_weights(weights, pickles=pickles))
    with torch.device("meta"):
        net = AutoencoderKLWan.from_config(config or {})
    if net.config.z_dim != LATENT_CHANNELS:
        raise UserError(
            f"{weights}: this autoencoder has {net.config.z_dim} latent channels instead of {LATENT_CHANNELS}; "
            "give the one of Wan 2.1."
        )
    check_fit(weights, state, net)
    return net, state
