"""Films of a photograph that need no network to make, and figures of films that were never made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dramatis.media.video import VideoWriter
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows import real_films
from dramatis_lab.evaluate.rows.real_films import FilmFigures, Filming

STILL_FRAMES = 12


def film_stills(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Films become the picture itself, a moment long; returns the list of the pictures filmed so far."""
    filmed: list[Path] = []

    def film(bench: Bench, picture: Path, voice: Path, video: Path) -> None:
        filmed.append(picture)
        still = Image.open(picture).convert("RGB")
        with VideoWriter(video, still.size) as writer:
            for _ in range(STILL_FRAMES):
                writer.write(np.asarray(still))

    monkeypatch.setattr(real_films, "_FILMERS", dict.fromkeys(Filming, film))
    return filmed


def figures_of(name: str = "her", r: float = 0.9, **changes: Any) -> FilmFigures:
    """A film that reaches every aim but for the changes; r at lag 0, less at the others."""
    values: dict[str, Any] = {
        "voice": "00",
        "size": (512, 512),
        "by_lag": tuple(r - 0.1 * abs(lag) for lag in range(-5, 6)),
        "control": 0.05,
        "reach": 0.06,
        "shut": 10,
        "labials": 10,
        "pause": 0.05,
        "turning": 0.1,
        "kept": 1.0,
        "jump": 0.05,
        "outside": 0.1,
        "lost": 0.0,
    }
    return FilmFigures(name=name, **(values | changes))
