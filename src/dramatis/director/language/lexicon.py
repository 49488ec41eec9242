"""The lexicon: every phrase that the rules know, read from one file a language and compiled once, on first use.

The phrases are data (`en.yaml`, `zh.yaml`, and `signs.yaml` for what needs no language); this module says where they
have to stand. English has blanks between words and Mandarin has none, so most shapes exist twice. Longer readings win
over shorter ones ("camera tilts up" over "looks up"), so a phrase may be generous.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from dramatis.director.language.phrases import PhraseCompiler
from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES

CueKind = Literal["emotion", "camera", "gesture", "sound", "words"]
Pattern = re.Pattern[str]

_LANGUAGES = ("en", "zh", "signs")
WEAK, STRONG = 0.3, 0.9
"""Amounts that adverbs of degree stand for."""
_CUE_NAMES: tuple[tuple[CueKind, str, tuple[str, ...]], ...] = (
    ("emotion", "emotions", EMOTIONS),
    ("camera", "camera", CAMERA_MOVES),
    ("gesture", "gestures", GESTURES),
    ("sound", "sounds", ("singing", "pause")),
)
_TOPICS = ("glasses", "beard", "hands", "people", "dark", "bright")
_MANNERS = ("whisper", "shout", "ask")

# Shapes, with a percent sign for the phrases: in languages that are written with blanks, and in those without.
_ANYWHERE = (r"\b(?:%)\b", "(?:%)")
_INSIDE_WORDS = ("(?:%)", "(?:%)")
_OPENING = (r"^\W*(?:%)", r"^\W*(?:%)")
_OPENING_WORD = (r"^\W*(?:%)\b", r"^\W*(?:%)")
_WHOLE_CLAUSE = (r"^\W*(?:%)\W*$", r"^\W*(?:%)\W*$")
_NEGATED = (r"\b(?:%)\b(?:[ -]+(?!but\b|just\b|only\b)[\w']+){0,3}[ -]*$", "(?:%)[^,。]{0,3}$")
_REFUSED = (r"^(?:%) (?P<words>[^\W\d_].{2,60})$", "^(?:%)(?P<signs>.{1,30})$")
_DEGREE_BEFORE = (r"\W*\b(?:%)\b(?:\W+[\w']+){0,2}\W*$", "(?:%)[^,。]{0,2}$")
_DEGREE_AFTER = (r"^\W+(?:[\w']+\W+)?(?:%)\b", "")
_ONLY_A_TIME = (r"^\W*(?:(?:%|\d[.)]?) *)+\W*$", "")
_DECOR = (r"(?:%)\b", "")
_DEPICTED = (r"(?:%)(?:[\w-]+ ){0,3}$", "")
_BESIDE = (r"^\W*(?:%)\b.{0,60}$", "")


@dataclass(frozen=True)
class Lexicon:
    """Compiled patterns over folded text, see `dramatis.director.language.cues.fold`."""

    cues: tuple[tuple[CueKind, str, Pattern], ...]
    topics: tuple[tuple[str, Pattern], ...]
    """What only the picture can show."""
    manners: tuple[tuple[str, Pattern], ...]
    """How a voice may speak; what is heard cannot be changed."""
    degrees: tuple[tuple[float, Pattern, Pattern], ...]
    """(amount, before what it qualifies, after it), the weak ones first."""
    strong_in_itself: Pattern
    negated: Pattern
    """At the end of the text before a cue: the cue is refused."""
    refused_clause: Pattern
    """A clause that refuses something for which there is no name here."""
    refused_too: Pattern
    """Between two cues: the second is refused as the first is."""
    repeated: Pattern
    still: Pattern
    hedged: Pattern
    split: Pattern
    """What ends a clause; the group `stop` ends a sentence as well."""
    joint: Pattern
    """The blank before "and"."""
    first: Pattern
    then: Pattern
    becomes: Pattern
    at_start: Pattern
    """What is said so belongs to the beginning, wherever it stands in the prompt; so does what holds for "the rest"."""
    at_middle: Pattern
    from_half: Pattern
    at_end: Pattern
    at_time: Pattern
    """One group that begins with `second_` or `minute_` holds a number, or `minutes` and `rest` a time such as 1:05."""
    whole: Pattern
    """What is said so holds for the whole video."""
    only_a_time: Pattern
    after: Pattern
    other_way: Pattern
    """A clause that only gives a direction (group `way`) for a motion named before."""
    at_once: Pattern
    decor: Pattern
    """Right after a cue: a thing that may be sad or happy without anybody being so."""
    depicted: Pattern
    """Right before a cue: a picture, or a thing beside somebody."""
    woman: Pattern
    man: Pattern
    all_of_them: Pattern
    others: Pattern
    already_named: Pattern
    """A sentence that continues with whomever the one before named."""
    numbers: Mapping[str, float]


@cache
def lexicon() -> Lexicon:
    """The lexicon of all languages."""
    return _Builder().lexicon()


class _Builder:
    """Joins the phrases of all languages into one pattern for each purpose."""

    def __init__(self) -> None:
        self._files: list[tuple[dict[str, Any], PhraseCompiler]] = []
        self._numbers: dict[str, float] = {}
        for name in _LANGUAGES:
            text = (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8")
            data = yaml.safe_load(text)
            self._files.append((data, PhraseCompiler.of(data)))
            self._numbers |= data.get("numbers", {})
        self._read: set[tuple[str, ...]] = set()

    def lexicon(self) -> Lexicon:
        """Everything, compiled. Raises ValueError where a file has a section that nothing reads: a slip of the pen."""
        built = self._build()
        for name, (data, _) in zip(_LANGUAGES, self._files, strict=True):
            unread = _sections(data) - self._read
            if unread:
                raise ValueError(f"{name}.yaml: nothing reads {sorted(unread)}; correct the name.")
        return built

    def _build(self) -> Lexicon:
        word = self._pattern
        return Lexicon(
            cues=tuple(
                (kind, name, self._bounded(section, name)) for kind, section, names in _CUE_NAMES for name in names
            ),
            topics=tuple((name, self._bounded("mentions", name)) for name in _TOPICS),
            manners=tuple((name, self._bounded("manners", name)) for name in _MANNERS),
            degrees=tuple(
                (amount, word(_DEGREE_BEFORE, name), word(_DEGREE_AFTER, name))
                for amount, name in ((WEAK, "weak"), (STRONG, "strong"))
            ),
            strong_in_itself=word(_INSIDE_WORDS, "strong in itself"),
            negated=word(_NEGATED, "refusals"),
            refused_clause=word(_REFUSED, "refused things"),
            refused_too=word(_WHOLE_CLAUSE, "refused too"),
            repeated=word(_ANYWHERE, "repeated"),
            still=word(_ANYWHERE, "still"),
            hedged=word(_ANYWHERE, "perhaps"),
            split=self._split(),
            joint=re.compile(f" (?=(?:{self._shaped(_INSIDE_WORDS, 'and')}) )"),
            first=word(_OPENING, "first"),
            then=word(_OPENING, "then"),
            becomes=word(_ANYWHERE, "becomes"),
            at_start=self._either((_ANYWHERE, "at the start"), (_OPENING_WORD, "start headings")),
            at_middle=self._either((_ANYWHERE, "in the middle"), (_OPENING_WORD, "middle headings")),
            from_half=word(_ANYWHERE, "in the second half"),
            at_end=self._either((_ANYWHERE, "at the end"), (_OPENING_WORD, "end headings")),
            at_time=self._at_time(),
            whole=word(_ANYWHERE, "throughout"),
            only_a_time=word(_ONLY_A_TIME, "only a time"),
            after=word(_ANYWHERE, "once it is over"),
            other_way=word(_WHOLE_CLAUSE, "other way"),
            at_once=word(_ANYWHERE, "at once"),
            decor=word(_DECOR, "things with moods"),
            depicted=self._either((_DEPICTED, "pictures of"), (_BESIDE, "things beside")),
            woman=word(_ANYWHERE, "woman"),
            man=word(_ANYWHERE, "man"),
            all_of_them=word(_ANYWHERE, "all of them"),
            others=word(_ANYWHERE, "the others"),
            already_named=word(_OPENING_WORD, "goes on"),
            numbers=self._numbers,
        )

    def _phrases(self, *section: str, spaced: bool) -> str:
        """The phrases of a section, such as ("emotions", "happy"); "" if no file has any.

        spaced: of the languages that are written with blanks, or else of all others.
        """
        regexes = []
        self._read.add(section)
        for data, compiler in self._files:
            phrases: Any = data
            for name in section:
                phrases = phrases.get(name, {})
            if phrases and data["written with blanks"] == spaced:
                regexes.append(compiler.alternatives(phrases))
        return "|".join(regexes)

    def _shaped(self, shape: tuple[str, str], *section: str) -> str:
        """The phrases of all languages in the shape of each, as one regular expression."""
        pairs = (
            (frame, self._phrases(*section, spaced=spaced)) for frame, spaced in zip(shape, (True, False), strict=True)
        )
        return "|".join(frame.replace("%", phrases) for frame, phrases in pairs if frame and phrases)

    def _pattern(self, shape: tuple[str, str], *section: str) -> Pattern:
        return re.compile(self._shaped(shape, *section))

    def _either(self, *shapes: tuple[tuple[str, str], str]) -> Pattern:
        return re.compile("|".join(self._shaped(shape, section) for shape, section in shapes))

    def _bounded(self, *section: str) -> Pattern:
        # Mandarin and emoji have no word borders; for them the look-arounds only ask that no Latin letter adjoins.
        return re.compile(rf"(?<![a-z])(?:{self._shaped(_INSIDE_WORDS, *section)})(?![a-z])")

    def _split(self) -> Pattern:
        return re.compile(
            r"(?P<stop>[.!?;。！？；\n]+)|,|、|，|:(?= )|(?=(?:^|\s)\d[.)] ?(?=\D))|"
            rf"{self._shaped(_ANYWHERE, 'separators')}|(?={self._shaped(_ANYWHERE, 'openers')})|"
            rf"(?<=\w) (?={self._shaped(_ANYWHERE, 'openers within')})"
        )

    def _at_time(self) -> Pattern:
        number = rf"\d+(?:\.\d+)?|{'|'.join(self._numbers)}"

        def counted(kind: str, blank: str, *, spaced: bool) -> str:
            units = ((unit, self._phrases("units", unit, spaced=spaced)) for unit in ("second", "minute"))
            return "|".join(rf"(?P<{unit}_{kind}>{number}){blank}(?:{phrases})" for unit, phrases in units)

        after, at_second, at_clock = (self._phrases(name, spaced=True) for name in ("after", "at second", "at clock"))
        later = self._phrases("later", spaced=False)
        short = rf"(?P<second_short>{number})[ -]?(?:(?<=\d)|(?<=\d ))s"
        return re.compile(
            rf"\b(?:{after}) (?:{short}|{counted('words', '[ -]?', spaced=True)})\b|"
            rf"\b(?:{at_second}) (?P<second_named>\d+(?:\.\d+)?)|"
            rf"(?:{counted('signs', ' ?', spaced=False)})(?:{later})|"
            rf"\b(?:{at_clock}) (?P<minutes>\d+):(?P<rest>\d\d)\b"
        )


def _sections(data: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """The paths of all lists of phrases in a language's file."""
    other = {"written with blanks", "numbers", "parts", "verbs", "frames", "verb endings", "gaps"}
    paths: set[tuple[str, ...]] = set()
    for name, phrases in data.items():
        if name not in other:
            paths |= {(name, inner) for inner in phrases} if isinstance(phrases, dict) else {(name,)}
    return paths
