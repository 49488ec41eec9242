"""Progress: stages say how far they are, and reporters show it. Nothing that takes two seconds is silent."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


@dataclass(frozen=True)
class Progress:
    """How far a stage is.

    done, total: units. detail: what was finished last. elapsed: seconds so far. eta: seconds to go, None if unknown.
    """

    stage: str
    done: int
    total: int
    detail: str = ""
    elapsed: float = 0.0
    eta: float | None = None

    @property
    def finished(self) -> bool:
        return self.done >= self.total


class Reporter(Protocol):
    """Receives progress events; must be cheap."""

    def report(self, event: Progress) -> None: ...

    def close(self) -> None: ...


class NullReporter:
    """Shows nothing."""

    # The argument belongs to the protocol.
    def report(self, event: Progress) -> None:  # noqa: ARG002
        return None

    def close(self) -> None:
        return None


class PlainReporter:
    """Lines of text for logs and pipes: a stage's first and last event, and else one line every `interval` seconds."""

    def __init__(
        self,
        stream: IO[str] | None = None,
        interval: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._interval = interval
        self._clock = clock
        self._last: dict[str, float] = {}

    def report(self, event: Progress) -> None:
        now = self._clock()
        last = self._last.get(event.stage)
        if last is not None and now - last < self._interval and not event.finished:
            return
        self._last[event.stage] = now
        print(progress_line(event), file=self._stream, flush=True)

    def close(self) -> None:
        return None


class RichReporter:
    """A live bar for each stage on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[eta]}"),
            TextColumn("{task.fields[detail]}", style="dim"),
            console=console or Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def report(self, event: Progress) -> None:
        if not self._tasks:
            self._bars.start()
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._bars.add_task(event.stage, total=event.total, detail="", eta="")
        self._bars.update(
            self._tasks[event.stage],
            completed=event.done,
            total=event.total,
            detail="" if event.finished else event.detail,
            eta="" if event.eta is None or event.finished else f"{_clock_time(event.eta)} left",
        )

    def close(self) -> None:
        self._bars.stop()


class StageProgress:
    """Counts one stage's units, estimates its end and reports both; a context manager that reports the start on entry.

    Units found in the store are `skip`ped: they count as done, but not for the estimate of the speed.
    """

    def __init__(self, reporter: Reporter, name: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter = reporter
        self._name = name
        self._total = total
        self._clock = clock
        self._done = 0
        self._advanced = 0
        self._start = clock()

    def __enter__(self) -> Self:
        self._start = self._clock()
        self._report("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def advance(self, units: int = 1, detail: str = "") -> None:
        """`units` more are finished; `detail` says which (a clip, a step)."""
        self._done += units
        self._advanced += units
        self._report(detail)

    def skip(self, units: int = 1, detail: str = "") -> None:
        """`units` more were finished already."""
        self._done += units
        self._report(detail)

    def _report(self, detail: str) -> None:
        elapsed = self._clock() - self._start
        eta = elapsed / self._advanced * (self._total - self._done) if self._advanced else None
        self._reporter.report(Progress(self._name, self._done, self._total, detail, elapsed, eta))


def progress_line(event: Progress) -> str:
    """One line: `sub-clips 3/12 clip 3, 0:09 left`."""
    line = f"{event.stage} {event.done}/{event.total}"
    if event.finished:
        return f"{line} done in {event.elapsed:.1f} s"
    if event.detail:
        line += f" {event.detail}"
    if event.eta is not None:
        line += f", {_clock_time(event.eta)} left"
    return line


def choose_reporter(*, quiet: bool = False, stream: IO[str] | None = None) -> Reporter:
    """Bars on a terminal, lines in a pipe, nothing when quiet."""
    stream = stream or sys.stderr
    if quiet:
        return NullReporter()
    return RichReporter(Console(file=stream)) if stream.isatty() else PlainReporter(stream)


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
