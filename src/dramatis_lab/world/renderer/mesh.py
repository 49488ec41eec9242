"""The shape of everything the world renders: a triangle mesh with texture coordinates, regions and materials.

Only data lives here, so that the builders of people and the rasteriser can share it without knowing each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REGIONS: tuple[str, ...] = ("skin_face", "skin_body", "hair", "cloth", "eye", "mouth_inside", "brow_lash")
"""What a face of a mesh belongs to; `Mesh.region` holds indices into this tuple."""

MATERIAL_KINDS: tuple[str, ...] = ("skin", "eye", "teeth", "gum", "hair", "lash", "brow", "cloth")


@dataclass(frozen=True)
class RenderMaterial:
    """How a surface answers to light.

    `albedo` is (h, w, 3) uint8 sRGB, `alpha` (h, w) uint8 or None (opaque), `bump` (h, w) float32 height in
    metres or None; row 0 of every texture is v = 1 (the top). `wrap` (0..0.5) is how far diffuse light
    reaches past the terminator, which stands in for subsurface scattering.
    """

    name: str
    kind: str
    albedo: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    roughness: float = 0.6
    specular: float = 0.5
    wrap: float = 0.0
    bump: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Mesh:
    """Topology that stays put while the vertices move.

    `faces` (F, 3) int32 vertex indices, `uv` (U, 2) float32 with v upwards, `face_uv` (F, 3) int32 indices
    into `uv`, `material` (F,) int16 indices into `materials`, `region` (F,) int16 indices into `REGIONS`.
    """

    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    face_uv: NDArray[np.int32]
    material: NDArray[np.int16]
    region: NDArray[np.int16]
    materials: tuple[RenderMaterial, ...]
