"""The textual expert reads, asks about what it cannot know, and says where it gave way."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts import TextExpert
from dramatis.director.language.parser import read_direction
from dramatis.director.language.reader import PromptReading, ReadingContext
from dramatis.story.dialogue import Claim, Turn
from dramatis.story.storyline import Character
from tests.dramatis.director.planning import observe


class Stubborn:
    """Reads everything as sad, and says so."""

    def read(self, prompt: str, context: ReadingContext) -> PromptReading:
        return PromptReading(read_direction("sad"), "it is all sad")


def speak(expert: TextExpert, prompt: str, round_: int = 0, transcript: Transcript | None = None) -> Turn:
    turn = expert.speak(PlanningInputs(observe(200), None, prompt), transcript or Transcript(), round_)
    assert turn is not None
    return turn


def test_it_asks_about_what_the_words_leave_open_and_the_picture_must_show() -> None:
    turn = speak(TextExpert(0), "after 3 seconds she nods, with glasses")
    assert [(question.to, question.about) for question in turn.questions] == [
        ("audio", "intent"),
        ("audio", "length"),
        ("visual", "glasses"),
    ]
    assert speak(TextExpert(0), "happy").questions == ()


def test_any_reader_will_do_and_its_note_is_said() -> None:
    expert = TextExpert(0, reader=Stubborn())
    assert speak(expert, "happy").thought == "it is all sad"
    assert {shot.emotion.name for shot in expert.shots} == {"sad"}


def test_it_gives_way_to_the_picture() -> None:
    expert, transcript = TextExpert(0), Transcript()
    transcript.turns.append(speak(expert, "happy, with glasses"))
    unseen = Claim(about="glasses", value="not seen", confidence=0.9)
    transcript.turns.append(Turn(expert="visual", round=1, thought="bare", claims=(unseen,)))
    assert "gives way on glasses" in speak(expert, "happy, with glasses", 1, transcript).thought


def test_characters_are_read_one_by_one() -> None:
    cast = [Character(name=name, face=(x, 0.2, x + 0.2, 0.6)) for name, x in (("Ann", 0.1), ("Bob", 0.6))]
    expert = TextExpert(0, cast)
    turn = speak(expert, "Ann is sad, Bob nods, slow push-in")
    assert [plan.name for plan in expert.character_plans] == ["Ann", "Bob"]
    assert {"Ann, step 1: sad 0.6", "Bob, step 1: nod 0.6"} <= {claim.value for claim in turn.claims}
    assert expert.direction.people == 2
