"""The camera of the rendered world: how people are framed, and how a performance's camera row moves the frame.

The conventions are those of `dramatis.motion.face`: an orbit about the target, then one similarity of the
picture (zoom, roll, pan) that the background shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.face import background_shift, head_rotation

STILL_CAMERA = np.zeros(6, np.float32)
"""The camera row of the reference frame."""


@dataclass(frozen=True)
class CameraFraming:
    """The camera at rest.

    target: (3,) metres, what it looks at and orbits.  distance: metres to the target.  focal: focal length in frame
    heights.  centre: (2,) where the target appears, as fractions of width and height.
    """

    target: tuple[float, float, float]
    distance: float
    focal: float
    centre: tuple[float, float]


@dataclass(frozen=True)
class CameraState:
    """A camera at one frame of a picture of `size` (height, width).

    projection: (3, 4) metres to homogeneous pixels (x w, y w, w), w the depth in metres.  position: (3,)
    metres. similarity: (2, 3) from pixels of the unmoved background to pixels of this frame.
    """

    size: tuple[int, int]
    projection: NDArray[np.float64]
    position: NDArray[np.float64]
    similarity: NDArray[np.float64]

    def project(self, points: ArrayLike) -> NDArray[np.float32]:
        """(..., 2) pixels, x right and y down with pixel centres at halves, of (..., 3) points in metres."""
        homogeneous = np.asarray(points, np.float64) @ self.projection[:, :3].T + self.projection[:, 3]
        return (homogeneous[..., :2] / homogeneous[..., 2:]).astype(np.float32)

    def depth(self, points: ArrayLike) -> NDArray[np.float32]:
        """(...,) distance in metres along the optical axis of (..., 3) points."""
        return (np.asarray(points, np.float64) @ self.projection[2, :3] + self.projection[2, 3]).astype(np.float32)


def camera_state(framing: CameraFraming, row: ArrayLike, size: tuple[int, int]) -> CameraState:
    """The camera for one row of `Performance.camera`: log_zoom, pan_x, pan_y, roll, orbit_yaw, orbit_pitch."""
    row = np.asarray(row, np.float64)
    height, width = size
    orbit = head_rotation(row[4], row[5], 0.0)
    target = np.array(framing.target)
    focal = framing.focal * height
    centre = np.array(framing.centre) * (width, height)
    # Camera axes: x right, y up, z back, so that depth is distance - z.
    intrinsics = np.array([[focal, 0, -centre[0]], [0, -focal, -centre[1]], [0, 0, -1.0]])
    lift = np.eye(3)
    picture = _similarity(row, size)
    lift[:2] = picture
    matrix = lift @ intrinsics @ orbit
    shift = lift @ (centre[0], centre[1], 1.0) * framing.distance - matrix @ target
    background = picture.copy()
    background[:, 2] += picture[:, :2] @ background_shift(row[None], size)[0]
    return CameraState(
        size, np.column_stack([matrix, shift]), target + orbit.T @ (0.0, 0.0, framing.distance), background
    )


def _similarity(row: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(2, 3) zoom and roll about the frame's centre, then pan, on pixels."""
    height, width = size
    zoom = np.exp(row[0])
    turn = zoom * np.array([[np.cos(row[3]), -np.sin(row[3])], [np.sin(row[3]), np.cos(row[3])]])
    middle = np.array([width, height]) / 2
    return np.column_stack([turn, middle + np.array([row[1] * width, -row[2] * height]) - turn @ middle])


def frame_people(
    landmarks: ArrayLike, fraction: float, centre: tuple[float, float], distance: float, aspect: float = 1.0
) -> CameraFraming:
    """Frame people by their faces.

    landmarks: (P, 68, 3) metres at rest.  fraction: height of a face, chin to hairline, in frame heights;
    with several people it is lowered until all the faces fit.  centre: where the middle of the faces
    appears.  distance: metres.  aspect: width of the frame over its height.
    """
    points = np.asarray(landmarks, np.float64)
    # Brow to chin is about seven tenths of chin to hairline.
    face_height = 1.4 * float(np.mean(points[:, 19:25, 1].mean(1) - points[:, 8, 1]))
    middle = (points[:, 0] + points[:, 16]).mean(0) / 2
    middle[1] = points[:, 8, 1].min() + 0.5 * face_height
    # The frame is one focal-length unit high; the outermost ear keeps clear of the edge.
    reach = np.abs(points[..., 0] - middle[0]) / (distance - (points[..., 2] - middle[2]))
    room = 0.5 * aspect - (0.12 if len(points) > 1 else 0.0)
    focal = min(fraction * distance / face_height, room / float(reach.max()))
    return CameraFraming((float(middle[0]), float(middle[1]), float(middle[2])), distance, focal, centre)
