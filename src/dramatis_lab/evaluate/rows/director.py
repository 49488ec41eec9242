"""Rows about the director: do words land, are conflicts found, do cuts fall where the voice pauses?

python -m dramatis_lab.evaluate.rows.director                                  # both splits: a minute on one core
python -m dramatis_lab.evaluate.rows.director --split tuning --show-failures   # what was expected and planned
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from dramatis.story.storyline import Storyline
from dramatis_lab.evaluate import report
from dramatis_lab.evaluate.bench import Bench, open_mini
from dramatis_lab.evaluate.cases.held_out import load_cases
from dramatis_lab.evaluate.cases.written import Split, load_written_cases
from dramatis_lab.evaluate.measures.storylines import cut_distances, shared_terms
from dramatis_lab.evaluate.report import Entry, Row
from dramatis_lab.evaluate.rows.planning import CaseFinding, CasePlanner, examine_case, failures, plan_long

NEAR_PAUSE_SECONDS = 0.15
"""Seconds that a cut may lie from a pause."""
REACHABLE_SECONDS = 1.2
"""Seconds from a cut to the nearest pause beyond which there is no pause to fall on."""


def items_row(findings: Sequence[CaseFinding], split: Split, least: str) -> Row:
    """How many of the expected items have landed."""
    asked = Counter(item.kind for finding in findings for item in finding.case.expect)
    missed = Counter(item.kind for finding in findings for item, _ in finding.missed)
    share = 1.0 - missed.total() / max(asked.total(), 1)
    kinds = ", ".join(f"{kind} {count - missed[kind]}/{count}" for kind, count in sorted(asked.items()))
    value = f"{100 * share:.1f} % ({kinds})"
    name = f"emotion, camera and action in the right shot, {split.words} ({asked.total()} items)"
    figures = {"asked": dict(asked), "missed": dict(missed)}
    return Row(name, value, least, "", share >= 0.95 if least else None, figures=figures)


def conflicts_row(findings: Sequence[CaseFinding], split: Split, least: str) -> Row:
    """How many of the planted conflicts were found, and in how many of these the right side was believed."""
    settled = list(chain.from_iterable(finding.settled for finding in findings))
    right_of_found = [right for right in settled if right is not None]
    alarms = Counter(conflict.about for finding in findings for conflict in finding.alarms)
    share, right = len(right_of_found) / max(len(settled), 1), sum(right_of_found) / max(len(right_of_found), 1)
    value = f"{100 * share:.0f} %; {100 * right:.0f} %; {alarms.total()} false alarms"
    name = f"planted conflicts found; settled by the rule, {split.words} ({len(settled)} planted)"
    figures = {
        "planted": len(settled),
        "found": len(right_of_found),
        "right": sum(right_of_found),
        "alarms": dict(alarms),
    }
    return Row(name, value, least, "", share >= 0.9 and right == 1.0 if least else None, figures=figures)


def cuts_row(name: str, cuts: Sequence[float]) -> Row:
    """How near interior shot boundaries lie to true pauses."""
    near = sum(cut <= NEAR_PAUSE_SECONDS for cut in cuts)
    reachable = sum(cut <= REACHABLE_SECONDS for cut in cuts)
    share, share_of_reachable = near / max(len(cuts), 1), near / max(reachable, 1)
    where = f"{100 * share_of_reachable:.0f} % where one is within {REACHABLE_SECONDS} s"
    value = f"{100 * share:.0f} % of {len(cuts)}, {where}"
    figures = {"cuts": len(cuts), "near": near, "reached": reachable}
    return Row(
        f"interior shot boundaries within 0.15 s of a true pause, {name}",
        value,
        "90 %",
        "",
        share >= 0.9,
        figures=figures,
    )


def speakers_row(findings: Sequence[CaseFinding], split: Split) -> Row:
    """Whether shots with a voice name a speaker, and those without a voice name nobody."""
    judged, faults = (
        sum(finding.shots_judged for finding in findings),
        sum(len(finding.speaker_faults) for finding in findings),
    )
    name = f"speaker named where there is a voice, nobody in silence, {split.words} ({judged} shots)"
    return Row(name, f"{100 * (1 - faults / max(judged, 1)):.1f} %", "100 %", "", not faults)


def terms_row(findings: Sequence[CaseFinding], split: Split) -> Row:
    """Shots whose prompt asks for what their negative prompt refuses, alone and with those of the whole video."""
    shots = sum(len(finding.storyline.shots) for finding in findings)
    count = sum(len(finding.shared) for finding in findings)
    whole = sum(bool(shared_terms(finding.storyline.positive, finding.storyline.negative)) for finding in findings)
    joined = sum(len(list(_joined_terms(finding.storyline))) for finding in findings)
    value = f"{count} of {shots} shots, {whole} whole videos ({joined} shots joined with the whole video's)"
    name = f"no term in both prompts, {split.words}"
    return Row(name, value, "0", "", count + whole == 0, figures={"shots": count, "videos": whole, "joined": joined})


def _joined_terms(storyline: Storyline) -> Iterator[list[str]]:
    for shot in storyline.shots:
        texts = (f"{shot.positive} {storyline.positive}", f"{shot.negative}, {storyline.negative}")
        if terms := shared_terms(*texts):
            yield terms


def same_row(findings: Sequence[CaseFinding], split: Split) -> Row:
    """Whether a second plan of every case equals the first."""
    same = sum(finding.same for finding in findings)
    name = f"same storyline for the same input, {split.words}"
    return Row(name, f"{same} of {len(findings)}", "all", "", same == len(findings))


def rows_of(findings: Sequence[CaseFinding], split: Split) -> list[Row]:
    """All rows of one split; tuning cases have no bar where the director was tuned to them."""
    held_out = split == Split.held_out
    return [
        items_row(findings, split, "95 %" if held_out else ""),
        conflicts_row(findings, split, "90 %; all" if held_out else ""),
        cuts_row(split.words, [cut for finding in findings for cut in finding.cuts]),
        speakers_row(findings, split),
        terms_row(findings, split),
        same_row(findings, split),
    ]


def long_rows(bench: Bench) -> list[Row]:
    """Cuts of a five-minute plan, and the time that it takes."""
    storyline, recording, seconds = plan_long(bench)
    name = "time to plan a 5-minute recording (hearing, seeing and directing)"
    return [
        cuts_row("5 minutes", cut_distances(storyline, recording)),
        Row(name, f"{seconds:.1f} s", "10 s", "", seconds <= 10.0, figures={"seconds": seconds}),
    ]


def measure_director(bench: Bench, splits: Sequence[Split]) -> tuple[list[Row], dict[Split, list[CaseFinding]]]:
    """All rows, and the findings that they were counted from."""
    # Timed before anything else, so that nothing is warm.
    last_rows = long_rows(bench)
    planners = CasePlanner(bench), CasePlanner(bench)
    findings = {split: [examine_case(*planners, case) for case in load_written_cases(split)] for split in splits}
    return [
        *chain.from_iterable(rows_of(of_split, split) for split, of_split in findings.items()),
        *last_rows,
    ], findings


def director_rows(bench: Bench) -> list[Row]:
    """All rows of both splits."""
    return measure_director(bench, list(Split))[0]


def main(
    split: Annotated[Split | None, typer.Option(help="only these cases; default both")] = None,
    *,
    show_failures: Annotated[
        bool, typer.Option(help="list what went wrong; held-out cases only with --split held_out")
    ] = False,
    model: str = "mini",
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(open_mini(model), load_cases(), Path(folder), Path(folder))
        rows, findings = measure_director(bench, [split] if split else list(Split))
    if show_failures:
        for finding in findings[split or Split.tuning]:
            print(*failures(finding), sep="\n", end="\n" if failures(finding) else "")
    print(report.markdown([Entry("director", row, None) for row in rows], []))


if __name__ == "__main__":
    typer.run(main)
