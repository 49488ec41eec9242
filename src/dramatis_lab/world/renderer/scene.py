"""A scene of people, a camera, lights and a backdrop, which renders frames and their ground truth.

A scene is fixed for a performance. For each frame it takes the poses of the people and the camera row of the
performance, and returns the picture with its ground truth: the person at each pixel, the face mask, depth, projected
landmarks and optical flow.
"""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from dramatis_lab.world.renderer.camera import STILL_CAMERA, CameraFraming, CameraState, camera_state, frame_people
from dramatis_lab.world.renderer.lens import Lens, LensRanges, expose, random_lens
from dramatis_lab.world.renderer.lights import LightRanges, Lights, random_lights
from dramatis_lab.world.renderer.mesh import MATERIAL_KINDS, REGIONS, Mesh
from dramatis_lab.world.renderer.raster import (
    ALPHA_TEST,
    CASTS_SHADOW,
    CULL_BACK,
    SUPERSAMPLE,
    GBuffer,
    Triangles,
    rasterise,
    shadow_map,
    strand_tangents,
    vertex_normals,
)
from dramatis_lab.world.renderer.shading import (
    HAIR_KIND,
    Backdrop,
    FrameGeometry,
    Illumination,
    SceneMesh,
    Shadow,
    SurfaceAttributes,
    contact_shade,
    material_parameters,
    mouth_cavity,
    shade,
)
from dramatis_lab.world.renderer.textures import pack_textures
from dramatis_lab.world.takes.backgrounds import FRAME_SHARE, make_background
from dramatis_lab.world.takes.clutter import make_clutter

BACKDROP_DISTANCE_M = 2.5
"""How far behind the people the backdrop counts in the depth map."""


class HasMesh(Protocol):
    @property
    def mesh(self) -> Mesh: ...


class Posed(Protocol):
    @property
    def vertices(self) -> NDArray[np.float32]: ...
    @property
    def landmarks68(self) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class PersonPlacement:
    """Where a person stands: offset (3,) in metres, and yaw in radians about the person's origin.

    Yaw is positive to the image right.
    """

    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0

    def apply(self, points: ArrayLike) -> NDArray[np.float32]:
        """(..., 3) points of the person in the scene's metres."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)
        return np.asarray(points, np.float32) @ turn.T + np.asarray(self.offset, np.float32)


@dataclass(frozen=True)
class RenderedFrame:
    """One frame.

    rgb: (H, W, 3) uint8.  person: (H, W) uint8, 0 the backdrop, k the k-th person.  face: (H, W) bool, visible skin
    of a face with its eyes and mouth.  depth: (H, W) float32 metres.  camera: the state that projects points.
    """

    rgb: NDArray[np.uint8]
    person: NDArray[np.uint8]
    face: NDArray[np.bool_]
    depth: NDArray[np.float32]
    camera: CameraState


def _flags(mesh: Mesh) -> NDArray[np.uint8]:
    """Closed skin shows its front only; strips and cloth show both sides; what has alpha is tested."""
    kinds = np.array([MATERIAL_KINDS.index(m.kind) for m in mesh.materials])[mesh.material]
    tested = np.array([m.alpha is not None for m in mesh.materials])[mesh.material]
    one_sided = np.isin(kinds, [MATERIAL_KINDS.index(k) for k in ("skin", "eye", "teeth", "gum")])
    casts = np.isin(kinds, [MATERIAL_KINDS.index(k) for k in ("skin", "hair", "cloth")])
    casts &= mesh.region != REGIONS.index("mouth_inside")
    return (CULL_BACK * one_sided + ALPHA_TEST * tested + CASTS_SHADOW * casts).astype(np.uint8)


def merge_meshes(meshes: Sequence[Mesh], vertex_counts: Sequence[int]) -> SceneMesh:
    """Join meshes whose vertex arrays will be concatenated in the same order."""
    first_vertex = np.concatenate([[0], np.cumsum(vertex_counts)])
    first_uv = np.concatenate([[0], np.cumsum([len(mesh.uv) for mesh in meshes])])
    first_material = np.concatenate([[0], np.cumsum([len(mesh.materials) for mesh in meshes])])
    materials = tuple(material for mesh in meshes for material in mesh.materials)
    parameters, kinds = material_parameters(materials)
    triangles = Triangles(
        faces=np.concatenate([mesh.faces + first_vertex[i] for i, mesh in enumerate(meshes)]).astype(np.int32),
        uv=np.concatenate([mesh.uv for mesh in meshes]).astype(np.float32),
        face_uv=np.concatenate([mesh.face_uv + first_uv[i] for i, mesh in enumerate(meshes)]).astype(np.int32),
        flags=np.concatenate([_flags(mesh) for mesh in meshes]),
        material=np.concatenate([m.material + first_material[i] for i, m in enumerate(meshes)]).astype(np.int16),
    )
    surface = SurfaceAttributes(
        parameters,
        kinds,
        region=np.concatenate([mesh.region for mesh in meshes]).astype(np.int16),
        person=np.concatenate([np.full(len(mesh.faces), i + 1, np.uint8) for i, mesh in enumerate(meshes)]),
    )
    strands = np.flatnonzero(kinds[triangles.material] == HAIR_KIND).astype(np.int32)
    return SceneMesh(triangles, pack_textures(materials), surface, strands)


@dataclass(frozen=True)
class SceneSetup:
    """Everything about a scene that is not a person. background: (h, w, 3) float32 linear RGB."""

    framing: CameraFraming
    lights: Lights
    background: NDArray[np.float32]
    lens: Lens = field(default_factory=Lens)


class Scene:
    """People in one setup, ready to be rendered at one size.

    people: one to three objects with a `mesh`.  rest: their neutral poses, which fix the reach of the shadow map.
    size: (height, width) pixels up to 1024.  Raises ValueError if people, poses and placements differ in number.
    """

    def __init__(
        self,
        people: Sequence[HasMesh],
        rest: Sequence[Posed],
        placements: Sequence[PersonPlacement],
        setup: SceneSetup,
        size: tuple[int, int],
    ) -> None:
        if not len(people) == len(rest) == len(placements) >= 1:
            raise ValueError(
                f"The {len(people)} people, {len(rest)} poses and {len(placements)} placements must match in number."
            )
        if not 16 <= min(size) <= max(size) <= 1024:
            raise ValueError(f"The size {size} does not work; both sides must be 16 to 1024 pixels.")
        self.placements = tuple(placements)
        self.setup = setup
        self.size = size
        self.mesh = merge_meshes([person.mesh for person in people], [len(pose.vertices) for pose in rest])
        self._buffer = GBuffer.empty(size, len(self.mesh.triangles.faces))
        self._light_view, self._shadow_size = _light_view(setup, size, self._place(rest))

    def camera(self, row: ArrayLike = STILL_CAMERA) -> CameraState:
        """The camera for one row (6,) of `Performance.camera`."""
        return camera_state(self.setup.framing, row, self.size)

    def render(self, poses: Sequence[Posed], row: ArrayLike = STILL_CAMERA, frame: int = 0) -> RenderedFrame:
        """The picture of the people in these poses; `frame` only varies the camera's noise."""
        setup, camera, buffer = self.setup, self.camera(row), self._buffer
        triangles, textures, _, strands = self.mesh
        vertices = self._place(poses)
        self._rasterise(vertices, camera)
        heights = shadow_map(vertices, self._light_view, triangles, textures, self._shadow_size)
        faces = [placement.apply(pose.landmarks68) for placement, pose in zip(self.placements, poses, strict=True)]
        zoom = float(np.exp(np.asarray(row)[0]))
        geometry = FrameGeometry(
            vertices,
            normals=vertex_normals(vertices, triangles.faces),
            tangents=strand_tangents(vertices, triangles, strands),
            mouths=np.stack([mouth_cavity(landmarks) for landmarks in faces]),
            eye=camera.position.astype(np.float32),
            contact=contact_shade(buffer, setup.framing.focal * self.size[0] * zoom),
        )
        light = Illumination(setup.lights, Shadow(heights, self._light_view))
        backdrop = Backdrop(setup.background, _backdrop_sampling(camera, setup.background.shape[:2]))
        colour, person, face = shade(buffer, self.mesh, geometry, light, backdrop)
        depth = _depth(buffer.inverse_depth, setup.framing.distance + BACKDROP_DISTANCE_M)
        return RenderedFrame(expose(colour, setup.lens, frame), person, face, depth, camera)

    def flow(
        self, poses: Sequence[Posed], row: ArrayLike, next_poses: Sequence[Posed], next_row: ArrayLike
    ) -> NDArray[np.float32]:
        """(H, W, 2) how far what each pixel shows moves until the next frame, in pixels (x right, y down)."""
        camera, after = self.camera(row), self.camera(next_row)
        self._rasterise(self._place(poses), camera)
        backdrop = _compose(after.similarity, _inverse(camera.similarity)).astype(np.float32)
        flow = np.empty((*self.size, 2), np.float32)
        target = self._place(next_poses)
        _flow(self._buffer, self.mesh.triangles.faces, target, after.projection.astype(np.float32), backdrop, flow)
        return flow

    def _place(self, poses: Sequence[Posed]) -> NDArray[np.float32]:
        placed = [placement.apply(pose.vertices) for placement, pose in zip(self.placements, poses, strict=True)]
        return placed[0] if len(placed) == 1 else np.concatenate(placed)

    def _rasterise(self, vertices: NDArray[np.float32], camera: CameraState) -> None:
        samples = (np.diag([SUPERSAMPLE, SUPERSAMPLE, 1.0]) @ camera.projection).astype(np.float32)
        rasterise(self._buffer, vertices, samples, self.mesh.triangles, self.mesh.textures)


@dataclass(frozen=True)
class SceneRanges:
    """Bounds of `random_setup`.

    face: height of a face, chin to hairline, in frame heights.  centre_x (of a square frame), centre_y: where it
    is. distance: metres.
    """

    face: tuple[float, float] = (0.42, 0.58)
    centre_x: tuple[float, float] = (0.45, 0.55)
    centre_y: tuple[float, float] = (0.42, 0.5)
    distance: tuple[float, float] = (1.0, 1.5)
    lights: LightRanges = field(default_factory=LightRanges)
    lens: LensRanges = field(default_factory=LensRanges)
    cluttered: bool = False
    """Backdrops in focus and full of things that are nobody."""


def random_placements(count: int, rng: np.random.Generator, *, close: bool = False) -> tuple[PersonPlacement, ...]:
    """Places side by side for one to three people, the outer ones turned a little to the middle.

    close: so near that heads and shoulders hide what is behind them.
    """
    if count == 1:
        return (PersonPlacement(),)
    gap = rng.uniform(0.14, 0.24) if close else rng.uniform(0.32, 0.4)
    across = (np.arange(count) - (count - 1) / 2) * gap
    # The shoulders overlap, so every second person stands a step back; a whole one where heads would meet.
    back = (0.24 if close else 0.14) * (np.arange(count) % 2)
    return tuple(
        PersonPlacement((float(x), float(rng.uniform(-0.04, 0.04)), float(-z)), float(-0.5 * x))
        for x, z in zip(across, back, strict=True)
    )


def random_setup(
    rest: Sequence[Posed],
    placements: Sequence[PersonPlacement],
    seed: int,
    background_seed: int,
    ranges: SceneRanges | None = None,
    aspect: float = 1.0,
) -> SceneSetup:
    """Framing, light, backdrop and lens drawn from seeds; the backdrop has its own, because some are held out.

    aspect: width of the frame over its height.
    """
    ranges = ranges or SceneRanges()
    rng = np.random.default_rng([seed, 0x6C6F6F6B])
    background = (make_clutter if ranges.cluttered else make_background)(background_seed)
    landmarks = [placement.apply(pose.landmarks68) for placement, pose in zip(placements, rest, strict=True)]
    # Groups in a narrow frame have small faces: they sit lower, for the room below would show nothing but bodies.
    lowered = 0.05 * max(0.0, len(landmarks) - aspect)
    across = 0.5 + (float(rng.uniform(*ranges.centre_x)) - 0.5) / aspect
    centre = (across, float(rng.uniform(*ranges.centre_y)) + lowered)
    fraction, distance = float(rng.uniform(*ranges.face)), float(rng.uniform(*ranges.distance))
    framing = frame_people(np.stack(landmarks), fraction, centre, distance, aspect)
    return SceneSetup(framing, random_lights(rng, background, ranges.lights), background, random_lens(rng, ranges.lens))


def _light_view(
    setup: SceneSetup, size: tuple[int, int], vertices: NDArray[np.float32]
) -> tuple[NDArray[np.float32], int]:
    """(3, 4) view of the key light over what the camera can see, and the side of its shadow map."""
    framing = setup.framing
    target = np.array(framing.target)
    # Half the frame at the target, and a margin for camera moves and for what casts shadows from outside.
    reach = 0.5 * framing.distance / framing.focal * max(1.0, size[1] / size[0]) * 1.25 + 0.05
    near = vertices[np.abs(vertices - target).max(1) < reach]
    middle = 0.5 * (near.min(0) + near.max(0)) if len(near) else target
    radius = min(reach, 0.5 * float(np.linalg.norm(np.ptp(near, 0))) if len(near) else reach)
    back = setup.lights.directions[0].astype(np.float64)
    right = np.cross((0.0, 1.0, 0.0), back)
    right /= np.linalg.norm(right)
    cells = int(np.clip(1.6 * max(size), 128, 768))
    scale = cells / (2 * radius)
    rows = np.stack([right * scale, -np.cross(back, right) * scale, back])
    shift = np.array([cells / 2, cells / 2, 0.0]) - rows @ middle
    return np.column_stack([rows, shift]).astype(np.float32), cells


def _inverse(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.linalg.inv(affine[:, :2])
    return np.column_stack([turn, -turn @ affine[:, 2]])


def _compose(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (2, 3) affine map that applies `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _backdrop_sampling(camera: CameraState, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(2, 3) from pixels to texels: the unmoved frame covers the middle `FRAME_SHARE` of the backdrop."""
    height, width = camera.size
    scale = FRAME_SHARE * min(shape) / max(height, width)
    spread = np.array([[scale, 0, 0.5 * (shape[1] - scale * width)], [0, scale, 0.5 * (shape[0] - scale * height)]])
    sampling = _compose(spread, _inverse(camera.similarity))
    sampling[:, 2] -= 0.5
    return sampling.astype(np.float32)


@njit(cache=True, nogil=True)
def _depth(inverse_depth, far):
    height, width = inverse_depth.shape[0] // SUPERSAMPLE, inverse_depth.shape[1] // SUPERSAMPLE
    out = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            nearest = np.float32(0.0)
            for s in range(4):
                nearest = max(nearest, inverse_depth[2 * y + (s >> 1), 2 * x + (s & 1)])
            out[y, x] = 1.0 / nearest if nearest > 0 else far
    return out


@njit(cache=True, nogil=True)
def _flow(buffer, faces, target, projection, backdrop, out):
    ids, bary = buffer.triangle, buffer.barycentric
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            px, py = x + 0.5, y + 0.5
            out[y, x, 0] = backdrop[0, 0] * px + backdrop[0, 1] * py + backdrop[0, 2] - px
            out[y, x, 1] = backdrop[1, 0] * px + backdrop[1, 1] * py + backdrop[1, 2] - py
            for s in range(4):
                sy, sx = 2 * y + (s >> 1), 2 * x + (s & 1)
                f = ids[sy, sx]
                if f < 0:
                    continue
                b1, b2 = bary[sy, sx, 0], bary[sy, sx, 1]
                p = np.zeros(3, np.float32)
                for k in range(3):
                    point = (
                        (1 - b1 - b2) * target[faces[f, 0], k]
                        + b1 * target[faces[f, 1], k]
                        + b2 * target[faces[f, 2], k]
                    )
                    for r in range(3):
                        p[r] += projection[r, k] * point
                for r in range(3):
                    p[r] += projection[r, 3]
                out[y, x, 0] = p[0] / p[2] - 0.5 * (sx + 0.5)
                out[y, x, 1] = p[1] / p[2] - 0.5 * (sy + 0.5)
                break
