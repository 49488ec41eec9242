"""Reference images: any png, jpg or webp becomes an upright sRGB picture, then an array at the model's size."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from dramatis.errors import UserError
from dramatis.media.files import check_input

Pictures = NDArray[np.uint8]
"""Frames (F, H, W, 3), or one of them (H, W, 3)."""
FORMATS = ("PNG", "JPEG", "WEBP")
MIN_SIDE = 64
MAX_SIDE = 10_000
MAX_PIXELS = 64_000_000
NEUTRAL = (128, 128, 128)
"""The background of transparent pictures: mid grey, which neither lightens nor darkens hair and edges."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError)


def load_image(path: str | Path) -> Image.Image:
    """An upright RGB image in sRGB: EXIF rotation, CMYK and colour profiles applied, transparency filled with grey.

    Raises UserError for what is missing, empty, not an image, damaged, smaller than 64 px or larger than
    10,000 px a side or 64 megapixels, or fully transparent.
    """
    path = check_input(path, "image")
    try:
        with warnings.catch_warnings():
            # Our own limits below are tighter than those that Pillow warns about, and name the remedy.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more than") from error
    except UnidentifiedImageError as error:
        raise UserError(f"The image {path} is not a picture that can be read; save it as png, jpg or webp.") from error
    except _BROKEN as error:
        raise _damaged(path) from error
    with image:
        width, height = image.size
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise _too_large(path, f"{width}x{height} pixels, more than")
        if min(width, height) < MIN_SIDE:
            raise UserError(
                f"The image {path} is {width}x{height} pixels, too small to show a face; "
                f"give one of at least {MIN_SIDE} pixels a side."
            )
        try:
            image.load()
            return _to_srgb(_upright(image), path)
        except UserError:
            raise
        except _BROKEN as error:
            raise _damaged(path) from error


WIDEST = 2.5
"""Largest ratio of the longer to the shorter side of a picture of one person."""


def choose_size(width: int, height: int, area: int = 128 * 128, multiple: int = 16, people: int = 1) -> tuple[int, int]:
    """The output (width, height): sides multiples of `multiple`, area about `area`, aspect ratio close to the input's.

    Shapes beyond 5:2 are cropped to 5:2, since a narrower picture has no room for a face at this area. With several
    people side by side, each further one allows a picture wider by one height.
    """
    widest = WIDEST + people - 1
    aspect = min(max(width / height, 1 / WIDEST), widest)
    cells = area / multiple**2
    longest = max(1, math.ceil(math.sqrt(cells * widest)) + 1)
    sides = range(1, longest + 1)

    def badness(shape: tuple[int, int]) -> float:
        across, down = shape
        return abs(math.log(across / down / aspect)) + 0.5 * abs(math.log(across * down / cells))

    across, down = min(((a, d) for a in sides for d in sides), key=badness)
    return across * multiple, down * multiple


def fit_image(image: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """(3, height, width) float32 in [-1, 1]: the image scaled to cover `size` (w, h) and centre-cropped."""
    fitted = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.float32).transpose(2, 0, 1) / 127.5 - 1.0


def to_png(image: Image.Image) -> bytes:
    """The image as the bytes of a png file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def fit_picture(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: `fit_image` as a picture."""
    fitted = ((fit_image(image, size) + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(fitted.transpose(1, 2, 0))


def fitted_box(
    box: tuple[float, float, float, float], shape: tuple[int, int], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Where a box of a picture lies once `fit_image` has cropped the picture.

    box: (left, top, right, bottom) in shares of the picture. shape: (w, h) of the picture. size: (w, h) that it is
    fitted to. Returns the box in shares of the fitted picture.
    """
    scale = max(size[0] / shape[0], size[1] / shape[1])
    visible = [size[axis] / (shape[axis] * scale) for axis in (0, 1)]
    left, top, right, bottom = ((edge - 0.5) / visible[index % 2] + 0.5 for index, edge in enumerate(box))
    return left, top, right, bottom


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _BROKEN:  # a damaged EXIF block does not make the picture worse
        return image


def _to_srgb(image: Image.Image, path: Path) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema()[1] == 0:
            raise UserError(f"The image {path} is transparent everywhere; flatten it onto a background.")
        ground = Image.new("RGBA", rgba.size, (*NEUTRAL, 255))
        ground.alpha_composite(rgba)
        return ground.convert("RGB")
    return _by_profile(image) or image.convert("RGB")


def _by_profile(image: Image.Image) -> Image.Image | None:
    """The image converted to sRGB by its own colour profile; None without a usable profile."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return None
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return converted


def _from_deep(image: Image.Image) -> Image.Image:
    """16-bit and float greyscale, which Pillow would clip instead of scale."""
    values = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode.startswith("I") else max(1.0, float(values.max()))
    grey = np.clip(values / top * 255.0, 0, 255).round().astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _too_large(path: Path, size: str) -> UserError:
    return UserError(
        f"The image {path} is {size} the {MAX_SIDE:,} pixels a side and {MAX_PIXELS // 1_000_000} megapixels "
        "that can be read; scale it down first."
    )


def _damaged(path: Path) -> UserError:
    return UserError(f"The image {path} is damaged or cut short; export or download it again.")


def downscale(frames: Pictures, scale: int) -> Pictures:
    """(F, H, W, 3) frames at 1 / `scale` of their size, each pixel the mean of those it covers."""
    count, height, width, _ = frames.shape
    cells = frames.reshape(count, height // scale, scale, width // scale, scale, 3)
    return np.asarray(cells.mean((2, 4)).round().astype(np.uint8))
