"""Contact sheets: frames side by side with a label under each, because numbers alone can deceive."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PERSON_COLOURS = np.array(
    [(230, 60, 60), (60, 140, 240), (70, 190, 90), (240, 190, 50), (170, 90, 220), (60, 200, 200)]
)
"""Of the people in a picture, in order."""
_GAP = 6
_PAPER = (250, 250, 248)
_INK = (40, 40, 40)


def contact_sheet(
    frames: Sequence[NDArray[np.uint8] | Image.Image],
    labels: Sequence[str] | None = None,
    columns: int | None = None,
) -> Image.Image:
    """One RGB image of all frames, row by row, each cell as large as the largest frame.

    `frames` are (h, w, 3) uint8 arrays or images, at least one; `labels` one line for each; `columns` by default makes
    the sheet about twice as wide as high. Raises ValueError when the counts differ or there is no frame.
    """
    if not frames:
        raise ValueError("A contact sheet needs at least one frame.")
    if labels is not None and len(labels) != len(frames):
        raise ValueError(f"{len(labels)} labels do not fit {len(frames)} frames.")
    images = [frame if isinstance(frame, Image.Image) else Image.fromarray(frame) for frame in frames]
    width = max(image.width for image in images)
    height = max(image.height for image in images)
    columns = columns or min(len(images), max(1, math.ceil(math.sqrt(2 * len(images) * height / width))))
    letters = max(10, width // 12)
    font = ImageFont.load_default(size=letters)
    caption = 0 if labels is None else math.ceil(letters * 1.5)
    rows = math.ceil(len(images) / columns)
    across, down = width + _GAP, height + caption + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, image in enumerate(images):
        left, top = _GAP + index % columns * across, _GAP + index // columns * down
        sheet.paste(image.convert("RGB"), (left + (width - image.width) // 2, top + (height - image.height) // 2))
        if labels is not None:
            draw.text((left, top + height + caption // 6), _clip(labels[index], font, width), fill=_INK, font=font)
    return sheet


def _clip(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text, shortened with an ellipsis to what fits in `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
