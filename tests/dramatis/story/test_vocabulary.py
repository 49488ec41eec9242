"""Reading tags back with the one vocabulary."""

from __future__ import annotations

from dramatis.director.negative import shot_negative
from dramatis.story.storyline import Camera, Emotion
from dramatis.story.vocabulary import EMOTION_PHRASES, EMOTION_WORDS, OPPOSITE_EMOTIONS, named_emotions, without_company


def test_tags_name_emotions_in_order_and_once() -> None:
    assert named_emotions("Sad, angry, blurry. Joyful; happy, sorrowful") == ("sad", "angry", "happy")
    assert named_emotions("a bright smile, soft light, warm") == ("happy", "tender")
    assert named_emotions("soft light, she is sad today") == named_emotions("") == ()


def test_no_word_names_two_emotions() -> None:
    for table in (EMOTION_WORDS, EMOTION_PHRASES):
        for name, words in table.items():
            assert all(named_emotions(word) == (name,) for word in words if "," not in word)


def test_company_is_left_out_where_one_person_is_looked_at() -> None:
    assert without_company("A woman beside two other people speaks, sad. She nods.") == "A woman speaks, sad. She nods."
    assert (
        without_company("A man beside one other person sings. A man beside other people sings.")
        == "A man sings. A man sings."
    )
    assert without_company("a person speaks beside a lamp") == "a person speaks beside a lamp"


def test_what_the_negative_director_writes_names_the_contraries() -> None:
    for name, contraries in OPPOSITE_EMOTIONS.items():
        negative = shot_negative("", Emotion(name=name), Camera(), (), None)  # type: ignore[arg-type]
        assert named_emotions(negative) == contraries
