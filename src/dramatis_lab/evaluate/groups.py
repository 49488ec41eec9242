"""The groups of rows of the results table, in its order: what `--only` chooses from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.rows.annotation import annotation_rows
from dramatis_lab.evaluate.rows.characters import character_rows
from dramatis_lab.evaluate.rows.comparison import comparison_rows
from dramatis_lab.evaluate.rows.direction import direction_rows
from dramatis_lab.evaluate.rows.director import director_rows
from dramatis_lab.evaluate.rows.enlargement import super_resolution_rows
from dramatis_lab.evaluate.rows.eyes import eyes_rows
from dramatis_lab.evaluate.rows.faces import perception_rows, real_face_rows
from dramatis_lab.evaluate.rows.jobs import cost_rows, kill_rows, worker_rows
from dramatis_lab.evaluate.rows.lips import sync_rows
from dramatis_lab.evaluate.rows.negatives import negatives_rows
from dramatis_lab.evaluate.rows.pictures import autoencoder_rows, low_resolution_rows, resolution_rows, sharpness_rows
from dramatis_lab.evaluate.rows.real import real_rows
from dramatis_lab.evaluate.rows.variants import option_rows, seam_rows


@dataclass(frozen=True)
class RowGroup:
    """Rows that are measured together, and the section of RESULTS.md that they stand in."""

    section: str
    measure: Callable[[Bench], list[Row]]


GROUPS: dict[str, RowGroup] = {
    "output": RowGroup("The mini", low_resolution_rows),
    "autoencoder": RowGroup("The mini", autoencoder_rows),
    "sync": RowGroup("The mini", sync_rows),
    "sharpness": RowGroup("The mini", sharpness_rows),
    "perception": RowGroup("The mini", perception_rows),
    "direction": RowGroup("The mini", direction_rows),
    "cost": RowGroup("The mini", cost_rows),
    "real_faces": RowGroup("The mini", real_face_rows),
    "real": RowGroup("Real pictures", real_rows),
    "size": RowGroup("Cascade", resolution_rows),
    "comparison": RowGroup("Cascade", comparison_rows),
    "super_resolution": RowGroup("Cascade", super_resolution_rows),
    "workers": RowGroup("Cascade", worker_rows),
    "kills": RowGroup("Cascade", kill_rows),
    "seams": RowGroup("Cascade", seam_rows),
    "options": RowGroup("Cascade", option_rows),
    "director": RowGroup("Director", director_rows),
    "negatives": RowGroup("Director", negatives_rows),
    "eyes": RowGroup("Eyes", eyes_rows),
    "annotation": RowGroup("Annotation", annotation_rows),
    "characters": RowGroup("Several characters", character_rows),
}
"""Name of a group -> how it is measured. A new measure is a function in `measures`, and a group here that uses it."""
