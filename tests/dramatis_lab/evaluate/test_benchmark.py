"""The benchmark's command: what it writes, says and refuses."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import typer

from dramatis_lab.evaluate.benchmark import command_line, main, write_results
from dramatis_lab.evaluate.report import NOT_RUN, BenchmarkRun, Entry, Row
from tests import ROOT


def test_results_of_one_group_are_written_among_the_others(tmp_path: Path) -> None:
    first, second = (BenchmarkRun(f"command {k}", "today", "here", "abc") for k in (1, 2))
    write_results([Entry("sync", Row("lips", "0.7"), first), Entry("size", Row("side", "256"), first)], 8, tmp_path)
    write_results([Entry("sync", Row("lips", "0.8"), second)], 8, tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| lips | 0.8 |" in text
    assert "| lips | 0.7 |" not in text
    assert "| side | 256 |" in text
    assert "`command 1`" in text
    assert "`command 2`" in text
    assert f"| kills | {NOT_RUN} |" in text
    assert text.index("## The mini") < text.index("lips") < text.index("## Cascade") < text.index("side")


def test_the_command_can_be_said_again_without_places() -> None:
    assert command_line(None, "mini", None) == "make benchmark"
    words = command_line(["size"], "/some/where/runs/mini_x", [10])
    assert words == "python benchmarks/run.py --only size --seconds 10 --model mini_x"


def test_the_stored_table_is_what_its_figures_say(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes((ROOT / "benchmarks" / "results.json").read_bytes())
    write_results([], len(list((ROOT / "benchmarks" / "cases").iterdir())), tmp_path)
    for name in ("results.json", "RESULTS.md"):
        assert (tmp_path / name).read_text() == (ROOT / "benchmarks" / name).read_text()


def test_groups_that_do_not_exist_are_named() -> None:
    with pytest.raises(typer.BadParameter, match="nonsense"):
        main(["nonsense"])


def test_fewer_cases_are_not_written_into_the_table() -> None:
    with pytest.raises(typer.BadParameter, match="--no-save"):
        main(["output"], cases=1)


def test_the_script_is_this_command() -> None:
    assert runpy.run_path(str(ROOT / "benchmarks" / "run.py"))["main"] is main
