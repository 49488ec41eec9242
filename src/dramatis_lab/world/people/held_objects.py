"""Things that people hold: bottles, microphones, telephones and cups, each an outline turned about its axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dramatis_lab.world.people.arms import Palm
from dramatis_lab.world.people.shells import AttachedPart, sheet_mesh, wrapped_noise
from dramatis_lab.world.people.skin import texture_bytes
from dramatis_lab.world.renderer.mesh import RenderMaterial


@dataclass(frozen=True)
class _Shape:
    """Half width and height in metres; outline: heights and radii in shares of these; depth over width."""

    half: float
    tall: float
    heights: tuple[float, ...]
    radii: tuple[float, ...]
    depth: float = 1.0
    labelled: bool = False


_SHAPES = {
    "bottle": _Shape(
        0.032, 0.2, (0, 0, 0.02, 0.6, 0.75, 0.97, 0.97, 1), (0, 1, 1, 1, 0.4, 0.4, 0.45, 0), labelled=True
    ),
    "microphone": _Shape(0.018, 0.2, (0, 0, 0.7, 0.75, 0.88, 1), (0, 0.6, 0.8, 1.5, 1.6, 0)),
    "phone": _Shape(0.04, 0.15, (0, 0, 1, 1), (0, 1, 1, 0), depth=0.12),
    "cup": _Shape(0.04, 0.1, (0, 0, 1, 1), (0, 0.75, 1, 0), labelled=True),
}
HELD_OBJECTS = tuple(_SHAPES)


def build_held_object(kind: str, palm: Palm, rng: np.random.Generator) -> AttachedPart:
    """One of the `HELD_OBJECTS` in a hand, nearly upright where the hand allows it; size and colour are drawn."""
    shape = _SHAPES[kind]
    axis = palm.axis * np.sign(palm.axis[1] + 1e-6) + rng.normal(0, 0.2, 3) + (0, 0.5, 0)
    axis = axis / np.linalg.norm(axis)
    across = np.cross(axis, palm.outward)
    across = across / np.linalg.norm(across)
    ahead = np.cross(across, axis)
    half, tall = shape.half * rng.uniform(0.85, 1.25), shape.tall * rng.uniform(0.8, 1.3)
    turn = np.linspace(0, 2 * np.pi, 17)
    ring = np.cos(turn)[:, None] * across + shape.depth * np.sin(turn)[:, None] * ahead
    middle = palm.centre + ahead * np.sign(ahead @ palm.outward) * half * shape.depth * 0.9
    heights, radii = np.asarray(shape.heights), np.asarray(shape.radii)
    along = tall * (heights - rng.uniform(0.25, 0.5))
    grid = middle + along[:, None, None] * axis + half * radii[:, None, None] * ring
    colour = rng.uniform(0.02, 0.95) * (rng.uniform(0.2, 1, 3) if rng.random() < 0.5 else np.ones(3))
    image = np.broadcast_to(colour, (128, 128, 3)).copy()
    if shape.labelled:
        image[40:96] = rng.uniform(0, 1, 3)
        image[50:80] += 0.4 * (wrapped_noise(rng, (30, 128), (2, 3)) > 0.7)[..., None]
    material = RenderMaterial("held_object", "cloth", texture_bytes(image), None, 0.35, 0.5, 0.0)
    return AttachedPart(*sheet_mesh(grid.astype(np.float32)), material)
