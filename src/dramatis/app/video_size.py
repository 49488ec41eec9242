"""How large a video is to be: what users ask for, and what fits the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dramatis.errors import UserError
from dramatis.media.image import WIDEST

SHORTER_SIDE = 512
"""Of a video where nobody asks for another size, px."""
LEAST_SIDE, MOST_PIXELS = 128, 1280 * 720
_FORM = "write the shorter side, like 512, or width and height, like 1280x720"


@dataclass(frozen=True)
class VideoSize:
    """The size that a user asks for, px.

    shorter: the shorter side; the other follows the picture. exact: (width, height) instead; the picture is cropped.
    """

    shorter: int = SHORTER_SIDE
    exact: tuple[int, int] | None = None

    def of(self, picture: tuple[int, int], people: int = 1) -> tuple[int, int]:
        """(width, height), both even, for a picture of that size with so many people.

        The longer side is at most 2.5 times the shorter one, and one more for each further person, and never more than
        `MOST_PIXELS` are made.
        """
        if self.exact is not None:
            return self.exact
        widest = WIDEST + people - 1
        aspect = min(max(picture[0] / picture[1], 1 / WIDEST), widest)
        shorter = min(float(self.shorter), (MOST_PIXELS / max(aspect, 1 / aspect)) ** 0.5)
        width, height = shorter * max(1.0, aspect), shorter * max(1.0, 1 / aspect)
        return 2 * int(width / 2 + 1e-6), 2 * int(height / 2 + 1e-6)


def read_size(text: str) -> VideoSize:
    """What `--size` says, "512" or "1280x720". Raises UserError for what cannot be read or filmed."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*(?:[xX×*]\s*(\d{1,6}))?\s*", text)
    if found is None:
        raise UserError(f"The size {text!r} cannot be read; {_FORM}.")
    width = int(found[1])
    height = width if found[2] is None else int(found[2])
    if min(width, height) < LEAST_SIDE or width * height > MOST_PIXELS:
        raise UserError(
            f"The size {text!r} cannot be filmed; give sides of at least {LEAST_SIDE} pixels and at most "
            f"{MOST_PIXELS:,} pixels in all, such as 1280x720, 720x1280 or 960x960."
        )
    if width % 2 or height % 2:
        raise UserError(f"The size {text!r} is odd; give even numbers, as videos need them.")
    return VideoSize(width) if found[2] is None else VideoSize(exact=(width, height))
