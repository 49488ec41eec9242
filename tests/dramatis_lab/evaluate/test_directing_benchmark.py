"""How the benchmark tells what was directed, on made figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.dramatis.director.test_director import observe

from dramatis.director import direct
from dramatis.story.storyline import Storyline


@pytest.fixture
def directing(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("directing")


def test_hits_and_contrasts(directing: ModuleType) -> None:
    told = directing.Told(
        smiles={"happy": [0.10, 0.02], "neutral": [0.05, 0.03], "sad": [0.01, 0.01]},
        zooms={"push_in": [0.10, 0.05], "static": [0.0, 0.0], "pan": [0.0, 0.01]},
        pans={"push_in": [0.0, 0.0], "static": [0.0, 0.01], "pan": [0.06, -0.05]},
    )
    # The second person smiles most when neutral; her push-in is too small to be told.
    assert told.hits == [True, True, True, True, False, False, True, False, True, True, True, True]
    smile, zoom, pan = told.contrasts
    assert (round(smile, 3), round(zoom, 3), round(pan, 3)) == (0.05, 0.075, 0.06)


def test_storylines_of_the_first_director_can_be_filmed(directing: ModuleType) -> None:
    planned = directing._by_the_first()
    for place in range(directing.CASES):
        for name, prompt in (directing.EMOTION_PROMPTS | directing.CAMERA_PROMPTS).items():
            storyline = planned(f"{name}-{place}", Path("p.png"), Path("v.wav"), prompt)
            assert isinstance(storyline, Storyline)
            assert storyline.prompt == prompt
            assert (storyline.image, storyline.audio, storyline.frames) == ("p.png", "v.wav", directing.FRAMES)
            assert (storyline.width, storyline.height) == (256, 256)


def test_one_negative_prompt_everywhere(directing: ModuleType) -> None:
    storyline = direct(observe(25 * 120, 2), "first sad, then happy and nods", image="a.png", audio="b.wav")
    assert storyline.chapters
    assert any(moment.negative for shot in storyline.shots for moment in shot.moments)
    plain = directing.with_negatives(storyline, "blurry")
    for shot in plain.shots:
        _, avoided = plain.words([shot.index], shot.span)
        assert set(avoided) <= {"blurry", ""}
        assert "blurry" in avoided
    assert [shot.positive for shot in plain.shots] == [shot.positive for shot in storyline.shots]


@pytest.mark.parametrize(
    ("own", "good"),
    [({}, True), ({"contrast": 0.04}, False), ({"jitter": 1.2}, False), ({"exposure": 2.3}, False)],
)
def test_own_negatives_must_help_and_not_hurt(directing: ModuleType, own: dict[str, float], good: bool) -> None:
    generic = {"contrast": 0.05, "jitter": 1.0, "exposure": 2.0, "sharpness": 100.0}
    row = directing.negatives_row({"generic": generic, "own": {**generic, "contrast": 0.06, **own}})
    assert row.passed is good
