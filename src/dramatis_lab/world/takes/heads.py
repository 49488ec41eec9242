"""Stills of one rendered head, turned as one likes, with its exact landmarks: the truth by which eyes are judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import make_person
from dramatis_lab.world.renderer.scene import PersonPlacement, Scene, SceneRanges, random_setup
from dramatis_lab.world.splits import seed_in_split

_JAW_OPEN = EXPRESSIONS.index("jawOpen")
_SMILES = [EXPRESSIONS.index("mouthSmile_L"), EXPRESSIONS.index("mouthSmile_R")]
_WIDEST_JAW, _WIDEST_SMILE = 0.4, 0.5
_PITCH, _ROLL = 0.12, 0.08
"""Spread of the other two angles, rad."""


@dataclass(frozen=True, eq=False)
class HeadStill:
    """A picture (H, W, 3), the head's 68 landmarks in px of it, and which pixels show the person, (H, W)."""

    picture: Pictures
    landmarks: NDArray[np.float32]
    person: NDArray[np.bool_]


def render_head(seed: int, split: str, yaw: float, assets: Path, side: int = 512) -> HeadStill:
    """A person of the split ("train" or "test") whose head is turned by `yaw` rad, in a random light and place.

    Half of them have their mouth open, a third smile. Raises UserError if `assets` lacks the raw material.
    """
    rng = np.random.default_rng([seed, 0x48454144])
    person = make_person(seed_in_split(1000 * seed, split), assets)
    expression = np.zeros(53)
    expression[_JAW_OPEN] = _WIDEST_JAW * rng.random() * (rng.random() < 1 / 2)
    expression[_SMILES] = _WIDEST_SMILE * rng.random() * (rng.random() < 1 / 3)
    head = (yaw, _PITCH * rng.normal(), _ROLL * rng.normal(), 0.0, 0.0, 0.0)
    pose, placements = person.pose(expression, head), [PersonPlacement()]
    backdrop = seed_in_split(1000 * seed + 500, split)
    setup = random_setup([pose], placements, seed, backdrop, SceneRanges(face=(0.4, 0.5)))
    rendered = Scene([person], [pose], placements, setup, (side, side)).render([pose])
    landmarks = rendered.camera.project(pose.landmarks68)
    return HeadStill(rendered.rgb, landmarks.astype(np.float32), rendered.person > 0)
