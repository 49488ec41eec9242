"""Dresses a head: a MakeHuman torso under its neck, clothes outside the torso, hair outside the scalp, glasses.

Body, clothes and hair are cut to what a head-and-shoulders frame can show. What does not depend on the
identity (a hair style fitted to the mean head) is kept per process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.people.arms import ArmPose, Palm, arm_joints, close_hands, find_palms, raise_arms
from dramatis_lab.world.people.assets import Body, Garment, load_body, load_garment, load_target
from dramatis_lab.world.people.fitting import (
    FOREARM_BONES,
    CollisionSurface,
    arm_weights,
    cubic_step,
    lower_arms,
    neck_height,
    rest_normals,
    surface_samples,
    warp_points,
)
from dramatis_lab.world.people.head import HeadModel, load_head

LOWEST = -0.56
"""Metres below the head centre where torso and clothes are cut."""
ARM_ANGLE = 0.5
"""Radians by which the arms of the resting body are lowered to the sides."""
CLOTH_MARGIN, HAIR_MARGIN = 0.004, 0.004
CLEARANCE = 0.011
"""Skin closer to cloth than this many metres gives way."""
FRINGED = ("bob02", "braid01", "short03")
"""Hair styles that hang over an eye as they come."""
OVER_THE_EARS = ("bob02", "long01")
"""Hair styles that fall over the ears and would be pierced by them."""


@dataclass(frozen=True)
class Physique:
    """sex "female" or "male", heritage as in MakeHuman, and age, muscle and weight 0..1."""

    sex: str
    heritage: str
    age: float
    muscle: float
    weight: float


@dataclass(frozen=True)
class Outfit:
    """Everything below and around a face, in the resting head's space; `head` is the head with its neck joined."""

    head: F32
    body: F32
    body_faces: I32
    body_uv: F32
    body_face_uv: I32
    cloth: F32
    cloth_faces: I32
    cloth_uv: F32
    cloth_face_uv: I32
    cloth_texture: NDArray[np.uint8]
    hair: F32 | None
    hair_faces: I32
    hair_uv: F32
    hair_face_uv: I32
    hair_texture: NDArray[np.uint8] | None
    palms: dict[str, Palm]
    """The hands of side "L" and "R"."""


def _bins(value: float, low: str, high: str) -> tuple[tuple[str, float], ...]:
    """A 0..1 value as weights of the low, average and high shape."""
    distance = abs(value - 0.5) * 2
    return (("average", 1 - distance), (high if value > 0.5 else low, distance))


def shape_body(assets: Path, physique: Physique) -> F32:
    """(19158, 3) base-mesh vertices in metres, in the mesh's own space and resting pose."""
    vertices = load_body(assets).mesh.vertices.copy()
    for years, share in (("young", 1 - 0.7 * physique.age), ("old", 0.7 * physique.age)):
        names = {f"macrodetails/{physique.heritage}-{physique.sex}-{years}": share}
        for muscle, by_muscle in _bins(physique.muscle, "min", "max"):
            for weight, by_weight in _bins(physique.weight, "min", "max"):
                name = f"macrodetails/universal-{physique.sex}-{years}-{muscle}muscle-{weight}weight"
                names[name] = share * by_muscle * by_weight
        for name, amount in names.items():
            if amount > 0.01:
                index, offset = load_target(assets, name)
                vertices[index] += np.float32(amount) * offset
    return vertices


def _to_head_space(body: Body, vertices: F32) -> F32:
    """(3,) shift that brings eyes and skull joint of the base mesh to those of the mean ICT head."""
    eye, skull = (body.joint_centre(vertices, f"{name}____head") for name in ("eye.L", "head"))
    return np.array([0.0, 0.054 - eye[1], 0.003 - skull[2]], np.float32)


@lru_cache(maxsize=2)
def _arm_shares(assets: Path) -> dict[str, F32]:
    body = load_body(assets)
    return {side: arm_weights(body, side) for side in "LR"}


@lru_cache(maxsize=2)
def _forearm_shares(assets: Path) -> dict[str, F32]:
    body = load_body(assets)
    return {side: arm_weights(body, side, FOREARM_BONES) for side in "LR"}


def _sleeve_shares(garment: Garment, shares: dict[str, F32]) -> dict[str, F32]:
    """Side -> (V,) how far a garment follows an arm; shares: the same for the base mesh."""
    bound = {side: np.einsum("vk,vk->v", garment.weight, share[garment.reference]) for side, share in shares.items()}
    return {side: np.clip(share, 0, 1).astype(np.float32) for side, share in bound.items()}


@lru_cache(maxsize=2)
def _body_faces(assets: Path) -> NDArray[np.bool_]:
    return load_body(assets).mesh.group == "body"


def _compact(vertices: F32, faces: I32, uv: F32, face_uv: I32) -> tuple[F32, I32, F32, I32]:
    """Drop vertices and texture corners that no face uses."""
    used, index = np.unique(faces, return_inverse=True)
    corners, corner_index = np.unique(face_uv, return_inverse=True)
    shape = faces.shape
    return (
        vertices[used],
        index.reshape(shape).astype(np.int32),
        uv[corners],
        corner_index.reshape(shape).astype(np.int32),
    )


def join_neck(head: HeadModel, points: F32, body: F32, body_faces: I32) -> F32:
    """Head vertices whose neck runs into the body: more of the body's surface the lower, all of it at the rim."""
    share = cubic_step(neck_height(points), -0.08, -0.128)
    skin = np.zeros(len(points), bool)
    skin[head.skin_faces] = True
    low = np.nonzero(skin & (share > 0))[0]
    near = body_faces[np.abs(body[body_faces].mean(1) - [0, -0.12, 0]).max(1) < 0.17]
    samples = surface_samples(body, near, 4)
    tree = cKDTree(samples)
    _, nearest = tree.query(points[low])
    offset = np.zeros_like(points)
    offset[low] = samples[nearest] - points[low]
    blend = share[:, None]
    for _ in range(4):
        offset = np.where(skin[:, None], head.smooth @ offset, offset)
    # smoothing must not lift the rim off the body
    _, nearest = tree.query(points[head.rim])
    offset[head.rim] = samples[nearest] - points[head.rim]
    joined = points + blend * offset
    return (joined + 0.0012 * blend * rest_normals(joined, head.skin_faces)).astype(np.float32)


def _covered(body: F32) -> NDArray[np.bool_]:
    """(V,) body vertices that the head's own neck replaces; below, the two skins overlap."""
    return (neck_height(body) > -0.112) & (np.abs(body[:, 0]) < 0.13)


def _under_cloth(skin: F32, faces: I32, cloth: F32, cloth_faces: I32, lowest: float) -> F32:
    """Skin vertices sunk inwards where cloth lies on them, so that no skin shows between the vertices of the cloth."""
    low = np.nonzero((neck_height(skin) < -0.095) & (skin[:, 1] > lowest - 0.05))[0]
    distance, _ = cKDTree(surface_samples(cloth, cloth_faces, 3)).query(skin[low], distance_upper_bound=CLEARANCE)
    depth = np.clip(CLEARANCE - distance, 0, None)[:, None]
    result = skin.copy()
    result[low] -= 0.7 * depth * rest_normals(skin, faces)[low]
    return result.astype(np.float32)


def _pin_ears(points: F32) -> F32:
    """The head with its ears laid flat."""
    x = np.abs(points[:, 0])
    ear = (x > 0.071) & (points[:, 1] > -0.03) & (points[:, 1] < 0.09) & (points[:, 2] < 0.04)
    flat = points.copy()
    flat[ear, 0] = np.sign(points[ear, 0]) * (0.071 + 0.2 * (x[ear] - 0.071))
    return flat


def dress(
    assets: Path,
    head: HeadModel,
    points: F32,
    physique: Physique,
    clothes: str,
    hair: str | None,
    arms: ArmPose | None = None,
    lowest: float = LOWEST,
) -> Outfit:
    """Fit torso, clothes and hair to the identity `points` (n, 3) of the shared head.

    arms: how the arms are held; at the sides if None. lowest: metres below the head centre where body and clothes end.
    """
    body = load_body(assets)
    shaped = shape_body(assets, physique)
    shift = _to_head_space(body, shaped)
    shares = _arm_shares(assets)
    joints, fore = arm_joints(body, shaped), _forearm_shares(assets)
    pivots = {side: joints[side][0] for side in "LR"}
    raised = shaped if arms is None else raise_arms(close_hands(body, shaped, arms.grips), joints, shares, fore, arms)
    posed = lower_arms(raised, pivots, shares, ARM_ANGLE) + shift
    open_handed = shaped if arms is None else raise_arms(shaped, joints, shares, fore, arms)
    palms = find_palms(body, lower_arms(open_handed, pivots, shares, ARM_ANGLE) + shift)
    faces = body.mesh.faces[_body_faces(assets)]
    face_uv = body.mesh.face_uv[_body_faces(assets)]
    torso = posed[faces][:, :, 1].min(1) > lowest - 0.05
    if hair in OVER_THE_EARS:
        points = _pin_ears(points)
    joined = join_neck(head, points, posed, faces[torso])

    garment = load_garment(assets, "clothes", clothes)
    sleeves, cloth = _sleeve_shares(garment, shares), garment.place(shaped)
    if arms is not None:
        cloth = raise_arms(cloth, joints, sleeves, _sleeve_shares(garment, fore), arms)
    cloth = lower_arms(cloth, pivots, sleeves, ARM_ANGLE) + shift
    hides = np.zeros(len(posed), bool)
    hides[garment.hides] = True
    covered = _covered(posed)
    bare_neck = torso & ~covered[faces].all(1)
    neck_skin = head.skin_faces[(joined[head.skin_faces][:, :, 1] < -0.03).all(1)]
    obstacle = CollisionSurface.of(
        np.concatenate([joined, posed]), np.concatenate([neck_skin, faces[bare_neck] + len(joined)])
    )
    visible = cloth[garment.mesh.faces][:, :, 1].max(1) > lowest
    cloth = obstacle.push(cloth, CLOTH_MARGIN, 0.03)
    drawn = bare_neck & (posed[faces][:, :, 1].max(1) > lowest) & ~hides[faces].all(1)
    tailored = garment.mesh.faces[visible]
    joined = _under_cloth(joined, head.skin_faces, cloth, tailored, lowest)
    posed = _under_cloth(posed, faces, cloth, tailored, lowest)
    body_part = _compact(posed, faces[drawn], body.mesh.uv, face_uv[drawn])
    cloth_part = _compact(cloth, tailored, garment.mesh.uv, garment.mesh.face_uv[visible])
    strands = None if hair is None else _fit_hair(assets, hair, head, points, cloth_part, obstacle)
    empty = np.zeros((0, 3), np.int32)
    return Outfit(
        joined,
        *body_part,
        *cloth_part,
        garment.texture,
        None if strands is None else strands[0],
        empty if strands is None else strands[1],
        np.zeros((0, 2), np.float32) if strands is None else strands[2],
        empty if strands is None else strands[3],
        None if hair is None else load_garment(assets, "hair", hair).texture,
        palms,
    )


@lru_cache(maxsize=16)
def _hair_on_mean_head(assets: Path, style: str) -> tuple[F32, I32, F32, I32]:
    """A hair style on the mean ICT head: carried from the MakeHuman scalp to ICT's, and pushed out of it."""
    head, body, garment = load_head(assets), load_body(assets), load_garment(assets, "hair", style)
    base = shape_body(assets, Physique("female", "caucasian", 0.0, 0.5, 0.5))
    shift = _to_head_space(body, base)
    scalp = np.unique(body.mesh.faces[_body_faces(assets)])
    anchors = (base + shift)[scalp]
    anchors = anchors[(anchors[:, 1] > -0.06) & (np.abs(anchors[:, 0]) < 0.12)][::3]
    skull = np.unique(head.skin_faces)
    ears = (np.abs(head.mean[skull, 0]) > 0.078) & (head.mean[skull, 1] < 0.08)
    targets = head.mean[skull[~ears]]
    _, nearest = cKDTree(targets).query(anchors)
    placed = garment.place(base) + shift
    hair = warp_points(placed, anchors, targets[nearest] - anchors, 24)
    skin = CollisionSurface.of(head.mean, head.skin_faces)
    if style in FRINGED:
        hair = _off_the_face(hair, skin)
    hair = skin.push(hair, HAIR_MARGIN, 0.04)
    return _compact(hair, garment.mesh.faces, garment.mesh.uv, garment.mesh.face_uv)


def _off_the_face(hair: F32, skin: CollisionSurface) -> F32:
    """Comb a fringe that hangs over eyes and cheeks to the side it falls to, flat on the skin."""
    x, y, z = hair.T
    over = cubic_step(y, 0.098, 0.07) * cubic_step(z, 0.03, 0.055) * cubic_step(np.abs(x), 0.085, 0.05)
    side = np.where(np.abs(x) > 0.045, np.sign(x), np.sign(np.average(x, weights=over + 1e-9)))
    combed = hair.copy()
    combed[:, 0] += over * (side * (0.06 + 0.25 * np.abs(x)) - x)
    moved = (over > 0.02) & (y > 0.02)
    combed[moved] = skin.push(combed[moved], HAIR_MARGIN, 0.05, ceiling=0.014)
    return combed


def _fit_hair(
    assets: Path,
    style: str,
    head: HeadModel,
    points: F32,
    cloth_part: tuple[F32, I32, F32, I32],
    obstacle: CollisionSurface,
) -> tuple[F32, I32, F32, I32]:
    """The style on this identity: it follows the skull's change of shape and stays outside skin and clothes."""
    mean_hair, faces, uv, face_uv = _hair_on_mean_head(assets, style)
    skull = np.unique(head.skin_faces)
    skull = skull[(head.mean[skull, 1] > -0.03)][::7]
    hair = warp_points(mean_hair, head.mean[skull], points[skull] - head.mean[skull], 16)
    hair = CollisionSurface.of(points, head.skin_faces).push(hair, HAIR_MARGIN, 0.03)
    hair = obstacle.push(hair, 2 * CLOTH_MARGIN, 0.05)
    low = hair[:, 1] < -0.06
    if low.any():
        hair[low] = CollisionSurface.of(cloth_part[0], cloth_part[1]).push(hair[low], CLOTH_MARGIN, 0.05)
    return hair, faces, uv, face_uv


def glasses_mesh(left: F32, right: F32, landmarks: F32) -> tuple[F32, I32]:
    """Vertices and faces of plain glasses: two rims, a bridge and two temples, around eye centres left and right."""
    rims, radius = [], 0.0012
    bridge = landmarks[27]
    width = 0.42 * float(right[0] - left[0])
    front = float(max(landmarks[28, 2] - 0.002, left[2] + 0.024))
    turn = np.linspace(0, 2 * np.pi, 29)[:-1]
    for eye in (left, right):
        x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.7 * width
        y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.7 * width * 0.78
        bow = -8.0 * (eye[0] + x) ** 2 * 0.25
        rims.append((np.stack([eye[0] + x, eye[1] - 0.003 + y, front + bow], 1), True))
    inner = width * 0.93
    arch = np.linspace(-1, 1, 5)
    gap = (right[0] - left[0]) / 2 - inner
    rims.append(
        (
            np.stack([bridge[0] + arch * gap, left[1] + 0.004 + 0.003 * (1 - arch**2), np.full(5, front)], 1),
            False,
        )
    )
    ear = np.abs(landmarks[[0, 16], 0]).max() + 0.008
    for eye, side in ((left, -1), (right, 1)):
        start = np.array([eye[0] + side * width, eye[1] + 0.006, front - 2.0 * (abs(eye[0]) + width) ** 2])
        hinge = np.array([side * ear, eye[1] + 0.006, start[2] - 0.02])
        end = np.array([side * (ear + 0.002), eye[1] - 0.002, 0.0])
        rims.append((np.stack([start, hinge, end]), False))
    vertices: list[F32] = []
    faces: list[I32] = []
    for path, closed in rims:
        tube, triangles = _tube(path.astype(np.float32), radius, closed=bool(closed))
        faces.append((triangles + sum(map(len, vertices))).astype(np.int32))
        vertices.append(tube)
    return np.concatenate(vertices), np.concatenate(faces)


def _tube(path: F32, radius: float, *, closed: bool, sides: int = 5) -> tuple[F32, I32]:
    """A tube along a polyline (N, 3)."""
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.cross(along, [0.0, 0.31, 0.95])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    third = np.cross(along, across)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = across[:, None] * np.cos(turn)[:, None] + third[:, None] * np.sin(turn)[:, None]
    vertices = (path[:, None] + radius * ring).reshape(-1, 3).astype(np.float32)
    rings = len(path) if closed else len(path) - 1
    faces = []
    for i in range(rings):
        for k in range(sides):
            a, b = i * sides + k, i * sides + (k + 1) % sides
            c, d = ((i + 1) % len(path)) * sides + k, ((i + 1) % len(path)) * sides + (k + 1) % sides
            faces += [(a, c, d), (a, d, b)]
    return vertices, np.asarray(faces, np.int32)
