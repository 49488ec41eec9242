"""Makes the tables by which a portrait's mouth and lids move: `dramatis/motion/articulation.npz`, from ICT-FaceKit.

`python -m dramatis_lab.world.people.articulation_tables ASSETS OUT.npz` writes the file anew, the same bytes of content
every time. Units and axes are those of `dramatis.motion.face`: head heights, x right, y up, z towards the camera.

Every displacement field has two sides, one of the skin above the line between the lips (or the lids), one of the skin
below it; each is continued beyond the line, so that it can be inverted where the other side has moved away.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import NearestNDInterpolator, griddata
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dramatis.motion.face import HEAD_HEIGHT_M, TEMPLATE_68
from dramatis.motion.mouth_tables import LID_GRID, MOUTH_GRID, SHAPE_CHANNELS, TABLE_UNIT, Grid
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.assets import EXPRESSIONS, IctHead, load_ict

_FINE = 2
"""Fields are interpolated on a grid so many times finer, smoothed, and then thinned out."""
_SMOOTH = 0.009
"""Standard deviation of the smoothing, in head heights: without it the skin speckles at the corners of the mouth."""
_FADE = 0.13
"""How far beyond the face's outline a field fades away; less would fold the neck when the jaw drops."""
_LID_SMOOTH, _LID_FADE = 0.004, 0.03
_RIM = 0.06
"""Width, in head heights, over which a field falls to zero at the rim of its grid."""
_CHIN = 0.02
"""How far below the chin's landmarks the face's skin ends and the neck begins, in head heights."""
_TEETH_SPACING, _GUM_SPACING = 0.0018, 0.0025
"""Distance of neighbouring points on teeth, and on gums and tongue, in head heights: a pixel of a head of 500."""
_TEETH_DEPTH, _GUM_DEPTH = 0.28, 0.26
"""Parts of the mouth's inside that lie further back (z) are left out: no light reaches them."""
_CROWNS = (-0.123, -0.002)
_GUM_HEIGHTS = (-0.15, 0.02)
"""Between which heights (y) teeth show beyond their gums, and gums beyond lips."""


def make_tables(ict: IctHead) -> dict[str, NDArray[np.generic]]:
    """All arrays of the file, by name: fields as int16 of `TABLE_UNIT`, points, normals, materials of the inside."""
    mouth = np.stack([_mouth_field(ict, channel) for channel in SHAPE_CHANNELS])
    return {
        "mouth": _as_int16(mouth),
        "lids": _as_int16(_lid_field(ict)),
        **_inside(ict),
    }


def _as_int16(values: NDArray[np.floating]) -> NDArray[np.int16]:
    return np.round(values / TABLE_UNIT).astype(np.int16)


def _shape(ict: IctHead, channel: str) -> F32:
    """(V, 3) head heights by which a channel at full weight moves the vertices, both sides of the face together."""
    names = [name for name in (channel, f"{channel}_L", f"{channel}_R") if name in EXPRESSIONS]
    return np.asarray(sum(ict.expression[EXPRESSIONS.index(name)] for name in names) / HEAD_HEIGHT_M)


def _mouth_field(ict: IctHead, channel: str) -> F32:
    """(2, rows, columns, 3): the upper and the lower side of a channel's field over `MOUTH_GRID`."""
    return _two_sides(ict, _shape(ict, channel), _line(), MOUTH_GRID, (_SMOOTH, _FADE))


def _lid_field(ict: IctHead) -> F32:
    """(2, rows, columns, 3): the lids of the eye on the left of the picture, which shut, over `LID_GRID`."""
    moves = np.asarray(ict.expression[EXPRESSIONS.index("eyeBlink_R")] / HEAD_HEIGHT_M)
    middle = (TEMPLATE_68[[36, 37, 38, 39], :2] + TEMPLATE_68[[36, 41, 40, 39], :2]) / 2
    return _two_sides(ict, moves, middle.astype(np.float32), LID_GRID, (_LID_SMOOTH, _LID_FADE))


def _two_sides(ict: IctHead, moves: F32, line: F32, grid: Grid, widths: tuple[float, float]) -> F32:
    """(2, rows, columns, 3): the field of the skin above a line (n, 2), and that of the skin below it."""
    points, front, nodes = ict.neutral / HEAD_HEIGHT_M, _front_skin(ict), grid.refined(_FINE).nodes()
    sides = []
    for sign in (1, -1):
        chosen = front & _belongs(points, line, sign)
        sides.append(_field(points[chosen], moves[chosen], grid, ~_belongs(nodes, line, sign), widths))
    return np.stack(sides)


def _belongs(points: NDArray[np.floating], line: F32, sign: int) -> NDArray[np.bool_]:
    """(...) which points (..., 2 or 3) are on one side of a line, or in a wedge beyond its ends.

    There the two sides move alike. The wedge widens slowly, so that what is continued beyond the line has no cliff, at
    which it could not be inverted.
    """
    height = points[..., 1] - np.interp(points[..., 0], line[:, 0], line[:, 1])
    beyond = np.maximum(line[0, 0] - points[..., 0], points[..., 0] - line[-1, 0])
    return np.asarray(sign * height > -np.maximum(beyond, 0))


def _line() -> F32:
    """(5, 2) the line between the lips, from left to right."""
    upper, lower = TEMPLATE_68[[60, 61, 62, 63, 64], :2], TEMPLATE_68[[60, 67, 66, 65, 64], :2]
    return np.asarray((upper + lower) / 2)


def _front_skin(ict: IctHead) -> NDArray[np.bool_]:
    """(V,) skin of the face that a camera in front sees, without the neck."""
    faces = ict.faces[ict.part_faces("M_Face")]
    corners = ict.neutral[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(ict.neutral)
    for corner in range(3):
        np.add.at(total, faces[:, corner], normal)
    seen = total[:, 2] > 0.1 * np.linalg.norm(total, axis=1)
    points = ict.neutral / HEAD_HEIGHT_M
    chin = np.interp(np.abs(points[:, 0]), TEMPLATE_68[8:17, 0], TEMPLATE_68[8:17, 1])
    above = points[:, 1] > chin - _CHIN
    used = np.zeros(len(points), bool)
    used[faces] = True
    return np.asarray(used & seen & above)


def _field(points: F32, moves: F32, grid: Grid, continued: NDArray[np.bool_], widths: tuple[float, float]) -> F32:
    """(rows, columns, 3): moves (n, 3) of points (n, 3), continued over a grid, smoothed, faded and zero at the rim.

    continued: nodes of the finer grid beyond the line, which move like the nearest point. widths: of the smoothing
    and of the fading outside the face's outline, in head heights.
    """
    fine = grid.refined(_FINE)
    nodes = fine.nodes()
    flat = points[:, :2]
    values = griddata(flat, moves, nodes, method="linear")
    missing = np.isnan(values[..., 0]) | continued
    values[missing] = NearestNDInterpolator(flat, moves)(nodes[missing])
    outside = _outside(nodes)
    values *= np.exp(-np.square(distance_transform_edt(outside) * fine.step / widths[1]))[..., None]
    values *= _rim(fine)[..., None]
    sigma = widths[0] / fine.step
    smooth = np.stack([gaussian_filter(values[..., axis], sigma, mode="nearest") for axis in range(3)], -1)
    return np.asarray(smooth[::_FINE, ::_FINE], np.float32)


def _outside(nodes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(rows, columns) nodes outside the face's outline: below the jaw, beside the temples."""
    x, y = np.abs(nodes[..., 0]), nodes[..., 1]
    jaw = TEMPLATE_68[8:17]
    order = np.argsort(jaw[:, 1])
    half = np.interp(y, jaw[order, 1], jaw[order, 0])
    return (x > half + 0.02) | (y < TEMPLATE_68[8, 1] - _CHIN)


def _rim(grid: Grid) -> F32:
    """(rows, columns) 1 inside, falling to 0 at the rim."""
    rows, columns = grid.shape
    edge = [np.minimum(np.arange(n), np.arange(n)[::-1]) * grid.step for n in (rows, columns)]
    rise = [np.clip(e / min(_RIM, 0.3 * n * grid.step), 0, 1) for e, n in zip(edge, (rows, columns), strict=True)]
    ease = [r * r * (3 - 2 * r) for r in rise]
    return np.asarray(ease[0][:, None] * ease[1][None])


def _inside(ict: IctHead) -> dict[str, NDArray[np.generic]]:
    """Points of teeth, gums and tongue: places (n, 3), normals (n, 3), and of which part and jaw they are (n,).

    The part is 0 for teeth, 1 for gums, 2 for the tongue; the jaw is 0 for the upper and 1 for the lower.
    """
    points = ict.neutral / HEAD_HEIGHT_M
    collected: list[tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.int64]]] = []
    for name, depth, spacing, (low, high) in (
        ("M_Teeth", _TEETH_DEPTH, _TEETH_SPACING, _CROWNS),
        ("M_GumsTongue", _GUM_DEPTH, _GUM_SPACING, _GUM_HEIGHTS),
    ):
        faces = ict.faces[ict.part_faces(name)]
        middle = points[faces].mean(1)
        faces = faces[(middle[:, 2] > depth) & (middle[:, 1] > low) & (middle[:, 1] < high)]
        places, normals, source = _sampled(points, faces, spacing)
        if name == "M_Teeth":
            part = np.zeros(len(places), np.int64)
            lower = _lower_teeth(points, faces)[source]
        else:
            part = np.where(_is_tongue(places), 2, 1)
            lower = (part == 2) | (places[:, 1] < -0.055)
        collected.append((places, normals, part + 4 * lower))
    places, normals, parts = (np.concatenate(column) for column in zip(*collected, strict=True))
    return {
        "inside_points": _as_int16(places),
        "inside_normals": np.round(normals * 127).astype(np.int8),
        "inside_parts": parts.astype(np.int8),
    }


def _lower_teeth(points: F32, faces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(F,) which faces belong to teeth of the lower jaw: a tooth is of the jaw that its middle lies in."""
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(points), len(points)))
    labels = connected_components(graph, directed=False)[1][faces[:, 0]]
    middle = points[faces][..., 1].mean(1)
    mean = np.bincount(labels, middle) / np.maximum(np.bincount(labels), 1)
    return np.asarray(mean[labels] < -0.055)


def _is_tongue(places: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n,) points of the tongue: within the row of teeth, well below the palate."""
    reach = 0.375 - 1.9 * np.square(places[:, 0]) / 0.1
    return (np.abs(places[:, 0]) < 0.082) & (places[:, 2] < reach) & (places[:, 1] < -0.02) & (places[:, 1] > -0.12)


def _sampled(
    points: F32, faces: NDArray[np.int32], spacing: float
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.int64]]:
    """Points spread evenly over triangles that face forwards: places, smooth normals, and the face of each."""
    corner = points[faces]
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    vertex = np.zeros_like(points)
    for index in range(3):
        np.add.at(vertex, faces[:, index], cross)
    vertex /= np.maximum(np.linalg.norm(vertex, axis=1, keepdims=True), 1e-12)
    area = np.linalg.norm(cross, axis=1) / 2
    forwards = cross[:, 2] > -0.2 * np.linalg.norm(cross, axis=1)
    rng = np.random.default_rng(0)
    wanted = np.where(forwards, area / spacing**2, 0)
    count = np.floor(wanted + rng.random(len(wanted))).astype(np.int64)
    source = np.repeat(np.arange(len(faces)), count)
    a, b = rng.random((2, len(source)))
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
    share = np.stack([1 - a - b, a, b], 1)[..., None]
    return (corner[source] * share).sum(1), (vertex[faces[source]] * share).sum(1), source


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assets", type=Path, help="the folder with ict_facekit.npz")
    parser.add_argument("out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **make_tables(load_ict(arguments.assets)))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
