"""Progress: honest counts, an end foretold from what was made rather than found, no flood of lines."""

from __future__ import annotations

import io

from rich.console import Console

from dramatis.runtime.progress import (
    NullReporter,
    PlainReporter,
    Progress,
    RichReporter,
    StageProgress,
    choose_reporter,
    progress_line,
)


class Recorder(NullReporter):
    def __init__(self) -> None:
        self.events: list[Progress] = []

    def report(self, event: Progress) -> None:
        self.events.append(event)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_found_artifacts_teach_nothing_about_speed() -> None:
    recorder, clock = Recorder(), Clock()
    with StageProgress(recorder, "sub-clips", 10, clock) as stage:
        stage.skip(4)
        clock.now = 6.0
        stage.advance(detail="clip 5")
    first, skipped, made = recorder.events
    assert (first.done, first.eta) == (0, None)
    assert (skipped.done, skipped.eta) == (4, None)
    assert (made.done, made.eta, made.detail) == (5, 30.0, "clip 5")


def test_lines_read_well() -> None:
    assert progress_line(Progress("sub-clips", 3, 12, "clip 3", 5.0, 69.4)) == "sub-clips 3/12 clip 3, 1:09 left"
    assert progress_line(Progress("blueprint", 0, 2)) == "blueprint 0/2"
    assert progress_line(Progress("decode", 2, 2, "", 3.21)) == "decode 2/2 done in 3.2 s"
    assert "1:00:05 left" in progress_line(Progress("decode", 1, 2, "", 1.0, 3605))


def test_plain_lines_are_few_but_include_both_ends() -> None:
    stream, clock = io.StringIO(), Clock()
    reporter = PlainReporter(stream, clock=clock)
    with StageProgress(reporter, "steps", 100, clock) as stage:
        for _ in range(100):
            clock.now += 0.1
            stage.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "steps 0/100"
    assert lines[-1].startswith("steps 100/100 done")
    assert 5 <= len(lines) <= 8


def test_bars_on_a_terminal_and_lines_in_a_pipe() -> None:
    stream = io.StringIO()
    reporter = RichReporter(Console(file=stream, force_terminal=True, width=100))
    with StageProgress(reporter, "blueprint", 2) as stage:
        stage.advance(detail="step 1")
        stage.advance()
    reporter.close()
    assert "blueprint" in stream.getvalue()
    assert "2/2" in stream.getvalue()
    assert isinstance(choose_reporter(stream=io.StringIO()), PlainReporter)
    assert isinstance(choose_reporter(quiet=True), NullReporter)
