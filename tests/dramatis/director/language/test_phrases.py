"""The notation of phrases: every sign means what the head of the module says."""

from __future__ import annotations

import re

import pytest

from dramatis.director.language.phrases import PhraseCompiler, split_phrases

COMPILER = PhraseCompiler(
    parts={"camera": "camera, cam", "left": "left[ward[s]]"},
    verbs={"go": "mov pan"},
    frames={"goes": "<camera> ~2 <go> <way>."},
    verb_endings="s, es, ing, ning",
    stops="no, not, left*",
    turns="[a]round",
)


@pytest.mark.parametrize(
    ("phrases", "fits", "fails"),
    [
        ("smil(e|es|ing)", ["smile", "smiling"], ["smil", "smiled"]),
        ("smile[s|d]", ["smile", "smiles", "smiled"], ["smil"]),
        ("( very)... good", [" good", " very very good"], ["very"]),
        ("pan_", ["pans"], ["pan"]),
        ("pan*", ["pan", "pans"], ["pa"]),
        ("so _2 glad", ["so glad", "so very very glad"], ["so very very very glad"]),
        ("cam ~2 up", ["cam up", "cam goes up", "cam-goes slowly up"], ["cam not up", "cam a b c up"]),
        ("cam ~1! up", ["cam goes up"], ["cam around up", "cam no up"]),
        ("cam ~1 up", ["cam around up"], []),
        ("warm{not: light}", ["warm", "warmlight"], ["warm light"]),
        ("hurt{then: |<pause>}", ["hurt", "hurt,"], ["hurts"]),
        ("{not after:by }hand", ["hand", "a hand"], ["by hand"]),
        ("<camera>", ["camera", "cam"], ["lens"]),
        ("<go>", ["moves", "panning", "pan"], ["panned"]),
        ("@goes{way: <left>}", ["cam slowly pans leftwards"], ["cam pans leftish"]),
        (r"1\., 2\)", ["1.", "2)"], ["1", "11"]),
        ("a, b c", ["a", "b c"], ["c"]),
    ],
)
def test_signs(phrases: str, fits: list[str], fails: list[str]) -> None:
    pattern = re.compile(COMPILER.alternatives(phrases))
    for text in fits:
        assert pattern.search(text), text
    for text in fails:
        match = pattern.search(text)
        assert match is None or match.group() != text, text


def test_lists_run_over_lines() -> None:
    assert split_phrases("one, two\n  words, th(r|\n  ee)\n") == ["one", "two words", "th(r|ee)"]


def test_an_unknown_part_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        COMPILER.alternatives("<nobody>")
