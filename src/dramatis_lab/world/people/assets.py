"""Reads the raw assets of the synthetic people: the ICT-FaceKit head and the MakeHuman body, hair and clothes.

The folder is not part of this repository; docs/world.md says where each file is published. Everything is read
once per process, converted to metres with y up and +z towards the camera, and kept. The ICT head is moved
so that the centre about which it turns (`motion.face.HEAD_CENTRE_ICT_CM`) is the origin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.errors import UserError
from dramatis.motion.face import HEAD_CENTRE_ICT_CM
from dramatis_lab.world.arrays import F32, I32

EXPRESSIONS: tuple[str, ...] = (
    "browDown_L", "browDown_R", "browInnerUp", "browOuterUp_L", "browOuterUp_R", "cheekPuff",
    "cheekRaiser_L", "cheekRaiser_R", "cheekSquint_L", "cheekSquint_R", "eyeBlink_L", "eyeBlink_R",
    "eyeLookDown_L", "eyeLookDown_R", "eyeLookIn_L", "eyeLookIn_R", "eyeLookOut_L", "eyeLookOut_R",
    "eyeLookUp_L", "eyeLookUp_R", "eyeSquint_L", "eyeSquint_R", "eyeWide_L", "eyeWide_R",
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimple_L", "mouthDimple_R",
    "mouthFrown_L", "mouthFrown_R", "mouthFunnel", "mouthLeft", "mouthLowerDown_L", "mouthLowerDown_R",
    "mouthPress_L", "mouthPress_R", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmile_L", "mouthSmile_R", "mouthStretch_L", "mouthStretch_R",
    "mouthUpperUp_L", "mouthUpperUp_R", "noseSneer_L", "noseSneer_R",
)  # fmt: skip
"""The 53 expression weights, each 0..1, in ICT-FaceKit's order: its 57 shapes without PupilDilate_L/R, and
with the left and right halves of browInnerUp and of cheekPuff added into one, as ARKit has them. _L is the
person's own left.
"""


@dataclass(frozen=True)
class IctHead:
    """ICT-FaceKit in metres.

    neutral (V, 3), identity (100, V, 3), expression (53, V, 3) offsets in `EXPRESSIONS` order; faces and face_uv
    (F, 3); part (F,) indexes part_names; landmarks (68,) vertex indices.
    """

    neutral: F32
    identity: F32
    expression: F32
    uv: F32
    faces: I32
    face_uv: I32
    part: NDArray[np.int8]
    part_names: tuple[str, ...]
    landmarks: I32

    def part_faces(self, *names: str) -> NDArray[np.bool_]:
        """(F,) mask of the faces that belong to the named parts."""
        return np.isin(self.part, [self.part_names.index(name) for name in names])


@dataclass(frozen=True)
class ObjMesh:
    """A Wavefront mesh, triangulated: vertices (V, 3), uv (U, 2), faces and face_uv (F, 3), group name per face."""

    vertices: F32
    uv: F32
    faces: I32
    face_uv: I32
    group: NDArray[np.str_]


@dataclass(frozen=True)
class Body:
    """The MakeHuman base mesh in metres, with joints and skinning weights.

    Joints: name -> (8,) vertex indices. Skinning weights: bone -> (vertex indices, weights).
    """

    mesh: ObjMesh
    joints: dict[str, I32]
    skin: dict[str, tuple[I32, F32]]

    def joint_centre(self, vertices: F32, name: str) -> F32:
        """(3,) where a joint, such as "wrist.L____head", lies among the vertices (V, 3) of a shaped body."""
        return vertices[self.joints[name]].mean(0)


@dataclass(frozen=True)
class Garment:
    """Something bound to the base mesh: each vertex is a weighted mean of three base vertices plus a scaled offset.

    reference (V, 3) base indices, weight (V, 3), offset (V, 3) in decimetres of the base mesh, scale: per axis (index
    a, index b, distance); hides: base vertices to drop under it; texture (h, w, 4) uint8 sRGB + alpha.
    """

    mesh: ObjMesh
    reference: I32
    weight: F32
    offset: F32
    scale: tuple[tuple[int, int, float], tuple[int, int, float], tuple[int, int, float]]
    hides: I32
    texture: NDArray[np.uint8]

    def place(self, base: F32) -> F32:
        """(V, 3) vertices of the garment on base-mesh vertices (19158, 3) in metres."""
        span = [abs(base[a, axis] - base[b, axis]) / size for axis, (a, b, size) in enumerate(self.scale)]
        points = np.einsum("vk,vkd->vd", self.weight, base[self.reference])
        return points + self.offset * np.asarray(span, np.float32)


def check_assets(assets: Path) -> Path:
    """The folder itself; raises UserError if the raw material is not in it."""
    for name in ("ict_facekit.npz", "makehuman/base.obj", "makehuman/body_targets.npz"):
        if not (assets / name).is_file():
            raise UserError(
                f"In the assets folder {assets}, {name} is missing; give the folder with ICT-FaceKit and MakeHuman."
            )
    return assets


@lru_cache(maxsize=2)
def load_ict(assets: Path) -> IctHead:
    """The ICT-FaceKit head. Raises UserError if the folder lacks it."""
    with np.load(check_assets(assets) / "ict_facekit.npz") as data:
        names = [str(name) for name in data["expression_names"]]
        shapes = data["expression"].astype(np.float32)
        expression = np.zeros((len(EXPRESSIONS), *shapes.shape[1:]), np.float32)
        for name, shape in zip(names, shapes, strict=True):
            merged = name[:-2] if name[:-2] in EXPRESSIONS else name
            if merged in EXPRESSIONS:
                expression[EXPRESSIONS.index(merged)] += shape
        centre = np.asarray(HEAD_CENTRE_ICT_CM, np.float32)
        faces = data["faces"].astype(np.int32)
        return IctHead(
            neutral=(data["neutral"] - centre) / 100,
            identity=data["identity"].astype(np.float32) / 100,
            expression=(expression / 100).astype(np.float32),
            uv=data["uv"].astype(np.float32),
            faces=faces[:, :, 0],
            face_uv=faces[:, :, 1],
            part=data["material"],
            part_names=tuple(str(name) for name in data["material_names"]),
            landmarks=data["landmarks68"],
        )


def read_obj(path: Path, scale: float) -> ObjMesh:
    """Read a Wavefront file of triangles and quads; vertices are multiplied by `scale`."""
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    triangles: list[tuple[tuple[int, int], ...]] = []
    groups: list[str] = []
    group = ""
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [tuple(int(i) - 1 for i in corner.split("/")[:2]) for corner in rest.split()]
            for k in range(1, len(corners) - 1):
                triangles.append((corners[0], corners[k], corners[k + 1]))  # type: ignore[arg-type]
                groups.append(group)
    corner_index = np.asarray(triangles, np.int32)
    return ObjMesh(
        np.asarray(vertices, np.float32) * scale,
        np.asarray(uv, np.float32),
        np.ascontiguousarray(corner_index[:, :, 0]),
        np.ascontiguousarray(corner_index[:, :, 1]),
        np.asarray(groups),
    )


@lru_cache(maxsize=2)
def load_body(assets: Path) -> Body:
    """The MakeHuman base mesh with its skeleton. Raises UserError if the folder lacks it."""
    folder = check_assets(assets) / "makehuman"
    joints = json.loads((folder / "default.mhskel").read_text())["joints"]
    weights = json.loads((folder / "default_weights.mhw").read_text())["weights"]
    skin = {}
    for bone, rows in weights.items():
        table = np.asarray(rows, np.float32).reshape(-1, 2)
        skin[bone] = (table[:, 0].astype(np.int32), table[:, 1])
    indices = {name: np.asarray(rows, np.int32) for name, rows in joints.items()}
    return Body(read_obj(folder / "base.obj", 0.1), indices, skin)


@lru_cache(maxsize=256)
def load_target(assets: Path, name: str) -> tuple[I32, F32]:
    """One MakeHuman body shape, as (indices (N,), offsets (N, 3) in metres)."""
    with np.load(check_assets(assets) / "makehuman" / "body_targets.npz") as data:
        return data[f"{name}:index"].astype(np.int32), data[f"{name}:delta"].astype(np.float32) / 10


def _parse_deleted(words: list[str]) -> I32:
    """Indices of a `delete_verts` section: single numbers and ranges written "a - b"."""
    indices: list[int] = []
    k = 0
    while k < len(words):
        if k + 2 < len(words) and words[k + 1] == "-":
            indices.extend(range(int(words[k]), int(words[k + 2]) + 1))
            k += 3
        else:
            indices.append(int(words[k]))
            k += 1
    return np.asarray(indices, np.int32)


@lru_cache(maxsize=64)
def load_garment(assets: Path, kind: str, name: str, texture_size: int = 512) -> Garment:
    """A piece of `kind` ("hair" or "clothes"), its texture resized to texture_size squared."""
    folder = check_assets(assets) / "makehuman" / kind / name
    if not (folder / f"{name}.mhclo").is_file():
        raise UserError(f"In the assets folder {assets}, {kind}/{name} is missing; restore the MakeHuman files.")
    scales: dict[str, tuple[int, int, float]] = {}
    rows: list[list[float]] = []
    deleted: list[str] = []
    section = ""
    for line in (folder / f"{name}.mhclo").read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            scales[words[0]] = (int(words[1]), int(words[2]), float(words[3]))
        elif words[0] in ("verts", "delete_verts"):
            section = words[0]
        elif not words[0].isdigit():
            continue
        elif section == "verts":
            row = [float(x) for x in words]
            rows.append(row if len(row) == 9 else [row[0]] * 3 + [1, 0, 0, 0, 0, 0])
        elif section == "delete_verts":
            deleted.extend(words)
    binding = np.asarray(rows, np.float32)
    picture = (
        Image.open(folder / f"{name}_diffuse.webp").convert("RGBA").resize((texture_size,) * 2, Image.Resampling.BOX)
    )
    return Garment(
        mesh=read_obj(folder / f"{name}.obj", 0.1),
        reference=binding[:, :3].astype(np.int32),
        weight=binding[:, 3:6],
        offset=binding[:, 6:9],
        # the distances are in decimetres; the offsets come out in the base mesh's metres
        scale=(scales["x_scale"], scales["y_scale"], scales["z_scale"]),
        hides=_parse_deleted(deleted),
        texture=np.asarray(picture),
    )
