"""What decides a person's outline beside body and clothes: volumes of hair, headwear, beards, arms, things in hand.

`draw_accessories` draws them from a seed, `build_accessories` builds their parts round a dressed head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dramatis_lab.world.people.arms import ArmPose
from dramatis_lab.world.people.fitting import surface_samples
from dramatis_lab.world.people.hair_volume import HairVolume, build_beard, build_hair_volume
from dramatis_lab.world.people.head import HeadModel
from dramatis_lab.world.people.headwear import HATS, HEADSCARF, HEADWEAR, build_hat, build_headscarf
from dramatis_lab.world.people.held_objects import HELD_OBJECTS, build_held_object
from dramatis_lab.world.people.shells import AttachedPart
from dramatis_lab.world.people.skin import RGB
from dramatis_lab.world.people.wardrobe import Outfit

HEADWEAR_SHARE, RAISED_SHARE, BEARD_SHARE = 0.33, 0.6, 0.45
"""Of people: with something on their heads, with raised arms. Of men: with beards that have a volume."""
VOLUME_SHARES = {"female": 0.7, "male": 0.3}
"""Of people of each sex: with long or voluminous hair."""
HOLDING_GRIP = 0.75
"""How far a hand that holds something is closed."""


@dataclass(frozen=True)
class Accessories:
    """What a person wears and holds.

    headwear: one of `HEADWEAR` or "".  colour: of the headwear.  beard: its length in metres, 0 for none.  held: one of
    `HELD_OBJECTS` or "", in the hand of `side`, "L" or "R".
    """

    seed: int
    hair: HairVolume | None = None
    headwear: str = ""
    colour: RGB = (0.4, 0.4, 0.4)
    beard: float = 0.0
    arms: ArmPose | None = None
    held: str = ""
    side: str = "L"


def draw_accessories(seed: int, sex: str) -> Accessories:
    """Accessories of a person, the same for the same seed. sex: "female" or "male"."""
    rng = np.random.default_rng([seed, 0x7472696D])
    headwear = str(rng.choice(HEADWEAR)) if rng.random() < HEADWEAR_SHARE else ""
    hair = _draw_hair(rng, flat=headwear != "") if rng.random() < VOLUME_SHARES[sex] else None
    arms = _draw_arms(rng) if rng.random() < RAISED_SHARE else None
    held, side = "", "L"
    if arms is not None:
        number = int(arms.elbows[1] > arms.elbows[0])
        side = "LR"[number]
        if arms.elbows[number] > 0.5 and rng.random() < 0.6:
            held = str(rng.choice(HELD_OBJECTS))
            closed = (HOLDING_GRIP, arms.grips[1]) if side == "L" else (arms.grips[0], HOLDING_GRIP)
            arms = replace(arms, grips=closed)
    value, tint = rng.uniform(0.05, 0.85), rng.uniform(0.3, 1.0, 3)
    red, green, blue = (float(c) for c in value * (tint if rng.random() < 0.6 else np.ones(3)))
    beard = float(rng.uniform(0.004, 0.05)) if sex == "male" and rng.random() < BEARD_SHARE else 0.0
    return Accessories(seed, hair, headwear, (red, green, blue), beard, arms, held, side)


def _draw_hair(rng: np.random.Generator, *, flat: bool) -> HairVolume:
    """Long or full hair; flat: under something that presses it down."""
    full = rng.random() < 0.35
    volume = float(rng.uniform(0.03, 0.12) if full else rng.uniform(0.006, 0.04))
    return HairVolume(
        length=float(rng.uniform(-0.02, 0.14) if full else rng.uniform(0.08, 0.42)),
        volume=0.006 if flat else volume,
        curl=float(rng.uniform(0.5, 1.0) if full else rng.beta(1.0, 1.5)),
        face_halves=(float(rng.uniform(0.05, 0.09)), float(rng.uniform(0.05, 0.09))),
        parted=float(rng.uniform(0.05, 0.17)),
        hairline=float(rng.uniform(0.1, 0.135)),
    )


def _draw_arms(rng: np.random.Generator) -> ArmPose:
    elbows = np.where(rng.random(2) < 0.7, rng.uniform(0.2, 2.0, 2), 0.0)
    twists, spreads = rng.uniform(-0.9, 1.1, 2), rng.uniform(-0.35, 0.45, 2)
    grips = rng.choice([0.0, 1.0, rng.uniform(0, 1)], 2, p=[0.35, 0.4, 0.25])
    left, right = np.stack([elbows, twists, spreads, grips]).T.tolist()
    return ArmPose(*zip(left, right, strict=True))


def build_accessories(
    accessories: Accessories, head: HeadModel, outfit: Outfit, hair_colour: RGB
) -> list[AttachedPart]:
    """The parts of these accessories round a dressed head."""
    rng = np.random.default_rng([accessories.seed, 0x73686170])
    skin = surface_samples(outfit.head, head.skin_faces, 2)
    dressed = np.concatenate([skin, surface_samples(outfit.cloth, outfit.cloth_faces, 2), outfit.body])
    parts = []
    if accessories.hair is not None and accessories.headwear != HEADSCARF:
        parts += build_hair_volume(accessories.hair, dressed, hair_colour, rng)
    if accessories.headwear == HEADSCARF:
        parts.append(build_headscarf(dressed, accessories.colour, rng))
    elif accessories.headwear in HATS:
        parts += build_hat(accessories.headwear, skin, accessories.colour, rng)
    if accessories.beard > 0:
        parts += build_beard(accessories.beard, head, outfit.head, hair_colour, rng)
    if accessories.held:
        parts.append(build_held_object(accessories.held, outfit.palms[accessories.side], rng))
    return parts
