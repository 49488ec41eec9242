"""Shards of stills resume, refuse a foreign folder and repeat; the truth of real ones agrees with their pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis_lab.world.splits import HELD_OUT_REMAINDER
from dramatis_lab.world.stills import dataset
from dramatis_lab.world.stills.dataset import StillRecipe, make_stills, write_stills
from tests.raw_assets import ASSETS, needs_assets

SMALL = StillRecipe(size=64, pictures=4, samples_per_shard=1)
NOSE_TIP = 30


def test_shards_resume_and_another_recipe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def stills(seed: int, _assets: Path, _recipe: StillRecipe) -> tuple[dict[str, Any], dict[str, Any]]:
        made.append(seed)
        return {"frames": np.random.default_rng(seed).integers(0, 256, (1, 4, 4, 3), np.uint8)}, {"seed": seed}

    monkeypatch.setattr(dataset, "make_stills", stills)
    assert write_stills(tmp_path, 2, ASSETS, SMALL, workers=1) == 2
    assert write_stills(tmp_path, 3, ASSETS, SMALL, workers=1) == 1
    assert len(set(made)) == len(made) == 3
    with pytest.raises(UserError, match="another recipe"):
        write_stills(tmp_path, 3, ASSETS, replace(SMALL, seed=1), workers=1)
    with pytest.raises(UserError, match="split"):
        StillRecipe(split="validation")


@needs_assets
def test_pictures_repeat_and_their_truth_agrees() -> None:
    arrays, row = make_stills(4, ASSETS, SMALL)
    again, _ = make_stills(4, ASSETS, SMALL)
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    assert row["people"] == 1
    assert row["identity"] % 10 != HELD_OUT_REMAINDER
    assert {name: array.shape for name, array in arrays.items()} == {
        "frames": (4, 64, 64, 3),
        "landmarks": (4, 68, 2),
        "visible": (4,),
        "hands": (4, 2, 2),
        "person": (4, 64, 64),
        "face": (4, 64, 64),
    }
    assert (arrays["person"] >= arrays["face"]).all()
    seen = arrays["visible"] > 0.5
    assert seen.any()
    for marks, face in zip(arrays["landmarks"][seen], arrays["face"][seen], strict=True):
        x, y = marks[NOSE_TIP].astype(int)
        assert face[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].any()
