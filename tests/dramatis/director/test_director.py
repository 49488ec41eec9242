"""A storyline from any sound and prompt: shots tile it, and prompts never contradict themselves."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dramatis.cascade.plan import plan_cascade
from dramatis.director import direct
from tests.dramatis.director.planning import PROMPTS, check, plan, talk


@settings(deadline=None, max_examples=80)
@given(
    frames=st.integers(1, 2000),
    seed=st.integers(0, 10**6),
    prompt=st.sampled_from(PROMPTS) | st.text(max_size=80),
)
def test_any_sound_and_prompt(frames: int, seed: int, prompt: str) -> None:
    story = plan(prompt, frames, seed)
    check(story)
    assert story == plan(prompt, frames, seed)
    assert plan_cascade(story).frames == frames


def test_an_hour() -> None:
    story = plan("happy, then sad. slow push in", 90_000)
    lengths = [shot.span.seconds for shot in story.shots]
    assert 3.0 <= sum(lengths) / len(lengths) <= 6.0
    assert story.shots[-1].emotion.name == "sad"
    assert story.shots[0].emotion.name == "happy"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.sampled_from(["Ann", "Bob", "李", "D"])), st.integers(1, 200)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(PROMPTS),
)
def test_any_number_of_people_speak_in_shots_that_tile(turns: list[tuple[str | None, int]], prompt: str) -> None:
    story = direct(talk(turns), prompt, 0, image="her.png", audio="speech.wav")
    assert story.shots[0].span.start == 0
    assert story.shots[-1].span.stop == story.frames
    assert all(a.span.stop == b.span.start for a, b in pairwise(story.shots))
    plan_cascade(story)
    said = {name or "speaker" for name, _ in turns}
    named = [character.name for character in story.characters]
    assert len(set(named)) == len(named)
    assert set(named) <= said
    assert (story.characters[0].image, story.characters[0].audio) == ("her.png", "speech.wav")
    assert all(shot.speakers and set(shot.speakers) <= set(named) for shot in story.shots)
    for name, length in turns:
        assert length < 3 * 25 or (name or "speaker") in named, "who speaks for three seconds is in the play"
