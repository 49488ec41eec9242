"""Cluttered backdrops: in focus or nearly so, and full of what the perception network must not take for a person.

Kitchens and offices, hedges, large leaves, painted and sprayed walls; before them round things of the colour of skin,
cloth without anybody in it, bars and signs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dramatis_lab.world.renderer.textures import srgb_to_linear
from dramatis_lab.world.takes.backgrounds import (
    BACKDROP_PAINTERS,
    BACKDROP_SIDE,
    FURNITURE,
    Picture,
    defocus,
    draw_colour,
    fractal_noise,
    light_pool,
    make_background,
    paint_rectangle,
    vertical_gradient,
)

PLAIN_SHARE = 0.25
"""Of backdrops: as `make_background` paints them."""
_SKIN = np.array([0.6, 0.36, 0.24])
"""Linear RGB of a light skin."""


@lru_cache(maxsize=2)
def make_clutter(seed: int) -> Picture:
    """(SIDE, SIDE, 3) float32 linear RGB 0..1, the same for the same seed; not to be written to."""
    rng = np.random.default_rng([seed, 0x636C7574])
    if rng.random() < PLAIN_SHARE:
        return make_background(seed)
    picture = _SETTINGS[int(rng.integers(len(_SETTINGS)))](rng)
    for _ in range(int(rng.integers(0, 7))):
        _THINGS[int(rng.integers(len(_THINGS)))](picture, rng)
    picture = defocus(picture, float(rng.choice([0.0, 0.0, 1.0, rng.uniform(1.0, 5.0)])))
    return np.clip(picture * light_pool(rng, 0.4), 0.0, 1.0).astype(np.float32)


def _interior(rng: np.random.Generator) -> Picture:
    """A kitchen, an office or a parlour."""
    wall = draw_colour(rng, (0.3, 0.98), (0.0, 0.4))
    picture = vertical_gradient(wall, wall * rng.uniform(0.7, 1.0)) * (1 + 0.02 * fractal_noise(rng, 6, 3)[..., None])
    items = np.array([*FURNITURE.values(), _cabinets, _cabinets, _counter])
    for item in rng.permutation(items)[: rng.integers(2, 7)]:
        item(picture, rng)
    return np.asarray(picture, np.float32)


def _cabinets(picture: Picture, rng: np.random.Generator) -> None:
    """Doors side by side, with panels, gaps and handles."""
    colour, wide = draw_colour(rng, (0.2, 1.0), (0.0, 0.5)), rng.uniform(0.1, 0.22)
    top, low = rng.uniform(-0.1, 0.3), rng.uniform(0.45, 0.9)
    for left in np.arange(rng.uniform(-0.2, 0.4), rng.uniform(0.6, 1.2), wide):
        paint_rectangle(picture, (left, top, left + wide, low), colour * rng.uniform(0.3, 0.6))
        paint_rectangle(picture, (left + 0.004, top, left + wide - 0.004, low - 0.004), colour)
        if rng.random() < 0.7:
            paint_rectangle(picture, (left + 0.02, top + 0.02, left + wide - 0.02, low - 0.025), colour * 0.8)
            paint_rectangle(picture, (left + 0.024, top + 0.024, left + wide - 0.02, low - 0.025), colour * 0.95)
        handle = left + wide * rng.choice([0.1, 0.5, 0.9])
        paint_rectangle(
            picture, (handle, low - 0.1, handle + 0.008, low - 0.05), draw_colour(rng, (0.1, 1.0), (0.0, 0.3))
        )


def _counter(picture: Picture, rng: np.random.Generator) -> None:
    """A table or worktop across the lower part, with things standing on it."""
    top = rng.uniform(0.55, 0.8)
    colour = draw_colour(rng, (0.15, 0.9), (0.0, 0.6))
    paint_rectangle(picture, (0, top, 1, 1), colour * 0.6)
    paint_rectangle(picture, (0, top, 1, top + rng.uniform(0.02, 0.06)), colour)
    for _ in range(int(rng.integers(0, 6))):
        x, wide, tall = rng.random(), rng.uniform(0.02, 0.07), rng.uniform(0.03, 0.15)
        paint_rectangle(picture, (x, top - tall, x + wide, top + 0.01), draw_colour(rng, (0.1, 1.0), (0.0, 0.8)))
        rim = (x + wide / 2, top - tall, wide / 2, wide / 4)
        _paint_ball(picture, rim, draw_colour(rng, (0.1, 1.0), (0.0, 0.8)))


def _hedge(rng: np.random.Generator) -> Picture:
    """A wall of small leaves and flowers."""
    leafy = np.array([0.16, 0.26, 0.06]) * rng.uniform(0.4, 1.6, 3)
    picture = leafy * np.exp(0.5 * fractal_noise(rng, 7, 10, 0.8))[..., None] * 0.5
    for _ in range(int(rng.integers(150, 400))):
        flower = rng.random() < 0.1
        colour = draw_colour(rng, (0.6, 1.0), (0.2, 0.9)) if flower else leafy * rng.uniform(0.4, 3.0)
        size = rng.uniform(0.008, 0.035)
        _paint_ball(picture, (*rng.random(2), size, size * rng.uniform(0.4, 1.6)), colour)
    return np.asarray(picture, np.float32)


def _foliage(rng: np.random.Generator) -> Picture:
    """Large leaves: pointed blades with a midrib, light ones over dark ones, here and there with gaps of sky."""
    leafy = srgb_to_linear(np.array([0.3, 0.45, 0.2]) * rng.uniform(0.6, 1.5, 3))
    sky = rng.random() < 0.3
    top = draw_colour(rng, (0.6, 1.0), (0.0, 0.4)) if sky else leafy * 0.15
    picture = vertical_gradient(top, top if sky else leafy * 0.05)
    size, lean = rng.uniform(0.03, 0.12), rng.uniform(0, 2 * np.pi)
    for light in np.linspace(0.15, 1.0, int(rng.integers(60, 300))):
        turn = lean + rng.normal(0, 0.9)
        shape = (*rng.random(2), size * rng.uniform(0.5, 1.5), rng.uniform(0.12, 0.4))
        _paint_leaf(picture, shape, turn, leafy * light * np.exp(rng.normal(0, 0.5)))
    return np.asarray(picture, np.float32)


def _painted_wall(rng: np.random.Generator) -> Picture:
    """Large winding strokes of strong colours."""
    ground = draw_colour(rng, (0.1, 1.0), (0.0, 0.8))
    picture = vertical_gradient(ground, ground)
    for _ in range(int(rng.integers(3, 9))):
        field = fractal_noise(rng, 3, int(rng.integers(2, 5)))
        stroke = np.abs(field - rng.uniform(-1, 1)) < rng.uniform(0.1, 0.5)
        picture[stroke] = draw_colour(rng, (0.1, 1.0), (0.0, 1.0))
    return picture * (1 + 0.05 * fractal_noise(rng, 7, 6, 0.8)[..., None])


def _graffiti(rng: np.random.Generator) -> Picture:
    """A wall sprayed with outlined letters and figures."""
    picture = BACKDROP_PAINTERS["wall"](rng) if rng.random() < 0.5 else _painted_wall(rng)
    image = Image.new("RGBA", (BACKDROP_SIDE, BACKDROP_SIDE))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 14))):
        size = rng.uniform(0.05, 0.25) * BACKDROP_SIDE
        knots = rng.random(2) * BACKDROP_SIDE + rng.normal(0, 0.5, (int(rng.integers(3, 7)), 2)) * size
        thick = int(size * rng.uniform(0.15, 0.5)) + 2
        rim = thick + int(rng.integers(3, 14))
        _spray(draw, knots, rim, rng)
        _spray(draw, knots, thick, rng)
        _spray(draw, knots - 0.2 * thick, max(thick // 6, 1), rng)
    drawn = np.asarray(image, np.float32) / 255
    share = drawn[..., 3:] * rng.uniform(0.7, 1.0)
    return np.asarray(picture * (1 - share) + share * drawn[..., :3], np.float32)


def _spray(draw: ImageDraw.ImageDraw, knots: NDArray[np.floating], width: int, rng: np.random.Generator) -> None:
    """A stroke of one colour with round joints and ends through knots (N, 2) px."""
    ink = tuple(int(255 * value) for value in draw_colour(rng, (0.0, 1.0), (0.0, 1.0)))
    draw.line([(x, y) for x, y in knots], fill=ink, width=width, joint="curve")
    for x, y in knots:
        draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=ink)


def _balls(picture: Picture, rng: np.random.Generator) -> None:
    """Round things, half of them of the colour of skin, some with spots where eyes would be."""
    for _ in range(int(rng.integers(1, 6))):
        size, x, y = rng.uniform(0.02, 0.13), *rng.random(2)
        skin = rng.random() < 0.5
        colour = _SKIN * rng.uniform(0.3, 1.5) if skin else draw_colour(rng, (0.1, 1.0), (0.0, 0.9))
        tall = size * rng.uniform(0.6, 1.8)
        _paint_ball(picture, (x, y, size, tall), colour)
        if rng.random() < 0.4:
            for dx, dy in ((-0.4, -0.2), (0.4, -0.2), (0.0, 0.45))[: rng.integers(1, 4)]:
                _paint_ball(picture, (x + dx * size, y + dy * tall, 0.15 * size, 0.1 * tall), colour * 0.2)


def _bars(picture: Picture, rng: np.random.Generator) -> None:
    """Chair backs, railings, door frames: parallel bars, upright or level."""
    colour, step, thick = draw_colour(rng, (0.05, 0.9), (0.0, 0.6)), rng.uniform(0.03, 0.1), rng.uniform(0.005, 0.03)
    left, top, right, low = rng.uniform(-0.1, 0.6), rng.uniform(0, 0.6), rng.uniform(0.3, 1.1), rng.uniform(0.5, 1.1)
    upright = rng.random() < 0.6
    for at in np.arange(left if upright else top, right if upright else low, step):
        box = (at, top, at + thick, low) if upright else (left, at, right, at + thick)
        paint_rectangle(picture, box, colour * rng.uniform(0.8, 1.1))


def _garments(picture: Picture, rng: np.random.Generator) -> None:
    """Coats on hooks, cushions, bags: cloth without anybody in it."""
    for _ in range(int(rng.integers(1, 4))):
        x, y, wide = rng.random(), rng.uniform(0.2, 0.9), rng.uniform(0.04, 0.14)
        colour, tall = draw_colour(rng, (0.05, 0.9), (0.0, 0.8)), wide * rng.uniform(0.8, 2.5)
        _paint_ball(picture, (x, y, wide, tall), colour)
        paint_rectangle(picture, (x - wide, y, x + wide, y + tall), colour * rng.uniform(0.5, 1.0))
        for fold in rng.uniform(-1, 1, 4):
            paint_rectangle(picture, (x + fold * wide, y, x + fold * wide + 0.006, y + tall), colour * 0.5, 0.6)


def _signs(picture: Picture, rng: np.random.Generator) -> None:
    """Posters and screens with letters."""
    left, top, wide, tall = rng.uniform(0, 0.8), rng.uniform(0, 0.7), rng.uniform(0.1, 0.35), rng.uniform(0.08, 0.3)
    paint_rectangle(picture, (left, top, left + wide, top + tall), draw_colour(rng, (0.1, 1.0), (0.0, 0.9)))
    ink, high = draw_colour(rng, (0.0, 1.0), (0.0, 0.9)), rng.uniform(0.015, 0.06)
    for row in np.arange(top + 0.02, top + tall - high, 1.4 * high):
        x = left + 0.02
        while x < left + wide - 0.03:
            letter = high * rng.uniform(0.3, 0.8)
            if rng.random() < 0.85:
                paint_rectangle(picture, (x, row, x + 0.25 * letter, row + high), ink)
                paint_rectangle(picture, (x, row + high * rng.random(), x + letter, row + high), ink, 0.7)
            x += letter + 0.006


def _texels(
    x: float, y: float, reach: tuple[float, float]
) -> tuple[tuple[slice, slice], NDArray[np.floating], NDArray[np.floating]]:
    """The texels at most `reach` from (x, y), all in fractions: where they are in a backdrop, and their x and y."""
    left, right = (round(float(np.clip(edge, 0, 1)) * BACKDROP_SIDE) for edge in (x - reach[0], x + reach[0]))
    top, low = (round(float(np.clip(edge, 0, 1)) * BACKDROP_SIDE) for edge in (y - reach[1], y + reach[1]))
    ys, xs = np.mgrid[top:low, left:right] / BACKDROP_SIDE
    return (slice(top, low), slice(left, right)), xs - x, ys - y


def _paint_ball(picture: Picture, shape: tuple[float, float, float, float], colour: NDArray[np.floating]) -> None:
    """Paint an ellipse (centre x, y, half width, half height) in fractions, shaded as a ball is."""
    x, y, wide, tall = shape
    where, dx, dy = _texels(x, y, (wide, tall))
    u, v = dx / wide, dy / tall
    shade = (1.1 - 0.5 * np.hypot(u + 0.4, v + 0.4)).clip(0.2)[..., None]
    picture[where] = np.where((u * u + v * v < 1)[..., None], shade * colour, picture[where])


def _paint_leaf(
    picture: Picture, shape: tuple[float, float, float, float], turn: float, colour: NDArray[np.floating]
) -> None:
    """Paint a leaf (centre x, y, half length, width over length) in fractions; turn: of its axis, radians."""
    x, y, long, slim = shape
    where, dx, dy = _texels(x, y, (long, long))
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / long
    v = (dy * np.cos(turn) - dx * np.sin(turn)) / (long * slim)
    shade = np.where(v > 0, 0.75, 1.1) * np.where(np.abs(v) < 0.06, 1.4, 1.0)
    picture[where] = np.where((np.abs(v) < 1 - u * u)[..., None], shade[..., None] * colour, picture[where])


_SETTINGS = (
    BACKDROP_PAINTERS["wall"], _interior, _interior, BACKDROP_PAINTERS["outdoors"], BACKDROP_PAINTERS["photo"],
    _hedge, _foliage, _foliage, _painted_wall, _graffiti, _graffiti,
)  # fmt: skip
"""What lies behind everything else; leaves and sprayed walls are listed twice, for they are taken for people most."""
_THINGS = (
    _balls, _bars, _garments, _signs, FURNITURE["plant"], FURNITURE["frames"], _cabinets, FURNITURE["lamp"],
)  # fmt: skip
