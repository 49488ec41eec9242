"""Fits what turns the library's mesh into our 68 landmarks, on rendered training people with exact landmarks.

    python -m dramatis_lab.train.mesh_landmarks --out src/dramatis/senses/seeing/library_landmarks.json

For every landmark the point of the mesh is taken that, moved by one offset in the head's axes, lies nearest in the
median; then the offset becomes a polynomial in the sine of the yaw, the two sides of the face mirroring each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.runtime.files import write_whole
from dramatis.senses.seeing.library_files import find_library_files
from dramatis.senses.seeing.library_landmarks import TERMS, mesh_axes, yaw_terms
from dramatis_lab.data.face_views import MIRRORED_LANDMARKS
from dramatis_lab.world.takes.heads import HeadStill, render_head

_WIDEST_YAW = 1.15
_MIRROR = np.array([-1.0, 1.0, 1.0])
_MIDDLE = 0.01
"""Distance from the plane of symmetry, in distances of the eye corners, up to which a point lies in the middle."""
_LONG_OFFSET = 0.1
"""How much the length of an offset counts beside what is left over, when a point is chosen."""
_ROUNDS, _NEAR, _STIFF = 6, 0.01, 0.1
"""Rounds of reweighting, the distance below which a sample counts in full, and the weight of a small yaw term."""


@dataclass(frozen=True, eq=False)
class MeshSamples:
    """N heads. mesh: (N, 468, 3) px.  landmarks: (N, 68, 2) px, true.  axes: (N, 3, 3) and unit: (N,), `mesh_axes`."""

    mesh: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    axes: NDArray[np.float64]
    unit: NDArray[np.float64]

    @classmethod
    def of(cls, meshes: list[NDArray[np.float64]], stills: list[HeadStill]) -> MeshSamples:
        axes, unit = zip(*(mesh_axes(mesh) for mesh in meshes), strict=True)
        landmarks = np.stack([still.landmarks for still in stills]).astype(np.float64)
        return cls(np.stack(meshes), landmarks, np.stack(axes), np.array(unit))

    def gaps(self, landmark: int, points: NDArray[np.int64]) -> NDArray[np.float64]:
        """(2N, P) from points of the mesh to a landmark, in units."""
        gap = self.landmarks[:, landmark, None] - self.mesh[:, points, :2]
        return (gap / self.unit[:, None, None]).transpose(0, 2, 1).reshape(-1, len(points))


def fit_mesh_landmarks(samples: MeshSamples) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Points (68,) of the mesh and offsets (68, TERMS, 3), as `landmarks_from_mesh` reads them."""
    points = _chosen_points(samples)
    return points, np.stack([_offset(samples, points, landmark) for landmark in range(68)])


def _chosen_points(samples: MeshSamples) -> NDArray[np.int64]:
    design = samples.axes[:, :, :2].transpose(0, 2, 1).reshape(-1, 3)
    solve = np.linalg.pinv(design)
    shape = np.mean([(mesh - mesh.mean(0)) @ axes.T / unit for mesh, axes, unit in _rows(samples)], axis=0)
    shape[:, 0] -= (shape[:, 0].max() + shape[:, 0].min()) / 2
    mirrored = np.array([np.linalg.norm(shape * _MIRROR - point, axis=1).argmin() for point in shape])
    middle, everywhere = np.flatnonzero(np.abs(shape[:, 0]) < _MIDDLE), np.arange(len(shape))
    points = np.zeros(68, np.int64)
    for landmark, other in enumerate(MIRRORED_LANDMARKS):
        if other < landmark:
            points[landmark] = mirrored[points[other]]
            continue
        choice = middle if other == landmark else everywhere
        gaps = samples.gaps(landmark, choice)
        offsets = solve @ gaps
        left = np.linalg.norm((gaps - design @ offsets).reshape(-1, 2, len(choice)), axis=1)
        points[landmark] = choice[(np.median(left, 0) + _LONG_OFFSET * np.linalg.norm(offsets, axis=0)).argmin()]
    return points


def _rows(samples: MeshSamples) -> zip[tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    return zip(samples.mesh, samples.axes, samples.unit, strict=True)


def _offset(samples: MeshSamples, points: NDArray[np.int64], landmark: int) -> NDArray[np.float64]:
    """(TERMS, 3) by least absolute distances over all heads and their mirror images."""
    other = MIRRORED_LANDMARKS[landmark]
    flipped = samples.axes * np.array([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    designs, gaps = [], []
    for axes, side, turn in ((samples.axes, landmark, 1.0), (flipped, other, -1.0)):
        terms = np.stack([yaw_terms(rows) for rows in axes])
        designs.append(np.einsum("nt,ncx->nxtc", terms, axes[:, :, :2]).reshape(-1, 3 * TERMS))
        gap = samples.gaps(side, points[[side]]).reshape(-1, 2) * (turn, 1.0)
        gaps.append(gap.ravel())
    design, gap = np.concatenate(designs), np.concatenate(gaps)
    stiff = np.diag([0.0] * 3 + [_STIFF] * 3 * (TERMS - 1))
    weight = np.ones(len(gap))
    offset = np.zeros(3 * TERMS)
    for _ in range(_ROUNDS):
        weighted = (design * weight[:, None]).T
        offset = np.linalg.solve(weighted @ design + stiff, weighted @ gap)
        left = np.linalg.norm((gap - design @ offset).reshape(-1, 2), axis=1)
        weight = np.repeat(_NEAR / np.maximum(left, _NEAR), 2)
    return offset.reshape(TERMS, 3)


def main(
    out: Annotated[Path, typer.Option(help="The table, a json file.")],
    assets: Annotated[Path, typer.Option(help="Folder with the raw assets; see docs/world.md.")] = Path(
        "../shared/assets"
    ),
    heads: Annotated[int, typer.Option(help="Rendered training people.")] = 280,
) -> None:
    """Render, look, fit and write the table."""
    from dramatis.senses.seeing.library_eye import LibraryEye

    folder = find_library_files()
    if folder is None:
        raise UserError("The networks of mediapipe have not been fetched; run `dramatis models install-eyes`.")
    eye, meshes, stills = LibraryEye(folder), [], []
    for seed in range(heads):
        yaw = float(np.random.default_rng([seed, 5]).uniform(-_WIDEST_YAW, _WIDEST_YAW))
        still = render_head(seed, "train", yaw, assets)
        mesh = eye.mesh_of(still.picture)
        if mesh is not None:
            meshes.append(mesh)
            stills.append(still)
    points, offsets = fit_mesh_landmarks(MeshSamples.of(meshes, stills))
    table = {"points": points.tolist(), "offsets": offsets.round(4).tolist()}
    write_whole(out, json.dumps(table) + "\n")


if __name__ == "__main__":
    typer.run(main)
