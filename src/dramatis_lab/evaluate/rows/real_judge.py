"""Rows about the judge itself: what the face mesh says of lips whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.media.video import VideoWriter, read_frames
from dramatis.senses.seeing.picture_file import open_picture
from dramatis_lab.evaluate.measures.mesh_lips import gap_range, lip_gaps
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.evaluate.measures.sync import correlation
from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.rows.real_films import RealBench

_SEALED_OPENING = 0.012
"""True opening, in distances of the outer eye corners, below which lips are sealed: the renderer's own lips rest at
0.006 to 0.01."""
_STILL_FRAMES = 100
_SWAY, _GROWTH, _PERIOD = 2.0, 0.02, 45.0
"""How a photograph is moved about: px to either side, share of its size, and frames of a sway."""


@dataclass(frozen=True)
class JudgeErrors:
    """What the mesh says of one rendered person, against the renderer.

    r: of the gap with the true opening.  slope: gap, of the face's height, for each unit of opening.  error: spread of
    the gap about that line, over the gap's range.  sealed: mean gap where lips are sealed, nan where they never are.
    """

    r: float
    slope: float
    error: float
    sealed: float

    @classmethod
    def of(cls, gaps: FrameValues, opening: FrameValues) -> JudgeErrors:
        slope, offset = np.polyfit(opening, gaps, 1)
        error = float(np.std(gaps - slope * opening - offset)) / max(gap_range(gaps), 1e-9)
        shut = opening < _SEALED_OPENING
        sealed = float(gaps[shut].mean()) if shut.any() else float("nan")
        return cls(correlation(gaps, opening), float(slope), error, sealed)


def judge_rows(real: RealBench) -> list[Row]:
    """The mesh on the true frames of the held-out cases, and on a photograph that only the encoder moves. No bars."""
    errors = []
    for case in real.bench.cases:
        rest = real.tracker.at(case.frames[0], None)
        if rest is not None:
            errors.append(JudgeErrors.of(lip_gaps(real.tracker.follow(case.frames, rest), rest), case.opening))
    r = [error.r for error in errors]
    sealed = [error.sealed for error in errors if not np.isnan(error.sealed)]
    still, moved = (still_gaps(real, sway) for sway in (0.0, 1.0))
    value = f"{np.mean(r):.2f} ({min(r):.2f}); {np.mean(sealed):.3f} ({max(sealed):.3f})"
    figures = {"r": r, "slope": [error.slope for error in errors], "error": [error.error for error in errors]}
    return [
        Row(
            "  the judge on rendered people: r with exact openings (worst); gap of sealed lips (worst)",
            value,
            figures=figures | {"sealed": sealed},
        ),
        Row(
            "  the judge on a photograph, H.264: spread of the gap, still / moved about",
            f"{still.std():.4f} / {moved.std():.4f}",
            figures={"steps": np.percentile(np.abs(np.diff(moved)), (50, 90, 99)).tolist()},
        ),
    ]


def still_gaps(real: RealBench, sway: float) -> FrameValues:
    """(F,) gaps in a film of the photograph whose face does nothing. sway: how much it is moved about, 0..1."""
    picture = open_picture(real.photograph).image
    video = _write_still(picture, sway, real.bench.work / f"still-{sway:g}.mp4")
    rest = real.tracker.at(np.asarray(picture), None)
    assert rest is not None, "the mesh knows this photograph"
    return lip_gaps(real.tracker.follow(read_frames(video), rest), rest)


def _write_still(picture: Image.Image, sway: float, path: Path) -> Path:
    with VideoWriter(path, picture.size) as writer:
        for number in range(_STILL_FRAMES):
            phase = 2 * np.pi * number / _PERIOD
            scale = 1 + sway * _GROWTH * (1 + np.sin(phase / 1.6))
            across, down = sway * _SWAY * np.sin(phase), sway * _SWAY * np.cos(phase)
            moved = (scale, 0.0, across, 0.0, scale, down)
            frame = picture.transform(picture.size, Image.Transform.AFFINE, moved, Image.Resampling.BICUBIC)
            writer.write(np.asarray(frame if sway else picture))
    return path
