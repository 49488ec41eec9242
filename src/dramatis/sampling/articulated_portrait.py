"""Frames of an articulated portrait: its own pixels, with mouth and lids where speech and blinks take them.

A frame is resampled once: the warp by head and camera says where in the portrait each pixel's content lies, and the
articulation moves that place on. At mouth and eyes the skin above the opening lies over the skin below it, and both lie
over what the gap shows.

With layers, all this happens to the people alone, and they are laid over the background behind them at the end.

Shape legend: H W pixels of the portrait, h w pixels of a part of the frame, C = 3 colours, or 4 with the share of a
pixel that people cover, by which their colours are multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dramatis.media.image import Pictures
from dramatis.motion.articulated_face import ArticulatedFace, Opening
from dramatis.motion.articulation import CLOSE, OUTER_EYE_DISTANCE, lip_gap
from dramatis.motion.mouth_line import MouthLine
from dramatis.motion.visemes import GAP_OF_SHAPE, JAW
from dramatis.sampling.portrait_layers import PortraitLayers

_SOFT = 0.011
"""Half the width of a lip's edge, in widths of the mouth; that of a lid's in widths of the eye."""
_UNDERLAP = 2.2
"""How far the lower lip goes on beneath the upper one where they touch, in half widths of the edge."""
_INSET = -2.5
"""How far lids end before their edges as seen, in half widths of the edge: no white of the eye moves with them."""
_BESIDE = 0.08
"""Share of the mouth's width over which the gap ends beyond a corner: there the skin is whole."""
_SHADES = (0.05, 0.38), (0.05, 0.22)
"""How far the upper and the lower lip's shadow reaches into the mouth, in its widths, and how dark it is at the lip."""
_JAW_OF_GAP = 0.75 / GAP_OF_SHAPE["jawOpen"]
"""Least weight of the jaw, as lower teeth follow it, for each distance of the outer eye corners between the lips."""
_MOVING = 0.1
"""Weight of jaw and closing at which what the portrait's own gap shows has given way to the drawn inside."""
_WINDOW = (0.35, 0.45, 1.0)
"""How far the part of a frame that is layered reaches beyond an opening's corners, up and down, in its widths."""
_SHARPEN = 0.7
"""Of the difference from their surroundings that pixels between the portrait's own are given on top."""
_LASH, _EDGE, _LID = 0.08, 0.035, 0.3
"""Widths of lashes, of the row along the lid's edge that stays, and height of the lid, in widths of the eye."""
_LIDS_SHADOW = 0.6
"""How much darker an eye is just before it is shut."""
_BLINKING, _VISIBLE = 0.02, 0.004
_COARSE, _STRETCH = 8, 4.0
"""Pixels between those at which parts of a frame are looked for first, and the most that a warp shrinks there."""
_Box = tuple[float, float, float, float]
_Part = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class FaceMove:
    """What a face does in one frame.

    mouth: (11,) weights of `SHAPE_CHANNELS`. blink: 0 open to 1 shut, both eyes.
    """

    mouth: NDArray[np.floating]
    blink: float = 0.0


class ArticulatedPortrait:
    """A portrait with one or more faces.

    picture: (H, W, 3) uint8. faces: in the picture's pixels. layers: the portrait taken apart, so that people move
    before their background; None: people and background are one.
    """

    def __init__(
        self, picture: Pictures, faces: tuple[ArticulatedFace, ...], layers: PortraitLayers | None = None
    ) -> None:
        height, width = picture.shape[:2]
        whole = _planes(picture.astype(np.float32) / np.float32(255))
        pixels = whole if layers is None else _planes(layers.people)
        self._picture = _doubled(pixels)
        self._mouths = tuple(_Mouth(self._picture, face) for face in faces)
        self._eyes = tuple(tuple(_Eye(self._picture, eye) for eye in face.eyes) for face in faces)
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        self._still = torch.stack([x, y], -1)
        self._box = _whole(self._picture)
        self._pixels = pixels[0].contiguous()
        self._background = None if layers is None else _Background(layers)

    @torch.no_grad()
    def frame(
        self,
        moves: tuple[FaceMove, ...],
        positions: NDArray[np.float32] | None = None,
        background: NDArray[np.float32] | None = None,
    ) -> Pictures:
        """One frame (h, w, 3) uint8.

        moves: what each face does. positions: (h, w, 2) px, where in the portrait the content of every pixel lies, as
        `warp_positions` gives it, or the people in it, as `PortraitMotion.people` does; None: nothing but mouths and
        eyes moves. background: the same for the background behind the people of a portrait with layers; None: it stands
        still, in a frame of the portrait's own size.
        """
        assert len(moves) == len(self._mouths), "every face of the portrait moves, or is at rest"
        places = self._still if positions is None else torch.from_numpy(positions)
        frame = None if self._background is None else self._background.seen(background)
        part = (slice(None), slice(None)) if self._background is None else _around(places, self._background.people)
        out = self._people(moves, places[part], self._pixels[:, part[0], part[1]] if positions is None else None)
        if frame is None:
            return _pictures(out)
        behind = torch.from_numpy(frame[part]).permute(2, 0, 1).float().div_(255)
        frame[part] = _pictures(out[:3].addcmul_(1 - out[3:], behind))
        return frame

    def _people(self, moves: tuple[FaceMove, ...], places: Tensor, still: Tensor | None) -> Tensor:
        """(C, h, w) the portrait, or the people in it, with mouths and eyes; still: its pixels where nothing moves."""
        fields = [mouth.layers.sources(move.mouth) for mouth, move in zip(self._mouths, moves, strict=True)]
        moved, out = self._skin(places, fields, still)
        for mouth, field, move in zip(self._mouths, fields, moves, strict=True):
            mouth.paint(out, places, field, move.mouth)
        for eyes, move in zip(self._eyes, moves, strict=True):
            for eye in eyes if move.blink > _BLINKING else ():
                eye.paint(out, moved, move.blink)
        return out

    def _skin(self, places: Tensor, fields: list[Tensor], still: Tensor | None) -> tuple[Tensor, Tensor]:
        """Where skin comes from (h, w, 2) px, and the portrait so moved (C, h, w), without the openings themselves."""
        moved, parts = places.clone(), []
        for mouth, field in zip(self._mouths, fields, strict=True):
            part = _around(places, mouth.layers.box)
            moved[part] += mouth.layers.skin_moves(field, places[part])
            parts.append(part)
        if still is None:
            return moved, _sample(
                self._picture, moved, self._box, "border" if self._background is None else "reflection"
            )
        out = still.clone()
        for rows, columns in parts:
            out[:, rows, columns] = _sample(self._picture, moved[rows, columns], self._box)
        return moved, out


class _Background:
    """What lies behind the people of a portrait. people: the box in the portrait that they fill, px."""

    def __init__(self, layers: PortraitLayers) -> None:
        self._still = (layers.background * 255 + 0.5).clip(0, 255).astype(np.uint8)
        self._doubled = _doubled(_planes(layers.background))
        self._box = _whole(self._doubled)
        found = _bounds(torch.from_numpy(layers.people[..., 3] > 0))
        rows, columns = (slice(0, 0), slice(0, 0)) if found is None else found
        height, width = layers.background.shape[:2]
        # People whom the border cuts off go on beyond it.
        self.people: _Box = (
            -np.inf if columns.start == 0 else columns.start - 1.0,
            -np.inf if rows.start == 0 else rows.start - 1.0,
            np.inf if columns.stop == width else columns.stop + 1.0,
            np.inf if rows.stop == height else rows.stop + 1.0,
        )

    def seen(self, positions: NDArray[np.float32] | None) -> Pictures:
        """The background (h, w, 3) uint8 with nobody before it; positions: as in `ArticulatedPortrait.frame`."""
        if positions is None:
            return self._still.copy()
        return _pictures(_sample(self._doubled, torch.from_numpy(positions), self._box, padding="reflection"))


class _Layers:
    """One opening's two layers of skin, each with how much it covers and how much it shades what lies behind."""

    def __init__(self, picture: Tensor, opening: Opening, underlap: float) -> None:
        self._field, self._line = opening.field, opening.line
        self.box: _Box = opening.field.grid.box
        self._crop, self._above = _cropped(picture, self.box), _above_line(opening)
        self.window = _window(opening.line, self.box)
        rows, columns = _fine(self._crop)
        y, x = np.mgrid[rows, columns] / 2 + 0.5
        masks = _masks(opening.line, np.stack([x, y], -1), underlap)
        pixels = picture[0, :, rows, columns]
        self.upper, self._lower = (torch.cat([pixels, torch.from_numpy(mask)])[None] for mask in masks)

    def sources(self, weights: NDArray[np.floating]) -> Tensor:
        """(1, 6, rows, columns) px to where content comes from: x, y of the upper side, the lower, and of either."""
        upper, lower = self._field.sources(weights)
        either = np.where(self._above, upper, lower)
        parts = [part for side in (upper, lower, either) for part in (side.real, side.imag)]
        return torch.from_numpy(np.stack(parts))[None]

    def skin_moves(self, sources: Tensor, places: Tensor) -> Tensor:
        """(h, w, 2) px from places to where their content comes from, away from the opening."""
        return _sample(sources[:, 4:], places, self.box).permute(1, 2, 0)

    def lashes(self) -> Tensor:
        """(1, C + 2, n, m) what to take away from the upper layer, so that no lashes lie on the lid.

        They are thin and dark: the brightest of the neighbourhood, and then the darkest of that, has none. The row
        along the edge stays.
        """
        width = round(2 * _LASH * self._line.width) | 1
        padding, skin = width // 2, self.upper[:, :-2]
        filled = -F.max_pool2d(-F.max_pool2d(skin, width, 1, padding), width, 1, padding)
        half = padding // 2
        filled = F.avg_pool2d(F.pad(filled, (half,) * 4, mode="replicate"), 2 * half + 1, 1)
        rows, columns = _fine(self._crop)
        y, x = np.mgrid[rows, columns] / 2 + 0.5
        shares, below = self._line.coordinates(np.stack([x, y], -1))
        above = (self._line.edge(self._line.upper, shares) - below) / self._line.width
        on_lid = np.clip((above - _EDGE) / _EDGE, 0, 1) * np.clip((_LID - above) / (0.5 * _LID), 0, 1)
        share = torch.from_numpy((on_lid * np.clip(5 * np.minimum(shares, 1 - shares) + 0.5, 0, 1)).astype(np.float32))
        return torch.cat([share * (skin - filled), torch.zeros_like(self.upper[:, -2:])], 1)

    def layered(self, sources: Tensor, places: Tensor, upper: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Skin (C, h, w), how much of the gap is seen (h, w), and its light under both sides' shadows (h, w).

        upper: what stands for the upper layer.
        """
        moves = _sample(sources[:, :4], places, self.box).permute(1, 2, 0)
        upper = _sample(self.upper if upper is None else upper, places + moves[..., :2], self._crop)
        lower = _sample(self._lower, places + moves[..., 2:], self._crop)
        beneath = 1 - upper[-2]
        skin = upper[:-2] * upper[-2] + lower[:-2] * (lower[-2] * beneath)
        return skin, beneath * (1 - lower[-2]), (1 - upper[-1]) * (1 - lower[-1])


class _Eye:
    """One eye, over which its lids shut."""

    def __init__(self, picture: Tensor, opening: Opening) -> None:
        self._layers = _Layers(picture, opening, _INSET)
        self._lashes = self._layers.lashes()

    def paint(self, out: Tensor, places: Tensor, blink: float) -> None:
        """Paint the lids over a frame (C, h, w), in place."""
        rows, columns = _rectangle(places, self._layers.window)
        part = out[:, rows, columns]
        lid = self._layers.upper - min(1.0, 2 * blink) * self._lashes
        skin, gap, _ = self._layers.layered(self._layers.sources(np.array([blink])), places[rows, columns], lid)
        part[:3] *= gap * (1 - _LIDS_SHADOW * blink)
        part[3:] *= gap
        part += skin


class _Mouth:
    """A face's mouth, with its inside."""

    def __init__(self, picture: Tensor, face: ArticulatedFace) -> None:
        line, pictures = face.mouth.line, face.inside
        self.layers = _Layers(picture, face.mouth, 0.0 if line.gap > 0 else _UNDERLAP)
        self._picture = picture
        self._inside = tuple(torch.from_numpy(part).permute(2, 0, 1)[None] for part in (pictures.upper, pictures.lower))
        self._own = torch.from_numpy(face.own_teeth)[None, None]
        self._drop = torch.from_numpy(pictures.drop).float()
        self._cavity = torch.from_numpy(pictures.cavity)[:, None, None]
        self._box = pictures.grid.box
        self._rest = line.gap / (face.head.scale * OUTER_EYE_DISTANCE) / GAP_OF_SHAPE["jawOpen"]
        self._whole = _whole(picture)

    def paint(self, out: Tensor, places: Tensor, sources: Tensor, weights: NDArray[np.floating]) -> None:
        """Paint the mouth over a frame (C, h, w), in place."""
        rows, columns = _rectangle(places, self.layers.window)
        skin, gap, light = self.layers.layered(sources, places[rows, columns])
        part = out[:, rows, columns]
        part.copy_(skin)
        seen = _bounds(gap > _VISIBLE)
        if seen is not None:
            inside = self._behind(places[rows, columns][seen], light[seen], weights)
            part[:3, seen[0], seen[1]] += gap[seen] * inside
            part[3:, seen[0], seen[1]] += gap[seen]

    def _behind(self, places: Tensor, light: Tensor, weights: NDArray[np.floating]) -> Tensor:
        """(3, h, w) what is seen through the lips."""
        jaw = max(float(weights[JAW]), _JAW_OF_GAP * float(lip_gap(weights))) + self._rest
        lower = _sample(self._inside[1], places - jaw * self._drop, self._box, padding="zeros")
        upper = _sample(self._inside[0], places, self._box, padding="zeros")
        drawn = self._cavity * (1 - lower[3]) + lower[:3]
        drawn = (drawn * (1 - upper[3]) + upper[:3]) * light
        if not self._rest:
            return drawn
        still = max(0.0, 1 - float(weights[JAW] + weights[CLOSE]) / _MOVING)
        own = _sample(self._own, places, self._box, padding="zeros")
        share = own + still * (1 - own)
        return torch.lerp(drawn, _sample(self._picture, places, self._whole)[:3], share)


def _masks(line: MouthLine, places: NDArray[np.float64], underlap: float) -> tuple[NDArray[np.float32], ...]:
    """For the upper and the lower layer (2, h, w): how much each covers, and its shadow on what lies behind."""
    shares, below = line.coordinates(places)
    soft = max(0.7, _SOFT * line.width)
    past_upper = below - line.edge(line.upper, shares)
    before_lower = line.edge(line.lower, shares) - below
    # Beyond the corners the lower layer lies beneath all of the upper one, so that no gap opens in the cheek.
    outside = np.clip(np.maximum(-shares, shares - 1) / _BESIDE, 0, 1)
    inset = max(0.0, -underlap) * soft * (1 - outside)
    covers = (
        np.clip(0.5 - (past_upper + inset) / (2 * soft), 0, 1),
        np.clip(0.5 - (before_lower - underlap * soft - outside * line.width) / (2 * soft), 0, 1),
    )
    shadows = (
        dark * np.exp(-np.maximum(away, 0) / (reach * line.width))
        for away, (reach, dark) in zip((past_upper, before_lower), _SHADES, strict=True)
    )
    return tuple(np.stack(pair).astype(np.float32) for pair in zip(covers, shadows, strict=True))


def _above_line(opening: Opening) -> NDArray[np.bool_]:
    """(rows, columns) nodes of the field above the middle of the opening."""
    line = opening.line
    shares, below = line.coordinates(opening.field.grid.nodes())
    return np.asarray(below < (line.edge(line.upper, shares) + line.edge(line.lower, shares)) / 2)


def _window(line: MouthLine, box: _Box) -> _Box:
    """The part of a box around an opening in which its two layers are told apart."""
    aside, up, down = (share * line.width for share in _WINDOW)
    heights = np.array([line.upper.min(), line.lower.max()])
    edge = np.concatenate([line.corners, line.places(0.5, heights)])
    (left, top), (right, bottom) = edge.min(0), edge.max(0)
    window = np.array([left - aside, top - up, right + aside, bottom + down])
    inner = np.array([box[0], box[1], -box[2], -box[3]])
    limited = np.maximum(window * (1, 1, -1, -1), inner + 1)
    return tuple((limited * (1, 1, -1, -1)).tolist())


def _planes(picture: NDArray[np.float32]) -> Tensor:
    """(H, W, C) -> (1, C, H, W)."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()


def _pictures(planes: Tensor) -> Pictures:
    """Planes (3, h, w) in 0..1, which are not needed afterwards -> (h, w, 3) uint8."""
    return planes.mul_(255).add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def _doubled(pixels: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, C, 2 H - 1, 2 W - 1): every other pixel the portrait's own, those between them sharpened.

    Bilinear reading blurs wherever it does not meet a pixel; so the portrait keeps its sharpness as it moves.
    """
    size = (2 * pixels.shape[2] - 1, 2 * pixels.shape[3] - 1)
    between = F.interpolate(pixels, size, mode="bicubic", align_corners=True)
    soft = F.avg_pool2d(F.pad(between, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    sharp = between + _SHARPEN * (between - soft)
    sharp[:, :, ::2, ::2] = pixels
    return sharp.clamp_(-1, 1)


def _whole(picture: Tensor) -> _Box:
    """The centres of the first and the last pixel of a picture of twice as many pixels (1, 3, 2 H - 1, 2 W - 1)."""
    return 0.5, 0.5, picture.shape[3] / 2, picture.shape[2] / 2


def _cropped(picture: Tensor, box: _Box) -> _Box:
    """The centres of the first and the last pixel of that part of a picture which a box takes up."""
    left, top, right, bottom = _whole(picture)
    low, high = np.floor(box[:2]) + 0.5, np.ceil(box[2:]) + 0.5
    return max(left, low[0]), max(top, low[1]), min(right, high[0]), min(bottom, high[1])


def _fine(crop: _Box) -> _Part:
    """Rows and columns of a crop in a picture of twice as many pixels."""
    left, top, right, bottom = (round(2 * edge - 1) for edge in crop)
    return slice(top, bottom + 1), slice(left, right + 1)


def _around(places: Tensor, box: _Box) -> _Part:
    """Rows and columns of a frame that hold at least all places (h, w, 2) px which lie in a box."""
    coarse = _inside(places[::_COARSE, ::_COARSE], box, _COARSE * _STRETCH)
    if coarse is None:
        return slice(0, 0), slice(0, 0)
    height, width = places.shape[:2]
    rows, columns = (
        slice(max(0, _COARSE * (at.start - 1)), min(side, _COARSE * (at.stop + 1)))
        for at, side in zip(coarse, (height, width), strict=True)
    )
    return rows, columns


def _rectangle(places: Tensor, box: _Box) -> _Part:
    """Rows and columns of a frame within which the places (h, w, 2) px that lie in a box are."""
    rows, columns = _around(places, box)
    found = _inside(places[rows, columns], box, 0.0)
    if found is None:
        return slice(0, 0), slice(0, 0)
    return (
        slice(rows.start + found[0].start, rows.start + found[0].stop),
        slice(columns.start + found[1].start, columns.start + found[1].stop),
    )


def _inside(places: Tensor, box: _Box, margin: float) -> _Part | None:
    """The rows and columns that hold all places (h, w, 2) px which lie in a box or so far beside it."""
    x, y = places[..., 0], places[..., 1]
    left, top, right, bottom = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
    return _bounds((x > left) & (x < right) & (y > top) & (y < bottom))


def _bounds(chosen: Tensor) -> _Part | None:
    """The rows and columns that hold all chosen pixels (h, w); None if there are none."""
    rows, columns = chosen.any(1).nonzero(), chosen.any(0).nonzero()
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _sample(values: Tensor, places: Tensor, box: _Box, padding: str = "border") -> Tensor:
    """Values (1, C, n, m), of which the first and the last stand on a box's border, at places (h, w, 2): (C, h, w)."""
    low, high = places.new_tensor(box[:2]), places.new_tensor(box[2:])
    scale = 2 / (high - low)
    grid = torch.addcmul(-1 - low * scale, places, scale)[None]
    if not grid.numel():
        return values.new_zeros(values.shape[1], *places.shape[:2])
    return F.grid_sample(values, grid, padding_mode=padding, align_corners=True)[0]
