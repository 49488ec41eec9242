from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.models.perception import FaceReading
from dramatis.senses.seeing.people import DetectedPerson
from dramatis.senses.seeing.sight import describe_group, describe_portrait
from dramatis.story.observations import ObservedPerson
from dramatis.story.values import Box
from tests.tiny import canonical_sight

EYES, CHIN, BROWS = range(36, 48), 8, range(17, 27)
NOBODY = {"glasses": 0.02, "beard": 0.1, "happy": 0.1, "sad": 0.05}


def portrait(skin: int, wall: int) -> tuple[np.ndarray, FaceReading]:
    """A face of one grey before a wall of another, (64, 64, 3), with eyes white and pupils black."""
    sight = canonical_sight()
    picture = np.full((64, 64, 3), wall, np.uint8)
    low, high = sight.landmarks.min(0).astype(int), sight.landmarks.max(0).astype(int)
    picture[low[1] : high[1], low[0] : high[0]] = skin
    mask = np.zeros((32, 32), np.float32)
    mask[low[1] // 2 : high[1] // 2, low[0] // 2 : high[0] // 2] = 1
    return picture, replace(sight, person=mask, face_mask=mask)


def person(traits: dict[str, float] | None, sight: FaceReading | None = None) -> ObservedPerson:
    picture, plain = portrait(150, 100)
    return describe_portrait(picture, sight or plain, traits).people[0]


def with_corners(rise: float) -> FaceReading:
    """The canonical sight with the corners of the mouth lifted by so many px."""
    sight = portrait(150, 100)[1]
    landmarks = sight.landmarks.copy()
    landmarks[[48, 54], 1] -= rise
    return replace(sight, landmarks=landmarks)


@pytest.mark.parametrize(
    ("probability", "present", "confidence"),
    [(0.97, True, 0.97), (0.5, True, 0.5), (0.3, False, 0.7), (0.0, False, 1.0)],
)
def test_traits_are_told_as_surely_as_they_are_seen(probability: float, present: bool, confidence: float) -> None:
    for name in ("glasses", "beard"):
        traits = {trait.name: trait for trait in person(NOBODY | {name: probability}).traits}
        assert set(traits) == {"glasses", "beard"}
        assert (traits[name].present, traits[name].confidence) == (present, confidence)


def test_nothing_is_said_of_traits_that_nobody_looked_for() -> None:
    assert person(None).traits == ()


def test_traits_are_seen_where_they_belong() -> None:
    sight = canonical_sight()
    for trait in person(NOBODY).traits:
        left, top, right, bottom = (64 * share for share in trait.region or ())
        inside = [left - 0.1 <= x <= right + 0.1 and top - 0.1 <= y <= bottom + 0.1 for x, y in sight.landmarks]
        if trait.name == "glasses":
            assert all(inside[point] for point in EYES)
            assert not inside[CHIN]
        else:
            assert inside[CHIN]
            assert not any(inside[point] for point in (*EYES, *BROWS))
        assert right - left < 64 * 0.95
        assert bottom - top < 64 * 0.6


def test_a_region_ends_with_the_picture() -> None:
    picture, sight = portrait(150, 100)
    low = replace(sight, landmarks=sight.landmarks + np.array([0, 20], np.float32))
    beard = describe_portrait(picture, low, NOBODY).people[0].traits[1]
    assert beard.region is not None
    assert beard.region[3] == 1.0


@pytest.mark.parametrize(
    ("happy", "sad", "expression", "confidence"),
    [
        (0.9, 0.05, "happy", 0.9),
        (0.6, 0.1, "happy", 0.6),
        (0.1, 0.75, "sad", 0.75),
        (0.7, 0.65, "happy", 0.7),
        (0.59, 0.1, "neutral", 0.33),
        (0.0, 0.0, "neutral", 0.8),
    ],
)
def test_the_networks_expression_counts_where_there_is_one(
    happy: float, sad: float, expression: str, confidence: float
) -> None:
    for rise in (-3, 0, 3):
        found = person(NOBODY | {"happy": happy, "sad": sad}, with_corners(rise))
        assert (found.expression, found.expression_confidence) == (expression, confidence)


@pytest.mark.parametrize(("rise", "expression"), [(4, "happy"), (0, "neutral"), (-4, "sad")])
def test_without_the_network_the_lips_tell_the_expression(rise: float, expression: str) -> None:
    assert person(None, with_corners(rise)).expression == expression


def test_no_face_no_person() -> None:
    picture, sight = portrait(150, 100)
    assert describe_portrait(picture, replace(sight, face=0.1), NOBODY).people == ()


def test_dark_skin_is_not_dark_light() -> None:
    assert describe_portrait(*portrait(50, 150)).light == "even"
    assert describe_portrait(*portrait(50, 150), NOBODY).light == "even"


@pytest.mark.parametrize("skin", [40, 120, 200])
def test_light_is_that_of_the_picture(skin: int) -> None:
    picture, sight = portrait(skin, 150)
    assert describe_portrait(picture, sight).light == "even"
    assert describe_portrait((picture * 0.25).astype(np.uint8), sight).light == "dark"
    assert describe_portrait(*portrait(skin, 240)).light == "bright"


def test_a_lamp_does_not_light_the_night() -> None:
    picture, sight = portrait(45, 20)
    picture[2:8, 2:8] = 255
    assert describe_portrait(picture, sight).light == "dark"


def test_light_comes_from_the_brighter_side() -> None:
    picture, sight = portrait(100, 120)
    assert describe_portrait(picture, sight).light_from == "front"
    picture[:, 32:] = picture[:, 32:] + 60
    assert describe_portrait(picture, sight).light_from == "right"
    assert describe_portrait(picture[:, ::-1].copy(), sight).light_from == "left"


def test_of_a_group_only_places_and_colours_are_told() -> None:
    points = np.zeros((68, 2), np.float32)
    near = DetectedPerson(points, 0.9, Box(0.1, 0.2, 0.3, 0.5), Box(0.0, 0.1, 0.4, 1.0))
    far = DetectedPerson(points, 0.9, Box(0.6, 0.2, 0.7, 0.35), Box(0.5, 0.1, 0.8, 1.0))
    seen = describe_group(np.full((64, 96, 3), 128, np.uint8), [near, far])
    assert [person.framing for person in seen.people] == ["head and shoulders", "half figure"]
    assert [(person.face, person.box) for person in seen.people] == [(one.face, one.person) for one in (near, far)]
    assert seen.colours == ("grey",)
    sure = [seen.light_confidence, seen.background_confidence]
    assert not any([*sure, *(person.expression_confidence for person in seen.people)])
