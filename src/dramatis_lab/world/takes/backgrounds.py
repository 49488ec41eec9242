"""Backdrops: out-of-focus rooms, walls, streets at night, gardens and studio paper, drawn from a seed.

Each is composed in linear light and then blurred with a round aperture, as a lens does it: bright points
become discs. A backdrop is wider than the frame, so that there is something to see when the camera moves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, zoom
from scipy.signal import fftconvolve

from dramatis_lab.world.renderer.textures import srgb_to_linear

Picture = NDArray[np.float32]
BACKDROP_SIDE = 512
"""Texels along each side of a backdrop."""
FRAME_SHARE = 0.5
"""The frame's longer side covers this share of a backdrop."""


def make_background(seed: int) -> Picture:
    """(SIDE, SIDE, 3) float32 linear RGB 0..1, the same for the same seed; its kind is drawn from the seed as well."""
    rng = np.random.default_rng([seed, 0x6261636B])
    kinds = tuple(BACKDROP_PAINTERS)
    kind = kinds[int(rng.integers(len(kinds)))]
    picture = BACKDROP_PAINTERS[kind](rng)
    picture = picture * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    return np.clip(picture, 0.0, 1.0).astype(np.float32)


def fractal_noise(rng: np.random.Generator, octaves: int = 5, coarse: int = 3, fall: float = 0.55) -> Picture:
    """(SIDE, SIDE) smooth noise of zero mean and about unit deviation; `coarse` cells in its lowest octave."""
    total = np.zeros((BACKDROP_SIDE, BACKDROP_SIDE), np.float32)
    for octave in range(octaves):
        cells = coarse * 2**octave
        if cells > BACKDROP_SIDE // 2:
            break
        grid = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
        steps = np.linspace(1.0, cells + 1.0, BACKDROP_SIDE, dtype=np.float32)
        total += fall**octave * map_coordinates(grid, np.meshgrid(steps, steps, indexing="ij"), order=1, mode="nearest")
    return (total - total.mean()) / (total.std() + 1e-6)


def defocus(picture: Picture, radius: float) -> Picture:
    """Blur (SIDE, SIDE, 3) linear light with a disc of `radius` texels; the edges are mirrored."""
    reach = int(np.ceil(radius))
    if reach < 1:
        return picture
    ys, xs = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(xs, ys), 0.0, 1.0).astype(np.float32)
    padded = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    return np.maximum(fftconvolve(padded, (disc / disc.sum())[..., None], mode="valid", axes=(0, 1)), 0.0)


def draw_colour(rng: np.random.Generator, value: tuple[float, float], saturation: tuple[float, float]) -> Picture:
    """(3,) linear RGB with sRGB value and saturation in the given ranges and any hue."""
    hue = rng.random()
    wheel = np.clip(np.abs((hue * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return srgb_to_linear(rng.uniform(*value) * (1 - rng.uniform(*saturation) * (1 - wheel)))


def vertical_gradient(top: Picture, low: Picture) -> Picture:
    """(SIDE, SIDE, 3) from one colour at the top to another at the bottom."""
    ramp = np.linspace(0, 1, BACKDROP_SIDE, dtype=np.float32)[:, None, None]
    return np.broadcast_to(top * (1 - ramp) + low * ramp, (BACKDROP_SIDE, BACKDROP_SIDE, 3)).copy()


def light_pool(rng: np.random.Generator, strength: float) -> Picture:
    """(SIDE, SIDE, 1) smooth factor around 1, as of a lamp beside a wall."""
    ys, xs = np.mgrid[0 : 1 : BACKDROP_SIDE * 1j, 0 : 1 : BACKDROP_SIDE * 1j].astype(np.float32)
    centre, reach = rng.uniform(-0.1, 1.1, 2), rng.uniform(0.4, 0.9)
    pool = np.exp(-((ys - centre[0]) ** 2 + (xs - centre[1]) ** 2) / (2 * reach**2))
    return (1 - strength + strength * 1.6 * pool)[..., None]


def paint_rectangle(
    picture: Picture, box: tuple[float, float, float, float], colour: NDArray[np.floating], mix: float = 1.0
) -> None:
    """Paint the box (left, top, right, bottom), given in fractions; `defocus` softens its straight edges."""
    left, top, right, low = (round(float(np.clip(edge, 0, 1)) * BACKDROP_SIDE) for edge in box)
    picture[top:low, left:right] += mix * (colour - picture[top:low, left:right])


def _studio(rng: np.random.Generator) -> Picture:
    """Seamless paper under a spot."""
    paper = draw_colour(rng, (0.2, 0.85), (0.0, 0.5))
    return vertical_gradient(paper, paper * rng.uniform(0.5, 0.9)) * light_pool(rng, 0.65)


def _wall(rng: np.random.Generator) -> Picture:
    """Plaster, concrete or brick in raking light, sometimes with panels."""
    base = draw_colour(rng, (0.35, 0.85), (0.05, 0.45))
    picture = np.broadcast_to(base, (BACKDROP_SIDE, BACKDROP_SIDE, 3)).astype(np.float32).copy()
    if rng.random() < 0.4:
        rows, columns = rng.integers(14, 26), rng.integers(6, 12)
        ys, xs = np.mgrid[0:BACKDROP_SIDE, 0:BACKDROP_SIDE] / BACKDROP_SIDE
        row = np.floor(ys * rows).astype(int)
        column = np.floor(xs * columns + 0.5 * (row % 2)).astype(int)
        shade = rng.uniform(0.65, 1.15, (rows + 1, columns + 2)).astype(np.float32)[row, column]
        mortar = ((ys * rows) % 1 < 0.1) | ((xs * columns + 0.5 * (row % 2)) % 1 < 0.05)
        picture = np.where(mortar[..., None], 0.55, picture * shade[..., None]).astype(np.float32)
    elif rng.random() < 0.5:
        panels = rng.integers(5, 12)
        picture *= np.where((np.arange(BACKDROP_SIDE) * panels / BACKDROP_SIDE) % 1 < 0.05, 0.6, 1.0)[None, :, None]
    picture *= 1 + rng.uniform(0.03, 0.14) * fractal_noise(rng, 7, 4, 0.7)[..., None].clip(-3, 3)
    return defocus(picture, rng.uniform(0.0, 4.0)) * light_pool(rng, rng.uniform(0.3, 0.7))


def _room(rng: np.random.Generator) -> Picture:
    """A wall with a window, shelves, pictures, a lamp or a plant, out of focus."""
    wall = draw_colour(rng, (0.45, 0.9), (0.0, 0.35))
    picture = vertical_gradient(wall * 0.85, wall) * light_pool(rng, 0.45)
    picture *= 1 + 0.03 * fractal_noise(rng, 5, 3)[..., None]
    floor = rng.uniform(0.74, 0.95)
    paint_rectangle(picture, (0, floor, 1, 1), draw_colour(rng, (0.2, 0.5), (0.2, 0.5)))
    for item in rng.permutation(np.array(list(FURNITURE.values())))[: rng.integers(3, 6)]:
        item(picture, rng)
    return defocus(picture, rng.uniform(3.0, 14.0))


def _window(picture: Picture, rng: np.random.Generator) -> None:
    left, width = rng.uniform(-0.1, 0.8), rng.uniform(0.2, 0.4)
    top, low = rng.uniform(0.0, 0.25), rng.uniform(0.5, 0.75)
    day = draw_colour(rng, (0.85, 1.0), (0.0, 0.25)) * rng.uniform(1.0, 1.9)
    frame = draw_colour(rng, (0.3, 0.9), (0.0, 0.2))
    paint_rectangle(picture, (left - 0.015, top - 0.015, left + width + 0.015, low + 0.015), frame)
    paint_rectangle(picture, (left, top, left + width, low), day)
    horizon = rng.uniform(top + 0.4 * (low - top), low)
    paint_rectangle(picture, (left, horizon, left + width, low), draw_colour(rng, (0.4, 0.7), (0.2, 0.5)), 0.8)
    panes = rng.integers(2, 4)
    for bar in range(1, panes):
        middle = left + width * bar / panes
        paint_rectangle(picture, (middle - 0.006, top, middle + 0.006, low), frame)
    if rng.random() < 0.4:
        for blind in np.arange(top, low, 0.03):
            paint_rectangle(picture, (left, blind, left + width, blind + 0.016), frame, 0.7)


def _shelves(picture: Picture, rng: np.random.Generator) -> None:
    left, width = rng.uniform(-0.15, 0.75), rng.uniform(0.25, 0.55)
    wood = draw_colour(rng, (0.2, 0.6), (0.2, 0.6))
    paint_rectangle(picture, (left, 0.05, left + width, 0.8), wood * 0.35, 0.9)
    for shelf in np.linspace(rng.uniform(0.1, 0.2), 0.8, int(rng.integers(3, 6))):
        edge = left + 0.01
        while edge < left + width - 0.02:
            thick, tall = rng.uniform(0.008, 0.03), rng.uniform(0.06, 0.12)
            if rng.random() < 0.85:
                book = draw_colour(rng, (0.2, 0.9), (0.0, 0.8))
                paint_rectangle(picture, (edge, shelf - tall, min(edge + thick, left + width), shelf), book)
            edge += thick
        paint_rectangle(picture, (left, shelf, left + width, shelf + 0.014), wood)


def _frames(picture: Picture, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 4)):
        left, top = rng.uniform(0, 0.85), rng.uniform(0.1, 0.5)
        width, tall = rng.uniform(0.08, 0.2), rng.uniform(0.08, 0.22)
        paint_rectangle(picture, (left, top, left + width, top + tall), draw_colour(rng, (0.05, 0.6), (0.0, 0.4)))
        inner = (left + 0.01, top + 0.01, left + width - 0.01, top + tall - 0.01)
        paint_rectangle(picture, inner, draw_colour(rng, (0.5, 1.0), (0.0, 0.3)))
        motif = (left + 0.03, top + 0.03, left + width - 0.03, top + tall - 0.03)
        paint_rectangle(picture, motif, draw_colour(rng, (0.3, 0.8), (0.2, 0.8)))


def _lamp(picture: Picture, rng: np.random.Generator) -> None:
    x, y, size = rng.uniform(0.05, 0.95), rng.uniform(0.15, 0.55), rng.uniform(0.03, 0.07)
    warm = np.array([1.0, 0.72, 0.42], np.float32)
    ys, xs = np.mgrid[0 : 1 : BACKDROP_SIDE * 1j, 0 : 1 : BACKDROP_SIDE * 1j].astype(np.float32)
    glow = np.exp(-np.hypot(xs - x, ys - y) / rng.uniform(0.1, 0.25))[..., None]
    picture += 0.5 * rng.uniform(0.4, 1.0) * glow * warm
    paint_rectangle(picture, (x - 0.006, y, x + 0.006, y + 0.4), 0.1 * warm)
    paint_rectangle(picture, (x - size, y - size, x + size, y + size), rng.uniform(1.5, 3.0) * warm)


def _plant(picture: Picture, rng: np.random.Generator) -> None:
    x, y = rng.uniform(0.05, 0.95), rng.uniform(0.5, 0.8)
    ys, xs = np.mgrid[0 : 1 : BACKDROP_SIDE * 1j, 0 : 1 : BACKDROP_SIDE * 1j].astype(np.float32)
    green = np.array([0.06, 0.16, 0.03], np.float32)
    for _ in range(rng.integers(25, 60)):
        angle, far = rng.uniform(-np.pi, 0), rng.uniform(0.03, 0.22)
        cx, cy = x + far * np.cos(angle), y + far * np.sin(angle)
        along = (xs - cx) * np.cos(angle) + (ys - cy) * np.sin(angle)
        aside = (ys - cy) * np.cos(angle) - (xs - cx) * np.sin(angle)
        leaf = (along / 0.035) ** 2 + (aside / 0.012) ** 2 < 1
        picture[leaf] = green * rng.uniform(0.4, 2.4)
    paint_rectangle(picture, (x - 0.05, y, x + 0.05, y + 0.14), draw_colour(rng, (0.3, 0.8), (0.0, 0.6)))


def _sofa(picture: Picture, rng: np.random.Generator) -> None:
    left, width, top = rng.uniform(-0.1, 0.4), rng.uniform(0.4, 0.8), rng.uniform(0.6, 0.75)
    cloth = draw_colour(rng, (0.2, 0.7), (0.1, 0.6))
    paint_rectangle(picture, (left, top, left + width, top + 0.3), cloth)
    paint_rectangle(picture, (left, top + 0.14, left + width, top + 0.17), cloth * 0.5)
    for _ in range(rng.integers(1, 4)):
        x = rng.uniform(left, left + width - 0.1)
        paint_rectangle(picture, (x, top + 0.02, x + 0.11, top + 0.13), draw_colour(rng, (0.3, 0.95), (0.2, 0.8)))


def _curtain(picture: Picture, rng: np.random.Generator) -> None:
    left, width = rng.choice([rng.uniform(-0.05, 0.1), rng.uniform(0.75, 0.9)]), rng.uniform(0.12, 0.25)
    cloth = draw_colour(rng, (0.4, 0.9), (0.0, 0.5))
    a, b = int(max(left, 0) * BACKDROP_SIDE), int(min(left + width, 1) * BACKDROP_SIDE)
    folds = 0.7 + 0.3 * np.sin(np.arange(a, b) / BACKDROP_SIDE * rng.uniform(150, 300) + rng.uniform(0, 6))
    picture[:, a:b] = cloth * folds[None, :, None]


FURNITURE: dict[str, Callable[[Picture, np.random.Generator], None]] = {
    "window": _window,
    "shelves": _shelves,
    "frames": _frames,
    "lamp": _lamp,
    "plant": _plant,
    "sofa": _sofa,
    "curtain": _curtain,
}
"""Painters of what stands in a room, by kind."""


def _city(rng: np.random.Generator) -> Picture:
    """Lights of a street at night or of a party, as bokeh discs."""
    picture = vertical_gradient(draw_colour(rng, (0.05, 0.25), (0.2, 0.8)), draw_colour(rng, (0.1, 0.4), (0.2, 0.7)))
    picture *= 1 + 0.25 * fractal_noise(rng, 4, 3)[..., None].clip(-2, 2)
    for _ in range(rng.integers(6, 16)):
        left, width, top = rng.uniform(-0.1, 1), rng.uniform(0.05, 0.25), rng.uniform(0.1, 0.7)
        paint_rectangle(picture, (left, top, left + width, 1), draw_colour(rng, (0.05, 0.35), (0.0, 0.5)), 0.8)
    points = int(rng.integers(60, 260))
    rows, columns = rng.integers(0, BACKDROP_SIDE, points), rng.integers(0, BACKDROP_SIDE, points)
    tint = rng.random() < 0.5
    for row, column in zip(rows, columns, strict=True):
        light = np.array([1.0, 0.62, 0.3]) if tint and rng.random() < 0.7 else draw_colour(rng, (0.8, 1.0), (0.1, 0.9))
        picture[row : row + 3, column : column + 3] += light * rng.gamma(1.2, 18.0)
    return defocus(picture, rng.uniform(7.0, 20.0))


def _outdoors(rng: np.random.Generator) -> Picture:
    """Sky, hills or trees, and grass, with light between the leaves."""
    blue = np.array([0.25, 0.45, 0.85]) * rng.uniform(0.6, 1.1)
    haze = np.array([0.85, 0.82, 0.78]) * rng.uniform(0.7, 1.1)
    picture = vertical_gradient(blue.astype(np.float32), haze.astype(np.float32))
    picture += 0.22 * fractal_noise(rng, 5, 3)[..., None].clip(0, 2)
    ys, _xs = np.mgrid[0 : 1 : BACKDROP_SIDE * 1j, 0 : 1 : BACKDROP_SIDE * 1j].astype(np.float32)
    leafy = np.array([0.10, 0.19, 0.05]) * rng.uniform(0.6, 1.5, 3)
    for layer in range(int(rng.integers(1, 4))):
        ridge = rng.uniform(0.1, 0.6) + 0.09 * fractal_noise(rng, 5, 4)[0]
        shade = leafy * (0.5 + 0.25 * layer) * np.exp(0.5 * fractal_noise(rng, 6, 12, 0.75))[..., None]
        picture = np.where((ys > ridge[None])[..., None], shade, picture)
    if rng.random() < 0.7:
        gaps = (fractal_noise(rng, 6, 20, 0.8) > rng.uniform(2.0, 2.8)) & (ys < 0.75)
        picture[gaps] = haze * rng.uniform(1.5, 6.0)
    ground = rng.uniform(0.65, 0.95)
    grass = np.array([0.16, 0.24, 0.06]) * rng.uniform(0.6, 1.6, 3)
    picture = np.where((ys > ground)[..., None], grass * np.exp(0.3 * fractal_noise(rng, 6, 16))[..., None], picture)
    for _ in range(int(rng.integers(0, 4))):
        x, thick = rng.random(), rng.uniform(0.01, 0.04)
        paint_rectangle(picture, (x, 0, x + thick, ground + 0.03), np.array([0.07, 0.05, 0.035]) * rng.uniform(0.6, 2))
    return defocus(picture.astype(np.float32), rng.uniform(4.0, 15.0))


# Photographs that come with scikit-image and show no person.
_PHOTOGRAPHS = ("coffee", "chelsea", "rocket", "brick", "grass", "gravel")


@cache
def _photograph(name: str) -> Picture:
    from skimage import data

    pixels = getattr(data, name)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, -1)
    return srgb_to_linear(pixels[..., :3] / 255.0)


def _photo(rng: np.random.Generator) -> Picture:
    """A real photograph, cropped, tinted and out of focus."""
    photo = _photograph(_PHOTOGRAPHS[int(rng.integers(len(_PHOTOGRAPHS)))])
    side = int(min(photo.shape[:2]) * rng.uniform(0.6, 1.0))
    top, left = (int(rng.integers(0, extent - side + 1)) for extent in photo.shape[:2])
    crop = zoom(photo[top : top + side, left : left + side], (BACKDROP_SIDE / side, BACKDROP_SIDE / side, 1), order=1)[
        :BACKDROP_SIDE, :BACKDROP_SIDE
    ]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    tinted = crop * (0.5 + draw_colour(rng, (0.7, 1.0), (0.0, 0.5)))
    return defocus(np.ascontiguousarray(tinted, np.float32), rng.uniform(5.0, 16.0)) * light_pool(rng, 0.3)


BACKDROP_PAINTERS: dict[str, Callable[[np.random.Generator], Picture]] = {
    "room": _room,
    "study": _room,
    "wall": _wall,
    "studio": _studio,
    "city": _city,
    "outdoors": _outdoors,
    "photo": _photo,
}
"""Painters by kind. Rooms are listed twice because most videos of talking people are filmed there."""
