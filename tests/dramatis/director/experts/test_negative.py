"""The negative director speaks once, about each kind of shot."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts import NegativeDirector
from dramatis.director.experts.negative import of_each_kind
from tests.dramatis.director.planning import observe, plan

INPUTS = PlanningInputs(observe(50), None, "")


def test_it_names_what_each_kind_must_not_become() -> None:
    planner = plan("first happy, then sad", 600)
    turn = NegativeDirector(planner).speak(INPUTS, Transcript(), 1)
    assert turn is not None
    assert [claim.value for claim in turn.claims] == list(dict.fromkeys(shot.negative for shot in planner.shots))
    assert all(NegativeDirector(planner).speak(INPUTS, Transcript(), number) is None for number in (0, 2, 3))


def test_the_first_shot_stands_for_its_kind() -> None:
    shots = plan("first happy, then sad", 600).shots
    kinds = of_each_kind(shots)
    assert kinds[0] is shots[0]
    assert len({shot.negative for shot in kinds}) == len(kinds)
