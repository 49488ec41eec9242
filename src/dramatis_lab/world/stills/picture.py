"""One still: a person near or far, turned, in any light, before a backdrop, with others beside them or things in front.

Takes show head and shoulders in a friendly light, for that is what is filmed. Pictures that users bring show more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.runtime.seeds import derive_seed
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import PosedPerson, RenderedPerson
from dramatis_lab.world.people.skin import RGB
from dramatis_lab.world.renderer.lens import LensRanges
from dramatis_lab.world.renderer.lights import LightRanges
from dramatis_lab.world.renderer.scene import PersonPlacement, RenderedFrame, Scene, SceneRanges, random_setup
from dramatis_lab.world.renderer.textures import srgb_to_linear
from dramatis_lab.world.splits import seed_in_split
from dramatis_lab.world.stills.foreground import cast_shadow, draw_foreground
from dramatis_lab.world.stills.person import make_still_person
from dramatis_lab.world.voices.visemes import caught_emotion, caught_expression

NEIGHBOUR_SHARE, BACK_SHARE = 0.2, 0.4
"""Of pictures: with somebody else in them. Of those: with their back to us, near the camera."""
FOREGROUND_SHARE, SHADOW_SHARE, ALIKE_SHARE, CLUTTER_SHARE = 0.25, 0.2, 0.25, 0.8
"""Of pictures: with something before the camera, with shadows on the wall behind, with a backdrop of the colour of the
clothes, with a cluttered backdrop."""
HARSH_SHARE = 0.35
"""Of pictures: in hard light from one side."""
NEIGHBOURS = 4
"""Different neighbours in a whole set: building a person takes longer than rendering a picture."""
SHOWN_LANDMARKS = slice(17, 68)
"""Landmarks that tell what is hidden; those of the jaw lie on the border of what can be seen of a face."""


@dataclass(frozen=True)
class StillPicture:
    """A picture and its truth: the arrays of `stills.dataset`, without the axis of pictures."""

    frame: NDArray[np.uint8]
    landmarks: F32
    visible: float
    hands: F32
    person: NDArray[np.uint8]
    face: NDArray[np.uint8]


def render_still(
    person: RenderedPerson, backdrop: int, rng: np.random.Generator, assets: Path, split: str, size: int
) -> StillPicture:
    """A picture of a person, with all that is not given drawn from `rng`.

    backdrop: its seed.  split: "train" or "test", of neighbours.  size: side in pixels.
    """
    cast, placements = [person], [PersonPlacement(yaw=float(rng.normal(0, 0.3)))]
    if rng.random() < NEIGHBOUR_SHARE:
        neighbour = seed_in_split(derive_seed("neighbour", int(rng.integers(NEIGHBOURS)), split), split)
        cast.append(make_still_person(neighbour, assets))
        placements.append(_place_neighbour(rng))
    poses = [_draw_pose(one, placement.yaw, rng) for one, placement in zip(cast, placements, strict=True)]
    setup = random_setup(poses[:1], placements[:1], int(rng.integers(2**31)), backdrop, _draw_ranges(rng))
    if person.spec.cloth_colour is not None and rng.random() < ALIKE_SHARE:
        setup = replace(setup, background=_tint_backdrop(setup.background, person.spec.cloth_colour, rng))
    camera = np.zeros(6, np.float32)
    camera[3:] = rng.normal(0, (0.06, 0.15, 0.08))
    rendered = Scene(cast, poses, placements, setup, (size, size)).render(poses, camera)
    landmarks, hands = (
        rendered.camera.project(placements[0].apply(points)).astype(np.float32)
        for points in (poses[0].landmarks68, poses[0].palms)
    )
    return _add_foreground(rendered, landmarks, hands, rng)


def _add_foreground(rendered: RenderedFrame, landmarks: F32, hands: F32, rng: np.random.Generator) -> StillPicture:
    """The picture with shadows behind its people and something before them, if any are drawn."""
    frame, person, face = rendered.rgb, (rendered.person > 0).astype(np.uint8), rendered.face.astype(np.uint8)
    if rng.random() < SHADOW_SHARE:
        frame = cast_shadow(frame, person, rng)
    clear = np.ones(person.shape, np.uint8)
    if rng.random() < FOREGROUND_SHARE:
        cover = draw_foreground(len(frame), rng)
        share = cover[..., 3:]
        frame = (frame * (1 - share) + 255 * share * cover[..., :3] + 0.5).astype(np.uint8)
        clear = (share[..., 0] < 0.5).astype(np.uint8)
    own_face = (rendered.person == 1) & rendered.face & (clear > 0)
    inside = ((landmarks >= 0) & (landmarks < len(frame))).all()
    columns, rows = landmarks[SHOWN_LANDMARKS].astype(int).T
    visible = float(own_face[rows, columns].mean()) if inside else 0.0
    return StillPicture(frame, landmarks, visible, hands, person * clear, face * clear)


def _place_neighbour(rng: np.random.Generator) -> PersonPlacement:
    """Beside or behind the person, or near the camera with the back to us."""
    side = float(rng.choice([-1.0, 1.0]))
    if rng.random() < BACK_SHARE:
        spot = (side * rng.uniform(0.14, 0.3), rng.uniform(-0.25, 0.0), rng.uniform(0.2, 0.45))
        yaw = np.pi + rng.normal(0, 0.5)
    else:
        spot = (side * rng.uniform(0.18, 0.6), rng.uniform(-0.1, 0.1), rng.uniform(-0.8, 0.1))
        yaw = -side * rng.uniform(0, 0.7)
    return PersonPlacement((float(spot[0]), float(spot[1]), float(spot[2])), float(yaw))


def _draw_pose(person: RenderedPerson, yaw: float, rng: np.random.Generator) -> PosedPerson:
    """A bearing and an expression as photographs catch them. yaw: of the body; the head turns back to the camera."""
    weights = caught_expression(*caught_emotion(rng), rng) if rng.random() < 0.6 else np.zeros(len(EXPRESSIONS))
    if rng.random() < 0.5:
        amounts = rng.uniform(0, 1, len(EXPRESSIONS)) * (rng.random(len(EXPRESSIONS)) < 0.12)
        weights = weights + 0.6 * amounts
        weights[EXPRESSIONS.index("jawOpen")] = rng.choice([0.0, rng.uniform(0, 0.6)])
    turn = rng.normal(0, (0.18, 0.1, 0.12)) if rng.random() < 0.6 else rng.normal(0, (0.45, 0.18, 0.2))
    limit = np.array([1.0, 0.5, 0.5])
    back = 0.6 * yaw if abs(yaw) < 1 else 0.0
    turn = np.clip(turn, -limit, limit) - (back, 0, 0)
    gaze = np.clip(rng.normal(0, 0.15, 2) - 0.7 * turn[:2], -0.6, 0.6)
    blink = float(rng.choice([0.0, rng.uniform(0, 1)], p=[0.85, 0.15]))
    return person.pose(np.clip(weights, 0, 1), [*turn, 0, 0, 0], gaze, blink)


def _draw_ranges(rng: np.random.Generator) -> SceneRanges:
    """From the whole upper body to a face that fills the frame; any light; most backdrops cluttered."""
    tall = float(rng.uniform(0.25, 0.62) if rng.random() < 0.6 else np.exp(rng.uniform(np.log(0.11), np.log(0.3))))
    near = min(tall / 0.5, 1.0)
    spread = 0.05 + 0.25 * (1 - near)
    distance = float(rng.uniform(0.5, 1.1)) + 0.12 / tall
    harsh = rng.random() < HARSH_SHARE
    return SceneRanges(
        face=(tall, tall),
        centre_x=(0.5 - spread, 0.5 + spread),
        centre_y=(0.25 + 0.2 * near, 0.5),
        distance=(distance, distance),
        lights=LightRanges(
            key=(0.5, 1.6 if harsh else 1.1),
            key_azimuth=(50.0, 110.0) if harsh else (0.0, 70.0),
            key_elevation=(-5.0, 75.0),
            fill=(0.0, 0.1) if harsh else (0.05, 0.5),
            ambient=(0.06, 0.25) if harsh else (0.2, 0.6),
        ),
        lens=LensRanges(
            share=0.5, stops=(-0.9, 0.6), balance=(0.88, 1.12), softness=(0.1, 1.0), noise=(0.5, 9.0), quality=(25, 95)
        ),
        cluttered=bool(rng.random() < CLUTTER_SHARE),
    )


def _tint_backdrop(background: F32, colour: RGB, rng: np.random.Generator) -> F32:
    """The backdrop in about the colour of the clothes, with its own light and dark, so that they hardly stand out."""
    shade = background.mean(-1, keepdims=True)
    relief = (shade / max(float(shade.mean()), 1e-3)) ** rng.uniform(0, 1)
    tinted = srgb_to_linear(np.asarray(colour)) * rng.uniform(0.6, 1.3) * relief
    amount = rng.uniform(0.6, 1.0)
    return np.asarray(((1 - amount) * background + amount * tinted).clip(0, 1), np.float32)
