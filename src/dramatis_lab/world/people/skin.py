"""Paints skin: albedo and bump of a face in ICT-FaceKit's texture space, and what hair, cloth and eyes look like.

No photographs: tone, blush, lips, brows, freckles, stubble, make-up and age lines are masks over a map of
where each texel lies on the mean face, so that one atlas serves every identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import make_interp_spline
from scipy.ndimage import distance_transform_edt, gaussian_filter

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.assets import IctHead, load_ict
from dramatis_lab.world.people.fitting import cubic_step, neck_height, rest_normals, smoothing_matrix

FACE_SIZE, SCALP_SIZE = 512, 256
RGB = tuple[float, float, float]

SKIN_TONES: tuple[RGB, ...] = (
    (0.93, 0.79, 0.72), (0.90, 0.74, 0.64), (0.84, 0.66, 0.54), (0.75, 0.56, 0.43),
    (0.62, 0.43, 0.31), (0.46, 0.30, 0.21), (0.33, 0.21, 0.15),
)  # fmt: skip
"""sRGB base tones from light to dark; a tone is a real number 0..6 between them."""


@dataclass(frozen=True)
class Complexion:
    """All that skin painting needs to know of a person. Amounts are 0..1; colours are sRGB 0..1."""

    tone: float
    hue: float = 0.0
    blush: float = 0.3
    freckles: float = 0.0
    age: float = 0.2
    stubble: float = 0.0
    beard: float = 0.0
    moustache: float = 0.0
    lipstick: float = 0.0
    lip_colour: RGB = (0.7, 0.2, 0.25)
    eyeshadow: float = 0.0
    eyeshadow_colour: RGB = (0.4, 0.3, 0.4)
    brow_thickness: float = 1.0
    brow_arch: float = 0.0
    brow_density: float = 0.8
    hair_colour: RGB = (0.15, 0.1, 0.07)
    scalp_hair: float = 0.9
    seed: int = 0


@dataclass(frozen=True)
class Atlas:
    """Identity-free maps in texture space, row 0 at v = 1: positions (h, w, 3) in metres, cavity (h, w) 0..1, masks."""

    face_position: F32
    face_cavity: F32
    scalp_position: F32
    scalp_cavity: F32
    landmark_uv: F32
    masks: dict[str, F32]


def _noise(rng: np.random.Generator, size: int, sigma: float) -> F32:
    """(size, size) smooth noise of zero mean and unit deviation."""
    coarse = max(1, int(sigma / 3))
    small = gaussian_filter(rng.standard_normal((size // coarse + 1,) * 2).astype(np.float32), sigma / coarse)
    if coarse > 1:
        small = np.asarray(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))
    field = small[:size, :size]
    return ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)


@njit(cache=True)
def _fill_chart(pixels, corners, values, image, filled):  # type: ignore[no-untyped-def]
    """Interpolate values (V, C) at triangle corners over texel centres; pixels, corners: (F, 3, 2), (F, 3)."""
    height, width, channels = image.shape
    for f in range(len(corners)):
        (x0, y0), (x1, y1), (x2, y2) = pixels[f, 0], pixels[f, 1], pixels[f, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0:
            continue
        for y in range(max(int(min(y0, y1, y2)) - 1, 0), min(int(max(y0, y1, y2)) + 2, height)):
            for x in range(max(int(min(x0, x1, x2)) - 1, 0), min(int(max(x0, x1, x2)) + 2, width)):
                px, py = x + 0.5 - x0, y + 0.5 - y0
                b = (px * (y2 - y0) - (x2 - x0) * py) / area
                c = ((x1 - x0) * py - px * (y1 - y0)) / area
                if b < -1e-6 or c < -1e-6 or b + c > 1 + 1e-6:
                    continue
                filled[y, x] = True
                for k in range(channels):
                    image[y, x, k] = (
                        (1 - b - c) * values[corners[f, 0], k]
                        + b * values[corners[f, 1], k]
                        + c * values[corners[f, 2], k]
                    )


def _chart(head: IctHead, part: str, values: F32, shift: float, size: int) -> F32:
    """(size, size, C) values (V, C) of the vertices over the texels of a part's chart; outside it the nearest value."""
    faces = head.part_faces(part)
    pixels = (head.uv[head.face_uv[faces]] - [shift, 0.0]) * [size, -size] + [0.0, size]
    image, filled = np.zeros((size, size, values.shape[1]), np.float32), np.zeros((size, size), np.bool_)
    _fill_chart(pixels.astype(np.float32), head.faces[faces], values, image, filled)
    nearest = distance_transform_edt(~filled, return_distances=False, return_indices=True)
    return image[tuple(nearest)]


def _cavities(head: IctHead) -> F32:
    """(V,) 0 in hollows that little light reaches (nostrils, ear, lip line, eye corners), 1 in the open."""
    faces = head.faces[head.part_faces("M_Face", "M_BackHead")]
    smooth = smoothing_matrix(faces, len(head.neutral))
    normals = rest_normals(head.neutral, faces)
    open_sky = np.ones(len(head.neutral), np.float32)
    mean = head.neutral
    strength = {5: 180.0, 14: 40.0, 36: 10.0}
    for step in range(1, max(strength) + 1):
        mean = smooth @ mean
        if step in strength:
            depth = np.einsum("vd,vd->v", mean - head.neutral, normals)
            open_sky *= np.exp(-np.clip(depth, 0.0, None) * strength[step]).astype(np.float32)
    # near the rim of the neck the mean is one-sided and says nothing
    neck = cubic_step(neck_height(head.neutral), -0.07, -0.1)
    return np.clip(open_sky + neck, 0.3, 1.0)


def _polygon(points: NDArray[np.floating], size: int, blur: float) -> F32:
    """(size, size) 0..1 mask of a closed smooth curve through uv points (N, 2)."""
    closed = np.concatenate([points, points[:1]])
    curve = make_interp_spline(np.linspace(0, 1, len(closed)), closed, k=3, bc_type="periodic")(np.linspace(0, 1, 200))
    picture = Image.new("L", (size * 2, size * 2))
    ImageDraw.Draw(picture).polygon([(u * size * 2, (1 - v) * size * 2) for u, v in curve], fill=255)
    mask = np.asarray(picture.resize((size, size), Image.Resampling.BOX), np.float32) / 255
    return gaussian_filter(mask, blur)


def _ball(position: F32, centre: Sequence[float] | F32, radius: float | Sequence[float]) -> F32:
    """Gaussian falloff about a point of the face; radius in metres, one or three numbers."""
    d = (position - np.asarray(centre, np.float32)) / np.asarray(radius, np.float32)
    return np.exp(-0.5 * (d * d).sum(-1)).astype(np.float32)


def _balls(position: F32, centre: tuple[float, float, float], radius: tuple[float, float, float]) -> F32:
    """The same falloff about a point and its mirror image."""
    x, y, z = centre
    return _ball(position, (x, y, z), radius) + _ball(position, (-x, y, z), radius)


def _hair_mask(position: F32) -> F32:
    """1 where hair grows on the scalp of the mean head."""
    line = np.interp(
        position[..., 2],
        [-0.06, -0.03, -0.01, 0.015, 0.03, 0.042, 0.055, 0.09, 0.11],
        [-0.035, -0.03, -0.005, 0.05, 0.055, 0.07, 0.105, 0.122, 0.122],
    ).astype(np.float32)
    return cubic_step(position[..., 1] - line, -0.005, 0.014)


def _ear_chart() -> F32:
    """1 in the two lobes of the face chart that hold the ears."""
    texel = (np.arange(FACE_SIZE) + 0.5) / FACE_SIZE
    u, v = np.meshgrid(texel, texel[::-1])
    return ((np.minimum(u, 1 - u) < 0.112) & (v > 0.44) & (v < 0.69)).astype(np.float32)


def beard_mask(p: F32) -> F32:
    """How far a beard grows, 0..1, at points (..., 3) of the mean head."""
    x = np.abs(p[..., 0])
    top = np.interp(x, [0, 0.018, 0.03, 0.045, 0.06, 0.07], [0.004, 0.003, -0.016, -0.02, -0.005, 0.035])
    low = cubic_step(p[..., 1], -0.085, -0.06)
    front = cubic_step(p[..., 2], 0.012, 0.03)
    return cubic_step(top - p[..., 1], -0.003, 0.006) * low * front


@lru_cache(maxsize=2)
def load_atlas(assets: Path) -> Atlas:
    """The maps and masks for the ICT head in `assets`. Raises UserError if the folder lacks it."""
    head = load_ict(assets)
    values = np.concatenate([head.neutral, _cavities(head)[:, None]], axis=1)
    face = _chart(head, "M_Face", values, 0.0, FACE_SIZE)
    scalp = _chart(head, "M_BackHead", values, 1.0, SCALP_SIZE)
    of_vertex = dict(zip(head.faces.ravel().tolist(), head.face_uv.ravel().tolist(), strict=True))
    landmark_uv = head.uv[[of_vertex[int(v)] for v in head.landmarks]]
    position, mark = face[..., :3], head.neutral[head.landmarks]
    lips = _polygon(landmark_uv[48:60], FACE_SIZE, 1.6)
    masks = {
        "lips": lips,
        "lip_line": _polygon(landmark_uv[60:68], FACE_SIZE, 1.5),
        "cheeks": _balls(position, (0.047, 0.015, 0.075), (0.018, 0.016, 0.03)),
        "nose": _ball(position, mark[30], (0.013, 0.012, 0.02)),
        "chin": _ball(position, mark[8], (0.02, 0.014, 0.03)),
        "ears": cubic_step(np.abs(position[..., 0]), 0.073, 0.079),
        "sockets": _balls(position, (0.030, 0.051, 0.09), (0.017, 0.008, 0.03)),
        "bags": _balls(position, (0.029, 0.044, 0.09), (0.012, 0.0035, 0.03)),
        "lids": _balls(position, (0.031, 0.0625, 0.092), (0.015, 0.0045, 0.02)),
        "freckles": _balls(position, (0.028, 0.028, 0.09), (0.022, 0.014, 0.03)),
        "beard": beard_mask(position) * (1 - lips),
        "moustache": beard_mask(position)
        * (1 - lips)
        * cubic_step(np.abs(position[..., 0]), 0.036, 0.026)
        * cubic_step(position[..., 1], -0.03, -0.02),
        "hair": _hair_mask(position) * (1 - _ear_chart()),
        "scalp_hair": _hair_mask(scalp[..., :3]),
    }
    return Atlas(face[..., :3], face[..., 3], scalp[..., :3], scalp[..., 3], landmark_uv, masks)


def base_colour(skin: Complexion) -> F32:
    """(3,) sRGB 0..1 tone of a complexion before any variation."""
    tones = np.asarray(SKIN_TONES, np.float32)
    colour = np.array([np.interp(skin.tone, np.arange(len(tones)), tones[:, k]) for k in range(3)], np.float32)
    return np.clip(colour * (1 + skin.hue * np.array([0.02, 0.0, -0.06], np.float32)), 0, 1)


def blend_colour(image: F32, colour: Sequence[float] | F32, mask: F32) -> F32:
    """The image (h, w, 3) with a colour over it, as far as the mask (h, w) says (0..1)."""
    return image + mask[..., None] * (np.asarray(colour, np.float32) - image)


def _brow_strokes(atlas: Atlas, skin: Complexion, rng: np.random.Generator) -> F32:
    """(h, w) 0..1 coverage of both eyebrows: some hundred strokes along the brow landmarks."""
    scale = 3
    picture = Image.new("L", (FACE_SIZE * scale,) * 2)
    draw = ImageDraw.Draw(picture)
    band = Image.new("L", picture.size)
    fill = ImageDraw.Draw(band)
    count = int(300 * skin.brow_density)
    for marks, side in ((atlas.landmark_uv[17:22], 1.0), (atlas.landmark_uv[22:27][::-1], -1.0)):
        curve = make_interp_spline(np.linspace(0, 1, 5), marks.astype(np.float64), k=2)
        # the band first, then hairs over it
        along = np.linspace(0, 1, 30)
        t = np.concatenate([along, rng.beta(1.15, 1.0, count)])
        middle = curve(t)
        middle[:, 1] += skin.brow_arch * 0.012 * np.sin(np.pi * np.clip(1 - t, 0, 1)) - 0.004
        half = 0.0105 * skin.brow_thickness * np.interp(t, [0, 0.25, 0.8, 1.0], [0.2, 0.75, 1.0, 0.7])
        outline = np.concatenate(
            [middle[:30] - half[:30, None] * [0, 0.8], (middle[:30] + half[:30, None] * [0, 1.2])[::-1]]
        )
        fill.polygon([(u * FACE_SIZE * scale, (1 - v) * FACE_SIZE * scale) for u, v in outline], fill=255)
        t, middle, half = t[30:], middle[30:], half[30:]
        start = middle + np.stack([rng.normal(0, 0.002, count), half * rng.uniform(-1, 0.9, count)], 1)
        length = rng.uniform(0.010, 0.020, count) * np.interp(t, [0, 0.8, 1], [0.7, 1.0, 0.8])
        lean = np.interp(t, [0.0, 0.6, 1.0], [0.15, 0.35, 1.1]) + rng.normal(0, 0.15, count)
        end = start + np.stack([-side * length * np.cos(lean), length * np.sin(lean)], 1)
        for p, q in zip(start, end, strict=True):
            ends = [(float(c[0]) * FACE_SIZE * scale, float(1 - c[1]) * FACE_SIZE * scale) for c in (p, q)]
            draw.line(ends, fill=int(rng.integers(150, 235)), width=int(rng.integers(2, 4)))
    strokes, body = (
        np.asarray(image.resize((FACE_SIZE, FACE_SIZE), Image.Resampling.BOX), np.float32) / 255
        for image in (picture, band)
    )
    soft = 0.35 * gaussian_filter(strokes, 2.0) + 0.5 * skin.brow_density * gaussian_filter(body, 2.5)
    return np.clip(0.5 * strokes + soft, 0, 0.95)


def _age_lines(atlas: Atlas, rng: np.random.Generator) -> F32:
    """(h, w) 0..1 depth of forehead lines, nasolabial folds and crow's feet."""
    picture = Image.new("L", (FACE_SIZE * 2,) * 2)
    draw = ImageDraw.Draw(picture)
    mark = atlas.landmark_uv

    def stroke(points: NDArray[np.floating], strength: int, width: int) -> None:
        curve = make_interp_spline(np.linspace(0, 1, len(points)), points, k=2)(np.linspace(0, 1, 24))
        draw.line([(u * FACE_SIZE * 2, (1 - v) * FACE_SIZE * 2) for u, v in curve], fill=strength, width=width)

    for level in range(3):
        height = 0.055 + 0.035 * level + rng.normal(0, 0.004)
        span = rng.uniform(0.75, 1.0)
        brow = mark[[18, 20, 27, 23, 25]].astype(np.float64)
        brow[2, 1] = brow[1, 1]
        brow[:, 0] = 0.5 + (brow[:, 0] - 0.5) * span
        stroke(brow + np.array([0, height]), int(rng.integers(90, 170)), 3)
    for nose, corner, eye, side in ((31, 48, 36, -1.0), (35, 54, 45, 1.0)):
        path = np.stack([mark[nose], (mark[nose] + mark[corner]) / 2, mark[corner]])
        stroke(path + np.array([[0.02, 0.03], [0.045, 0.0], [0.035, -0.02]]) * [side, 1.0], 200, 4)
        for spread in (-0.03, 0.0, 0.03):
            foot = np.array([[0.02, 0.4 * spread], [0.04, spread], [0.065, 1.7 * spread]])
            stroke(mark[eye] + foot * [side, 1.0], 110, 2)
    lines = np.asarray(picture.resize((FACE_SIZE, FACE_SIZE), Image.Resampling.BOX), np.float32) / 255
    return gaussian_filter(lines, 1.3)


def texture_bytes(image: NDArray[np.floating] | NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Values in 0..1 as bytes."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def paint_face(assets: Path, skin: Complexion) -> tuple[NDArray[np.uint8], F32]:
    """Albedo (512, 512, 3) sRGB and bump (512, 512) in metres of the face chart."""
    atlas, rng = load_atlas(assets), np.random.default_rng([skin.seed, 1])
    mask, size = atlas.masks, FACE_SIZE
    base = base_colour(skin)
    light = float(base.mean())
    image = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    image = image * (1 + 0.022 * _noise(rng, size, 30) + 0.016 * _noise(rng, size, 8))[..., None]
    image = image * (1 + 0.018 * _noise(rng, size, 20)[..., None] * np.array([1.0, -0.2, -0.6], np.float32))
    red = 0.9 * mask["cheeks"] + 0.8 * mask["nose"] + 0.5 * mask["chin"] + 0.7 * mask["ears"]
    red = np.clip(red * (0.25 + 0.75 * skin.blush) * (1 + 0.25 * _noise(rng, size, 5)), 0, 1.2)
    image = image * (1 - red[..., None] * np.array([0.01, 0.15, 0.13], np.float32) * (0.4 + 0.6 * light))
    image = image * (
        1 - (0.10 * mask["sockets"] + (0.05 + 0.12 * skin.age) * mask["bags"])[..., None] * [0.7, 1.0, 0.9]
    )
    # the chart stretches towards the neck, where pores would turn into streaks
    pores = _noise(rng, size, 0.8) * cubic_step(atlas.face_position[..., 1], -0.075, -0.04)
    image = image * (1 + 0.018 * pores[..., None])
    dots = (rng.random((size, size)) < 0.02 * mask["freckles"] * skin.freckles).astype(np.float32)
    dots *= rng.uniform(0.4, 1.0, (size, size)).astype(np.float32)
    image = blend_colour(
        image,
        base * np.array([0.68, 0.52, 0.42], np.float32),
        np.clip(gaussian_filter(dots, 0.9) * 5.5, 0, 0.75),
    )
    image = _paint_makeup(image, base, atlas, skin, rng)
    lines = _age_lines(atlas, rng) * float(np.interp(skin.age, [0.35, 1.0], [0.0, 1.0]))
    image = image * (1 - 0.22 * lines[..., None])
    image = _paint_hair(image, base, atlas, skin, rng)
    image = image * (1 - (1 - atlas.face_cavity[..., None]) * np.array([0.75, 0.92, 0.92], np.float32))
    bump = 1.5e-5 * pores + 3e-5 * _noise(rng, size, 2.5) * (0.2 + skin.age) - 3.5e-4 * lines
    bump = bump + 3e-5 * _noise(rng, size, 1.0) * mask["lips"]
    return texture_bytes(image), bump.astype(np.float32)


def _paint_makeup(image: F32, base: F32, atlas: Atlas, skin: Complexion, rng: np.random.Generator) -> F32:
    """Lips, lipstick, the wet red inside of the lips, and eyeshadow."""
    mask = atlas.masks
    natural = base * np.array([0.88, 0.62, 0.62], np.float32) + np.array([0.03, 0.0, 0.01], np.float32)
    colour = natural + skin.lipstick * (np.asarray(skin.lip_colour, np.float32) - natural)
    lips = mask["lips"] * (0.82 + 0.06 * _noise(rng, FACE_SIZE, 2.0))
    image = blend_colour(image, colour, np.clip(lips, 0, 1))
    image = blend_colour(image, colour * [0.62, 0.42, 0.42], 0.7 * mask["lip_line"])
    return blend_colour(image, skin.eyeshadow_colour, 0.55 * skin.eyeshadow * mask["lids"])


def _paint_hair(image: F32, base: F32, atlas: Atlas, skin: Complexion, rng: np.random.Generator) -> F32:
    """Brows, stubble or beard, and the scalp under the hair."""
    mask, colour = atlas.masks, np.asarray(skin.hair_colour, np.float32)
    grain = np.clip(0.75 + 0.25 * _noise(rng, FACE_SIZE, 0.7), 0.2, 1.3)
    shadow = base * 0.62 + 0.12 * colour + np.array([0.0, 0.005, 0.012], np.float32)
    image = blend_colour(image, shadow, np.clip(0.55 * skin.stubble * mask["beard"] * grain, 0, 1))
    strands = np.clip(0.8 + 0.3 * _noise(rng, FACE_SIZE, 1.0), 0.3, 1.4)
    image = blend_colour(image, colour * 0.85, np.clip(0.92 * skin.beard * mask["beard"] * strands, 0, 0.97))
    image = blend_colour(image, colour * 0.85, np.clip(0.92 * skin.moustache * mask["moustache"] * strands, 0, 0.97))
    image = blend_colour(image, colour * 0.8, 0.92 * _brow_strokes(atlas, skin, rng))
    return blend_colour(image, colour, np.clip(skin.scalp_hair * mask["hair"] * grain, 0, 1))


def paint_scalp(assets: Path, skin: Complexion) -> NDArray[np.uint8]:
    """Albedo (256, 256, 3) sRGB of the chart of the back of the head and neck."""
    atlas, rng = load_atlas(assets), np.random.default_rng([skin.seed, 2])
    base = base_colour(skin)
    image = np.broadcast_to(base, (SCALP_SIZE, SCALP_SIZE, 3)) * (1 + 0.02 * _noise(rng, SCALP_SIZE, 12))[..., None]
    ears = cubic_step(np.abs(atlas.scalp_position[..., 0]), 0.073, 0.079)
    image = image * (1 - ears[..., None] * np.array([0.0, 0.08, 0.07], np.float32))
    grain = np.clip(0.8 + 0.2 * _noise(rng, SCALP_SIZE, 0.7), 0.2, 1.3)
    hair = skin.scalp_hair * atlas.masks["scalp_hair"] * grain * (1 - ears)
    image = blend_colour(image.astype(np.float32), np.asarray(skin.hair_colour, np.float32), np.clip(hair, 0, 1))
    return texture_bytes(image * (0.25 + 0.75 * atlas.scalp_cavity[..., None]))


def paint_body(skin: Complexion, size: int = 128) -> NDArray[np.uint8]:
    """Albedo (size, size, 3) sRGB for the skin below the neck."""
    rng = np.random.default_rng([skin.seed, 3])
    image = base_colour(skin) * (1 + 0.02 * _noise(rng, size, 10) + 0.012 * _noise(rng, size, 1.5))[..., None]
    return texture_bytes(image)


def paint_eye(colour: RGB, age: float, seed: int, size: int = 192) -> NDArray[np.uint8]:
    """Albedo (size, size, 3) sRGB of an eyeball.

    The texture radius 0..0.5 is the angle 0..90 degrees from the pupil.
    """
    rng = np.random.default_rng([seed, 4])
    grid = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(grid, -grid)
    angle = np.hypot(x, y) * 180
    turn = np.arctan2(y, x)
    image = np.broadcast_to(np.array([0.78, 0.755, 0.735], np.float32), (size, size, 3)).copy()
    redness = cubic_step(angle, 28, 60)
    image = image * (1 - redness[..., None] * np.array([0.05, 0.22, 0.22], np.float32) * (0.6 + 0.6 * age))
    waves = [np.cos(k * turn + rng.uniform(0, 6.28)) * rng.uniform(0.3, 1) for k in (7, 13, 19, 29, 41)]
    fibres = 1 + 0.09 * np.sum(waves, axis=0)
    iris = np.asarray(colour, np.float32) * (0.75 + 0.5 * cubic_step(angle, 24, 10))[..., None] * fibres[..., None]
    iris = iris * (1 - 0.75 * cubic_step(angle, 18.5, 23.5))[..., None]
    image = blend_colour(image.astype(np.float32), np.clip(iris, 0, 1), cubic_step(angle, 24.5, 22.5))
    return texture_bytes(blend_colour(image, (0.015, 0.012, 0.012), cubic_step(angle, 10.5, 8.5)))


def paint_hair(texture: NDArray[np.uint8], colour: RGB, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Albedo and alpha of a hair texture (h, w, 4) dyed in `colour`."""
    rng = np.random.default_rng([seed, 5])
    shade = texture[..., :3].astype(np.float32).mean(-1) / 255
    opaque = texture[..., 3] > 128
    middle = float(shade[opaque].mean()) if opaque.any() else 0.5
    spread = max(float(shade[opaque].std()) if opaque.any() else 0.1, 0.03)
    relief = np.clip(1 + 0.30 * (shade - middle) / spread, 0.3, 1.9)
    image = np.asarray(colour, np.float32) * relief[..., None]
    image = image * (1 + 0.05 * _noise(rng, texture.shape[0], 6)[: texture.shape[0], : texture.shape[1], None])
    return texture_bytes(image), texture[..., 3]


def paint_lashes(skin: Complexion, density: float, size: int = 128) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Albedo (size, size, 3) and alpha (size, size) of thin separate lashes; v runs from the root to the tip."""
    # dark, with a little of the hair's colour, and black under make-up
    colour = 0.25 * (1 - skin.eyeshadow) * np.asarray(skin.hair_colour, np.float32) + 0.05
    rng = np.random.default_rng([skin.seed, 6])
    picture = Image.new("L", (size * 2, size * 2))
    draw = ImageDraw.Draw(picture)
    for u in rng.uniform(0, 1, int(60 * density)):
        x, tip = u * size * 2, (u + rng.normal(0, 0.015)) * size * 2
        draw.line([(x, size * 2), (tip, size * 2 * rng.uniform(0.15, 0.5))], fill=255, width=2)
    alpha = np.asarray(picture.resize((size, size), Image.Resampling.BOX))
    return np.broadcast_to(texture_bytes(colour), (size, size, 3)).copy(), alpha


def _mouth_bands(bands: Sequence[tuple[float, RGB]], darkest: float, size: int = 32) -> NDArray[np.uint8]:
    """(size, size, 3) texture: u is the light that reaches a point, v runs through colours at given heights."""
    v = 1 - (np.arange(size) + 0.5) / size
    colour = np.stack([np.interp(v, [b[0] for b in bands], [b[1][k] for b in bands]) for k in range(3)], -1)
    light = darkest + (1 - darkest) * (np.arange(size) + 0.5) / size
    return texture_bytes((colour[:, None] * light[None, :, None]).astype(np.float32))


def paint_teeth(age: float, seed: int) -> NDArray[np.uint8]:
    """Gradient texture of teeth: yellower at the gum (v = 0) and with age."""
    yellow = 0.04 + 0.10 * age + 0.05 * float(np.random.default_rng([seed, 8]).random())
    root, tip = (0.80, 0.74 - yellow, 0.66 - 2 * yellow), (0.90, 0.88 - yellow / 2, 0.84 - yellow)
    return _mouth_bands(((0.0, root), (0.5, tip), (1.0, (0.86, 0.86, 0.85))), 0.12)


def paint_mouth() -> NDArray[np.uint8]:
    """Gradient texture of the mouth's inside: lining (v = 0.15), gums (0.5) and tongue (0.8)."""
    return _mouth_bands(((0.3, (0.34, 0.12, 0.11)), (0.5, (0.70, 0.36, 0.36)), (0.7, (0.72, 0.38, 0.36))), 0.10)
