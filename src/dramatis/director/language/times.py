"""When a clause says that it happens."""

from __future__ import annotations

import re

from dramatis.director.language.lexicon import AT_END, AT_MIDDLE, AT_SECOND, AT_START, FROM_HALF, NUMBERS


def start_time(fragment: str) -> tuple[float, bool] | None:
    """When a clause says that it happens: (seconds, True) or (share of the video, False)."""
    if match := AT_SECOND.search(fragment):
        return _seconds(match), True
    if AT_END.search(fragment):
        return 0.75, False
    if FROM_HALF.search(fragment):
        return 0.5, False
    if AT_MIDDLE.search(fragment):
        return 0.4, False  # so that the middle lies well inside
    return None


def _seconds(match: re.Match[str]) -> float:
    """The seconds that a time in words stands for."""
    if match["minute"]:
        return 60.0 * int(match["minute"]) + int(match["rest"])
    if match["second"]:
        return float(match["second"])
    count, unit = match["count"] or match["zh"], match["unit"] or match["zh_unit"]
    number = float(NUMBERS.get(count, count))
    return number * (60.0 if unit.startswith(("min", "分")) else 1.0)


def without_times(fragment: str) -> str:
    """The clause without its words for when."""
    for pattern in (AT_END, AT_START, AT_MIDDLE, FROM_HALF, AT_SECOND):
        fragment = pattern.sub("", fragment)
    return re.sub(r" +", " ", fragment).strip()


def ends_with_time(fragment: str, stop: int) -> bool:
    """Whether a clause says when it happens after what happens, which ends at `stop`."""
    ends = [
        match.end() for pattern in (AT_END, AT_MIDDLE, FROM_HALF, AT_SECOND) for match in pattern.finditer(fragment)
    ]
    return bool(ends) and max(ends) > stop
