from __future__ import annotations

import numpy as np

from dramatis.motion import mouth_tables
from dramatis_lab.world.people.articulation_tables import make_tables
from dramatis_lab.world.people.assets import load_ict
from tests.raw_assets import ASSETS, needs_assets


@needs_assets
def test_the_shipped_tables_are_those_that_the_raw_head_gives() -> None:
    made = make_tables(load_ict(ASSETS))
    with np.load(mouth_tables.__file__.replace("mouth_tables.py", "articulation.npz")) as shipped:
        assert set(shipped) == set(made)
        for name, values in made.items():
            assert shipped[name].shape == values.shape
            assert np.abs(shipped[name].astype(int) - values).max() <= 1
