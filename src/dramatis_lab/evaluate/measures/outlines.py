"""How near soft outlines come to rendered truth: over the whole picture, and in a narrow band round hair."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dramatis.media.image import Pictures
from dramatis.senses.seeing.matting import Outline
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import PersonSpec, make_person, random_spec
from dramatis_lab.world.renderer.raster import SUPERSAMPLE, GBuffer, rasterise
from dramatis_lab.world.renderer.scene import PersonPlacement, RenderedFrame, Scene, SceneRanges, random_setup
from dramatis_lab.world.renderer.shading import HAIR_KIND
from dramatis_lab.world.splits import seed_in_split

BAND = 8
"""Pixels on either side of the hair's border in which errors are summed."""
LOOSE_HAIR = ("bob02", "braid01", "long01", "ponytail01")
"""Hair styles that fall beyond the head; every second person wears one."""
_HAIR_SHARE, _HAIR_REACH = 0.1, 2
"""A border is the hair's where this much of a pixel within this many is hair."""
_TURN = (0.4, 0.12, 0.08)
"""Spread of yaw, pitch and roll, rad."""
_FACE = (0.3, 0.5)
"""Height of a face, chin to hairline, in frame heights."""
_LARGER = 2
"""How many times larger than asked for a picture is rendered; with the renderer's own samples, alpha has 16 steps."""


@dataclass(frozen=True, eq=False)
class OutlineTruth:
    """A picture (H, W, 3) of one person, its 68 landmarks, px, and what of each pixel, (H, W) in 0..1, shows them.

    alpha: the person.  hair: the person's hair.
    """

    picture: Pictures
    landmarks: NDArray[np.float32]
    alpha: Outline
    hair: NDArray[np.float32]


@dataclass(frozen=True)
class OutlineFigures:
    """Figures over several people.

    iou, worst_iou: mean and least IoU of what more than half is the person's.  band_ratio: sum of absolute differences
    in all bands round hair, over that of the coarse outlines enlarged.
    """

    iou: float
    worst_iou: float
    band_ratio: float


def measure_outlines(
    truths: Iterable[OutlineTruth],
    coarse_of: Callable[[OutlineTruth], Outline],
    refined_of: Callable[[OutlineTruth], Outline],
) -> OutlineFigures:
    """Compare refined outlines with the truth, and with what they were refined from.

    coarse_of: a network's answer, bicubically enlarged to (H, W).  refined_of: the outline made of it.  Both get the
    truth for its picture and landmarks. Raises ValueError where nobody has hair.
    """
    ious, refined_errors, coarse_errors = [], 0.0, 0.0
    for truth in truths:
        coarse, refined = coarse_of(truth), refined_of(truth)
        ious.append(outline_iou(refined, truth.alpha))
        band = hair_band(truth)
        refined_errors += float(np.abs(refined - truth.alpha)[band].sum())
        coarse_errors += float(np.abs(coarse - truth.alpha)[band].sum())
    if coarse_errors == 0.0:
        raise ValueError("The coarse outlines have no error at hair to compare with.")
    return OutlineFigures(float(np.mean(ious)), min(ious), refined_errors / coarse_errors)


def outline_iou(outline: Outline, alpha: Outline) -> float:
    """Intersection over union of what belongs to the person by more than half."""
    seen, true = outline > 0.5, alpha > 0.5
    return float((seen & true).sum() / max((seen | true).sum(), 1))


def hair_band(truth: OutlineTruth) -> NDArray[np.bool_]:
    """(H, W) the pixels within `BAND` of where the outline is the hair's."""
    inside = truth.alpha > 0.5
    border = inside ^ ndimage.binary_erosion(inside, border_value=1)
    border &= ndimage.maximum_filter(truth.hair, 2 * _HAIR_REACH + 1) > _HAIR_SHARE
    if not border.any():
        return np.zeros_like(border)
    return np.asarray(ndimage.distance_transform_edt(~border) <= BAND)


def render_outline_truth(seed: int, split: str, assets: Path, side: int = 512) -> OutlineTruth:
    """A person of the split ("train" or "test") in a square picture of `side` px, at most 512.

    Every second person has loose hair. Raises UserError if `assets` lacks the raw material.
    """
    rng = np.random.default_rng([seed, 0x4F55544C])
    person = make_person(_spec(seed, split), assets)
    turn = tuple(float(spread * rng.normal()) for spread in _TURN)
    pose, placements = person.pose(np.zeros(len(EXPRESSIONS)), (*turn, 0.0, 0.0, 0.0)), [PersonPlacement()]
    setup = random_setup([pose], placements, seed, seed_in_split(1000 * seed + 500, split), SceneRanges(face=_FACE))
    scene = Scene([person], [pose], placements, setup, (_LARGER * side, _LARGER * side))
    rendered = scene.render([pose])
    covered, hair = _samples(scene, rendered, placements[0].apply(pose.vertices))
    picture = rendered.rgb.reshape(side, _LARGER, side, _LARGER, 3).mean((1, 3)).round().astype(np.uint8)
    landmarks = (rendered.camera.project(pose.landmarks68) / _LARGER).astype(np.float32)
    return OutlineTruth(picture, landmarks, _shares(covered, side), _shares(hair, side))


def _spec(seed: int, split: str) -> PersonSpec:
    drawn = (random_spec(seed_in_split(1000 * seed + 10 * again, split)) for again in count())
    return next(spec for spec in drawn if seed % 2 or spec.hair in LOOSE_HAIR)


def _samples(
    scene: Scene, rendered: RenderedFrame, vertices: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the renderer's samples show the person, and which their hair."""
    triangles = scene.mesh.triangles
    buffer = GBuffer.empty(scene.size, len(triangles.faces))
    projection = np.diag([SUPERSAMPLE, SUPERSAMPLE, 1.0]) @ rendered.camera.projection
    rasterise(buffer, vertices, projection.astype(np.float32), triangles, scene.mesh.textures)
    covered = buffer.triangle >= 0
    return covered, covered & (scene.mesh.surface.kind[triangles.material[buffer.triangle]] == HAIR_KIND)


def _shares(samples: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """(side, side) what share of the samples of each pixel is set."""
    each = len(samples) // side
    return samples.reshape(side, each, side, each).mean((1, 3), dtype=np.float32)
