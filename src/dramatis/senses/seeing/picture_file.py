"""A picture file, decoded once however many parts of a job ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.media.files import check_input
from dramatis.media.image import Pictures, fit_picture, load_image
from dramatis.runtime.files import hash_file

OVERVIEW_SIDE = 512
"""Shorter side of an overview, px: the perception network sees less of it anyway."""
_DECODED = 2
"""Pictures that are kept decoded: those of the job at work and of the one before. The largest takes 192 MB."""


@dataclass(frozen=True, eq=False)
class PictureFile:
    """A picture: its file, the SHA-256 of the file's bytes, and its pixels, upright and in sRGB."""

    path: Path
    content_hash: str
    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the file's picture, px."""
        return self.image.size

    def fitted(self, size: tuple[int, int]) -> Pictures:
        """(height, width, 3) uint8: the picture scaled to cover `size` (width, height), centre-cropped."""
        return fit_picture(self.image, size)

    @cached_property
    def overview(self) -> Pictures:
        """(h, w, 3) uint8: the whole picture, made small enough to look for people in it."""
        return self.at_most(OVERVIEW_SIDE)

    def at_most(self, side: int) -> Pictures:
        """(h, w, 3) uint8: the whole picture, made smaller where its shorter side is longer than that many px."""
        scale = min(1.0, side / min(self.size))
        if scale == 1.0:
            return np.asarray(self.image)
        size = (max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale)))
        return np.asarray(self.image.resize(size, Image.Resampling.LANCZOS))


def open_picture(path: str | Path) -> PictureFile:
    """The picture in a file; one with the same content that was opened a moment ago is not decoded again.

    Raises UserError for a file that cannot be used, see `load_image`.
    """
    path = check_input(path, "image")
    content = _Content(hash_file(path), path)
    return PictureFile(path, content.sha256, _decoded(content))


@dataclass(frozen=True)
class _Content:
    """The content of a file; two files with equal bytes are equal."""

    sha256: str
    path: Path = field(compare=False)


@lru_cache(_DECODED)
def _decoded(content: _Content) -> Image.Image:
    return load_image(content.path)
