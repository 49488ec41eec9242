"""How near pictures come to the true ones: PSNR, and detail by the variance of the Laplacian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.models.pictures import to_tensor
from dramatis_lab.train.reconstruction import laplacian


def frames_psnr(a: Pictures, b: Pictures, where: NDArray[np.bool_] | None = None) -> float:
    """dB between two stacks of frames, over the pixels of `where` (F, H, W) if given."""
    error = ((a.astype(np.float64) - b.astype(np.float64)) / 255.0) ** 2
    mean = error.mean() if where is None else error[where].mean()
    return float(-10 * np.log10(max(mean, 1e-10)))


def compare_enlargements(
    true: Pictures, bicubic: Pictures, super_resolved: Pictures, reconstructed: Pictures
) -> dict[str, float]:
    """PSNR (dB) and ratios of Laplacian variances of one clip; all (F, H, W, 3).

    reconstructed: the true frames through the autoencoder, which super-resolution cannot surpass.
    """
    return {
        "psnr": frames_psnr(super_resolved, true),
        "bicubic_psnr": frames_psnr(bicubic, true),
        "autoencoder_psnr": frames_psnr(reconstructed, true),
        "over_bicubic": detail_variance(super_resolved) / detail_variance(bicubic),
        "over_true": detail_variance(super_resolved) / detail_variance(true),
        "bicubic_over_true": detail_variance(bicubic) / detail_variance(true),
        "autoencoder_over_true": detail_variance(reconstructed) / detail_variance(true),
    }


def detail_variance(frames: Pictures) -> float:
    """Variance of the Laplacian of whole frames."""
    return float(laplacian(to_tensor(frames)).var())
