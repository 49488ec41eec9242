"""A second pair of eyes on finished films: mediapipe's face mesh, followed from frame to frame.

The mesh sees the portrait when something is filmed, and nothing else. No network of this project is trained on it or
chosen by it, so what it says of a finished film is said from outside.

Shape legend: F frames, H W pixels, frames (H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures

if TYPE_CHECKING:  # the package behind it may be absent, and rows say so then
    from dramatis.senses.seeing.library_eye import LibraryEye

MESH_POINTS = 468


class MeshTracker:
    """Follows one face through a film: near its last place, and in the whole frame where it is lost there."""

    def __init__(self, eye: LibraryEye) -> None:
        self._eye = eye

    def follow(self, frames: Iterable[Pictures], start: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """The meshes (F, 468, 3), px, z towards the back; nan where no face is seen.

        start: the mesh of the face that is meant, where several may be seen; else that of the largest face.
        """
        meshes, last = [], start
        for frame in frames:
            mesh = self.at(frame, last)
            meshes.append(np.full((MESH_POINTS, 3), np.nan) if mesh is None else mesh)
            last = last if mesh is None else mesh
        return np.stack(meshes)

    def at(self, frame: Pictures, last: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """The mesh (468, 3) of the face that was at `last`, or of the largest one; None where no face is seen."""
        near = None if last is None else self._eye.mesh_near(frame, last)
        if near is not None:
            return near
        faces = self._eye.find(frame)
        if last is not None:
            middle = last[:, :2].mean(0)
            faces.sort(key=lambda face: float(np.linalg.norm(face.centre - middle)))
        else:
            faces.sort(key=lambda face: -face.radius)
        return self._eye.mesh_of_face(frame, faces[0]) if faces else None
