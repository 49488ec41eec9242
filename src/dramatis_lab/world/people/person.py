"""Random people that can be posed: an identity, its clothes, hair and skin, and the mesh that a performance moves.

`make_person(seed, assets)` draws a `PersonSpec` and builds a `RenderedPerson`: an ICT-FaceKit head with teeth,
tongue and turning eyes on a MakeHuman torso, dressed. Spaces and angles are those of `motion.face`:
metres, y up, +z towards the camera, the resting head centre at the origin. Identity seeds with seed % 10
== 9 are held out of training.
"""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from dramatis.motion.face import HEAD_HEIGHT_M, RIGID_ANCHORS, head_rotation
from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.people import skin, wardrobe
from dramatis_lab.world.people.accessories import Accessories, build_accessories
from dramatis_lab.world.people.assembly import PersonPart, assemble_parts, attach_parts
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.cloth import dye_cloth
from dramatis_lab.world.people.fitting import head_share, shift_share
from dramatis_lab.world.people.head import EYE, EYE_TEMPLATE, Eyeball, HeadModel, load_head
from dramatis_lab.world.people.headwear import height_above_hat_line
from dramatis_lab.world.people.skin import RGB, Complexion
from dramatis_lab.world.people.wardrobe import Outfit, Physique
from dramatis_lab.world.renderer.mesh import Mesh, RenderMaterial

HAIR_COLOURS: dict[str, RGB] = {
    "black": (0.06, 0.05, 0.05), "dark brown": (0.14, 0.09, 0.06), "brown": (0.27, 0.17, 0.10),
    "auburn": (0.35, 0.15, 0.08), "red": (0.52, 0.22, 0.09), "dark blond": (0.48, 0.36, 0.22),
    "blond": (0.72, 0.58, 0.37), "grey": (0.52, 0.51, 0.50), "white": (0.80, 0.79, 0.77),
}  # fmt: skip
EYE_COLOURS: dict[str, RGB] = {
    "dark brown": (0.17, 0.10, 0.06), "brown": (0.33, 0.20, 0.10), "hazel": (0.42, 0.33, 0.17),
    "green": (0.33, 0.43, 0.28), "blue": (0.30, 0.46, 0.62), "grey": (0.45, 0.50, 0.54),
}  # fmt: skip
HERITAGES = ("african", "asian", "caucasian")
FEMALE_HAIR = ("bob02", "braid01", "long01", "ponytail01", "short03", "short02", "cropped")
MALE_HAIR = ("short01", "short02", "short04", "short03", "cropped", "bald")
FEMALE_CLOTHES = (
    "female_casualsuit01",
    "female_elegantsuit01",
    "female_sportsuit01",
    "male_casualsuit06",
    "male_casualsuit02",
)
MALE_CLOTHES = (
    "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05", "male_casualsuit06",
    "male_elegantsuit01", "male_worksuit01",
)  # fmt: skip
PATTERNS = ("plain", "plain", "plain", "stripes", "bars", "checks")


@dataclass(frozen=True)
class PersonSpec:
    """Everything that makes one person; JSON-able with `asdict`. `identity` are 100 ICT modes, deviations ~0.6."""

    seed: int
    sex: str
    age: float
    heritage: str
    identity: tuple[float, ...]
    muscle: float
    weight: float
    hair: str
    hair_colour_name: str
    eye_colour: RGB
    clothes: str
    cloth_colour: RGB | None
    cloth_accent: RGB
    cloth_pattern: str
    cloth_period: float
    glasses: bool
    glasses_colour: RGB
    complexion: Complexion
    accessories: Accessories | None = None
    lowest: float = wardrobe.LOWEST
    """Metres below the head centre where body and clothes end."""


@dataclass(frozen=True)
class PosedPerson:
    """vertices (V, 3), landmarks68 (68, 3) and the palms (2, 3) at left and right, float32 metres."""

    vertices: F32
    landmarks68: F32
    palms: F32


def _jitter(rng: np.random.Generator, colour: RGB, amount: float) -> RGB:
    shade = 1 + rng.normal(0, amount)
    r, g, b = (float(np.clip(c * shade * (1 + rng.normal(0, amount / 3)), 0.02, 0.95)) for c in colour)
    return r, g, b


def _cloth_colour(rng: np.random.Generator) -> RGB:
    """A wearable colour: mostly muted, sometimes vivid, sometimes nearly white or black."""
    value, vivid, hue = rng.uniform(0.1, 0.8), rng.beta(1.2, 3.0), rng.uniform(0, 1)
    wheel = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    r, g, b = (float(c) for c in value * (1 - vivid * (1 - wheel)))
    return r, g, b


def random_spec(seed: int) -> PersonSpec:
    """Draw a person; equal seeds give equal people."""
    rng = np.random.default_rng([seed, 0])
    sex = str(rng.choice(["female", "male"]))
    heritage = str(rng.choice(HERITAGES, p=[0.27, 0.30, 0.43]))
    age = float(rng.beta(1.3, 1.8))
    tone = float(rng.uniform(*{"african": (3.4, 6.0), "asian": (0.6, 3.4), "caucasian": (0.0, 2.4)}[heritage]))
    natural = ("black", "dark brown", "brown", "auburn", "red", "dark blond", "blond")
    share = np.array(
        [0.1, 0.22, 0.25, 0.08, 0.07, 0.14, 0.14]
        if heritage == "caucasian"
        else [0.62, 0.25, 0.07, 0.02, 0.01, 0.01, 0.02]
    )
    hair_name = str(rng.choice(natural, p=share / share.sum()))
    if rng.random() < (age - 0.55) * 1.5:
        hair_name = str(rng.choice(["grey", "white"], p=[0.7, 0.3]))
    eye_share = [0.15, 0.2, 0.15, 0.12, 0.28, 0.10] if heritage == "caucasian" else [0.66, 0.28, 0.04, 0.01, 0.01, 0.0]
    eye_name = str(rng.choice(list(EYE_COLOURS), p=eye_share))
    hair_colour = _jitter(rng, HAIR_COLOURS[hair_name], 0.12)
    if sex == "female":
        hair = str(rng.choice(FEMALE_HAIR, p=[0.18, 0.14, 0.20, 0.20, 0.16, 0.06, 0.06]))
        clothes = str(rng.choice(FEMALE_CLOTHES, p=[0.26, 0.22, 0.22, 0.18, 0.12]))
    else:
        hair = str(rng.choice(MALE_HAIR, p=[0.2, 0.24, 0.2, 0.1, 0.16, 0.10]))
        clothes = str(rng.choice(MALE_CLOTHES))
    return PersonSpec(
        seed=seed,
        sex=sex,
        age=age,
        heritage=heritage,
        identity=_random_identity(rng, sex, heritage),
        muscle=float(rng.uniform(0.25, 0.75)),
        weight=float(rng.uniform(0.2, 0.8)),
        hair=hair,
        hair_colour_name=hair_name,
        eye_colour=_jitter(rng, EYE_COLOURS[eye_name], 0.08),
        clothes=clothes,
        cloth_colour=None if rng.random() < 0.2 else _cloth_colour(rng),
        cloth_accent=_cloth_colour(rng),
        cloth_pattern=str(rng.choice(PATTERNS)),
        cloth_period=float(rng.uniform(0.025, 0.08)),
        glasses=bool(rng.random() < 0.15),
        glasses_colour=_jitter(rng, (0.12, 0.09, 0.08), 0.5),
        complexion=_random_complexion(rng, seed, sex, age, tone, hair, hair_colour),
    )


def _random_identity(rng: np.random.Generator, sex: str, heritage: str) -> tuple[float, ...]:
    """100 ICT modes ~N(0, 0.6); the first is led by the width of the jaw, the third by nose and lips."""
    modes = rng.normal(0, 0.6, 100)
    modes[0] = 0.8 * modes[0] + (0.6 if sex == "female" else -0.4)
    modes[2] += {"african": -0.6, "asian": -0.2, "caucasian": 0.3}[heritage]
    return tuple(float(x) for x in np.clip(modes, -1.6, 1.6).round(4))


def _random_complexion(
    rng: np.random.Generator, seed: int, sex: str, age: float, tone: float, hair: str, hair_colour: RGB
) -> Complexion:
    male = sex == "male"
    bearded = male and rng.random() < 0.3
    made_up = not male and rng.random() < 0.5
    return Complexion(
        tone=tone,
        hue=float(rng.normal(0, 0.8)),
        blush=float(rng.uniform(0.1, 0.9)),
        freckles=float(rng.uniform(0.3, 1.0)) if tone < 2.5 and rng.random() < 0.25 else 0.0,
        age=age,
        stubble=float(rng.uniform(0.0, 0.8)) if male else 0.0,
        beard=float(rng.uniform(0.4, 0.95)) if bearded and rng.random() < 0.7 else 0.0,
        moustache=float(rng.uniform(0.4, 0.95)) if bearded else 0.0,
        lipstick=float(rng.uniform(0.3, 0.9)) if made_up else (0.0 if male else 0.15),
        lip_colour=_jitter(rng, (0.62, 0.17, 0.22), 0.2),
        eyeshadow=float(rng.uniform(0.2, 0.9)) if made_up else 0.0,
        eyeshadow_colour=_cloth_colour(rng),
        brow_thickness=float(rng.uniform(0.8, 1.35) if male else rng.uniform(0.45, 0.95)),
        brow_arch=float(rng.normal(0, 0.6)),
        brow_density=float(rng.uniform(0.5, 1.0)),
        hair_colour=hair_colour,
        scalp_hair={"bald": float(rng.uniform(0, 0.15)), "cropped": 0.9}.get(hair, 0.95),
        seed=seed,
    )


class RenderedPerson:
    """One person: `mesh` (topology and materials), `spec`, and vertices for every pose. Build with `make_person`."""

    def __init__(
        self,
        spec: PersonSpec,
        mesh: Mesh,
        rest: F32,
        head: HeadModel,
        eyes: Sequence[Eyeball],
        palms: F32,
        followers: Sequence[tuple[slice, I32]] = (),
    ) -> None:
        """palms: (2, 3) at left and right. followers: vertices that move as vertices of the head do, and which ones."""
        self.spec = spec
        self.mesh = mesh
        self._rest = rest
        self._moved, self._shapes = head.moved, head.shapes
        self._landmark_shapes, self._landmark_index = head.landmark_shapes, head.landmarks
        self._eyes = tuple(eyes)
        self._followers = tuple(followers)
        self._palm_vertices = np.linalg.norm(rest - palms[:, None], axis=-1).argmin(1)
        self._head_share = head_share(rest)[:, None]
        self._shift_share = shift_share(rest)[:, None]

    @property
    def rest_landmarks(self) -> F32:
        """(68, 3) landmarks of the neutral face at rest."""
        return self._rest[self._landmark_index]

    def pose(
        self,
        expression: ArrayLike,
        head: ArrayLike = (0.0,) * 6,
        gaze: ArrayLike = (0.0, 0.0),
        blink: float = 0.0,
    ) -> PosedPerson:
        """Vertices for one moment.

        expression: (53,) weights in `EXPRESSIONS` order.  head: (6,) yaw, pitch, roll [rad] and tx, ty, tz
        [head heights], as `Performance.head`.  gaze: (2,) yaw, pitch of the eyes relative to the head
        [rad], + = image right, up; the lids follow.  blink: 0..1, added to the expression's own lids.
        """
        look = np.asarray(gaze, np.float32)
        weights = _with_lids(np.asarray(expression, np.float32), look, float(blink))
        points = self._rest.copy()
        _add_shapes(points, self._moved, self._shapes, weights)
        turn = head_rotation(look[0], look[1], 0.0).astype(np.float32)
        for eye in self._eyes:
            points[eye.vertices] = (self._rest[eye.vertices] - eye.centre) @ turn.T + eye.centre
        for own, leaders in self._followers:
            points[own] += points[leaders] - self._rest[leaders]
        state = np.asarray(head, np.float32)
        rotation = head_rotation(*(float(a) for a in state[:3])).astype(np.float32)
        _carry(points, rotation, self._head_share, state[3:6] * np.float32(HEAD_HEIGHT_M), self._shift_share)
        return PosedPerson(points, points[self._landmark_index], points[self._palm_vertices])

    def landmarks(self, expressions: ArrayLike, heads: ArrayLike) -> F32:
        """(T, 68, 3) landmarks for expressions (T, 53) and heads (T, 6) without the mesh, gazing ahead."""
        weights, states = np.array(expressions, np.float32), np.asarray(heads, np.float32)
        weights[:, _BLINKS] = LID_CLOSURE * np.clip(weights[:, _BLINKS], 0, 1)
        points = self.rest_landmarks + (weights @ self._landmark_shapes).reshape(len(weights), 68, 3)
        share = self._head_share[self._landmark_index]
        rotation = head_rotation(states[:, 0], states[:, 1], states[:, 2]).astype(np.float32)
        turned = np.einsum("tij,tkj->tki", rotation, points)
        shift = self._shift_share[self._landmark_index] * states[:, None, 3:6] * np.float32(HEAD_HEIGHT_M)
        return (points + share * (turned - points) + shift).astype(np.float32)

    def rigid_points(self, heads: ArrayLike) -> F32:
        """(T, 9, 3) `RIGID_ANCHORS` of this person's neutral face under the head motion alone; heads: (T, 6)."""
        states = np.asarray(heads, np.float32)
        anchors = self.rest_landmarks[list(RIGID_ANCHORS)]
        rotation = head_rotation(states[:, 0], states[:, 1], states[:, 2]).astype(np.float32)
        shift = states[:, None, 3:6] * np.float32(HEAD_HEIGHT_M)
        return (np.einsum("tij,kj->tki", rotation, anchors) + shift).astype(np.float32)


LID_CLOSURE = 1.1
"""Weight of the blink shapes for closed eyes; at 1 they leave a slit."""
_BLINKS = [EXPRESSIONS.index("eyeBlink_L"), EXPRESSIONS.index("eyeBlink_R")]
_LID = {name: EXPRESSIONS.index(name) for name in EXPRESSIONS if name.startswith(("eyeLook", "eyeBlink"))}


def _with_lids(expression: F32, gaze: F32, blink: float) -> F32:
    """The expression with lids that follow the gaze and close with the blink."""
    weights = expression.copy()
    down, up = np.clip(-gaze[1] / 0.6, 0, 1), np.clip(gaze[1] / 0.6, 0, 1)
    right, left = np.clip(gaze[0] / 0.8, 0, 1), np.clip(-gaze[0] / 0.8, 0, 1)
    for side, outwards, inwards in (("L", right, left), ("R", left, right)):
        for name, amount in (("Down", down), ("Up", up), ("Out", outwards), ("In", inwards)):
            weights[_LID[f"eyeLook{name}_{side}"]] += amount
        index = _LID[f"eyeBlink_{side}"]
        # a lid that is already lowered by the gaze has less way to go
        weights[index] = LID_CLOSURE * min(max(weights[index], blink, 0.0), 1.0) * (1 - 0.35 * down)
    return weights


@njit(cache=True, fastmath=True, nogil=True)
def _add_shapes(points, moved, shapes, weights):
    """Add shapes (S, m * 3) times their weights (S,) to the points (V, 3) with the indices `moved` (m,)."""
    offsets = np.zeros(shapes.shape[1], np.float32)
    for k in range(shapes.shape[0]):
        weight = weights[k]
        if abs(weight) > np.float32(1e-4):
            for j in range(shapes.shape[1]):
                offsets[j] += weight * shapes[k, j]
    for i in range(moved.shape[0]):
        for c in range(3):
            points[moved[i], c] += offsets[3 * i + c]


@njit(cache=True, fastmath=True, nogil=True)
def _carry(points, rotation, head_share, shift, shift_share):
    """Move points (V, 3) with the head: share (V, 1) of its rotation about the origin, share (V, 1) of its shift."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        turned, shifted = head_share[i, 0], shift_share[i, 0]
        for c in range(3):
            goal = rotation[c, 0] * x + rotation[c, 1] * y + rotation[c, 2] * z
            points[i, c] += turned * (goal - points[i, c]) + shifted * shift[c]


def make_person(who: int | PersonSpec, assets: Path) -> RenderedPerson:
    """Build the person of a seed or a spec. Raises UserError if `assets` lacks the raw material."""
    spec = who if isinstance(who, PersonSpec) else random_spec(who)
    head = load_head(Path(assets))
    identity = np.asarray(spec.identity, np.float32)
    points = head.identity_vertices(identity)
    outfit = wardrobe.dress(
        Path(assets),
        head,
        points,
        Physique(spec.sex, spec.heritage, spec.age, spec.muscle, spec.weight),
        spec.clothes,
        spec.hair if spec.hair not in ("cropped", "bald") else None,
        None if spec.accessories is None else spec.accessories.arms,
        spec.lowest,
    )
    points = outfit.head
    eyes, eye_parts = _eyeballs(head.eye_spheres(identity), len(points))
    parts = [PersonPart(points, head.faces, head.uv, head.face_uv, head.material, head.region), *eye_parts]
    parts.append(PersonPart(outfit.body, outfit.body_faces, outfit.body_uv, outfit.body_face_uv, 6, "skin_body"))
    parts.append(PersonPart(outfit.cloth, outfit.cloth_faces, outfit.cloth_uv, outfit.cloth_face_uv, 7, "cloth"))
    materials = _materials(Path(assets), spec, outfit)
    if outfit.hair is not None:
        parts.append(_hair_part(outfit.hair, outfit, hatted=_wears_headwear(spec)))
    if spec.glasses:
        rims = wardrobe.glasses_mesh(eyes[0].centre, eyes[1].centre, points[head.landmarks])
        parts.append(
            PersonPart(
                rims[0],
                rims[1],
                np.zeros((1, 2), np.float32),
                np.zeros_like(rims[1]),
                len(materials) - 1,
                "cloth",
            )
        )
    attached = (
        []
        if spec.accessories is None
        else build_accessories(spec.accessories, head, outfit, spec.complexion.hair_colour)
    )
    followers = attach_parts(attached, parts, materials)
    mesh, rest = assemble_parts(parts, materials)
    palms = np.stack([outfit.palms[side].centre for side in "LR"])
    return RenderedPerson(spec, mesh, rest, head, eyes, palms, followers)


def _wears_headwear(spec: PersonSpec) -> bool:
    return spec.accessories is not None and spec.accessories.headwear != ""


def _hair_part(hair: F32, outfit: Outfit, *, hatted: bool) -> PersonPart:
    """The strands of an outfit; those that a hat would cover are left out."""
    shown = height_above_hat_line(hair[outfit.hair_faces].mean(1)) < 0 if hatted else np.s_[:]
    return PersonPart(hair, outfit.hair_faces[shown], outfit.hair_uv, outfit.hair_face_uv[shown], 8, "hair")


def _eyeballs(spheres: Sequence[tuple[F32, float]], start: int) -> tuple[list[Eyeball], list[PersonPart]]:
    """Spheres with a cornea where the ICT eyes sit; their vertices follow the head's, from index `start`."""
    eyes, parts = [], []
    for centre, radius in spheres:
        vertices = (EYE_TEMPLATE.vertices * radius + centre).astype(np.float32)
        eyes.append(Eyeball(slice(start, start + len(vertices)), centre))
        parts.append(PersonPart(vertices, EYE_TEMPLATE.faces, EYE_TEMPLATE.uv, EYE_TEMPLATE.faces, EYE, "eye"))
        start += len(vertices)
    return eyes, parts


def _materials(assets: Path, spec: PersonSpec, outfit: Outfit) -> list[RenderMaterial]:
    """In the order that `load_head` and `make_person` number them."""
    tone = spec.complexion
    albedo, bump = skin.paint_face(assets, tone)
    oil = float(np.random.default_rng([spec.seed, 7]).uniform(-0.07, 0.07))
    wrap = 0.32 - 0.03 * tone.tone
    lashes, lash_alpha = skin.paint_lashes(tone, 1.0 if spec.sex == "female" else 0.6)
    materials = [
        RenderMaterial("face", "skin", albedo, None, 0.54 + oil, 0.28, wrap, bump),
        RenderMaterial("scalp", "skin", skin.paint_scalp(assets, tone), None, 0.56 + oil, 0.26, wrap),
        RenderMaterial("eye", "eye", skin.paint_eye(spec.eye_colour, spec.age, spec.seed), None, 0.08, 0.9, 0.1),
        RenderMaterial("teeth", "teeth", skin.paint_teeth(spec.age, spec.seed), None, 0.25, 0.5, 0.2),
        RenderMaterial("gum", "gum", skin.paint_mouth(), None, 0.3, 0.5, 0.2),
        RenderMaterial("lash", "lash", lashes, lash_alpha, 0.6, 0.2),
        RenderMaterial("body", "skin", skin.paint_body(tone), None, 0.58 + oil, 0.25, wrap),
        RenderMaterial(
            "cloth",
            "cloth",
            dye_cloth(
                outfit.cloth_texture,
                spec.cloth_colour,
                spec.cloth_pattern,
                spec.cloth_accent,
                spec.cloth_period,
            ),
            None,
            0.85,
            0.15,
            0.1,
        ),
    ]
    if outfit.hair_texture is not None:
        strands, alpha = skin.paint_hair(outfit.hair_texture, tone.hair_colour, spec.seed)
        materials.append(RenderMaterial("hair", "hair", strands, alpha, 0.5, 0.22, 0.25))
    if spec.glasses:
        frame = np.full((4, 4, 3), np.asarray(spec.glasses_colour) * 255, np.uint8)
        materials.append(RenderMaterial("glasses", "cloth", frame, None, 0.25, 0.6))
    return materials
