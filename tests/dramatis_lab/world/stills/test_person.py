"""People of stills come from their seed, and vary more than those of takes."""

from __future__ import annotations

import numpy as np

from dramatis_lab.world.people.headwear import HEADSCARF
from dramatis_lab.world.stills.person import STILL_LOWEST, draw_still_spec


def test_specs_come_from_the_seed() -> None:
    assert draw_still_spec(7) == draw_still_spec(7) != draw_still_spec(8)
    assert draw_still_spec(7).lowest == STILL_LOWEST


def test_people_vary_and_hair_fits_what_is_over_it() -> None:
    specs = [draw_still_spec(seed) for seed in range(200)]
    assert {"dots", "print"} <= {spec.cloth_pattern for spec in specs}
    assert max(spec.complexion.age for spec in specs) > 1
    assert max(spec.age for spec in specs) <= 1
    pale = [spec for spec in specs if spec.cloth_colour is not None and min(spec.cloth_colour) > 0.59]
    assert 0.2 < np.mean([spec in pale for spec in specs]) < 0.45
    for spec in specs:
        accessories = spec.accessories
        assert accessories is not None
        if accessories.hair is not None or accessories.headwear == HEADSCARF:
            assert spec.hair == "cropped"
        if accessories.beard:
            assert min(spec.complexion.beard, spec.complexion.moustache) >= 0.7
