"""The people of stills: those of takes, but with accessories, deeper lines, dyed hair, prints, and pale clothes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from dramatis_lab.world.people.accessories import draw_accessories
from dramatis_lab.world.people.headwear import HEADSCARF
from dramatis_lab.world.people.person import PersonSpec, RenderedPerson, make_person, random_spec
from dramatis_lab.world.people.skin import RGB, Complexion

STILL_LOWEST = -1.5
"""Metres below the head centre where these bodies end: no picture shows more."""
AGED_SHARE, DYED_SHARE, GLASSES_SHARE, PRINT_SHARE, PALE_SHARE = 0.3, 0.1, 0.22, 0.25, 0.3
"""Of people: with lines deeper than those of takes, with hair of any colour, with glasses, with dots or prints on their
clothes, in white or pale clothes."""
_CACHED_PEOPLE = 8


@lru_cache(maxsize=_CACHED_PEOPLE)
def make_still_person(identity: int, assets: Path) -> RenderedPerson:
    """The person of a seed. Raises UserError if `assets` lacks the raw material."""
    return make_person(draw_still_spec(identity), assets)


def draw_still_spec(identity: int) -> PersonSpec:
    """What makes the person of a seed; it is the same for the same seed."""
    spec = random_spec(identity)
    accessories = draw_accessories(identity, spec.sex)
    rng = np.random.default_rng([identity, 0x6F6C64])
    # Under a volume of hair or a headscarf only short hair keeps within.
    cropped = accessories.hair is not None or accessories.headwear == HEADSCARF
    complexion = _draw_complexion(spec.complexion, rng, cropped=cropped, bearded=accessories.beard > 0)
    pale = rng.random() < PALE_SHARE
    patterned = rng.random() < PRINT_SHARE
    return replace(
        spec,
        age=min(complexion.age, 1.0),
        hair="cropped" if cropped else spec.hair,
        complexion=complexion,
        accessories=accessories,
        lowest=STILL_LOWEST,
        glasses=bool(rng.random() < GLASSES_SHARE),
        cloth_colour=_draw_rgb(rng, (0.7, 0.97), 0.85) if pale else spec.cloth_colour,
        cloth_pattern=str(rng.choice(["dots", "print"])) if patterned and not pale else spec.cloth_pattern,
    )


def _draw_complexion(complexion: Complexion, rng: np.random.Generator, *, cropped: bool, bearded: bool) -> Complexion:
    """The complexion with what stills vary beyond takes. bearded: with a beard that has a volume."""
    return replace(
        complexion,
        age=float(rng.uniform(0.8, 1.3)) if rng.random() < AGED_SHARE else complexion.age,
        scalp_hair=0.95 if cropped else complexion.scalp_hair,
        beard=max(complexion.beard, 0.7) if bearded else complexion.beard,
        moustache=max(complexion.moustache, 0.7) if bearded else complexion.moustache,
        hair_colour=_draw_rgb(rng, (0.9, 0.9), 0.05) if rng.random() < DYED_SHARE else complexion.hair_colour,
    )


def _draw_rgb(rng: np.random.Generator, value: tuple[float, float], least: float) -> RGB:
    """A colour of a value in the range given, each channel at least a share of it."""
    red, green, blue = (float(channel) for channel in rng.uniform(*value) * rng.uniform(least, 1.0, 3))
    return red, green, blue
