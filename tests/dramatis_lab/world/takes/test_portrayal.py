"""Words for what a scene shows."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.person import random_spec
from dramatis_lab.world.renderer.lights import Lights, light_direction
from dramatis_lab.world.takes.portrayal import colour_name, describe_background, describe_light, describe_person


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0.05, 0.05, 0.05), "black"), ((0.9, 0.9, 0.9), "white"), ((0.5, 0.5, 0.5), "grey"), ((0.9, 0.1, 0.1), "red"),
        ((0.1, 0.7, 0.2), "green"), ((0.1, 0.2, 0.9), "blue"), ((0.4, 0.25, 0.15), "brown"),
    ],
)  # fmt: skip
def test_colours_have_plain_names(rgb: tuple[float, float, float], name: str) -> None:
    assert colour_name(rgb) == name


def lights(colour: tuple[float, float, float], azimuth: float) -> Lights:
    directions = np.stack([light_direction(azimuth, 0.0)] * 3)
    return Lights(directions, np.tile(np.array(colour, np.float32), (3, 1)), np.zeros((4, 3), np.float32))


def test_light_is_named_by_its_colour_or_its_side() -> None:
    assert describe_light(lights((1.3, 1.0, 0.6), 0.0)) == "warm"
    assert describe_light(lights((0.6, 1.0, 1.3), 0.0)) == "cool"
    assert describe_light(lights((1.0, 1.0, 1.0), 60.0)) == "right-hand side"
    assert describe_light(lights((1.0, 1.0, 1.0), -60.0)) == "left-hand side"
    assert describe_light(lights((1.0, 1.0, 1.0), 10.0)) == ""


def test_a_background_has_a_brightness_and_a_colour() -> None:
    assert describe_background(np.full((4, 4, 3), 0.9, np.float32)) == "a bright white background"
    assert describe_background(np.full((4, 4, 3), (0.0, 0.0, 0.05), np.float32)) == "a dark blue background"


def test_a_person_is_described_by_what_is_seen() -> None:
    for seed in range(20):
        spec = random_spec(seed)
        subject = describe_person(spec)
        assert subject.noun == ("woman" if spec.sex == "female" else "man")
        assert ("glasses" in subject.details) == spec.glasses
        assert (subject.details[0] == "a bald head") == (spec.hair == "bald")
