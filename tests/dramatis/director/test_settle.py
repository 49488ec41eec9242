"""Whoever is believed: words before the voice before the picture, unless that cannot be shown."""

from __future__ import annotations

from dramatis.director import direct
from dramatis.director.dialogue import Transcript
from dramatis.director.language.direction import Step
from dramatis.director.settle import HEDGED_WORDS, WORDS, heard_emotion, prevailing_position, step_confidence
from dramatis.story.dialogue import Claim, Position, Turn
from dramatis.story.observations import ObservedPerson, PictureObservations, Trait
from dramatis.story.values import FrameSpan
from tests.dramatis.director.planning import observe, plan


def test_conflicts_are_settled_and_said() -> None:
    assert plan("happy and sad").conflicts[0].settled == "happy"
    crowded = plan("happy. sad. angry. afraid. tender.", 30)
    assert len(crowded.shots) == 1
    assert "too short" in crowded.conflicts[0].why
    assert "follow the audio" in plan("she is silent").conflicts[0].settled
    song = plan("she sings happily")
    assert song.conflicts[0].settled == "singing"
    assert "sings" in song.shots[0].positive


def test_what_the_picture_denies_is_not_asked_of_the_video() -> None:
    face = (0.3, 0.3, 0.7, 0.7)
    bare = Trait(name="glasses", present=False, confidence=0.98, region=face)
    seen = PictureObservations(people=(ObservedPerson(box=face, face=face, framing="close-up", traits=(bare,)),))
    storyline = direct(
        observe(100), "happy, with her glasses on, in a red coat, no smirk", image="a.png", audio="b.wav", seen=seen
    )
    assert [conflict.about for conflict in storyline.conflicts] == ["glasses"]
    assert "glasses" not in storyline.positive
    assert "in a red coat" in storyline.positive
    assert "smirk" in storyline.negative
    assert all("smirk" in shot.negative for shot in storyline.shots)


def test_rank_decides_unless_it_is_unsure_and_the_other_certain() -> None:
    words, unsure = (Position(expert="text", says="happy", confidence=sure) for sure in (0.9, 0.3))
    voice, certain = (Position(expert="audio", says="sad", confidence=sure) for sure in (0.7, 0.8))
    face = Position(expert="visual", says="angry", confidence=1.0)
    assert prevailing_position([face, voice, words]) == words
    assert prevailing_position([certain, unsure]) == certain
    assert prevailing_position([voice, unsure]) == unsure
    assert prevailing_position([face, voice]) == voice


def test_hedged_words_are_believed_less() -> None:
    assert step_confidence(Step()) == WORDS
    assert step_confidence(Step(hedged=True)) == HEDGED_WORDS


def test_the_claim_that_covers_most_counts() -> None:
    long, short = (
        Claim(about="emotion", value=value, confidence=0.5, span=span)
        for value, span in (("sad", FrameSpan(0, 80)), ("happy", FrameSpan(80, 100)))
    )
    transcript = Transcript([Turn(expert="audio", thought="so", claims=(long, short))])
    assert heard_emotion(transcript, FrameSpan(50, 100), 100) == long
    assert heard_emotion(transcript, FrameSpan(75, 100), 100) == short
    assert heard_emotion(Transcript(), FrameSpan(0, 100), 100) is None
