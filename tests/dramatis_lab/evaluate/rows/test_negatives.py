"""Negative prompts: one for all stands everywhere, and own ones must help and not hurt."""

from __future__ import annotations

import pytest

from dramatis.director import direct
from dramatis_lab.evaluate.rows.negatives import negatives_row, with_negatives
from tests.dramatis.director.planning import observe


def test_one_negative_prompt_everywhere() -> None:
    storyline = direct(observe(25 * 120, 2), "first sad, then happy and nods", image="a.png", audio="b.wav")
    assert storyline.chapters
    assert any(moment.negative for shot in storyline.shots for moment in shot.moments)
    plain = with_negatives(storyline, "blurry")
    for shot in plain.shots:
        _, avoided = plain.words([shot.index], shot.span)
        assert set(avoided) <= {"blurry", ""}
        assert "blurry" in avoided
    assert [shot.positive for shot in plain.shots] == [shot.positive for shot in storyline.shots]


@pytest.mark.parametrize(
    ("own", "good"),
    [({}, True), ({"contrast": 0.04}, False), ({"jitter": 1.2}, False), ({"exposure": 2.3}, False)],
)
def test_own_negatives_must_help_and_not_hurt(own: dict[str, float], good: bool) -> None:
    generic = {"contrast": 0.05, "jitter": 1.0, "exposure": 2.0, "sharpness": 100.0}
    row = negatives_row({"generic": generic, "own": {**generic, "contrast": 0.06, **own}})
    assert row.passed is good
