"""The whole frame: the portrait at the size of the video, with what the networks filmed in their window set into it.

The networks know a face's shape, light and expression, and the portrait knows its detail. So a frame is the articulated
portrait at its own size, moved by head and camera, and what the film differs by from the same portrait in the window is
added to it: all of the difference where the film shows something else, only what is coarse where both agree. Nothing is
added at mouth and chin, where fast openings smear in the film, and none outside the heads, so no border shows.

Shape legend: N frames of the video, P people, H W pixels of the frame, h w pixels of the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dramatis.cascade.acting import PortraitFilm
from dramatis.cascade.film_window import FilmWindow
from dramatis.media.image import Pictures
from dramatis.motion.face import inverse_camera_similarity

_COARSE = 1.5
"""Standard deviation, px of the window, of the blur that leaves what is coarse of a difference."""
_ELSE = (0.04, 0.12)
"""Between which coarse differences of brightness, 0 to 1, the film shows something else than the portrait."""
_BORDER = 0.06
"""Share of the window's shorter side over which the difference fades towards borders inside the frame."""


@dataclass(frozen=True, eq=False)
class WholeFrame:
    """What surrounds the window, in every frame of the video.

    film: the portrait at the size of the video, before the moving camera. window: what the networks film.
    """

    film: PortraitFilm
    window: FilmWindow

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.film.cast.picture.shape[0], self.film.cast.picture.shape[1]


@torch.no_grad()
def whole_frames(
    whole: WholeFrame, films: Iterable[Pictures], acted: Iterable[Pictures], heads: Iterable[NDArray[np.float32]]
) -> Iterator[Pictures]:
    """The frames of the video (H, W, 3) uint8, in order.

    films: what the networks filmed, and acted: what the portrait in the window does, both (h, w, 3) uint8 in the same
    tones. heads: (2, h', w') in 0..1, what belongs to heads, and to mouths, on a grid over the window.
    """
    cameras = whole.film.performances[0].camera
    fade: Tensor | None = None
    for camera, portrait, film, rest, head in zip(cameras, whole.film, films, acted, heads, strict=True):
        difference = film_difference(_pixels(film), _pixels(rest), torch.from_numpy(head)[None])
        fade = _fade(whole, difference.shape[-2:]) if fade is None else fade
        yield _set_in(portrait, difference * fade, whole, camera)


def film_difference(film: Tensor, acted: Tensor, heads: Tensor) -> Tensor:
    """(1, 3, h, w) what to add to the portrait. film, acted: (1, 3, h, w) in 0..1. heads: (1, 2, h', w')."""
    difference = film - acted
    head, mouth = F.interpolate(heads, film.shape[-2:], mode="bilinear", align_corners=False).split(1, 1)
    coarse = _blurred(difference, _COARSE)
    low, high = _ELSE
    other = ((coarse.mean(1, keepdim=True).abs() - low) / (high - low)).clamp(0, 1)
    other = _blurred(other, _COARSE)
    added = torch.lerp(coarse, difference, other)
    return head * (1 - mouth) * added


def _fade(whole: WholeFrame, size: torch.Size) -> Tensor:
    """(h, w) 1, and less towards those borders of the window that lie inside the frame."""
    left, top, right, bottom = whole.window.box
    height, width = whole.size
    rows, columns = size
    reach = _BORDER * min(rows, columns)
    down = _ramp(rows, reach, begins=top > 0.5, ends=bottom < height - 0.5)
    across = _ramp(columns, reach, begins=left > 0.5, ends=right < width - 0.5)
    return down[:, None] * across


def _ramp(length: int, reach: float, *, begins: bool, ends: bool) -> Tensor:
    """(length,) 1, falling to 0 at the ends that are named."""
    place = torch.arange(length) + 0.5
    share = torch.ones(length)
    if begins:
        share = torch.minimum(share, place / reach)
    if ends:
        share = torch.minimum(share, (length - place) / reach)
    return share.clamp(0, 1)


def _set_in(portrait: Pictures, difference: Tensor, whole: WholeFrame, camera: NDArray[np.float32]) -> Pictures:
    """The portrait (H, W, 3) with the difference (1, 3, h, w) added where the camera shows the window."""
    height, width = whole.size
    corners = np.array([[(0.5, 0.5), (width - 0.5, 0.5), (0.5, height - 0.5)]])
    left, top, right, bottom = whole.window.box
    seen = inverse_camera_similarity(corners, camera[None], whole.size)[0]
    # Where the frame's pixels lie in the window, -1 at its first border and 1 at its last.
    places = 2 * (seen - (left, top)) / (right - left, bottom - top) - 1
    across, down = (places[1] - places[0]) / (width - 1), (places[2] - places[0]) / (height - 1)
    x, y = torch.arange(width).double(), torch.arange(height).double()
    grid = [places[0, axis] + x * across[axis] + y[:, None] * down[axis] for axis in (0, 1)]
    inside = (grid[0].abs() < 1) & (grid[1].abs() < 1)
    rows, columns = _bounds(inside.any(1)), _bounds(inside.any(0))
    out = portrait.copy()
    part = torch.stack([axis[rows, columns] for axis in grid], -1).float()[None]
    added = F.grid_sample(difference, part, padding_mode="zeros", align_corners=False)[0].permute(1, 2, 0)
    value = torch.from_numpy(out[rows, columns]).float() + 255 * added
    out[rows, columns] = value.add_(0.5).clamp_(0, 255).to(torch.uint8).numpy()
    return out


def _bounds(inside: Tensor) -> slice:
    found = inside.nonzero()
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _pixels(picture: Pictures) -> Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) in 0..1."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def _blurred(pixels: Tensor, deviation: float) -> Tensor:
    """(1, C, h, w) through a Gaussian, the border repeated."""
    reach = int(np.ceil(3 * deviation))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / deviation) ** 2)
    weights = weights / weights.sum()
    channels = pixels.shape[1]
    padded = F.pad(pixels, (reach,) * 4, mode="replicate")
    across = F.conv2d(padded, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(across, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
