"""Subtitles survive both formats, tell who speaks, and say which line is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatis.errors import UserError
from dramatis.media.subtitles import Cue, captions, parse_subtitles, read_subtitles, to_srt, to_vtt

SRT = """1
00:00:00,500 --> 00:00:01,900
Ann: Hello, <i>you</i>.

2
00:00:02,000 --> 00:01:02,040
- Bob: R&amp;D?
It is late.
"""
VTT = """WEBVTT - a title

NOTE a comment

intro
00:00.500 --> 00:01.900 align:start
<v.loud Ann>Hello, <i>you</i>.</v>

00:02.000 --> 01:02.040
<v Bob>R&amp;D? It is <00:03.000>late.
"""
WANTED = (Cue(0.5, 1.9, "Hello, you.", "Ann"), Cue(2.0, 62.04, "R&D? It is late.", "Bob"))

CUES = st.lists(
    st.tuples(
        st.integers(0, 3_599_000),
        st.integers(1, 9_000),
        st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=9),
        st.sampled_from([None, "Ann", "Mr. O'Neil"]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("text", [SRT, VTT, SRT.replace("\n", "\r\n"), VTT.replace("\n", "\r")])
def test_both_formats_are_read(text: str) -> None:
    assert parse_subtitles(text) == WANTED


@given(CUES)
def test_what_is_written_is_read_back(rows: list[tuple[int, int, str, str | None]]) -> None:
    cues = sorted(
        (Cue(start / 1000, (start + length) / 1000, text, who) for start, length, text, who in rows),
        key=lambda cue: (cue.start, cue.stop),
    )
    for text in (to_srt(cues), to_vtt(cues)):
        back = parse_subtitles(text)
        assert [(c.text, c.speaker) for c in back] == [(c.text, c.speaker) for c in cues]
        for read, written in zip(back, cues, strict=True):
            assert abs(read.start - written.start) < 2e-3
            assert abs(read.stop - written.stop) < 2e-3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\n00:00:02,000 -> 00:00:01,000 --> x\nhello\n", "line 2"),
        ("1\n00:00:02,000 --> 00:00:01,000\nhello\n", "ends before"),
    ],
)
def test_wrong_times_name_their_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_subtitles(text)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"x", r"\.srt or \.vtt"),
        ("a.srt", b"\xff\xfe\x00", "UTF-8"),
        ("a.srt", b"nothing here", "no cue"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=words):
        read_subtitles(tmp_path / name)
    with pytest.raises(UserError):
        read_subtitles(tmp_path / "missing.srt")


def test_captions_break_at_pauses_stops_and_length() -> None:
    words = [("one", 0.0, 0.3), ("two.", 0.3, 0.6), ("three", 0.7, 1.0), ("four", 2.0, 2.3)]
    assert [cue.text for cue in captions(words)] == ["one two.", "three", "four"]
    long = [("word", 0.3 * k, 0.3 * k + 0.25) for k in range(60)]
    cues = captions(long)
    assert all(len(cue.text) <= 42 and cue.stop - cue.start <= 4 for cue in cues)
    assert sum(len(cue.text.split()) for cue in cues) == 60


def test_known_names_are_read_in_any_letters_and_given_as_they_are_known() -> None:
    text = SRT.replace("Ann:", "ann :").replace("- Bob:", "- BOB:") + "\n3\n00:02:00,000 --> 00:02:01,000\nso: we go\n"
    assert [cue.speaker for cue in parse_subtitles(text, names=("Ann", "bob"))] == ["Ann", "bob", None]
    assert [cue.speaker for cue in parse_subtitles(text)] == [None, "BOB", None]
    assert parse_subtitles(VTT, names=("ANN",))[0].speaker == "ANN"
