"""Rows about real pictures that talk, judged by a face mesh that neither films nor trains anything.

    python -m dramatis_lab.evaluate.rows.real --animatic --pictures 3 --work FOLDER   # the animatic alone

Pictures speak with held-out voices whose phones are known exactly, and some with recordings. FOLDER keeps the films
for the next call, and sheets to look at.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis_lab.evaluate import report
from dramatis_lab.evaluate.bench import Bench, open_mini
from dramatis_lab.evaluate.cases.held_out import cases_folder, load_cases
from dramatis_lab.evaluate.cases.timed_voices import TimedVoice
from dramatis_lab.evaluate.measures.mesh_lips import closures, turning_share
from dramatis_lab.evaluate.measures.sync import LAGS, silence_ratio
from dramatis_lab.evaluate.report import Entry, Row, judged_row, unmeasured_row
from dramatis_lab.evaluate.rows.real_cost import animatic_time_row, film_time_row
from dramatis_lab.evaluate.rows.real_films import FilmFigures, Filming, RealBench, median, row_name
from dramatis_lab.evaluate.rows.real_judge import judge_rows
from dramatis_lab.evaluate.rows.real_recordings import recording_row
from dramatis_lab.evaluate.rows.real_sheets import SheetRow, save_sheets, sheet_row
from dramatis_lab.evaluate.rows.real_turned import turned_rows

PORTRAITS = 22
"""Pictures in ../shared/portraits."""


def real_rows(bench: Bench) -> list[Row]:
    """All rows: the films, then the animatics of the same storylines; with fewer cases, as many portraits as cases."""
    if (missing := missing_for_library_eye()) is not None:
        return [unmeasured_row(f"real pictures ({missing})")]
    fewer = len(bench.cases) < len(list(cases_folder().glob("*/case.json")))
    real = RealBench(bench, len(bench.cases) if fewer else None)
    return [
        *filming_rows(real, Filming.FILM),
        *turned_rows(real, Filming.FILM),
        film_time_row(bench, real.photograph),
        *filming_rows(real, Filming.ANIMATIC),
        *turned_rows(real, Filming.ANIMATIC),
        animatic_time_row(bench, real.photograph),
        *judge_rows(real),
    ]


def filming_rows(real: RealBench, filming: Filming) -> list[Row]:
    """Every row of one way to film, and a sheet of every picture in the work folder."""
    figures: list[FilmFigures] = []
    shown: list[SheetRow] = []
    for number, picture in enumerate([real.photograph, *real.portraits]):
        voice = real.voice_of(number)
        film = real.film(filming, picture, voice.path, picture.stem)
        meshed = None if film is None else real.under_the_mesh(film)
        if meshed is not None:
            figures.append(real.figures(meshed, voice))
            shown.append(sheet_row(meshed, voice))
    save_sheets(shown, real.bench.work / "real-sheets", filming)
    rows = [filmed_row(real, filming, figures)]
    if figures:
        rows += [*lip_rows(filming, figures), *phone_rows(filming, figures, real.voices), *look_rows(filming, figures)]
    return [*rows, recording_row(real, filming)]


def filmed_row(real: RealBench, filming: Filming, figures: Sequence[FilmFigures]) -> Row:
    """How many of the portraits were filmed; what was said of the others is among the figures."""
    name = row_name(filming, "pictures of ../shared/portraits filmed")
    if not real.portraits:
        return unmeasured_row(f"{name} (absent; only scikit-image's photograph was)", str(PORTRAITS))
    names = {picture.stem for picture in real.portraits}
    filmed = sum(figure.name in names for figure in figures)
    count = len(real.portraits)
    sizes = sorted({f"{width}x{height}" for width, height in (figure.size for figure in figures)})
    value = f"{filmed} of {count} ({', '.join(sizes)})"
    stored = {"refused": real.refused[filming], "films": [asdict(figure) for figure in figures]}
    return judged_row(name, value, "all", "", filmed == count, aimed=False, figures=stored)


def lip_rows(filming: Filming, figures: Sequence[FilmFigures]) -> list[Row]:
    """How lips follow the phones, and how far they move."""
    r = median([figure.r for figure in figures])
    by_lag = np.median([figure.by_lag for figure in figures], axis=0)
    lag = LAGS[int(by_lag.argmax())]
    control = median([figure.control for figure in figures])
    reach, worst = median([figure.reach for figure in figures]), min(figures, key=lambda figure: figure.reach)
    apart = abs(lag)
    in_reach = 0.04 <= reach <= 0.10 and worst.reach >= 0.03
    return [
        judged_row(
            row_name(filming, "lips: r of the mesh's gap with the phones' opening; best lag"),
            f"{r:.2f}; {lag:+d}", "0.60; within 1", "0.80; 0",
            r >= 0.6 and apart <= 1, r >= 0.8 and apart == 0,
            {"r": [figure.r for figure in figures], "by_lag": by_lag.tolist()},
        ),
        judged_row(
            row_name(filming, "  the same with another voice"),
            f"{control:.2f}", "< 0.2", "< 0.1", abs(control) < 0.2, abs(control) < 0.1,
        ),
        judged_row(
            row_name(filming, "range of the gap, of the face's height; worst picture"),
            f"{reach:.3f}; {worst.reach:.3f} ({worst.name})", "0.04-0.10; 0.03", "", in_reach, aimed=False,
        ),
    ]  # fmt: skip


def phone_rows(filming: Filming, figures: Sequence[FilmFigures], voices: Sequence[TimedVoice]) -> list[Row]:
    """Closures, pauses and turns; in brackets what the phones' own curves have, which no film need surpass."""
    labials = sum(figure.labials for figure in figures)
    shut = sum(figure.shut for figure in figures) / max(labials, 1)
    by_chance = np.mean(
        np.concatenate([closures(voices[k - 3].opening, voices[k].phonemes) for k in range(len(voices))])
    )
    pause = median([figure.pause for figure in figures])
    true_pause = median([silence_ratio([voice.opening], [voice.opening]) for voice in voices])
    turning = median([figure.turning for figure in figures])
    true_turning = median([turning_share(voice.opening) for voice in voices])
    return [
        judged_row(
            row_name(filming, "m, b, p shut the lips (of all films together)"),
            f"{shut:.0%} of {labials} (another voice's phones: {by_chance:.0%})", "80 %", "95 %",
            shut >= 0.8, shut >= 0.95,
        ),
        judged_row(
            row_name(filming, "opening in pauses over speech"),
            f"{pause:.2f} (phones: {true_pause:.2f})", "0.2", "0.1", pause <= 0.2, pause <= 0.1,
        ),
        judged_row(
            row_name(filming, "frames in which the opening turns round"),
            f"{turning:.0%} (phones: {true_turning:.0%})", "< 25 %", "< 15 %", turning < 0.25, turning < 0.15,
        ),
    ]  # fmt: skip


def look_rows(filming: Filming, figures: Sequence[FilmFigures]) -> list[Row]:
    """Sharpness of the face, and stillness outside the person."""
    kept, jump = median([figure.kept for figure in figures]), median([figure.jump for figure in figures])
    outside = median([figure.outside for figure in figures])
    measured = sum(not np.isnan(figure.outside) for figure in figures)
    sharp, sharper = 0.7 <= kept <= 1.2 and jump <= 0.3, 0.9 <= kept <= 1.1 and jump <= 0.1
    return [
        judged_row(
            row_name(filming, "face sharpness over the portrait's; largest jump from frame to frame"),
            f"{kept:.2f}; {jump:.2f}", "0.7-1.2; 0.3", "0.9-1.1; 0.1", sharp, sharper,
        ),
        judged_row(
            row_name(filming, "pixels outside the person, camera static: mean change over the video"),
            f"{outside:.2f} grey levels ({measured} pictures)", "1", "0.3", outside <= 1.0, outside <= 0.3,
        ),
    ]  # fmt: skip


def main(
    work: Annotated[
        Path | None, typer.Option(help="keep films and sheets here, and use those of an earlier call")
    ] = None,
    pictures: Annotated[int | None, typer.Option(min=0, help="only the first portraits")] = None,
    model: str = "mini",
    *,
    animatic: Annotated[bool, typer.Option(help="only the animatics, which take minutes")] = False,
    turned: Annotated[bool, typer.Option(help="film turned heads, too")] = False,
    time: Annotated[bool, typer.Option(help="time a whole process, too")] = False,
) -> None:
    """Measure and print; nothing is written into the repository."""
    if (missing := missing_for_library_eye()) is not None:
        sys.exit(f"The face mesh is not there: {missing}.")
    logging.basicConfig(format="%(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(open_mini(model), load_cases()[:1], folder, folder)
        real = RealBench(bench, pictures)
        filming = Filming.ANIMATIC if animatic else Filming.FILM
        rows = filming_rows(real, filming)
        if turned:
            rows += turned_rows(real, filming)
        if time:
            rows.append((animatic_time_row if animatic else film_time_row)(bench, real.photograph))
        for figure in rows[0].figures.get("films", ()):
            print({name: round(value, 3) if isinstance(value, float) else value for name, value in figure.items()})
    print(report.markdown([Entry("real", row, None) for row in rows], []))


if __name__ == "__main__":
    typer.run(main)
