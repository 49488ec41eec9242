"""Puts the parts of a person together: one mesh with all materials, and the vertices that follow others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.people.shells import AttachedPart
from dramatis_lab.world.renderer.mesh import REGIONS, Mesh, RenderMaterial


@dataclass(frozen=True)
class PersonPart:
    """A piece of the mesh before assembly; material is an index into the person's materials, region a name."""

    vertices: F32
    faces: I32
    uv: F32
    face_uv: I32
    material: NDArray[np.int16] | int
    region: NDArray[np.int16] | str


def attach_parts(
    attached: Sequence[AttachedPart], parts: list[PersonPart], materials: list[RenderMaterial]
) -> list[tuple[slice, I32]]:
    """Append attached parts and their materials; returns the followers among their vertices."""
    followers = []
    start = sum(len(part.vertices) for part in parts)
    for piece in attached:
        region = "hair" if piece.material.kind == "hair" else "cloth"
        parts.append(PersonPart(piece.vertices, piece.faces, piece.uv, piece.faces, len(materials), region))
        materials.append(piece.material)
        if piece.follows is not None:
            followers.append((slice(start, start + len(piece.vertices)), piece.follows))
        start += len(piece.vertices)
    return followers


def assemble_parts(parts: Sequence[PersonPart], materials: Sequence[RenderMaterial]) -> tuple[Mesh, F32]:
    """The mesh of all parts, and its vertices (V, 3) at rest, in the order of the parts."""
    vertices, uv, faces, face_uv, material, region = [], [], [], [], [], []
    vertex_count = uv_count = 0
    for part in parts:
        vertices.append(part.vertices)
        uv.append(part.uv)
        faces.append(part.faces + vertex_count)
        face_uv.append(part.face_uv + uv_count)
        count = len(part.faces)
        material.append(np.broadcast_to(np.asarray(part.material, np.int16), count))
        index = REGIONS.index(part.region) if isinstance(part.region, str) else part.region
        region.append(np.broadcast_to(np.asarray(index, np.int16), count))
        vertex_count += len(part.vertices)
        uv_count += len(part.uv)
    mesh = Mesh(
        np.concatenate(faces).astype(np.int32),
        np.concatenate(uv).astype(np.float32),
        np.concatenate(face_uv).astype(np.int32),
        np.concatenate(material),
        np.concatenate(region),
        tuple(materials),
    )
    return mesh, np.concatenate(vertices).astype(np.float32)
