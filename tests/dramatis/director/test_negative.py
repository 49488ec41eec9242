"""What a shot must not show follows from what it shows."""

from __future__ import annotations

from dramatis.director.negative import global_negative, without_overlap
from tests.dramatis.director.planning import plan


def test_negatives_follow_the_shot() -> None:
    happy, sad = (
        plan("first very happy, then very sad, camera pans left", 300),
        plan("very sad, hand-held", 100),
    )
    assert "sad" in happy.shots[0].negative.split(", ")
    assert "pan right" in happy.shots[0].negative
    assert "happy" in happy.shots[-1].negative.split(", ")
    assert "jittery motion" not in sad.shots[0].negative
    assert "disgusted" in plan("not disgusted").shots[0].negative
    assert len({shot.negative for shot in happy.shots}) > 1


def test_terms_share_no_distinctive_word_with_the_prompt() -> None:
    assert without_overlap(["smiles", "sad", "sad", "blurry eyes"], "a smiling face, eyes") == ["sad", "blurry eyes"]
    assert without_overlap(["push in"], "slow push in") == []


def test_the_whole_video_avoids_what_was_refused_and_no_emotion_that_it_shows() -> None:
    terms = global_negative("happy then sad", ("happy", "sad"), {("words", "smirk")}).split(", ")
    assert terms[0] == "smirk"
    assert not {"happy", "sad"} & set(terms)
    assert "angry" in terms
