"""Shots show what was asked for, and what nobody asked for fits."""

from __future__ import annotations

import pytest

from dramatis.story.dialogue import Claim
from dramatis.story.storyline import Storyline
from dramatis.story.values import EMOTIONS
from tests.dramatis.director.planning import plan


def inferred(story: Storyline) -> list[Claim]:
    return [claim for turn in story.dialogue for claim in turn.claims if claim.inferred]


def test_steps_land_in_their_shots() -> None:
    story = plan("first sad, then very happy and nods, pan left", 400)
    emotions = [shot.emotion.name for shot in story.shots]
    assert emotions == sorted(emotions, key=["sad", "happy"].index)
    assert set(emotions) == {"sad", "happy"}
    nodding = [shot for shot in story.shots if any(g.name == "nod" and g.amount > 0.5 for g in shot.gestures)]
    assert [shot.emotion.name for shot in nodding] == ["happy"]
    assert {shot.camera.move for shot in story.shots} == {"pan_left"}
    assert max(shot.emotion.intensity for shot in story.shots) == 0.9


def test_what_is_left_open_is_filled_in_and_said() -> None:
    story = plan("", 300)
    assert inferred(story)
    assert any(shot.gestures for shot in story.shots)
    still = plan("stays still, neutral, static camera", 300)
    assert not any(shot.gestures for shot in still.shots)
    assert not inferred(still)


def gestures(prompt: str) -> set[str]:
    """Names of the gestures of ten plans."""
    return {g.name for seed in range(10) for shot in plan(prompt, 150, seed).shots for g in shot.gestures}


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_what_nobody_asked_for_fits_the_mood(emotion: str) -> None:
    found = gestures(emotion)
    assert found
    assert ("raise_brows" in found) == (emotion in ("neutral", "happy", "surprised", "afraid"))
    assert "nod" not in found or emotion in ("neutral", "happy", "angry", "tender")
    assert not found & {"shake", "turn_left", "turn_right", "look_up", "look_left", "look_right"}


def test_beside_a_strong_camera_move_heads_stay_in_place() -> None:
    assert gestures("tender, strong push-in") == {"nod"}
    assert gestures("disgusted, strong pan left") == set()
    assert {"tilt_left", "tilt_right"} <= gestures("tender, slow push-in")
    assert {"tilt_left", "tilt_right"} <= gestures("tender, strongly hand-held")
