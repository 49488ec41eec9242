"""Caps, beanies, brimmed hats and headscarves, as shells round a head."""

from __future__ import annotations

import numpy as np

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.shells import (
    CROWN_ROWS,
    SHELL_COLUMNS,
    SHELL_TEXELS,
    AttachedPart,
    sheet_mesh,
    shell_points,
    shell_radii,
    texel_points,
    wrapped_noise,
)
from dramatis_lab.world.people.skin import RGB, texture_bytes
from dramatis_lab.world.renderer.mesh import RenderMaterial

HATS = ("cap", "beanie", "brim")
HEADSCARF = "headscarf"
HEADWEAR = (*HATS, HEADSCARF)


def height_above_hat_line(points: F32) -> F32:
    """(N,) metres by which points (N, 3) lie above the slanted line that hats sit on; hair above it is hidden."""
    return points[:, 1] - 0.085 - 0.35 * (points[:, 2] - 0.1)


def build_hat(kind: str, skin: F32, colour: RGB, rng: np.random.Generator) -> list[AttachedPart]:
    """A hat of one of the `HATS` round points (N, 3) of the skin; some have a label or a band, some a brim."""
    bottom, rows = -0.06, 6
    radii = shell_radii(skin, bottom, rows, 0.16) + rng.uniform(0.012, 0.022)
    if kind == "beanie":
        radii[: CROWN_ROWS // 2] += rng.uniform(0.0, 0.05) * np.linspace(1, 0, CROWN_ROWS // 2)[:, None]
    elif kind == "brim":
        radii[: CROWN_ROWS - 4] += rng.uniform(0.0, 0.03)
    grid = shell_points(radii, bottom)
    points = texel_points(grid)
    texture = (SHELL_TEXELS, SHELL_TEXELS)
    knit = np.asarray(colour) * (1 + rng.uniform(0.0, 0.09) * wrapped_noise(rng, texture, (3, 1.0)))[..., None]
    height = height_above_hat_line(points.reshape(-1, 3)).reshape(texture)
    shift = rng.uniform(-0.012, 0.02)
    if rng.random() < 0.4:
        label = (height > 0.015) & (height < 0.05) & (np.abs(points[..., 0]) < rng.choice([0.03, 1.0]))
        knit = np.where(label[..., None], rng.uniform(0, 0.9, 3), knit)
    cloth = RenderMaterial("hat", "cloth", texture_bytes(knit), texture_bytes(height > shift), 0.85, 0.15, 0.1)
    brim = _brim(kind, grid, shift, rng)
    parts = [AttachedPart(*sheet_mesh(grid), cloth)]
    if brim is not None:
        plain = RenderMaterial("brim", "cloth", texture_bytes(knit[:8, :8]), None, 0.85, 0.15, 0.1)
        parts.append(AttachedPart(*sheet_mesh(brim), plain))
    return parts


def _brim(kind: str, grid: F32, shift: float, rng: np.random.Generator) -> F32 | None:
    """(2, SHELL_COLUMNS + 1, 3) the peak of a cap or the brim of a hat, from the edge of its shell outwards."""
    if kind == "beanie":
        return None
    heights = height_above_hat_line(grid.reshape(-1, 3)).reshape(grid.shape[:2]) - shift
    edge = grid[(heights > 0).sum(0).clip(1) - 1, np.arange(SHELL_COLUMNS + 1)]
    turn = np.linspace(-np.pi, np.pi, SHELL_COLUMNS + 1)[:, None]
    outward = np.concatenate([np.sin(turn), np.zeros_like(turn), np.cos(turn)], 1)
    upward = np.array([0.0, 1.0, 0.0])
    if kind == "cap":
        front = np.clip(np.cos(turn * rng.uniform(1.0, 1.3)), 0, 1) * (np.abs(turn) < 1.4)
        reach = rng.uniform(0.05, 0.08) * np.sqrt(front)
        rim = edge + reach * outward * [0.3, 0, 1] - upward * reach * rng.uniform(0.1, 0.6)
    else:
        reach = rng.uniform(0.04, 0.12) * (1 + 0.1 * np.sin(turn * 2 + rng.uniform(0, 6)))
        rim = edge + reach * outward + upward * reach * (rng.uniform(-0.5, 0.3) + 0.25 * np.cos(turn * 2))
    return np.stack([edge, rim]).astype(np.float32)


def build_headscarf(dressed: F32, colour: RGB, rng: np.random.Generator) -> AttachedPart:
    """A scarf over hair, ears, neck and shoulders that leaves an oval free for the face.

    dressed: (N, 3) points of skin and clothes.
    """
    bottom, rows = -float(rng.uniform(0.16, 0.3)), 14
    radii = shell_radii(dressed, bottom, rows, 0.2) + rng.uniform(0.008, 0.016)
    radii[CROWN_ROWS:] = np.maximum(radii[CROWN_ROWS:], 0.075 + 0.03 * np.linspace(0, 1, rows)[:, None])
    folds = wrapped_noise(rng, radii.shape, (2.5, 1.5)) * np.linspace(0.1, 1.0, len(radii))[:, None]
    grid = shell_points(radii + 0.006 * folds, bottom)
    x, y, z = np.moveaxis(texel_points(grid), -1, 0)
    half = rng.uniform(0.056, 0.07)
    middle, tall = rng.uniform(0.015, 0.025), rng.uniform(0.08, 0.092)
    face = ((x / half) ** 2 + ((y - middle) / tall) ** 2 < 1) & (z > 0)
    alpha = ~face & (y > bottom + 0.02 + 0.01 * wrapped_noise(rng, x.shape, (20, 20)))
    shade = 1 + 0.18 * wrapped_noise(rng, x.shape, (14, 5)) + 0.05 * wrapped_noise(rng, x.shape, (1, 1))
    cloth = np.asarray(colour) * shade[..., None]
    if rng.random() < 0.4:
        dots = wrapped_noise(rng, x.shape, (5, 5)) > 1.0
        cloth = np.where(dots[..., None], rng.uniform(0, 0.9, 3), cloth)
    material = RenderMaterial(HEADSCARF, "cloth", texture_bytes(cloth), texture_bytes(alpha), 0.85, 0.15, 0.1)
    return AttachedPart(*sheet_mesh(grid), material)
