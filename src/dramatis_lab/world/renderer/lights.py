"""Light of the rendered world: a key, a fill and a rim light, and an ambient term taken from the backdrop.

Directions point from the scene towards the light. A light of intensity 1 shows a surface that faces it at its albedo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Lights(NamedTuple):
    """Three lights and what comes from all around.

    directions: (3, 3) unit vectors to key, fill and rim light.  colours: (3, 3) their linear RGB intensities.
    ambient: (4, 3) linear RGB, a constant and the coefficients of the normal's x, y and z.
    """

    directions: NDArray[np.float32]
    colours: NDArray[np.float32]
    ambient: NDArray[np.float32]


@dataclass(frozen=True)
class LightRanges:
    """Bounds of `random_lights`; angles in degrees, azimuth 0 at the camera and positive to the image right."""

    key: tuple[float, float] = (0.55, 1.0)
    key_azimuth: tuple[float, float] = (12.0, 65.0)
    key_elevation: tuple[float, float] = (8.0, 50.0)
    fill: tuple[float, float] = (0.05, 0.3)
    rim: tuple[float, float] = (0.0, 1.4)
    ambient: tuple[float, float] = (0.22, 0.45)
    warmth: tuple[float, float] = (-1.0, 1.0)
    tint: float = 0.55
    """How much of the ambient light's colour comes from the backdrop."""


def light_direction(azimuth: float, elevation: float) -> NDArray[np.float32]:
    """(3,) unit vector for angles in degrees; (0, 0) is the camera's direction."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], np.float32)


def warmth_colour(amount: float) -> NDArray[np.float32]:
    """(3,) linear RGB of unit mean: 1 is tungsten, 0 white, -1 blue sky."""
    colour = np.array([1 + 0.32 * amount, 1 - 0.02 * abs(amount), 1 - 0.38 * amount]).clip(0.3)
    return (colour / colour.mean()).astype(np.float32)


def random_lights(rng: np.random.Generator, backdrop: NDArray[np.float32], ranges: LightRanges | None = None) -> Lights:
    """Lights that suit a backdrop of (h, w, 3) linear RGB: its colours and its brighter side light the people too."""
    ranges = ranges or LightRanges()
    side = 1.0 if rng.random() < _right_share(backdrop) else -1.0
    warmth = rng.uniform(*ranges.warmth)
    directions = np.stack(
        [
            light_direction(side * rng.uniform(*ranges.key_azimuth), rng.uniform(*ranges.key_elevation)),
            light_direction(-side * rng.uniform(30, 80), rng.uniform(-10, 25)),
            light_direction(-side * rng.uniform(125, 160), rng.uniform(15, 45)),
        ]
    )
    key = rng.uniform(*ranges.key)
    colours = np.stack(
        [
            key * warmth_colour(warmth),
            rng.uniform(*ranges.fill) * warmth_colour(rng.uniform(*ranges.warmth)),
            # Half of the scenes have no rim light at all.
            max(rng.uniform(-ranges.rim[1], ranges.rim[1]), ranges.rim[0]) * warmth_colour(-0.6 * warmth),
        ]
    ).astype(np.float32)
    return Lights(directions, colours, _ambient(backdrop, rng.uniform(*ranges.ambient), ranges.tint))


def _right_share(backdrop: NDArray[np.float32]) -> float:
    """Chance that the key light stands to the image right: the share of the backdrop's light that comes from there."""
    middle = backdrop.shape[1] // 2
    left, right = float(backdrop[:, :middle].mean()) + 0.02, float(backdrop[:, middle:].mean()) + 0.02
    return right**2 / (left**2 + right**2)


def _ambient(backdrop: NDArray[np.float32], level: float, tint: float) -> NDArray[np.float32]:
    """First-order ambient light whose gradients follow the backdrop's, as if a blurred copy surrounded the scene."""
    height, width = backdrop.shape[:2]
    mean = backdrop.mean((0, 1)) + 0.02
    across = backdrop[:, width // 2 :].mean((0, 1)) - backdrop[:, : width // 2].mean((0, 1))
    upward = backdrop[: height // 2].mean((0, 1)) - backdrop[height // 2 :].mean((0, 1))
    scale = level / float(mean.mean())
    colour = tint * mean * scale + (1 - tint) * level
    ambient = np.stack(
        [colour, 0.5 * tint * across * scale, 0.5 * tint * upward * scale + 0.22 * colour, 0.12 * colour]
    )
    # No direction may turn negative.
    ambient[1:] = np.clip(ambient[1:], -0.4 * colour, 0.4 * colour)
    return ambient.astype(np.float32)
