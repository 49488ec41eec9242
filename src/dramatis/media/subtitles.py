"""Subtitles in and out: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dramatis.errors import UserError
from dramatis.media.files import check_input

SUBTITLE_SUFFIXES = (".srt", ".vtt")
MAX_BYTES = 20_000_000
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_VOICE = re.compile(r"^\s*<v(?:\.[\w.-]+)?\s+([^>]{1,80})>", re.IGNORECASE)
_NAMED = re.compile(r"^\s*(?:-\s*)?([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2}):\s+(?=\S)")
_TAG = re.compile(r"</?[a-zA-Z][^>]{0,200}>|\{\\[^}]{0,100}\}|<\d[\d:.]*>")


@dataclass(frozen=True)
class Cue:
    """A line of subtitles: start and stop in seconds, text, and the speaker if the file names one."""

    start: float
    stop: float
    text: str
    speaker: str | None = None


def read_subtitles(path: str | Path, names: Iterable[str] = ()) -> tuple[Cue, ...]:
    """The cues of a .srt or .vtt file in order of time. names: of the possible speakers, see `parse_subtitles`.

    Raises UserError for a file that cannot be read, is of another kind, or has wrong times.
    """
    path = check_input(path, "subtitles")
    if path.suffix.lower() not in SUBTITLE_SUFFIXES:
        raise UserError(f"The subtitles {path} end in {path.suffix!r}; give a .srt or .vtt file.")
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"The subtitles {path} have more than {MAX_BYTES // 10**6} MB; give a file of subtitles.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"The subtitles {path} are not in UTF-8; save them in that encoding.") from error
    cues = parse_subtitles(text, str(path), names)
    if not cues:
        raise UserError(f"The subtitles {path} hold no cue; give a .srt or .vtt file with times and text.")
    return cues


def parse_subtitles(text: str, name: str = "subtitles", names: Iterable[str] = ()) -> tuple[Cue, ...]:
    """Cues of SubRip or WebVTT text. Raises UserError that names the line of a wrong time.

    `Ann: ` before the words names their speaker, if it begins with a capital letter as names do. Any of `names` is
    recognised in lower and upper case, and the cue gets it as it is written there.
    """
    known = {name.casefold(): name for name in names}
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues, index = [], 0
    while index < len(lines):
        timing = _TIMING.match(lines[index])
        if "-->" in lines[index] and not timing:
            raise UserError(
                f"{name}, line {index + 1}: the times cannot be read; write them as 00:00:01,000 --> 00:00:02,500."
            )
        index += 1
        if not timing:
            continue
        start, stop = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        if stop <= start:
            raise UserError(f"{name}, line {index}: the cue ends before it begins; correct its times.")
        body = []
        while index < len(lines) and lines[index].strip() and not _TIMING.match(lines[index]):
            body.append(lines[index])
            index += 1
        words, speaker = _spoken(" ".join(body), known)
        if words:
            cues.append(Cue(start, stop, words, speaker))
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.stop)))


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip text."""
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.stop, ',')}\n{_line(cue)}\n"
        for number, cue in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT text."""
    blocks = []
    for cue in cues:
        voice = f"<v {html.escape(cue.speaker, quote=False)}>" if cue.speaker else ""
        text = html.escape(" ".join(cue.text.split()), quote=False)
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.stop, '.')}\n{voice}{text}\n")
    return "\n".join(["WEBVTT\n", *blocks])


def captions(words: Iterable[tuple[str, float, float]], longest: float = 4.0, most: int = 42) -> tuple[Cue, ...]:
    """Words (text, start, stop in seconds) as lines that end at pauses and full stops.

    longest: most seconds of a line. most: most characters of a line.
    """
    cues: list[Cue] = []
    line: list[tuple[str, float, float]] = []

    def close() -> None:
        if line:
            cues.append(Cue(line[0][1], line[-1][2], " ".join(word for word, _, _ in line)))
            line.clear()

    for word in words:
        text = " ".join([*(part for part, _, _ in line), word[0]])
        if line and (len(text) > most or word[2] - line[0][1] > longest or word[1] - line[-1][2] > 0.6):
            close()
        line.append(word)
        if word[0].endswith((".", "!", "?", "。", "！", "？")):
            close()
    close()
    return tuple(cues)


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _spoken(text: str, known: Mapping[str, str]) -> tuple[str, str | None]:
    """Text without markup, and its speaker: `<v Ann>` in WebVTT, `Ann: ` before the words in either format.

    known: names by their case-folded form.
    """
    voice = _VOICE.match(text)
    speaker = voice.group(1).strip() if voice else None
    text = html.unescape(_TAG.sub("", text[voice.end() :] if voice else text))
    before, _, after = text.partition(":")
    if speaker is None and (name := known.get(before.strip().removeprefix("-").strip().casefold())):
        speaker, text = name, after
    elif speaker is None and (named := _NAMED.match(text)):
        speaker, text = named.group(1), text[named.end() :]
    return " ".join(text.split()), speaker and known.get(speaker.casefold(), speaker)


def _clock(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _line(cue: Cue) -> str:
    text = " ".join(cue.text.split())
    return f"{cue.speaker}: {text}" if cue.speaker else text
