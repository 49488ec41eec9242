"""When a clause says that something happens."""

from __future__ import annotations

import re

from dramatis.director.language.lexicon import lexicon


def start_time(fragment: str) -> tuple[float, bool] | None:
    """When a clause says that something happens: (seconds, True) or (share of the video, False), if it does."""
    words = lexicon()
    if match := words.at_time.search(fragment):
        return _seconds(match), True
    if words.at_end.search(fragment):
        return 0.75, False
    if words.from_half.search(fragment):
        return 0.5, False
    if words.at_middle.search(fragment):
        return 0.4, False  # early enough for the middle to lie well inside
    return None


def _seconds(match: re.Match[str]) -> float:
    """The seconds that a time in words stands for."""
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    if "minutes" in groups:
        return 60.0 * int(groups["minutes"]) + int(groups["rest"])
    [(unit, count)] = groups.items()
    return float(lexicon().numbers.get(count, count)) * (60.0 if unit.startswith("minute_") else 1.0)


def without_times(fragment: str) -> str:
    """The clause without its expressions of time."""
    words = lexicon()
    for pattern in (words.at_end, words.at_start, words.at_middle, words.from_half, words.at_time):
        fragment = pattern.sub("", fragment)
    return re.sub(r" +", " ", fragment).strip()


def ends_with_time(fragment: str, stop: int) -> bool:
    """Whether a clause says when something happens only after saying what, which ends at character `stop`."""
    words = lexicon()
    patterns = (words.at_end, words.at_middle, words.from_half, words.at_time)
    ends = [match.end() for pattern in patterns for match in pattern.finditer(fragment)]
    return bool(ends) and max(ends) > stop
