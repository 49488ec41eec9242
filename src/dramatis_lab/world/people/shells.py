"""Shells round a head: grids of directions and heights whose radius lies outside skin and clothes.

A shell is cut to shape in the alpha of its texture, so that the edges of hair and cloth can be ragged. Its rows run
from the crown to the level of the centre and from there down to its end. Its columns run round the head, and begin
and end behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter, zoom

from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.renderer.mesh import RenderMaterial

SHELL_CENTRE = np.array([0.0, 0.03, -0.005], np.float32)
"""Where the directions of a shell start, metres: amid the skull."""
CROWN_ROWS, SHELL_COLUMNS = 14, 48
"""Rows above the level of the centre, and columns round the head."""
SHELL_TEXELS = 384
"""Texels along each side of a shell's texture: about one a millimetre at the temples."""


@dataclass(frozen=True)
class AttachedPart:
    """A part of a person's mesh beside body and clothes: vertices (V, 3), faces (F, 3), uv (V, 2), and a material.

    follows: (V,) the vertices of the head whose movement each vertex shares, or None for what moves as a whole.
    """

    vertices: F32
    faces: I32
    uv: F32
    material: RenderMaterial
    follows: I32 | None = None


def shell_radii(points: F32, bottom: float, rows: int, widest: float) -> F32:
    """(CROWN_ROWS + rows, SHELL_COLUMNS) smoothed radius of what lies in each direction and at each height, metres.

    points: (N, 3) what the shell shall enclose.  bottom: its lowest height.  rows: below the centre.  widest: points
    farther out, such as shoulders, are left out.
    """
    offset = points - SHELL_CENTRE
    above = offset[:, 1] >= 0
    level = np.hypot(offset[:, 0], offset[:, 2])
    polar = np.arctan2(level, offset[:, 1]) / (np.pi / 2) * (CROWN_ROWS - 1)
    fall = CROWN_ROWS - 1 - offset[:, 1] / (SHELL_CENTRE[1] - bottom) * rows
    row = np.round(np.where(above, polar, fall)).astype(int)
    turn = (np.arctan2(offset[:, 0], offset[:, 2]) + np.pi) / (2 * np.pi)
    column = np.floor(turn * SHELL_COLUMNS).astype(int) % SHELL_COLUMNS
    radius = np.where(above, np.linalg.norm(offset, axis=1), level)
    counted = (row < CROWN_ROWS + rows) & (radius < widest)
    grid = np.full((CROWN_ROWS + rows, SHELL_COLUMNS), -1.0, np.float32)
    np.maximum.at(grid, (row[counted], column[counted]), radius[counted])
    while (grid < 0).any():
        grid = np.where(grid < 0, maximum_filter(grid, 3, mode=["nearest", "wrap"]), grid)
    grid = maximum_filter(grid, 3, mode=["nearest", "wrap"])
    return np.asarray(gaussian_filter(grid, 1.0, mode=["nearest", "wrap"]), np.float32)


def shell_points(radii: NDArray[np.floating], bottom: float) -> F32:
    """(R, SHELL_COLUMNS + 1, 3) points of a shell; its first and its last column are the same."""
    rows = len(radii) - CROWN_ROWS
    polar = np.linspace(0.03, np.pi / 2, CROWN_ROWS)
    lift = np.concatenate([np.cos(polar), np.zeros(rows)])
    reach = np.concatenate([np.sin(polar), np.ones(rows)])
    fall = np.concatenate([np.zeros(CROWN_ROWS), np.linspace(0, bottom - SHELL_CENTRE[1], rows + 1)[1:]])
    turn = np.linspace(-np.pi, np.pi, SHELL_COLUMNS + 1)
    radii = np.concatenate([radii, radii[:, :1]], 1)
    x, z = (radii * reach[:, None] * wave for wave in (np.sin(turn), np.cos(turn)))
    return (np.stack([x, radii * lift[:, None] + fall[:, None], z], -1) + SHELL_CENTRE).astype(np.float32)


def sheet_mesh(grid: F32) -> tuple[F32, I32, F32]:
    """Vertices, faces and uv of a grid (R, C, 3) of points; v falls along the rows."""
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    v, u = np.meshgrid(np.linspace(1, 0, rows), np.linspace(0, 1, columns), indexing="ij")
    return grid.reshape(-1, 3), faces.astype(np.int32), np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)


def texel_points(grid: F32) -> F32:
    """(SHELL_TEXELS, SHELL_TEXELS, 3) where the texels of a grid's texture lie."""
    scale = (SHELL_TEXELS / grid.shape[0], SHELL_TEXELS / grid.shape[1], 1)
    return np.asarray(zoom(grid, scale, order=1, grid_mode=True, mode="nearest"), np.float32)


def wrapped_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> F32:
    """Noise of unit deviation, smooth over `sigma` rows and columns; the last columns go on into the first."""
    field = gaussian_filter(rng.standard_normal(shape), sigma, mode=["nearest", "wrap"])
    return np.asarray(field / (field.std() + 1e-9), np.float32)
