"""The page holds everything there is to see, loads nothing, and shows hostile words as words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from dramatis.app.storyline_page import sound_drawing, storyline_page
from dramatis.director import direct
from dramatis.story.observations import Mood, Word
from dramatis.story.storyline import Character, Storyline
from dramatis.story.values import FrameSpan
from tests.dramatis.director.planning import observe, talk

HOSTILE = "<script>alert(1)</script> very happy & sad \u202e she nods \x1b[2J"


class Reader(HTMLParser):
    """Collects tags, attributes and text; HTML5 void elements need no end."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "tags are nested"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(prompt: str, frames: int = 300, thumbnails: bool = False) -> tuple[Storyline, Reader, str]:
    mood = Mood(span=FrameSpan(0, 40), arousal=0.9, emotion="angry", confidence=0.25)
    word = Word(text="<b>hi</b>", span=FrameSpan(10, 20))
    heard = observe(frames).model_copy(update={"moods": (mood,), "words": (word,)})
    storyline = direct(heard, prompt, image="a.png", audio="b.wav")
    text = storyline_page(storyline, heard, [b"png"] * len(storyline.shots) if thumbnails else ())
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return storyline, reader, text


def test_everything_is_on_it() -> None:
    storyline, reader, _ = page("happy and sad, she nods, slow push-in", thumbnails=True)
    words = " ".join("".join(reader.words).split())
    for shot in storyline.shots:
        assert shot.positive in words
        assert shot.negative in words
        assert all(moment.positive in words for moment in shot.moments)
    assert storyline.conflicts
    assert all(conflict.why in words for conflict in storyline.conflicts)
    assert all(turn.thought in words for turn in storyline.dialogue)
    assert "agitation 0.90: angry" in words
    assert len([tag for tag, _ in reader.tags if tag == "img"]) == len(storyline.shots)


def test_known_speakers_are_named_once_a_turn() -> None:
    heard = talk([("Ann", 60), ("Ann", 40), ("<b>Bob", 100), (None, 30), ("Ann", 80)])
    drawn = sound_drawing(direct(heard, "", image="a.png", audio="b.wav"), heard)
    assert drawn.count(">Ann<") == 2
    assert drawn.count(">&lt;b&gt;Bob<") == 1
    assert "speech &lt;b&gt;Bob" in drawn
    assert "<b>Bob" not in drawn


def test_it_loads_nothing() -> None:
    _, reader, text = page("warm", thumbnails=True)
    assert "default-src 'none'" in text
    sources = [value for _, attrs in reader.tags for name, value in attrs.items() if name in ("src", "href")]
    assert sources
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}


@pytest.mark.parametrize("prompt", [HOSTILE, '" onload="alert(1)', ""])
def test_hostile_words_are_shown_as_words(prompt: str) -> None:
    _, reader, text = page(prompt)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert "onload" not in {n for _, a in reader.tags for n in a}
    assert not re.search("[\u202e\x1b]", text)
    assert "<b>hi</b>"[:14] in "".join(reader.words)


def test_chapters_have_rows_of_their_own() -> None:
    storyline, reader, _ = page("first sad, then happy", frames=25 * 200)
    assert storyline.chapters
    words = " ".join("".join(reader.words).split())
    assert all(chapter.positive in words for chapter in storyline.chapters)


def test_several_people_each_have_a_lane_and_their_acting() -> None:
    heard = talk([("<Ann>", 60), ("Bob", 60)])
    cast = tuple(
        Character(name=name, face=(left, 0.2, left + 0.2, 0.6)) for name, left in (("<Ann>", 0.1), ("Bob", 0.6))
    )
    storyline = direct(heard, "bob nods", image="a.png", audio="b.wav", characters=cast)
    alone = direct(heard, "", image="a.png", audio="b.wav")
    drawn, plain = sound_drawing(storyline, heard), sound_drawing(alone, heard)
    assert drawn.count("Bob: speech") == drawn.count("&lt;Ann&gt;: speech") == 1
    assert 'viewBox="0 0 1000 182"' in drawn
    assert 'viewBox="0 0 1000 150"' in plain
    assert ": speech" not in plain
    assert "Bob: neutral, nod" in storyline_page(storyline, heard)
