"""What happens in only part of a shot is said where it happens."""

from __future__ import annotations

from dramatis.director.moments import SHORTEST_MOMENT, lasting_gestures, plan_moments
from dramatis.story.observations import AudioEvent
from dramatis.story.values import FrameSpan, Gesture
from tests.dramatis.director.planning import plan, talk


def test_a_gesture_is_said_where_it_happens() -> None:
    story = plan("calm, static camera, she nods", 220)
    nodding = [moment for shot in story.shots for moment in shot.moments if "nods" in moment.positive]
    assert len(nodding) == 1
    assert "nods" not in "".join(shot.positive for shot in story.shots)
    gesture = next(g for shot in story.shots for g in shot.gestures if g.name == "nod" and g.amount > 0.5)
    assert nodding[0].fills(gesture.span)
    shot = story.shot_at(gesture.span.start)
    during, _ = story.words([shot.index], gesture.span)
    assert any("nods" in words for words in during)
    clear = [
        FrameSpan(f, f + 12) for f in range(shot.span.start, shot.span.stop - 12) if f + 12 <= nodding[0].span.start
    ]
    assert clear
    assert not any("nods" in words for words in story.words([shot.index], clear[0])[0])


def test_gestures_that_fill_a_shot_are_no_moments() -> None:
    lean, nod = Gesture("lean_in", FrameSpan(20, 100)), Gesture("nod", FrameSpan(40, 68))
    assert lasting_gestures([lean, nod], FrameSpan(0, 100)) == (lean,)


def test_silence_and_gestures_are_moments() -> None:
    heard = talk([("Ann", 100)])
    quiet = AudioEvent(kind="pause", span=FrameSpan(60, 80))
    speech = [heard.events[0].model_copy(update={"span": span}) for span in (FrameSpan(0, 60), FrameSpan(80, 100))]
    heard = heard.model_copy(update={"events": (speech[0], quiet, speech[1])})
    nod = Gesture("nod", FrameSpan(20, 48))
    moments = plan_moments(heard, FrameSpan(0, 100), [nod], "she", "A woman speaks.", "blurry")
    assert [moment.positive for moment in moments] == ["She nods.", "She is silent."]
    assert all(len(moment.span) >= SHORTEST_MOMENT for moment in moments)
    assert moments[1].negative == "is talking"
