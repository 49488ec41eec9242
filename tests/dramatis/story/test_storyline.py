"""The storyline is checked and survives its file formats.

An edited file is told what is wrong with it, where, and what to do.
"""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dramatis.errors import UserError
from dramatis.story import vocabulary
from dramatis.story.dialogue import Conflict, Position, Turn
from dramatis.story.observations import AudioEvent
from dramatis.story.storyline import Acting, Chapter, Character, Moment, Shot, Storyline, Voice
from dramatis.story.storyline_yaml import from_json, from_yaml, to_json, to_yaml
from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES, Camera, Emotion, FrameSpan, Gesture


def story() -> Storyline:
    return Storyline(
        image="her.png",
        audio="speech.wav",
        prompt='she says: "#1, über 她"\nand smiles',
        frames=103,
        width=128,
        height=144,
        characters=(Character(name="speaker"),),
        events=(AudioEvent(kind="speech", span=FrameSpan(0, 103), energy=0.5),),
        dialogue=(Turn(expert="text", thought="so"),),
        conflicts=(
            Conflict(
                about="emotion",
                sides=(Position(expert="text", says="sad"), Position(expert="audio", says="happy")),
                settled="sad",
                why="words come first",
            ),
        ),
        shots=(
            Shot(index=0, span=FrameSpan(0, 48), speakers=("speaker",), seed=2**62),
            Shot(
                index=1,
                span=FrameSpan(48, 103),
                emotion=Emotion("happy", 0.9),
                camera=Camera("push_in", 0.3),
                gestures=(Gesture("nod", FrameSpan(50, 70)),),
                keyframes=(60,),
            ),
        ),
    )


def test_round_trips() -> None:
    value = story()
    text = to_yaml(value)
    assert from_yaml(text) == value
    assert from_json(to_json(value)) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert text.startswith("# A storyline")
    assert "push_in" in text.split("version:")[0]


def two() -> Storyline:
    """Ann with an own track and Bob without; Bob reacts in the first shot, both speak in the second."""
    nod = Gesture("nod", FrameSpan(8, 20))
    return Storyline(
        image="both.png",
        audio="mixed.wav",
        frames=80,
        width=192,
        height=128,
        characters=(
            Character(name="ann", audio="ann.wav", face=(0.1, 0.2, 0.3, 0.6)),
            Character(name="bob", face=(0.6, 0.2, 0.8, 0.6)),
        ),
        events=(
            AudioEvent(kind="speech", span=FrameSpan(0, 40), speaker="ann"),
            AudioEvent(kind="pause", span=FrameSpan(40, 44), speaker="bob"),
            AudioEvent(kind="speech", span=FrameSpan(44, 60), speaker="bob"),
            AudioEvent(kind="singing", span=FrameSpan(60, 80), speaker="ann", also=("bob",)),
        ),
        shots=(
            Shot(
                index=0,
                span=FrameSpan(0, 40),
                emotion=Emotion("sad", 0.6),
                gestures=(Gesture("look_down", FrameSpan(0, 12)),),
                speakers=("ann",),
                acting=(Acting(character="bob", emotion=Emotion("tender", 0.4), gestures=(nod,)),),
            ),
            Shot(index=1, span=FrameSpan(40, 80), emotion=Emotion("happy", 0.8), speakers=("bob",)),
        ),
    )


def test_several_people_round_trip_and_one_person_has_none_of_their_fields() -> None:
    value = two()
    assert from_yaml(to_yaml(value)) == value
    assert from_json(to_json(value)) == value
    assert "gestures: [{name: nod" in to_yaml(value) or "- {name: nod" in to_yaml(value)
    assert "# Several people" in to_yaml(value)
    for text in (to_yaml(story()), to_json(story())):
        assert not any(word in text for word in ("acting", "face", "also", "Several people"))


def test_each_character_acts_and_is_heard_as_its_own() -> None:
    value = two()
    ann, bob = value.shots_of("ann"), value.shots_of("bob")
    assert ann[0] == value.shots[0]
    assert bob[1] == value.shots[1]
    assert (bob[0].emotion.name, [gesture.name for gesture in bob[0].gestures]) == ("tender", ["nod"])
    assert (ann[1].emotion, ann[1].gestures) == (Emotion(), ()), "who neither speaks nor is told to act is still"
    assert all(own.camera == shot.camera for own, shot in zip(bob, value.shots, strict=True))
    assert value.voice_of("ann") == Voice("ann.wav", None)
    assert value.voice_of("bob") == Voice("mixed.wav", (FrameSpan(44, 60), FrameSpan(60, 80)))
    quiet = value.model_copy(update={"events": ()})
    assert quiet.voice_of("bob") == Voice("mixed.wav", ())
    with pytest.raises(KeyError):
        value.voice_of("cat")


def test_without_faces_one_person_says_everything() -> None:
    """Names that subtitles gave voices, over a portrait of one person."""
    alone = tuple(person.model_copy(update={"face": None}) for person in two().characters)
    value = Storyline.model_validate({**two().model_dump(), "characters": alone})
    assert [person.name for person in value.cast] == ["ann"]
    assert value.shots_of("ann") == value.shots
    assert story().voice_of("speaker") == Voice("speech.wav", None)
    nobody = story().model_copy(update={"characters": ()})
    assert [person.name for person in nobody.cast] == ["speaker"]
    assert nobody.shots_of("speaker") == nobody.shots


@given(
    st.lists(st.sampled_from(["ann", "bob", "cyd"]), min_size=3, max_size=3, unique=True),
    st.lists(st.sets(st.sampled_from(["ann", "bob", "cyd"])), min_size=1, max_size=6),
    st.data(),
)
def test_any_play_round_trips_and_nobody_acts_or_speaks_for_another(
    order: list[str], turns: list[set[str]], data: st.DataObject
) -> None:
    shots, events = [], []
    for place, speakers in enumerate(turns):
        span = FrameSpan(20 * place, 20 * place + 20)
        actors = data.draw(st.sets(st.sampled_from(order)))
        acting = tuple(Acting(character=name, emotion=Emotion("sad", 0.1 * place)) for name in sorted(actors))
        first, *others = sorted(speakers) or [""]
        shots.append(Shot(index=place, span=span, emotion=Emotion("happy"), speakers=tuple(speakers), acting=acting))
        events.append(AudioEvent(kind="speech", span=span, speaker=first or None, also=tuple(others)))
    people = tuple(
        Character(name=name, face=(0.3 * place, 0.1, 0.3 * place + 0.2, 0.9)) for place, name in enumerate(order)
    )
    value = Storyline(
        image="a.png",
        audio="a.wav",
        frames=20 * len(turns),
        width=64,
        height=64,
        characters=people,
        shots=tuple(shots),
        events=tuple(events),
    )
    assert from_yaml(to_yaml(value)) == value
    for name in order:
        heard = value.voice_of(name).spans
        assert heard == tuple(shot.span for shot, who in zip(shots, turns, strict=True) if name in who)
        for own, shot, who in zip(value.shots_of(name), shots, turns, strict=True):
            told = [acting.emotion for acting in shot.acting if acting.character == name]
            assert own.emotion == (told or [Emotion("happy") if name in who else Emotion()])[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("character: bob", "character: cat", r"shots\[0\].acting names 'cat'; the characters are: ann, bob"),
        ("stop: 20}", "stop: 50}", r"field shots\[0\]: the gesture .nod. spans frames 8 to 50, outside the shot"),
        ("- name: bob", "- name: ann", "two characters are called 'ann'; give one of them another name"),
        ("0.6, 0.2, 0.8, 0.6", "0.15, 0.2, 0.35, 0.6", "faces of 'ann' and 'bob' are the same part of the picture"),
        ("0.6, 0.2, 0.8, 0.6", "0.6, 0.2, 0.6, 0.6", "the face of 'bob' is a box without a size"),
        ("0.6, 0.2, 0.8, 0.6", "0.6, 0.2, 1.8, 0.6", r"characters\[1\].face\[2\]: .*less than or equal to 1"),
        ("  face: [0.6, 0.2, 0.8, 0.6]\n", "", "'bob' has no face but others have; give every character one"),
        ("also: [bob]", "also: [cat]", r"events\[3\] names 'cat'"),
        ("also: [bob]", "also: [ann]", "must name different people"),
    ],
)
def test_faults_of_several_people_are_named(old: str, new: str, message: str) -> None:
    text = to_yaml(two())
    assert old in text, text
    with pytest.raises(UserError, match=message) as caught:
        from_yaml(text.replace(old, new))
    assert "\n" not in str(caught.value)


def test_acting_of_one_character_stands_once() -> None:
    twice = (Acting(character="ann"), Acting(character="ann", emotion=Emotion("sad")))
    with pytest.raises(ValidationError, match="two entries for 'ann'"):
        Shot(index=0, span=FrameSpan(0, 8), acting=twice)


def test_a_clip_over_two_shots_avoids_what_neither_shows() -> None:
    shots = (
        Shot(index=0, span=FrameSpan(0, 40), positive="A sad woman.", negative="happy, pull out"),
        Shot(index=1, span=FrameSpan(40, 80), positive="A happy woman. Pull out.", negative="sad, blurry, unhappy"),
    )
    value = Storyline(
        image="a", audio="b", frames=80, width=16, height=16, positive="a woman", negative="woman, sad", shots=shots
    )
    both, avoided = value.words([0, 1, 1], FrameSpan(30, 50))
    assert both == ["A sad woman.", "A happy woman. Pull out.", "a woman"]
    assert avoided == ["", "blurry, unhappy", ""]
    assert value.words([0], FrameSpan(0, 9))[1] == ["happy, pull out", ""]


def test_moments_and_chapters_are_checked() -> None:
    moments = (Moment(span=FrameSpan(0, 20), positive="She nods."), Moment(span=FrameSpan(16, 40)))
    with pytest.raises(ValidationError, match="overlaps the one before"):
        Shot(index=0, span=FrameSpan(0, 40), moments=moments)
    chapters = "chapters:\n- span: {start: 0, stop: 44}\n- span: {start: 44, stop: 103}"
    text = to_yaml(story()).replace("chapters: []", chapters)
    with pytest.raises(UserError, match="chapters begin with a shot"):
        from_yaml(text)


def test_words_come_from_moments_and_chapters() -> None:
    base = story()
    nod = Moment(span=FrameSpan(48, 68), positive="She nods.", negative="frozen")
    chapters = (Chapter(span=FrameSpan(0, 48), positive="one"), Chapter(span=FrameSpan(48, 103), positive="two"))
    shots = (base.shots[0], base.shots[1].model_copy(update={"moments": (nod,)}))
    value = base.model_copy(update={"shots": shots, "chapters": chapters})
    assert from_yaml(to_yaml(value)) == value
    assert value.words([1], FrameSpan(48, 69)) == (["", "She nods.", "two"], ["", "frozen", ""])
    assert value.words([1], FrameSpan(72, 93))[0] == ["", "two"]


def test_spans() -> None:
    span = FrameSpan(4, 29)
    assert (len(span), span.seconds, 4 in span, 29 in span) == (25, 1.0, True, False)
    assert span.overlaps(FrameSpan(28, 30))
    assert not span.overlaps(FrameSpan(29, 30))
    with pytest.raises(ValidationError, match="must be greater"):
        FrameSpan(4, 4)
    assert [story().shot_at(frame).index for frame in (0, 47, 48, 102)] == [0, 0, 1, 1]
    with pytest.raises(IndexError):
        story().shot_at(103)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "move: push_in",
            "move: zoom",
            r"line \d+, field shots\[1\].camera.move: 'zoom' is not known; choose one of",
        ),
        ("start: 48", "start: 46", r"shots\[1\].span.start is 46, which overlaps"),
        ("stop: 48", "stop: 44", r"leaves a gap"),
        ("48", "46", r"begins on a multiple of 4 frames, so write 4"),
        ("intensity: 0.9", "intensity: 3", r"field shots\[1\].emotion.intensity: .*less than or equal to 1"),
        ("seed: 0", "sede: 0", r"\.sede: there is no such field; correct its spelling"),
        ("frames: 103", "frames: 110", r"shots end at frame 103 but the video has 110"),
        ("speakers: [speaker]", "speakers: [him]", r"names 'him'; the characters are: speaker"),
        ("stop: 70", "stop: 170", r"outside the shot's 48 to 103; move it inside"),
        ("width: 128", "width: 129", r"field width: .*multiple of 2"),
        ("index: 1", "index: 3", r"number the shots from 0"),
        ("image: her.png\n", "", r"field image: it is missing; add it"),
        ("shots:", "shots: [", r"not valid YAML at line \d+"),
        ("version: 1", "version: 2", r"field version"),
    ],
)
def test_faults_of_an_edited_file_are_named(old: str, new: str, message: str) -> None:
    text = to_yaml(story())
    assert old in text
    with pytest.raises(UserError, match=message) as caught:
        from_yaml(text.replace(old, new))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "a: &a [*a]", "\x00", "12", "!!python/object:os.system {}", "- " * 5000])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        from_yaml(text)


def test_json_faults() -> None:
    with pytest.raises(UserError, match="not valid JSON at line 1"):
        from_json("{")
    with pytest.raises(UserError, match="field image"):
        from_json("{}")


def test_the_vocabulary_covers_every_name() -> None:
    for words, names in (
        (vocabulary.EMOTION_WORDS, EMOTIONS),
        (vocabulary.EMOTION_PHRASES, EMOTIONS),
        (vocabulary.OPPOSITE_EMOTIONS, EMOTIONS),
        (vocabulary.CAMERA_WORDS, CAMERA_MOVES),
        (vocabulary.OPPOSITE_CAMERAS, CAMERA_MOVES),
        (vocabulary.GESTURE_WORDS, GESTURES),
        (vocabulary.OPPOSITE_GESTURES, GESTURES),
    ):
        assert tuple(words) == names
    for opposites in (
        vocabulary.OPPOSITE_EMOTIONS,
        vocabulary.OPPOSITE_CAMERAS,
        vocabulary.OPPOSITE_GESTURES,
    ):
        assert all(name not in others and set(others) <= set(opposites) for name, others in opposites.items())
