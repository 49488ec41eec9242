"""A z-buffer rasteriser on the CPU: triangles in, a G-buffer of triangle, barycentrics and depth out.

Written as plain loops for numba, one thread, so that many processes can render side by side. Every pixel
holds `SUPERSAMPLE` squared samples; hair, lashes and brows are tested against their alpha texture with a
threshold that differs between the samples of a pixel, so that a half transparent texel covers half of them
(alpha to coverage).
"""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dramatis_lab.world.renderer.textures import HALF, ONE, ZERO, Textures, level_of_detail, sample_alpha

SUPERSAMPLE = 2
"""Samples per pixel along each side."""
NEAR_M = 0.05
"""Triangles with a vertex nearer than this are dropped rather than clipped: nobody is filmed from so close."""

CULL_BACK, ALPHA_TEST, CASTS_SHADOW = 1, 2, 4
"""Bits of a face's flags."""

# Thresholds of the four samples of a pixel, in the order of a Bayer matrix.
_ALPHA_THRESHOLDS = np.array([[32.0, 160.0], [208.0, 96.0]], np.float32)

_LEAST_AREA = np.float32(1e-12)
_FLAT = np.float32(1e-6)
_SLACK = np.float32(0.01)
"""Samples by which the span of a row is widened against rounding; the exact test of every sample decides."""


class Triangles(NamedTuple):
    """F triangles as they are drawn.

    faces: (F, 3) int32 vertex indices.  uv: (U, 2) float32 texture coordinates, v upwards.  face_uv: (F, 3) int32
    indices into `uv`.  flags: (F,) uint8 of `CULL_BACK`, `ALPHA_TEST` and `CASTS_SHADOW`.  material: (F,) int16
    indices into the textures.  Front faces wind counter-clockwise as seen.
    """

    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    face_uv: NDArray[np.int32]
    flags: NDArray[np.uint8]
    material: NDArray[np.int16]


class GBuffer(NamedTuple):
    """What each sample of a supersampled picture sees; (h, w) is `SUPERSAMPLE` times the picture's size.

    triangle: (h, w) int32 face index, -1 where nothing is.  barycentric: (h, w, 2) float32, perspective-correct
    weights of the face's second and third vertex.  inverse_depth: (h, w) float32 in 1 / metres, 0 where nothing is.
    level: (F,) int8 mip level at which each drawn face is to be textured.
    """

    triangle: NDArray[np.int32]
    barycentric: NDArray[np.float32]
    inverse_depth: NDArray[np.float32]
    level: NDArray[np.int8]

    @classmethod
    def empty(cls, size: tuple[int, int], face_count: int) -> GBuffer:
        """Buffers for a picture of `size` (height, width) pixels; reusable from frame to frame."""
        shape = (size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE)
        return cls(
            np.empty(shape, np.int32),
            np.empty((*shape, 2), np.float32),
            np.empty(shape, np.float32),
            np.zeros(face_count, np.int8),
        )


def rasterise(
    buffer: GBuffer,
    vertices: NDArray[np.float32],
    projection: NDArray[np.float32],
    triangles: Triangles,
    textures: Textures,
) -> None:
    """Fill `buffer` with the nearest surface of every sample.

    vertices: (V, 3) world metres.  projection: (3, 4), homogeneous samples ``(x w, y w, w)`` with w = depth
    in metres and sample coordinates continuous (centre of the first sample at 0.5).
    """
    screen = np.empty((len(vertices), 3), np.float32)
    _project(vertices, projection, screen)
    buffer.triangle.fill(-1)
    buffer.inverse_depth.fill(0.0)
    _fill(screen, triangles, textures, buffer, _ALPHA_THRESHOLDS)


def shadow_map(
    vertices: NDArray[np.float32],
    projection: NDArray[np.float32],
    triangles: Triangles,
    textures: Textures,
    size: int,
) -> NDArray[np.float32]:
    """(size, size) height towards the light of the highest surface in each cell, -1e9 where there is none.

    projection: (3, 4) orthographic: cell x, cell y, height in metres. Only faces flagged `CASTS_SHADOW` are
    drawn, and of the closed ones only those that turn to the light; alpha is tested at one half.
    """
    heights = np.full((size, size), -1e9, np.float32)
    lit = np.empty((len(vertices), 3), np.float32)
    _transform(vertices, projection, lit)
    _fill_heights(lit, triangles, textures, heights)
    return heights


def vertex_normals(vertices: NDArray[np.float32], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """(V, 3) unit normals, area-weighted over the faces around each vertex; zero for a vertex that has none."""
    normals = np.zeros_like(vertices)
    _accumulate_normals(vertices, faces, normals)
    return normals


def strand_tangents(
    vertices: NDArray[np.float32], triangles: Triangles, strands: NDArray[np.int32]
) -> NDArray[np.float32]:
    """(V, 3) directions along v of the texture, in which hair cards are combed; zero away from the faces `strands`."""
    tangents = np.zeros_like(vertices)
    _accumulate_tangents(vertices, triangles, strands, tangents)
    return tangents


@njit(cache=True, fastmath=True, nogil=True)
def _transform(vertices, matrix, out):
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        for k in range(3):
            out[i, k] = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + matrix[k, 3]


@njit(cache=True, fastmath=True, nogil=True)
def _project(vertices, matrix, out):
    """Sample x, sample y and 1 / depth; a vertex nearer than the near plane gets a negative 1 / depth."""
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        if w < NEAR_M:
            out[i, 2] = -1.0
            continue
        inverse = np.float32(1.0) / w
        out[i, 0] = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]) * inverse
        out[i, 1] = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]) * inverse
        out[i, 2] = inverse


@njit(cache=True, fastmath=True, nogil=True)
def _accumulate_normals(vertices, faces, normals):
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (a, b, c):
            normals[v, 0] += x
            normals[v, 1] += y
            normals[v, 2] += z
    for v in range(normals.shape[0]):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        scale = np.float32(1.0) / np.float32(np.sqrt(x * x + y * y + z * z) + 1e-20)
        normals[v, 0] = x * scale
        normals[v, 1] = y * scale
        normals[v, 2] = z * scale


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _accumulate_tangents(vertices, triangles, strands, tangents):
    faces, uv, face_uv = triangles.faces, triangles.uv, triangles.face_uv
    for s in range(strands.shape[0]):
        f = strands[s]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        t0, t1, t2 = face_uv[f, 0], face_uv[f, 1], face_uv[f, 2]
        du1, dv1, du2, dv2 = (
            uv[t1, 0] - uv[t0, 0],
            uv[t1, 1] - uv[t0, 1],
            uv[t2, 0] - uv[t0, 0],
            uv[t2, 1] - uv[t0, 1],
        )
        # Mirrored texture coordinates would flip the direction; divided out, it stays that of growing v.
        sign = np.float32(1.0) if du1 * dv2 - du2 * dv1 > 0 else np.float32(-1.0)
        for k in range(3):
            along = sign * ((vertices[c, k] - vertices[a, k]) * du1 - (vertices[b, k] - vertices[a, k]) * du2)
            tangents[a, k] += along
            tangents[b, k] += along
            tangents[c, k] += along


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _cells(a, b, c, count):
    """The first and the last of `count` cells whose centres lie between the least and the greatest of three places."""
    first = max(int(np.ceil(min(a, b, c) - HALF)), 0)
    return first, min(int(np.floor(max(a, b, c) - HALF)), count - 1)


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _narrow(low, high, value, slope, inverse):
    """The part of low <= x <= high where value + slope * x is not negative; inverse: 1 / slope.

    A slope near zero narrows nothing: the caller tests every sample anyway, and only saves the vain ones.
    """
    if slope > _FLAT:
        low = max(low, -value * inverse)
    elif slope < -_FLAT:
        high = min(high, -value * inverse)
    return low, high


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _row(left, right, origin, py, slopes, inverses):
    """The samples left <= x <= right of a row that may lie inside a triangle, `py` below its first vertex.

    slopes: in x and y of the second, then of the third barycentric weight.  inverses: of the three weights' slopes in
    x.
    """
    ax, ay, bx, by = slopes
    start, stop = np.float32(left) - origin, np.float32(right) - origin
    start, stop = _narrow(start, stop, ay * py, ax, inverses[0])
    start, stop = _narrow(start, stop, by * py, bx, inverses[1])
    start, stop = _narrow(start, stop, ONE - (ay + by) * py, -ax - bx, inverses[2])
    return range(int(np.ceil(start + origin - _SLACK)), int(np.floor(stop + origin + _SLACK)) + 1)


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _fill(screen, triangles, textures, buffer, thresholds):
    faces, uv, face_uv = triangles.faces, triangles.uv, triangles.face_uv
    table, texels = textures.table, textures.texels
    depth = buffer.inverse_depth
    height, width = depth.shape
    for f in range(faces.shape[0]):
        i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0 = screen[i0, 0], screen[i0, 1]
        x1, y1 = screen[i1, 0], screen[i1, 1]
        x2, y2 = screen[i2, 0], screen[i2, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        flag = triangles.flags[f]
        # The sample grid has y down, so that what winds counter-clockwise to the eye has a negative area.
        if area > -_LEAST_AREA and (flag & CULL_BACK or area < _LEAST_AREA):
            continue
        w0, w1, w2 = screen[i0, 2], screen[i1, 2], screen[i2, 2]
        if w0 < 0 or w1 < 0 or w2 < 0:
            continue
        left, right = _cells(x0, x1, x2, width)
        top, low = _cells(y0, y1, y2, height)
        if left > right or top > low:
            continue
        t0, t1, t2 = face_uv[f, 0], face_uv[f, 1], face_uv[f, 2]
        u0, v0 = uv[t0, 0], uv[t0, 1]
        du1, dv1, du2, dv2 = uv[t1, 0] - u0, uv[t1, 1] - v0, uv[t2, 0] - u0, uv[t2, 1] - v0
        m = triangles.material[f]
        level = level_of_detail(table, m, abs(du1 * dv2 - du2 * dv1), abs(area))
        buffer.level[f] = level
        tested = flag & ALPHA_TEST
        scale = ONE / area
        # Barycentric weights of the second and third vertex are affine in the sample position.
        ax, ay = (y2 - y0) * scale, (x0 - x2) * scale
        bx, by = (y0 - y1) * scale, (x1 - x0) * scale
        inverses = ONE / ax, ONE / bx, ONE / (-ax - bx)
        origin = x0 - HALF
        for y in range(top, low + 1):
            py = np.float32(y) + HALF - y0
            for x in _row(left, right, origin, py, (ax, ay, bx, by), inverses):
                px = np.float32(x) - origin
                b1 = ax * px + ay * py
                b2 = bx * px + by * py
                b0 = ONE - b1 - b2
                if b0 < 0 or b1 < 0 or b2 < 0:
                    continue
                inverse = b0 * w0 + b1 * w1 + b2 * w2
                if inverse <= depth[y, x]:
                    continue
                z = ONE / inverse
                p1, p2 = b1 * w1 * z, b2 * w2 * z
                if tested:
                    alpha = sample_alpha(table, texels, m, level, u0 + p1 * du1 + p2 * du2, v0 + p1 * dv1 + p2 * dv2)
                    if alpha < thresholds[y & 1, x & 1]:
                        continue
                depth[y, x] = inverse
                buffer.triangle[y, x] = f
                buffer.barycentric[y, x, 0] = p1
                buffer.barycentric[y, x, 1] = p2


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _fill_heights(lit, triangles, textures, heights):
    faces, uv, face_uv = triangles.faces, triangles.uv, triangles.face_uv
    table, texels = textures.table, textures.texels
    height, width = heights.shape
    for f in range(faces.shape[0]):
        flag = triangles.flags[f]
        if not flag & CASTS_SHADOW:
            continue
        i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0 = lit[i0, 0], lit[i0, 1]
        x1, y1 = lit[i1, 0], lit[i1, 1]
        x2, y2 = lit[i2, 0], lit[i2, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area > -_LEAST_AREA and (flag & CULL_BACK or area < _LEAST_AREA):
            continue
        left, right = _cells(x0, x1, x2, width)
        top, low = _cells(y0, y1, y2, height)
        if left > right or top > low:
            continue
        z0, z1, z2 = lit[i0, 2], lit[i1, 2], lit[i2, 2]
        tested = flag & ALPHA_TEST
        m, level = triangles.material[f], 0
        u0, v0, du1, dv1, du2, dv2 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        if tested:
            t0, t1, t2 = face_uv[f, 0], face_uv[f, 1], face_uv[f, 2]
            u0, v0 = uv[t0, 0], uv[t0, 1]
            du1, dv1, du2, dv2 = uv[t1, 0] - u0, uv[t1, 1] - v0, uv[t2, 0] - u0, uv[t2, 1] - v0
            level = level_of_detail(table, m, abs(du1 * dv2 - du2 * dv1), abs(area))
        scale = ONE / area
        ax, ay = (y2 - y0) * scale, (x0 - x2) * scale
        bx, by = (y0 - y1) * scale, (x1 - x0) * scale
        inverses = ONE / ax, ONE / bx, ONE / (-ax - bx)
        origin = x0 - HALF
        for y in range(top, low + 1):
            py = np.float32(y) + HALF - y0
            for x in _row(left, right, origin, py, (ax, ay, bx, by), inverses):
                px = np.float32(x) - origin
                b1 = ax * px + ay * py
                b2 = bx * px + by * py
                b0 = ONE - b1 - b2
                if b0 < 0 or b1 < 0 or b2 < 0:
                    continue
                z = b0 * z0 + b1 * z1 + b2 * z2
                if z <= heights[y, x]:
                    continue
                if tested:
                    alpha = sample_alpha(table, texels, m, level, u0 + b1 * du1 + b2 * du2, v0 + b1 * dv1 + b2 * dv2)
                    if alpha < 128:
                        continue
                heights[y, x] = z
