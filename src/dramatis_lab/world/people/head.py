"""Reduces the ICT-FaceKit head to what the renderer needs: visible parts, fewer triangles, shapes as one matrix.

Built once per process. Material numbers are the first six of a person's materials: face, scalp, eye,
teeth, gum, lash.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.people.assets import IctHead, load_ict
from dramatis_lab.world.people.fitting import boundary_vertices, cubic_step, merge_map, smoothing_matrix
from dramatis_lab.world.renderer.mesh import REGIONS

FACE, SCALP, EYE, TEETH, GUM, LASH = range(6)
SHAPE_FLOOR = 2e-5
"""Vertices that no expression moves by more than this many metres are left out of the shape matrix."""


@dataclass(frozen=True)
class Eyeball:
    """Where an eye lies in a person's vertices and the point about which it turns."""

    vertices: slice
    centre: F32


@dataclass(frozen=True)
class _EyeTemplate:
    vertices: F32
    faces: I32
    uv: F32


def _eye_template(rings: int = 12, sectors: int = 20) -> _EyeTemplate:
    """Front 110 degrees of a unit eyeball looking along +z, with a cornea; texture radius 0.5 is 90 degrees."""
    angle = np.radians(110) * (np.linspace(0, 1, rings + 1)[1:]) ** 0.9
    turn = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
    a, t = np.meshgrid(angle, turn, indexing="ij")
    bulge = 1 + 0.035 * np.cos(np.clip(a / np.radians(32), 0, 1) * np.pi / 2) ** 2
    ring = np.stack([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)], -1) * bulge[..., None]
    vertices = np.concatenate([[[0, 0, 1.035]], ring.reshape(-1, 3)])
    radius = np.clip(np.concatenate([[0], np.degrees(a).ravel()]) / 180, 0, 0.5)
    direction = np.concatenate([[0], t.ravel()])
    uv = np.stack([0.5 + radius * np.cos(direction), 0.5 + radius * np.sin(direction)], 1)
    faces = [(0, 1 + k, 1 + (k + 1) % sectors) for k in range(sectors)]
    for r in range(rings - 1):
        for k in range(sectors):
            p, q = 1 + r * sectors + k, 1 + r * sectors + (k + 1) % sectors
            faces += [(p, p + sectors, q + sectors), (p, q + sectors, q)]
    return _EyeTemplate(vertices.astype(np.float32), np.asarray(faces, np.int32), uv.astype(np.float32))


EYE_TEMPLATE = _eye_template()


@dataclass(frozen=True)
class HeadModel:
    """The head that all people share; n vertices.

    mean (n, 3), identity (100, n * 3); moved (m,) indices and shapes (53, m * 3) of the expressions;
    landmarks (68,) indices and landmark_shapes (53, 204); faces, face_uv (F, 3), uv (U, 2), material and
    region (F,); skin_faces are the faces of outer skin, rim the vertices at its lower edge, smooth (n, n)
    the mean over skin neighbours; sclera: per eye, the centre, its identity modes (100, 3), and the radius.
    """

    mean: F32
    identity: F32
    moved: I32
    shapes: F32
    landmarks: I32
    landmark_shapes: F32
    faces: I32
    face_uv: I32
    uv: F32
    material: NDArray[np.int16]
    region: NDArray[np.int16]
    skin_faces: I32
    rim: I32
    smooth: csr_matrix
    sclera: tuple[tuple[F32, F32, float], ...]

    def identity_vertices(self, weights: F32) -> F32:
        """(n, 3) neutral vertices of the identity with these (100,) weights."""
        return self.mean + (weights @ self.identity).reshape(-1, 3)

    def eye_spheres(self, weights: F32) -> list[tuple[F32, float]]:
        """(centre (3,), radius) of the eyes at image left and right, for (100,) identity weights."""
        # a little smaller than the sclera, so that closed lids stay outside the rounder cornea
        return [(centre + weights @ modes, 0.975 * radius) for centre, modes, radius in self.sclera]


def _labels(faces: I32, count: int) -> I32:
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _socket_faces(ict: IctHead) -> NDArray[np.bool_]:
    """Faces of the scalp chart that line the mouth."""
    centre = ict.neutral[ict.faces].mean(1)
    mouth = ict.neutral[ict.landmarks[60:68]].mean(0)
    inside = (np.abs(centre[:, 0]) < 0.045) & (np.abs(centre[:, 1] - mouth[1] + 0.01) < 0.045)
    inside &= (centre[:, 2] > 0.015) & (centre[:, 2] < mouth[2])
    labels = _labels(ict.faces[ict.part_faces("M_BackHead")], len(ict.neutral))
    chosen = ict.part_faces("M_BackHead") & inside
    counts = np.bincount(labels[ict.faces[chosen, 0]])
    return ict.part_faces("M_BackHead") & (labels[ict.faces[:, 0]] == counts.argmax())


def _kept_lashes(ict: IctHead) -> NDArray[np.bool_]:
    """One upper and one lower strip of lashes per eye; the pack stacks three of each."""
    lash = ict.part_faces("M_EyeLashes")
    labels = _labels(ict.faces[lash], len(ict.neutral))
    keep = np.zeros(len(ict.faces), bool)
    rows: dict[tuple[bool, bool], int] = {}
    for label in np.unique(labels[ict.faces[lash, 0]]):
        mine = lash & (labels[ict.faces[:, 0]] == label)
        points = ict.neutral[ict.faces[mine].ravel()]
        key = (bool(points[:, 0].mean() > 0), bool(points[:, 1].max() > ict.neutral[ict.landmarks[37], 1]))
        if key not in rows:
            rows[key] = int(label)
            keep |= mine
    return keep


def _cells(ict: IctHead, socket: NDArray[np.bool_]) -> F32:
    """(V,) side of the cells in which vertices merge: fine at lips and eyes, coarse behind and inside."""
    p = ict.neutral
    cell = np.zeros(len(p), np.float32)
    eyes = np.minimum(*(np.linalg.norm(p - p[ict.landmarks[i : i + 6]].mean(0), axis=1) for i in (36, 42)))
    mouth = np.linalg.norm(p - p[ict.landmarks[60:68]].mean(0), axis=1)
    detail = np.minimum(eyes - 0.018, mouth - 0.03)
    skin = np.unique(ict.faces[ict.part_faces("M_Face", "M_BackHead") & ~socket])
    cell[skin] = np.select([detail[skin] < 0, p[skin, 2] > 0.06, p[skin, 2] > 0.03], [0.0, 0.0032, 0.005], 0.008)
    ears = np.abs(p[:, 0]) > 0.07
    cell[skin[ears[skin] & (p[skin, 1] > -0.03)]] = 0.0045
    cell[np.unique(ict.faces[socket])] = 0.006
    cell[np.unique(ict.faces[ict.part_faces("M_GumsTongue")])] = 0.0045
    teeth = np.unique(ict.faces[ict.part_faces("M_Teeth")])
    cell[teeth] = np.where(p[teeth, 2] > 0.088, 0.0021, 0.004)
    lash = np.unique(ict.faces[ict.part_faces("M_EyeLashes")])
    cell[lash] = 0.0
    cell[ict.landmarks] = 0.0
    cell[_seams(ict)] = 0.0
    cell[boundary_vertices(ict.faces[ict.part_faces("M_Face", "M_BackHead")])] = 0.0
    return cell


def _seams(ict: IctHead) -> I32:
    """Skin vertices with several places in one chart; merged, their triangles would span the chart."""
    seams = []
    for part in ("M_Face", "M_BackHead"):
        mine = ict.part_faces(part)
        pairs = np.unique(np.stack([ict.faces[mine].ravel(), ict.face_uv[mine].ravel()], 1), axis=0)
        vertices, count = np.unique(pairs[:, 0], return_counts=True)
        seams.append(vertices[count > 1])
    return np.concatenate(seams)


def _merged_uv(ict: IctHead, faces: NDArray[np.bool_], merged: I32) -> I32:
    """(F, 3) texture corners after merging: the standing vertex's own corner in the same chart, where it has one."""
    face_uv = ict.face_uv.copy()
    for part in np.unique(ict.part[faces]):
        mine = faces & (ict.part == part)
        corner = np.full(len(ict.neutral), -1, np.int32)
        corner[ict.faces[mine].ravel()] = ict.face_uv[mine].ravel()
        standing = corner[merged[ict.faces[mine]]]
        moved = (standing >= 0) & (merged[ict.faces[mine]] != ict.faces[mine])
        face_uv[mine] = np.where(moved, standing, ict.face_uv[mine])
    return face_uv


@lru_cache(maxsize=2)
def load_head(assets: Path) -> HeadModel:
    """The shared head from the folder of raw material. Raises UserError if the folder lacks it."""
    ict = load_ict(assets)
    socket = _socket_faces(ict)
    kept = ict.part_faces("M_Face", "M_BackHead", "M_GumsTongue", "M_Teeth") | _kept_lashes(ict)
    merged = merge_map(ict.neutral, _labels(ict.faces, len(ict.neutral)), _cells(ict, socket))
    faces, face_uv = merged[ict.faces], _merged_uv(ict, kept, merged)
    a, b, c = faces.T
    kept &= (a != b) & (b != c) & (c != a)
    faces, face_uv, part, socket = faces[kept], face_uv[kept], ict.part[kept], socket[kept]
    used, compact = np.unique(faces, return_inverse=True)
    faces = compact.reshape(-1, 3).astype(np.int32)
    material, region = _material_and_region(ict, part, socket)
    uv, face_uv = _texture_corners(ict, used, faces, face_uv, material, socket)
    skin = faces[(material == FACE) | (material == SCALP)]
    position = np.full(len(ict.neutral), -1, np.int32)
    position[used] = np.arange(len(used), dtype=np.int32)
    expression = ict.expression[:, used]
    moved = np.nonzero(np.abs(expression).max((0, 2)) > SHAPE_FLOOR)[0].astype(np.int32)
    landmarks = position[ict.landmarks]
    count = len(expression)
    return HeadModel(
        mean=ict.neutral[used],
        identity=ict.identity[:, used].reshape(len(ict.identity), -1),
        moved=moved,
        shapes=np.ascontiguousarray(expression[:, moved]).reshape(count, -1),
        landmarks=landmarks,
        landmark_shapes=np.ascontiguousarray(expression[:, landmarks]).reshape(count, -1),
        faces=faces,
        face_uv=face_uv,
        uv=uv,
        material=material,
        region=region,
        skin_faces=skin,
        rim=boundary_vertices(skin),
        smooth=smoothing_matrix(skin, len(used)),
        sclera=tuple(_sclera(ict, name) for name in ("M_ScleraRight", "M_ScleraLeft")),
    )


def _material_and_region(
    ict: IctHead, part: NDArray[np.int8], socket: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    number = {"M_Face": FACE, "M_BackHead": SCALP, "M_GumsTongue": GUM, "M_Teeth": TEETH, "M_EyeLashes": LASH}
    of_part = np.array([number.get(name, FACE) for name in ict.part_names], np.int16)
    material = np.where(socket, GUM, of_part[part]).astype(np.int16)
    names = ("skin_face", "skin_face", "eye", "mouth_inside", "mouth_inside", "brow_lash")
    return material, np.array([REGIONS.index(name) for name in names], np.int16)[material]


def _texture_corners(
    ict: IctHead, used: I32, faces: I32, face_uv: I32, material: NDArray[np.int16], socket: NDArray[np.bool_]
) -> tuple[F32, I32]:
    """ICT's charts for skin; for the mouth's inside (light, band) coordinates of gradient textures; lashes 0..1."""
    uv = ict.uv.copy()
    uv[:, 0] -= np.floor(uv[:, 0])
    points = ict.neutral[used]
    # light falls off from the front teeth to the throat
    light = cubic_step(points[:, 2], 0.045, 0.104)
    corner = face_uv.copy()
    extra: list[F32] = []
    start = len(uv)
    tongue = _tongue_vertices(points, faces[(material == GUM) & ~socket])
    tooth = material == TEETH
    upper = points[:, 1] > points[np.unique(faces[tooth])][:, 1].mean()
    edge = np.where(upper, cubic_step(points[:, 1], 0.0, -0.012), cubic_step(points[:, 1], -0.036, -0.022))
    for chosen, band in (
        (tooth, edge),
        ((material == GUM) & ~socket, np.where(tongue, 0.8, 0.5)),
        (socket, np.full(len(points), 0.15)),
    ):
        extra.append(np.stack([0.02 + 0.96 * light, 0.02 + 0.96 * band], 1).astype(np.float32))
        corner[chosen] = faces[chosen] + start
        start += len(points)
    lash_uv = (ict.uv - np.floor(ict.uv)).astype(np.float32)
    rows = np.unique(face_uv[material == LASH])
    lash_uv[rows, 0] = (lash_uv[rows, 0] % 0.5) * 2
    strip = np.floor((lash_uv[rows, 1] - 0.0) / 0.1667)
    lash_uv[rows, 1] = 1 - np.clip((lash_uv[rows, 1] - 0.0142 - strip * 0.1667) / 0.1402, 0, 1)
    uv[rows] = lash_uv[rows]
    return np.concatenate([uv, *extra]).astype(np.float32), corner.astype(np.int32)


def _tongue_vertices(points: F32, faces: I32) -> NDArray[np.bool_]:
    """(n,) which vertices of gums and tongue belong to the tongue: the piece that reaches the middle of the mouth."""
    labels = _labels(faces, len(points))
    best, tongue_label = 1.0, -1
    for label in np.unique(labels[faces[:, 0]]):
        mine = points[labels == label]
        width = float(np.ptp(mine[:, 0]))
        if len(mine) > 50 and width < best:
            best, tongue_label = width, int(label)
    return labels == tongue_label


def _sclera(ict: IctHead, name: str) -> tuple[F32, F32, float]:
    index = np.unique(ict.faces[ict.part_faces(name)])
    points = ict.neutral[index]
    system = np.concatenate([2 * points, np.ones((len(points), 1))], 1)
    solved = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    centre = solved[:3].astype(np.float32)
    radius = float(np.sqrt(solved[3] + centre @ centre))
    return centre, ict.identity[:, index].mean(1), radius
