"""Hair that decides an outline: long and voluminous hair as shells round the head, beards as layers on the jaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.fitting import cubic_step, rest_normals
from dramatis_lab.world.people.head import HeadModel
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
from dramatis_lab.world.people.skin import RGB, beard_mask, texture_bytes
from dramatis_lab.world.renderer.mesh import RenderMaterial

BEARD_LAYERS = (0.35, 0.7, 1.0)
"""Heights of a beard's layers over the skin, in lengths of the beard; the outer ones have more gaps."""


@dataclass(frozen=True)
class HairVolume:
    """A volume of hair, in metres.

    length: its end below the head centre.  volume: how far it stands off.  curl: 0 (combed) to 1 (curly).  face_halves:
    half the width of the face that it leaves free, at left and right.  parted: half the width of the chest that it
    leaves free.  hairline: height above the head centre.
    """

    length: float
    volume: float
    curl: float
    face_halves: tuple[float, float]
    parted: float
    hairline: float


def build_hair_volume(hair: HairVolume, dressed: F32, colour: RGB, rng: np.random.Generator) -> list[AttachedPart]:
    """Two layers of hair round what a person looks like without it. dressed: (N, 3) points of skin and clothes."""
    bottom, rows = -hair.length, 12
    radii = shell_radii(dressed, bottom, rows, 0.19) + 0.006
    hang = radii[CROWN_ROWS - 1] + 0.002
    depth = np.linspace(0, 1, rows + 1)[1:, None]
    flare = hair.volume * (0.5 + 0.5 * depth) - 0.5 * (1 - hair.curl) * hair.volume * depth**2
    radii[CROWN_ROWS:] = np.maximum(hang + flare, np.minimum(radii[CROWN_ROWS:] + 0.006, 0.18))
    radii[:CROWN_ROWS] += hair.volume * np.linspace(0.35, 1.0, CROWN_ROWS)[:, None]
    waves = wrapped_noise(rng, radii.shape, (2.0, 1.5 + 2 * (1 - hair.curl)))
    radii = radii + waves * (0.004 + 0.12 * hair.volume)
    if hair.curl > 0.8 and rng.random() < 0.5:  # locks
        radii = radii + 0.008 * np.sin(np.arange(SHELL_COLUMNS) * rng.integers(12, 22) * 2 * np.pi / SHELL_COLUMNS)
    albedo = _strands(rng, colour, hair.curl)
    parts = []
    for layer, gaps in ((0.93, 0.0), (1.0, 0.2 + 0.15 * hair.curl)):
        grid = shell_points(radii * layer, bottom)
        alpha = _hair_alpha(texel_points(grid), hair, gaps, rng)
        material = RenderMaterial("hair_volume", "hair", albedo, alpha, 0.5, 0.22, 0.25)
        parts.append(AttachedPart(*sheet_mesh(grid), material))
    return parts


def build_beard(
    length: float, head: HeadModel, points: F32, colour: RGB, rng: np.random.Generator
) -> list[AttachedPart]:
    """Layers over the skin of jaw and chin, which move with it.

    length: metres at the chin.  points: (V, 3) of the head.
    """
    mask = beard_mask(head.mean)
    lips = head.mean[head.landmarks[48:60]]
    middle, half = lips.mean(0), np.ptp(lips, axis=0) / 2 + 0.002
    mask = mask * (((head.mean - middle)[:, :2] / half[:2]) ** 2).sum(1).clip(0, 1) ** 4
    chosen = head.skin_faces[mask[head.skin_faces].min(1) > 0.3]
    used, index = np.unique(chosen, return_inverse=True)
    faces = index.reshape(chosen.shape).astype(np.int32)
    normals = rest_normals(points, head.skin_faces)[used]
    chin = cubic_step(points[used][:, 1], -0.01, -0.05) * cubic_step(np.abs(points[used][:, 0]), 0.06, 0.02)
    grown = length * (0.25 + 0.75 * chin) * mask[used]
    spread = points[used][:, :2] - points[used][:, :2].mean(0)
    uv = (0.5 + spread / 0.2).clip(0, 1).astype(np.float32)
    albedo = _strands(rng, colour, 0.7)
    hanging = normals + np.array([0.0, -0.8, 0.0]) * chin[:, None]
    parts = []
    for layer in BEARD_LAYERS:
        vertices = (points[used] + (layer * grown)[:, None] * hanging).astype(np.float32)
        alpha = texture_bytes(wrapped_noise(rng, (SHELL_TEXELS, SHELL_TEXELS), (5, 1.5)) > 1.6 * layer - 1.8)
        material = RenderMaterial("beard", "hair", albedo, alpha, 0.6, 0.15, 0.25)
        parts.append(AttachedPart(vertices, faces, uv, material, used.astype(np.int32)))
    return parts


def _strands(rng: np.random.Generator, colour: RGB, curl: float) -> NDArray[np.uint8]:
    """(SHELL_TEXELS, SHELL_TEXELS, 3) albedo of combed or curly hair; its tips may be bleached."""
    size = (SHELL_TEXELS, SHELL_TEXELS)
    combed = 0.8 * wrapped_noise(rng, size, (40, 0.7)) + 0.7 * wrapped_noise(rng, size, (60, 6.0))
    curls = wrapped_noise(rng, size, (2.0, 1.6)) + 0.6 * wrapped_noise(rng, size, (6, 6))
    relief = 1 + 0.18 * ((1 - curl) * combed + curl * curls)
    tips = np.linspace(1.0, rng.uniform(0.9, 1.7), SHELL_TEXELS)[:, None]
    return texture_bytes(np.asarray(colour) * (relief.clip(0.25, 2.0) * tips)[..., None])


def _hair_alpha(points: F32, hair: HairVolume, gaps: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Where hair is: not before the face and the chest, ragged at its end.

    points: (h, w, 3) where the texels lie.  gaps: how many holes there are, from 0 (a sixth of
    the hair) to 0.35 (two fifths).
    """
    size = points.shape[:2]
    ragged = wrapped_noise(rng, size, (12, 2.0)) * (1 - hair.curl) + wrapped_noise(rng, size, (4, 3)) * hair.curl
    x, y, z = np.moveaxis(points, -1, 0)
    free = np.where(x < 0, *hair.face_halves)
    free = free + (hair.parted - free) * cubic_step(y, -0.07, -0.16)
    top = hair.hairline - 0.3 * np.abs(x - 0.01)
    opening = np.minimum((free + 0.0025 * ragged - np.abs(x)) / 0.01, (top + 0.003 * ragged - y) / 0.01)
    opening = np.minimum(opening, (z + 0.005) / 0.01)
    # Hair that ends above the chin is closed below: a volume all round, not a curtain.
    end = (y + hair.length) / 0.03 + 0.8 * ragged if hair.length >= 0.05 else np.ones(size)
    holes = wrapped_noise(rng, size, (8 * (1 - hair.curl) + 1.5, 1.2)) < gaps * 2 - 1
    return texture_bytes((opening < 0) & (end > 0) & ~holes)
