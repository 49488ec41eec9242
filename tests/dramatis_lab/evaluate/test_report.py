"""The table of results: what is replaced, what stays, and what is said of each row."""

from __future__ import annotations

from pathlib import Path

from dramatis_lab.evaluate.report import (
    NOT_RUN,
    BenchmarkRun,
    Entry,
    Row,
    judged_row,
    legend,
    load_entries,
    markdown,
    merge,
    runs_of,
    save_entries,
    unmeasured_row,
)

OLD = BenchmarkRun("make benchmark", "2026-01-01", "a machine", "aaaa")
NEW = BenchmarkRun("python benchmarks/run.py --only b", "2026-02-02", "a machine", "bbbb")
GROUPS = ["a", "b", "c"]
KEPT = [Entry("a", Row("first", "1"), OLD), Entry("b", Row("second", "2"), OLD), Entry("b", Row("third", "3"), OLD)]


def test_a_group_measured_later_replaces_its_rows_alone() -> None:
    merged = merge(KEPT, [Entry("b", Row("second", "22"), NEW)], GROUPS)
    assert [(e.row.name, e.row.value, e.run) for e in merged] == [
        ("first", "1", OLD),
        ("second", "22", NEW),
        ("c", NOT_RUN, None),
    ]


def test_what_a_run_left_out_stays_as_it_was() -> None:
    new = [
        Entry("b", Row("second", "22"), NEW),
        Entry("b", unmeasured_row("third"), NEW),
        Entry("b", unmeasured_row("x"), NEW),
    ]
    merged = merge(KEPT, new, ["b"])
    assert [(e.row.value, e.run) for e in merged] == [("22", NEW), ("3", OLD), (NOT_RUN, None)]


def test_unknown_groups_go() -> None:
    assert merge(KEPT, [], ["b"]) == KEPT[1:]


def test_rows_runs_and_figures_survive_the_file(tmp_path: Path) -> None:
    entries = [
        *KEPT,
        Entry("c", judged_row("fourth", "4", "1", "5", True, False, {"exact": 4.25}), NEW),
        Entry("d", unmeasured_row("fifth"), None),
    ]
    save_entries(entries, tmp_path / "results.json")
    assert load_entries(tmp_path / "results.json") == entries
    assert load_entries(tmp_path / "missing.json") == []


def test_the_table_says_what_fails_and_which_run_measured_it() -> None:
    entries = [
        Entry("a", judged_row("fails", "1", "2", "3", False, False), OLD),
        Entry("a", judged_row("passes", "2", "2", "3", True, False), NEW),
        Entry("a", judged_row("aims", "3", "2", "3", True, True), NEW),
        Entry("a", unmeasured_row("missing", "2", "3"), None),
    ]
    runs = runs_of(entries)
    assert markdown(entries, runs).splitlines()[2:] == [
        "| fails | 1 | 2 | 3 | **failing** | 1 |",
        "| passes | 2 | 2 | 3 | passes | 2 |",
        "| aims | 3 | 2 | 3 | aim reached | 2 |",
        "| missing | not run | 2 | 3 | - |  |",
    ]
    assert legend(runs).splitlines()[1] == "2. `python benchmarks/run.py --only b`, 2026-02-02, a machine, weights bbbb"


def test_an_aim_cannot_be_reached_by_a_row_that_fails() -> None:
    assert judged_row("row", "1", "", "", False, True).mark == "**failing**"
    assert not judged_row("row", "1", "", "", False, True).aimed
