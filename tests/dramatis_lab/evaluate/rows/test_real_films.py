"""Films of real pictures: made once, measured by the mesh, and never the end of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows import real_films
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench, median, row_name
from tests.dramatis.senses.seeing.conftest import skip_without_library
from tests.dramatis_lab.evaluate.rows.real_inputs import film_stills


@pytest.fixture
def real(bench: Bench) -> RealBench:
    skip_without_library()
    return RealBench(bench, most=0)


def test_a_still_film_is_sharp_and_steady_and_says_nothing(real: RealBench, monkeypatch: pytest.MonkeyPatch) -> None:
    filmed = film_stills(monkeypatch)
    voice = real.voice_of(0)
    film = real.film(Filming.FILM, real.photograph, voice.path, "her")
    assert film is not None
    meshed = real.under_the_mesh(film)
    assert meshed is not None
    figures = real.figures(meshed, voice)
    assert abs(figures.r) < 0.5
    assert figures.reach < 0.01
    assert figures.kept == pytest.approx(1, abs=0.15)
    assert figures.outside < 1
    assert (figures.lost, figures.size) == (0, (512, 512))
    assert real.film(Filming.FILM, real.photograph, voice.path, "her") is not None
    assert len(filmed) == 1, "the film of before is taken"
    assert real.film(Filming.FILM, real.photograph, real.voice_of(1).path, "her") is not None
    assert len(filmed) == 2, "another voice is another film"


def test_a_picture_that_cannot_be_filmed_is_written_down(real: RealBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(bench: Bench, picture: Path, voice: Path, video: Path) -> None:
        raise UserError("No face was found.")

    monkeypatch.setattr(real_films, "_FILMERS", {Filming.FILM: refuse})
    assert real.film(Filming.FILM, real.photograph, real.voice_of(0).path, "her") is None
    assert real.refused[Filming.FILM] == {"her": "No face was found."}
    assert real.refused[Filming.ANIMATIC] == {}


def test_medians_leave_out_what_is_not_known() -> None:
    assert median([1.0, float("nan"), 3.0, 5.0]) == 3.0
    assert np.isnan(median([float("nan")]))
    assert row_name(Filming.ANIMATIC, "  range") == "  animatic, range"
