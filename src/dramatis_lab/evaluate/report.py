"""A table of results that remembers, for every row, which command measured it, when, where and on which weights.

Long rows are measured on their own: a later run replaces its own rows and leaves the others as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dramatis.runtime.files import write_whole

NOT_RUN = "not run"


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is printed; `passed` and `aimed` compare it with the two bars.

    figures: what the value was made from.
    """

    name: str
    value: str
    least: str = ""
    aim: str = ""
    passed: bool | None = None
    aimed: bool | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The verdict in words."""
        if self.value == NOT_RUN or self.passed is None:
            return "-"
        return "**failing**" if not self.passed else "aim reached" if self.aimed else "passes"


def judged_row(
    name: str,
    value: str,
    least: str,
    aim: str,
    passed: bool,  # noqa: FBT001 - the two verdicts follow the two bars
    aimed: bool,  # noqa: FBT001
    figures: Mapping[str, Any] | None = None,
) -> Row:
    """A row with bars; only what passes can reach the aim."""
    return Row(name, value, least, aim, bool(passed), bool(passed and aimed), dict(figures or {}))


def unmeasured_row(name: str, least: str = "", aim: str = "") -> Row:
    """A row that this run did not measure."""
    return Row(name, NOT_RUN, least, aim)


@dataclass(frozen=True)
class BenchmarkRun:
    """One call of the benchmark. weights: the first letters of the model's fingerprint."""

    command: str
    date: str
    machine: str
    weights: str


@dataclass(frozen=True)
class Entry:
    """A row of the stored table: its group, and the run that measured it (None: no run yet)."""

    group: str
    row: Row
    run: BenchmarkRun | None


def merge(stored: Sequence[Entry], new: Sequence[Entry], groups: Sequence[str]) -> list[Entry]:
    """The stored table with the new rows in it, ordered by group.

    A group that was measured keeps nothing of its older rows, except where the new run left a row of that name out.
    Groups that are unknown are dropped, and those never measured are named as such.
    """
    older = {(entry.group, entry.row.name): entry for entry in stored}
    measured = {entry.group for entry in new}
    out: list[Entry] = []
    for group in groups:
        rows = [entry for entry in (new if group in measured else stored) if entry.group == group]
        if group in measured:
            rows = [e if e.row.value != NOT_RUN else older.get((group, e.row.name), replace(e, run=None)) for e in rows]
        out += rows or [Entry(group, unmeasured_row(group), None)]
    return out


def load_entries(path: Path) -> list[Entry]:
    """What `save_entries` wrote; nothing where there is no file."""
    if not path.exists():
        return []
    value = json.loads(path.read_text(encoding="utf-8"))
    runs = [BenchmarkRun(**run) for run in value["runs"]]
    entries = []
    for item in value["rows"]:
        group, number = item.pop("group"), item.pop("run")
        entries.append(Entry(group, Row(**item), None if number is None else runs[number]))
    return entries


def save_entries(entries: Sequence[Entry], path: Path) -> None:
    """All rows and figures as JSON."""
    runs = runs_of(entries)
    rows = [
        {"group": entry.group, "run": None if entry.run is None else runs.index(entry.run), **asdict(entry.row)}
        for entry in entries
    ]
    write_whole(path, json.dumps({"runs": [asdict(run) for run in runs], "rows": rows}, indent=1) + "\n")


def runs_of(entries: Sequence[Entry]) -> list[BenchmarkRun]:
    """The runs that measured them, each once, in order of appearance."""
    return list(dict.fromkeys(entry.run for entry in entries if entry.run is not None))


def markdown(entries: Sequence[Entry], runs: Sequence[BenchmarkRun]) -> str:
    """The rows as a table; the last column is the number of the run in `runs`, from 1."""
    lines = ["| | measured | at least | aim | | run |", "|---|---|---|---|---|---|"]
    for entry in entries:
        row = entry.row
        number = "" if entry.run is None else str(runs.index(entry.run) + 1)
        lines.append(f"| {row.name} | {row.value} | {row.least} | {row.aim} | {row.mark} | {number} |")
    return "\n".join(lines)


def legend(runs: Sequence[BenchmarkRun]) -> str:
    """The runs as a numbered list."""
    return "\n".join(
        f"{number}. `{run.command}`, {run.date}, {run.machine}, weights {run.weights}"
        for number, run in enumerate(runs, start=1)
    )
