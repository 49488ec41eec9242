"""Words for what a rendered scene shows: a person's looks, the light, the backdrop.

Everything is read off the values that the renderer uses, so a caption never says what is not there.
"""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import ArrayLike

from dramatis_lab.world.people.person import PersonSpec
from dramatis_lab.world.renderer.lights import Lights
from dramatis_lab.world.takes.captions import Subject

_HAIR = {"bob02": "bobbed", "braid01": "braided", "long01": "long", "ponytail01": "tied-back", "bald": ""}
_HUES = ((0.04, "red"), (0.11, "orange"), (0.19, "yellow"), (0.45, "green"), (0.54, "turquoise"))
_LATE_HUES = ((0.70, "blue"), (0.83, "purple"), (0.94, "pink"), (1.01, "red"))


def describe_person(spec: PersonSpec) -> Subject:
    """The person in words: a noun, an age word, and details that can be seen in the picture."""
    hair = _HAIR.get(spec.hair, "short")
    details = [f"{hair} {spec.hair_colour_name} hair" if hair else "a bald head"]
    if spec.glasses:
        details.append("glasses")
    if spec.complexion.beard > 0.0:
        details.append("a beard")
    elif spec.complexion.moustache > 0.0:
        details.append("a moustache")
    if spec.complexion.lipstick > 0.6:
        details.append("lipstick")
    if spec.cloth_colour is not None:
        details.append(f"a {colour_name(spec.cloth_colour)} top")
    age = "young" if spec.age < 0.3 else "middle-aged" if spec.age < 0.65 else "older"
    return Subject("woman" if spec.sex == "female" else "man", age, tuple(details))


def describe_light(lights: Lights) -> str:
    """The key light: an adjective for its colour, or the side it comes from; "" for an ordinary one."""
    red, _, blue = lights.colours[0] / lights.colours[0].mean()
    if red - blue > 0.35:
        return "warm"
    if blue - red > 0.35:
        return "cool"
    sideways = float(lights.directions[0][0])
    if abs(sideways) > 0.65:
        return "right-hand side" if sideways > 0 else "left-hand side"
    return ""


def describe_background(background: ArrayLike) -> str:
    """The backdrop (h, w, 3) linear RGB by brightness and main colour: "a dark blue background"."""
    mean = np.asarray(background, np.float64).reshape(-1, 3).mean(0) ** (1 / 2.2)
    brightness = "dark " if mean.mean() < 0.35 else "bright " if mean.mean() > 0.7 else ""
    return f"a {brightness}{colour_name(mean)} background"


def colour_name(rgb: ArrayLike) -> str:
    """The plain English name of an sRGB colour (3,) in 0..1."""
    red, green, blue = (float(c) for c in np.asarray(rgb, np.float64))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    if value < 0.16:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.78 else "grey"
    name = next(name for bound, name in (*_HUES, *_LATE_HUES) if hue < bound)
    return "brown" if name in ("orange", "red") and value < 0.5 and saturation < 0.75 else name
