"""Rows about portraits whose head is turned: rendered people, whose mouths are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis.senses.seeing.library_landmarks import landmarks_from_mesh, mesh_axes
from dramatis_lab.evaluate.cases.turned_heads import TRUE_EVERY, TurnedCase, render_turned_head
from dramatis_lab.evaluate.measures.mesh_lips import in_head_frame, lip_gaps
from dramatis_lab.evaluate.measures.steadiness import mean_of_known
from dramatis_lab.evaluate.measures.sync import correlation
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench, row_name, shared_folder

_NAME = "turned heads (rendered, 30 / 60 degrees): r; lips' place against the truth, interocular"
_ANGLES = (30, 60)
_HEADS = 4
"""People at each angle, half of them turned to either side."""
_READABLE = 0.5
"""Least r of the mesh with the truth in true frames: on other heads it could not tell a good film from a bad one."""
_LIPS = slice(48, 68)
_BARS, _AIMS = (0.6, 0.5), (0.8, 0.7)
_APART_BAR, _APART_AIM = 0.05, 0.03


@dataclass(frozen=True)
class TurnedFigures:
    """One turned head. r: of the mesh's gap in the film with the true opening, 0 where nothing was filmed.

    judge: the same in the true frames.  apart: mean distance of the lips' landmarks to those of the true frames, both
    in the portrait's head frame, over the distance of the outer eye corners; nan where nothing was filmed.
    """

    degrees: int
    r: float
    judge: float
    apart: float


def turned_rows(real: RealBench, filming: Filming) -> list[Row]:
    """How lips follow the true opening, and where they lie, for heads turned by 30 and by 60 degrees."""
    name = row_name(filming, _NAME)
    assets = shared_folder() / "assets"
    if not assets.is_dir():
        return [unmeasured_row(f"{name} (../shared/assets absent)", *_bars())]
    work = real.bench.work
    figures = [
        _measured(real, filming, degrees, render_turned_head(number, degrees, real.voice_of(number), assets, work))
        for degrees in _ANGLES
        for number in range(_HEADS)
    ]
    return [turned_row(name, figures)]


def turned_row(name: str, figures: Sequence[TurnedFigures]) -> Row:
    """Means over the heads that the mesh can read."""
    read = [head for head in figures if head.judge >= _READABLE]
    r, judge = (
        [mean_of_known([getattr(head, name) for head in read if head.degrees == degrees]) for degrees in _ANGLES]
        for name in ("r", "judge")
    )
    apart = mean_of_known([head.apart for head in read])
    filmed = sum(not np.isnan(head.apart) for head in figures)
    counts = f"{filmed} of {len(figures)} filmed, {len(read)} readable"
    value = f"{_joined(r)}; {apart:.3f} ({counts}; the mesh on true frames: r {_joined(judge)})"
    passed, aimed = (
        all(a >= b for a, b in zip(r, least, strict=True)) and apart <= most
        for least, most in ((_BARS, _APART_BAR), (_AIMS, _APART_AIM))
    )
    figures_of_heads = {"heads": [asdict(head) for head in figures]}
    return judged_row(name, value, *_bars(), passed, aimed, figures_of_heads)


def _bars() -> tuple[str, str]:
    least, aim = ("{:g} / {:g}; {:g}".format(*r, apart) for r, apart in ((_BARS, _APART_BAR), (_AIMS, _APART_AIM)))
    return least, aim


def _joined(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


def _measured(real: RealBench, filming: Filming, degrees: int, head: TurnedCase) -> TurnedFigures:
    rest = real.tracker.at(head.truth[0], None)
    judge, true_meshes = 0.0, None
    if rest is not None:
        true_meshes = real.tracker.follow(head.truth, rest)
        judge = correlation(lip_gaps(true_meshes, rest), head.opening[::TRUE_EVERY])
    film = real.film(filming, head.portrait, head.voice.path, head.portrait.stem)
    meshed = None if film is None else real.under_the_mesh(film)
    if meshed is None:
        return TurnedFigures(degrees, 0.0, judge, float("nan"))
    r = correlation(meshed.gaps, head.opening[: len(meshed.gaps)])
    return TurnedFigures(degrees, r, judge, _lips_apart(meshed.meshes[::TRUE_EVERY], true_meshes, meshed.rest))


def _lips_apart(meshes: NDArray[np.float64], true: NDArray[np.float64] | None, rest: NDArray[np.float64]) -> float:
    """Mean distance of the lips of two films, (K, 468, 3) each, over the distance of the outer eye corners.

    rest: (468, 3) of the portrait, into whose head frame both are brought; so sizes of pictures do not matter.
    """
    if true is None:
        return float("nan")
    count = min(len(meshes), len(true))
    apart = []
    for ours, theirs in zip(in_head_frame(meshes[:count], rest), in_head_frame(true[:count], rest), strict=True):
        if not (np.isnan(ours).any() or np.isnan(theirs).any()):
            lips = (landmarks_from_mesh(mesh)[_LIPS] for mesh in (ours, theirs))
            apart.append(float(np.linalg.norm(np.subtract(*lips), axis=1).mean()))
    return mean_of_known(apart) / mesh_axes(rest)[1]
