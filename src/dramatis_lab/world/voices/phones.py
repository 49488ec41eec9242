"""One phone set for every speech engine: maps the labels of espeak-ng, flite and festival to the project's phones.

The engines label sounds in IPA, ARPAbet and SAMPA. The mouth needs far less than any of them tells, so all are reduced
to the few dozen ARPAbet-like symbols of `PHONES`; a diphthong becomes its two vowels, an affricate stays one sound, and
the silent closure before a stop belongs to the stop, since the lips are already shut in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

TimedPhone = tuple[float, float, str]
"""Start in seconds, end in seconds, symbol of PHONES."""

PAUSE = "pau"
VOWELS = (
    "aa", "ae", "ah", "ax", "ao", "eh", "ey", "er", "ih", "iy", "ow", "uh", "uw", "ue", "oe", "ix",
)  # fmt: skip
"""ue and oe are the rounded front vowels of French and German, ix the unrounded close vowels further back."""
STOPS = ("p", "b", "t", "d", "k", "g", "q", "ch", "jh", "ts")
CONSONANTS = (
    *STOPS, "m", "n", "ng", "f", "v", "th", "dh", "s", "z", "sh", "zh", "x", "h", "l", "r", "rr", "y", "w",
)  # fmt: skip
PHONES = (PAUSE, *VOWELS, *CONSONANTS)

_NUCLEUS_SHARE = 0.6
"""Part of a diphthong's time that its first vowel takes."""
_CLOSURE_S = 0.07
"""A silence shorter than this before a stop is the stop's closure, not a pause between words."""
_SHORTEST_S = 0.004

_IPA: dict[str, str] = {
    # As espeak-ng spells the retroflex sounds, the apical and unrounded vowels and the nasal of Mandarin.
    "ts.": "ch", "s.": "sh", "i.": "ix", "i̪": "ix", "o-": "ax", "ər": "er", "nɡ": "ng",
    "tʃ": "ch", "tɕ": "ch", "tʂ": "ch", "ts": "ts", "dʒ": "jh", "dʑ": "jh", "dʐ": "jh", "dz": "ts", "pf": "f",
    "ɑ": "aa", "a": "aa", "ɒ": "ao", "ɔ": "ao", "æ": "ae", "ʌ": "ah", "ɐ": "ah", "ə": "ax", "ɘ": "ax",
    "ɵ": "uh", "ɛ": "eh", "e": "ey", "ɜ": "er", "ɝ": "er", "ɚ": "er", "ɞ": "er", "ɪ": "ih", "ᵻ": "ih",
    "i": "iy", "ɨ": "ix", "ɯ": "ix", "ɤ": "ax", "o": "ow", "ʊ": "uh", "u": "uw", "ʉ": "ue", "y": "ue",
    "ʏ": "ue", "ø": "oe", "œ": "oe", "ɶ": "oe", "p": "p", "b": "b", "ɓ": "b", "ʙ": "b", "β": "v", "ɸ": "f",
    "m": "m", "ɱ": "m", "f": "f", "v": "v", "ʋ": "v", "θ": "th", "ð": "dh", "t": "t", "ʈ": "t", "d": "d",
    "ɖ": "d", "ɗ": "d", "c": "k", "ɟ": "g", "k": "k", "g": "g", "ɡ": "g", "ɠ": "g", "q": "k", "ɢ": "g",
    "ʔ": "q", "n": "n", "ɳ": "n", "ɲ": "n", "ŋ": "ng", "ɴ": "ng", "s": "s", "z": "z", "ɬ": "s", "ɮ": "z",
    "ʃ": "sh", "ʂ": "sh", "ɕ": "sh", "ʒ": "zh", "ʐ": "zh", "ʑ": "zh", "ç": "h", "ʝ": "y", "x": "x", "χ": "x",
    "ɣ": "x", "ħ": "h", "ʕ": "h", "h": "h", "ɦ": "h", "l": "l", "ɫ": "l", "ɭ": "l", "ʎ": "l", "ʟ": "l",
    "ɹ": "r", "ɻ": "r", "ʁ": "x", "ʀ": "x", "r": "rr", "ɾ": "rr", "ɽ": "rr", "j": "y", "ɥ": "w", "w": "w",
    "ʍ": "w", "ɰ": "x",
}  # fmt: skip

_ARPABET: dict[str, tuple[str, ...]] = {
    "aw": ("aa", "uh"), "ay": ("aa", "ih"), "oy": ("ao", "ih"), "ey": ("ey", "ih"), "ow": ("ow", "uh"),
    "axr": ("er",), "ix": ("ih",), "el": ("ax", "l"), "em": ("m",), "en": ("n",), "dx": ("rr",), "nx": ("n",),
    "hh": ("h",), "hv": ("h",), "pau": (PAUSE,), "h#": (PAUSE,), "brth": (PAUSE,), "#": (PAUSE,),
    "ssil": (PAUSE,),
}  # fmt: skip

_CATALAN: dict[str, tuple[str, ...]] = {
    "a": ("aa",), "e": ("ey",), "i": ("iy",), "o": ("ow",), "u": ("uw",), "E": ("eh",), "O": ("ao",),
    "ax": ("ax",), "j": ("y",), "J": ("n",), "L": ("l",), "N": ("ng",), "S": ("sh",), "Z": ("zh",),
    "tS": ("ch",), "dZ": ("jh",), "rr": ("rr",), "r": ("rr",), "#": (PAUSE,), "pau": (PAUSE,),
}  # fmt: skip


def from_ipa(symbol: str) -> tuple[str, ...]:
    """Phones of one IPA label such as 'tʃ', 'aɪ' or 'ɑː'; length, tone and other marks are dropped."""
    phones: list[str] = []
    at = 0
    while at < len(symbol):
        for width in (3, 2, 1):
            phone = _IPA.get(symbol[at : at + width]) or _IPA.get(_bare(symbol[at : at + width]))
            if phone is not None:
                # In a label with another consonant, a following h is aspiration and no sound of its own.
                if not (phone == "h" and phones and phones[-1] in STOPS):
                    phones.append(phone)
                at += width
                break
        else:
            at += 1
    if not phones and symbol == "ʲ":
        return ("y",)
    return tuple(phones) or (PAUSE,)


def _bare(symbol: str) -> str:
    """A single letter without its diacritics, as in 'ä'."""
    return unicodedata.normalize("NFD", symbol)[0] if len(symbol) == 1 else ""


def from_arpabet(symbol: str) -> tuple[str, ...]:
    """Phones of one label of the English festival and flite voices."""
    name = symbol.lower()
    if name in _ARPABET:
        return _ARPABET[name]
    return (name,) if name in PHONES else (PAUSE,)


def from_catalan(symbol: str) -> tuple[str, ...]:
    """Phones of one label of the Catalan festival voice, where a final 1 marks stress."""
    name = symbol.rstrip("1")
    if name in _CATALAN:
        return _CATALAN[name]
    return (name,) if name in PHONES else (PAUSE,)


def tidy_phones(labelled: Iterable[tuple[float, float, tuple[str, ...]]]) -> list[TimedPhone]:
    """Segments without gaps, slivers or stray closures, from labelled stretches of (start, end, phones)."""
    segments: list[TimedPhone] = []
    for start, end, phones in labelled:
        if end - start < _SHORTEST_S:
            continue
        segments.extend(_shared_out(start, end, phones))
    return _merged(_closures_given_to_stops(segments))


def _shared_out(start: float, end: float, phones: tuple[str, ...]) -> list[TimedPhone]:
    if len(phones) == 1:
        return [(start, end, phones[0])]
    first_end = start + _NUCLEUS_SHARE * (end - start)
    return [(start, first_end, phones[0]), *_shared_out(first_end, end, phones[1:])]


def _closures_given_to_stops(segments: list[TimedPhone]) -> list[TimedPhone]:
    kept: list[TimedPhone] = []
    for index, (start, end, phone) in enumerate(segments):
        following = segments[index + 1][2] if index + 1 < len(segments) else PAUSE
        if phone == PAUSE and kept and kept[-1][2] != PAUSE and end - start < _CLOSURE_S and following != PAUSE:
            if following in STOPS:
                segments[index + 1] = (start, segments[index + 1][1], following)
            else:
                kept[-1] = (kept[-1][0], end, kept[-1][2])
        else:
            kept.append((start, end, phone))
    return kept


def _merged(segments: list[TimedPhone]) -> list[TimedPhone]:
    merged: list[TimedPhone] = []
    for start, end, phone in segments:
        if merged and merged[-1][2] == phone == PAUSE:
            merged[-1] = (merged[-1][0], end, phone)
        else:
            merged.append((merged[-1][1] if merged else start, end, phone))
    return merged
