"""Measure the groups of rows that are asked for, print them, and write them into the table of results."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import torch
import typer

from dramatis_lab.evaluate import report
from dramatis_lab.evaluate.bench import COMPARED_SECONDS, Bench, open_mini
from dramatis_lab.evaluate.cases.held_out import load_cases
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.groups import GROUPS
from dramatis_lab.evaluate.report import BenchmarkRun, Entry
from dramatis_lab.evaluate.rows.lips import draw_true_and_generated

_INTRODUCTION = (
    "{cases} held-out people and voices (benchmarks/cases), no clip chosen by hand. `make benchmark` measures all; "
    "the last column says which run below measured a row. What each row measures: docs/evaluation.md."
)
_PICTURES = {
    "true and generated": "results.png",
    "three ways, first, middle and last second": "cascade.png",
    "generic and own negative prompts": "negatives.png",
    "masks of the annotation": "annotation.png",
    "predicted masks": "scene_masks.png",
    "without gates, with boxes, with predicted masks": "gates.png",
}
"""Caption -> file below docs/pictures, in the order of RESULTS.md."""


def main(
    only: Annotated[list[str] | None, typer.Option(help="groups of rows to measure; default all")] = None,
    model: str = "mini",
    seconds: Annotated[list[int] | None, typer.Option(help="lengths to compare at; default 10, 60 and 300")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="leave a video out of the comparison: single-300")] = None,
    work: Annotated[Path | None, typer.Option(help="keep long videos here, and use those of an earlier run")] = None,
    *,
    save: Annotated[bool, typer.Option(help="write the results and pictures of this run into the repository")] = True,
    cases: Annotated[
        int | None, typer.Option(min=1, help="use only the first cases, to try things out; needs --no-save")
    ] = None,
) -> None:
    """Measure, print, and write each group's rows as soon as they are measured."""
    unknown = set(only or ()) - set(GROUPS)
    if unknown:
        raise typer.BadParameter(f"There are no groups {sorted(unknown)}; choose from {', '.join(GROUPS)}.")
    if save and cases is not None:
        raise typer.BadParameter("--cases leaves out cases that the table of results counts; add --no-save.")
    backbone = open_mini(model)
    run = BenchmarkRun(
        command_line(only, model, seconds, skip),
        str(date.today()),
        describe_machine(backbone.dtype),
        backbone.identity["weights"][:8],
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        pictures = checkout_path("docs", "pictures") if save else folder
        bench = Bench(backbone, load_cases()[:cases], folder, pictures, seconds or COMPARED_SECONDS, skip or ())
        for name in only or list(GROUPS):
            entries = [Entry(name, row, run) for row in GROUPS[name].measure(bench)]
            print(report.markdown(entries, [run]), flush=True)
            if save:
                write_results(entries, len(bench.cases), checkout_path("benchmarks"))
        if save and "sync" in (only or GROUPS):
            draw_true_and_generated(bench)


def command_line(
    only: Sequence[str] | None, model: str, seconds: Sequence[int] | None, skip: Sequence[str] | None = None
) -> str:
    """The command that measures the same again."""
    words = [f"--only {name}" for name in only or ()] + [f"--seconds {count}" for count in seconds or ()]
    words += [f"--skip {video}" for video in skip or ()]
    if model != "mini":
        words.append(f"--model {Path(model).name}")
    return " ".join(["python benchmarks/run.py", *words]) if words else "make benchmark"


def describe_machine(dtype: torch.dtype) -> str:
    """Processor, cores, torch and the number format of the networks; nothing that names the computer."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        processor = lines[0].split(":")[1].strip() if lines else processor
    return f"{processor}, {os.cpu_count()} cores, torch {torch.__version__}, {str(dtype).removeprefix('torch.')}"


def write_results(new: Sequence[Entry], cases: int, folder: Path) -> None:
    """Write RESULTS.md and results.json into `folder`: the new rows among those that are there. cases: how many."""
    entries = report.merge(report.load_entries(folder / "results.json"), new, list(GROUPS))
    report.save_entries(entries, folder / "results.json")
    runs = report.runs_of(entries)
    parts = ["# Results of the shipped mini", _INTRODUCTION.format(cases=cases)]
    for section in dict.fromkeys(group.section for group in GROUPS.values()):
        rows = [entry for entry in entries if GROUPS[entry.group].section == section]
        parts += [f"## {section}", report.markdown(rows, runs)]
    parts += ["## Runs", report.legend(runs)]
    pictures = checkout_path("docs", "pictures")
    parts += [f"![{text}](../docs/pictures/{name})" for text, name in _PICTURES.items() if (pictures / name).exists()]
    (folder / "RESULTS.md").write_text("\n\n".join(parts) + "\n")
