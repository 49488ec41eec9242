"""Sheets of films of real pictures, to be looked at: what no number says shows in a mouth enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.story.values import FPS
from dramatis_lab.evaluate.cases.timed_voices import TimedVoice
from dramatis_lab.evaluate.measures.mesh_lips import LABIALS, mesh_height
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.evaluate.rows.real_films import MeshedFilm
from dramatis_lab.world.voices.phones import PAUSE

_CELL = 256
_EACH = 4
"""Pictures on a sheet, a row of cells for each."""
_HEAD_REACH, _MOUTH_REACH = 1.9, 0.62
"""Side of the square that is shown of the head, and of the mouth, over the face's height."""
_BEYOND = (225, 225, 225)
"""Colour of what lies beyond the picture."""
_LIPS = (0, 17, 61, 291)
_NOSE = 1


@dataclass(frozen=True, eq=False)
class SheetRow:
    """What is shown of one film: cells, with a label for each."""

    cells: list[Image.Image]
    labels: list[str]


def sheet_row(meshed: MeshedFilm, voice: TimedVoice) -> SheetRow:
    """The portrait, the widest opening, a closure and a pause, each twice: the head, and the mouth enlarged."""
    cells: list[Image.Image] = []
    labels: list[str] = []
    height = mesh_height(meshed.rest)  # one for all moments, so that an open jaw does not shrink what is shown
    for picture, points, label in _moments(meshed, voice):
        cells.append(_square(picture, points[_NOSE], _HEAD_REACH * height))
        cells.append(_square(picture, points[list(_LIPS)].mean(0), _MOUTH_REACH * height))
        labels += [f"{meshed.film.name} {label}", ""]
    return SheetRow(cells, labels)


def save_sheets(rows: Sequence[SheetRow], folder: Path, title: str) -> list[Path]:
    """Write sheets TITLE-NN.png of a few films each into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for first in range(0, len(rows), _EACH):
        part = rows[first : first + _EACH]
        cells = list(chain.from_iterable(row.cells for row in part))
        labels = list(chain.from_iterable(row.labels for row in part))
        path = folder / f"{title}-{first // _EACH:02d}.png"
        contact_sheet(cells, labels, columns=len(part[0].cells)).save(path)
        paths.append(path)
    return paths


def _moments(meshed: MeshedFilm, voice: TimedVoice) -> list[tuple[Pictures, NDArray[np.floating], str]]:
    """Picture, points (468, 2) px and label of the portrait and of three moments of its film."""
    frames, gaps = meshed.film.frames, meshed.gaps
    numbers = {"wide": int(gaps.argmax()), "shut": _closure(gaps, voice), "pause": _pause(gaps, voice)}
    shown: list[tuple[Pictures, NDArray[np.floating], str]] = [(meshed.film.portrait, meshed.rest[:, :2], "portrait")]
    for label, number in numbers.items():
        shown.append((frames[number], meshed.points[number], f"{label} {number}: {gaps[number]:.3f}"))
    return shown


def _closure(gaps: FrameValues, voice: TimedVoice) -> int:
    """The frame in the middle of the m, b or p that follows the widest opening before it."""
    middles = [round((start + end) / 2 * FPS - 0.5) for start, end, phone in voice.phonemes if phone in LABIALS]
    inside = [number for number in middles if 0 < number < len(gaps)]
    return max(inside, key=lambda number: float(gaps[max(0, number - 5) : number].max()), default=0)


def _pause(gaps: FrameValues, voice: TimedVoice) -> int:
    """The frame in the middle of the longest pause inside the voice."""
    pauses = [(end - start, (start + end) / 2) for start, end, phone in voice.phonemes[1:-1] if phone == PAUSE]
    return min(round(max(pauses)[1] * FPS), len(gaps) - 1) if pauses else 0


def _square(picture: Pictures, centre: NDArray[np.floating], side: float) -> Image.Image:
    """A square of `side` px round a centre, px, at the size of a cell."""
    half = side / 2
    box = (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
    return Image.fromarray(picture).transform(
        (_CELL, _CELL),
        Image.Transform.EXTENT,
        tuple(float(edge) for edge in box),
        Image.Resampling.BICUBIC,
        fillcolor=_BEYOND,
    )
