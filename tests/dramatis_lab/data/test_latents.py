from __future__ import annotations

from pathlib import Path

from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.tasks import CascadeTask
from tests.dramatis_lab.samples import GAP_ROW, write_latents


def test_rows_are_grouped_by_the_length_of_their_clip(tmp_path: Path) -> None:
    latents = LatentDataset(write_latents(tmp_path))
    assert latents.rows_by_length(CascadeTask.FIRST) is None
    assert latents.rows_by_length(CascadeTask.SUB_CLIP) == {8: [0, 2, 4], 5: [1], 2: [3]}
    assert latents.rows_by_length(CascadeTask.GAP) == {8: [GAP_ROW]}
    assert latents.rows_by_length(CascadeTask.BLUEPRINT_LAST) == {8: list(range(6))}
