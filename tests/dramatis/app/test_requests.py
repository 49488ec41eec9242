"""What users ask for: options of the command line and keyword arguments become values."""

from __future__ import annotations

from pathlib import Path

import pytest

from dramatis.app.requests import CharacterRequest, PlanRequest, read_characters, request_from_options
from dramatis.errors import UserError


def test_options_are_read() -> None:
    (one,) = read_characters(["name=Ann,image=my,crop.png,audio=x.wav,box=1:2:3.5:4,point=0.5:0.25,at=2"])
    assert one == CharacterRequest("Ann", Path("my,crop.png"), Path("x.wav"), (1, 2, 3.5, 4), (0.5, 0.25), "2")
    assert one.says_who
    assert not CharacterRequest("Ann", audio=Path("x.wav")).says_who


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["ann"], "has no .ann. to set"),
        (["name=ann,voice=a.wav"], "has no 'voice' to set; it takes name, image, audio"),
        (["name=ann,at="], "lacks its at"),
        (["at=1"], "lacks its name"),
        (["name=ann,at=1,at=2"], "says one thing twice"),
        (["name=ann,box=1:2:3"], "write box=x0:y0:x1:y1 in pixels or shares"),
        (["name=ann,point=nan:1"], "write point=x:y"),
        (["name=a:b"], "has a colon"),
        (["name=" + "a" * 50], "over 40 letters"),
        (["name=ann", "name=Ann"], "Two characters are called 'Ann'; give one of them another name"),
    ],
)
def test_options_that_cannot_be_read(options: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(")) as refused:
        read_characters(options)
    assert "\n" not in str(refused.value)


def test_requests_are_taken_as_they_are() -> None:
    ann = CharacterRequest("ann", at="left")
    assert read_characters([ann, "name=bob,at=right"]) == (ann, CharacterRequest("bob", at="right"))
    with pytest.raises(UserError, match="Two characters are called 'Ann'"):
        read_characters([ann, "name=Ann"])


def test_keyword_arguments_become_a_request() -> None:
    assert request_from_options("her.png") == PlanRequest(Path("her.png"))
    request = request_from_options(
        "two.png",
        "mixed.wav",
        "ann is sad",
        {
            "characters": ["name=ann"],
            "subtitles": "turns.srt",
            "recogniser": None,
            "llm_experts": ["visual=eye"],
            "output": "o.mp4",
            "seed": 3,
        },
    )
    assert request == PlanRequest(
        Path("two.png"),
        Path("mixed.wav"),
        "ann is sad",
        seed=3,
        characters=(CharacterRequest("ann"),),
        subtitles=Path("turns.srt"),
        llm_experts=("visual=eye",),
        output=Path("o.mp4"),
    )
    assert hash(request), "a request can name a job"
