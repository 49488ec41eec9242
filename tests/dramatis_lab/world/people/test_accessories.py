"""Accessories come from their seed, move as they should, and leave the face's truth alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis_lab.world.people.accessories import HOLDING_GRIP, Accessories, draw_accessories
from dramatis_lab.world.people.arms import ArmPose
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.hair_volume import HairVolume
from dramatis_lab.world.people.headwear import HEADWEAR
from dramatis_lab.world.people.held_objects import HELD_OBJECTS
from dramatis_lab.world.people.person import RenderedPerson, make_person, random_spec
from dramatis_lab.world.people.wardrobe import LOWEST
from dramatis_lab.world.stills.person import STILL_LOWEST
from tests.raw_assets import ASSETS, needs_assets

STILL = np.zeros(len(EXPRESSIONS))
LONG_HAIR = HairVolume(0.2, 0.03, 0.3, (0.06, 0.06), 0.1, 0.12)


def person_with(accessories: Accessories | None, lowest: float = LOWEST) -> RenderedPerson:
    spec = replace(random_spec(3), hair="cropped", accessories=accessories, lowest=lowest)
    return make_person(spec, ASSETS)


def added(person: RenderedPerson, plain: RenderedPerson) -> slice:
    """The vertices that `person` has beyond those of `plain`."""
    return slice(len(plain.pose(STILL).vertices), len(person.pose(STILL).vertices))


@pytest.fixture(scope="module")
def plain() -> RenderedPerson:
    return person_with(None)


def test_accessories_come_from_the_seed_and_all_kinds_occur() -> None:
    drawn = [draw_accessories(seed, "male" if seed % 2 else "female") for seed in range(300)]
    assert drawn[:9] == [draw_accessories(seed, "male" if seed % 2 else "female") for seed in range(9)]
    assert {one.headwear for one in drawn} == {"", *HEADWEAR}
    assert {one.held for one in drawn} == {"", *HELD_OBJECTS}
    assert any(one.hair for one in drawn)
    assert any(one.beard for one in drawn)
    assert not any(one.beard for one in drawn[::2])


def test_the_hand_that_holds_something_is_raised_and_closed() -> None:
    holding = [one for one in (draw_accessories(seed, "female") for seed in range(300)) if one.held]
    for one in holding:
        assert one.arms is not None
        number = "LR".index(one.side)
        assert one.arms.grips[number] == HOLDING_GRIP
        assert one.arms.elbows[number] == max(one.arms.elbows)


@needs_assets
@pytest.mark.parametrize("headwear", ["brim", "headscarf"])
def test_what_is_worn_turns_with_the_head_and_leaves_the_landmarks(plain: RenderedPerson, headwear: str) -> None:
    worn = person_with(Accessories(1, LONG_HAIR, headwear))
    assert np.allclose(plain.pose(STILL).landmarks68, worn.pose(STILL).landmarks68, atol=1e-6)
    extra = added(worn, plain)
    before, after = (worn.pose(STILL, head=(yaw, 0, 0, 0, 0, 0)).vertices[extra] for yaw in (0.0, 0.5))
    top = before[:, 1] > 0.05
    assert np.linalg.norm((after - before)[top], axis=1).mean() > 0.02


@needs_assets
def test_hair_lies_outside_the_skull(plain: RenderedPerson) -> None:
    hairy = person_with(Accessories(1, LONG_HAIR))
    extra = hairy.pose(STILL).vertices[added(hairy, plain)]
    skull = plain.pose(STILL).vertices
    assert extra[:, 1].max() > skull[:, 1].max()
    assert extra[:, 1].min() == pytest.approx(-LONG_HAIR.length, abs=0.01)


@needs_assets
def test_a_beard_follows_the_jaw(plain: RenderedPerson) -> None:
    bearded = person_with(Accessories(1, beard=0.03))
    wide = STILL.copy()
    wide[EXPRESSIONS.index("jawOpen")] = 1.0
    moved = (bearded.pose(wide).vertices - bearded.pose(STILL).vertices)[added(bearded, plain)]
    assert moved[:, 1].min() < -0.01


@needs_assets
def test_a_bent_elbow_lifts_the_hand_and_what_it_holds() -> None:
    arms = ArmPose((1.8, 0.0), (0.0, 0.0), (0.0, 0.0), (HOLDING_GRIP, 0.0))
    hanging, raised, holding = (
        person_with(accessories, STILL_LOWEST)
        for accessories in (None, Accessories(1, arms=arms), Accessories(1, arms=arms, held="bottle"))
    )
    left, right = raised.pose(STILL).palms - hanging.pose(STILL).palms
    assert left[1] > 0.3
    assert np.linalg.norm(right) < 0.02
    bottle = holding.pose(STILL).vertices[added(holding, raised)]
    assert np.linalg.norm(bottle.mean(0) - raised.pose(STILL).palms[0]) < 0.15
