"""Compiles phrases, written for people, into regular expressions.

The notation, one sign at a time:

    smil(e|es|ing)       one of these
    smile[s]             may be there or not; of several, [s|d], one
    ( or _)...           any number of times, or not at all
    _                    a word, or the rest of one: pan_ is any longer word that begins with "pan"
    *                    as `_`, or nothing: pan* is "pan" as well
    _2                   up to two words, as few as possible
     ~2                  up to two words between two others, none of which belongs to another motion (`stops`)
     ~2!                 the same, and none of which goes round somebody (`turns`)
    .                    a word ends or begins here
    {not: of}            what follows does not begin with " of"; everything after the colon counts, blanks too
    {then: |<pause>}     what follows begins so
    {not after:by }      what stands before does not end so
    <camera>             a part or a verb that the language's file defines under that name
    @head goes{way: up}  a frame that the file defines, with its open parts filled in
    \\.                   the sign itself
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\\(?P<literal>.)|<(?P<part>[^<>]+)>| ~(?P<gap>\d)(?P<straight>!?) |_(?P<words>\d) |(?P<repeat>\.\.\.)|"
    r"\{(?P<look>not after|not|then):|(?P<sign>[()\[\]|}._*])|(?P<plain>.)",
    re.DOTALL,
)
_SIGNS = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|", "}": ")", ".": r"\b", "_": r"\w+", "*": r"\w*"}
_LOOKS = {"not": "(?!", "then": "(?=", "not after": "(?<!"}
_FRAME = re.compile(r"@(?P<name>[^{]+)\{(?P<filled>.*)\}$")
_BUILT_IN = {"end": "$", "pause": r"(?:$|[,.;])", "alone": r"(?: *$|:)", "direction": r"(?P<way>left|right|up|down)"}
"""Parts that are punctuation, or that the program reads by name."""


@dataclass(frozen=True)
class PhraseCompiler:
    """One language's parts.

    parts, frames: phrases by name; a frame leaves some of its parts open. verbs: their stems by name, to which any of
    `verb_endings` may be added. stops, turns: words that do not stand in a gap, see the notation above.
    """

    parts: Mapping[str, str]
    verbs: Mapping[str, str]
    frames: Mapping[str, str]
    verb_endings: str
    stops: str
    turns: str

    @classmethod
    def of(cls, language: Mapping[str, Any]) -> PhraseCompiler:
        """The compiler for a language's file."""
        gaps = language.get("gaps", {})
        return cls(
            parts=language.get("parts", {}),
            verbs=language.get("verbs", {}),
            frames=language.get("frames", {}),
            verb_endings=language.get("verb endings", ""),
            stops=gaps.get("stops", ""),
            turns=gaps.get("turns", ""),
        )

    def alternatives(self, phrases: str, filled: Mapping[str, str] | None = None) -> str:
        """A regular expression for any of the phrases, the first that fits; they are separated by commas.

        filled: regular expressions for the open parts of a frame.
        """
        return "|".join(self._phrase(phrase, filled or {}) for phrase in split_phrases(phrases))

    def _phrase(self, phrase: str, filled: Mapping[str, str]) -> str:
        if frame := _FRAME.match(phrase):
            parts = (part.split(": ", 1) for part in frame["filled"].split("; "))
            given = {name: self._phrase(phrase, filled) for name, phrase in parts}
            return self.alternatives(self.frames[frame["name"]], given)
        return "".join(self._tokens(phrase, filled))

    def _tokens(self, phrase: str, filled: Mapping[str, str]) -> Iterator[str]:
        for token in _TOKEN.finditer(phrase):
            kind, text = str(token.lastgroup), token[str(token.lastgroup)]
            if kind == "part":
                yield self._part(text, filled)
            elif kind == "straight":
                yield self._gap(int(token["gap"]), self.stops + (f", {self.turns}" if text else ""))
            elif kind == "words":
                yield rf"(?:\w+ ){{0,{text}}}?"
            elif kind == "repeat":
                yield "*"
            elif kind == "look":
                yield _LOOKS[text]
            elif kind == "sign":
                yield _SIGNS[text]
            else:
                yield re.escape(text)

    def _part(self, name: str, filled: Mapping[str, str]) -> str:
        if name in filled:
            return f"(?:{filled[name]})"
        if name in self.parts:
            return f"(?:{self.alternatives(self.parts[name])})"
        if name in self.verbs:
            return rf"(?:{'|'.join(self.verbs[name].split())})(?:{self.alternatives(self.verb_endings)})?"
        return _BUILT_IN[name]

    def _gap(self, words: int, stops: str) -> str:
        return rf"(?:[ -]+(?!(?:{self.alternatives(stops)})\b)[\w']+){{0,{words}}}?[ -]+"


def split_phrases(text: str) -> list[str]:
    """The phrases of a list, which may run over several lines; a long one is broken after `|` or instead of a blank."""
    line = re.sub(r"\|\n\s*", "|", text)
    return re.sub(r"\s*\n\s*", " ", line.strip()).split(", ")
