"""What comes before the camera, and shadows on the wall."""

from __future__ import annotations

import numpy as np

from dramatis_lab.world.stills.foreground import cast_shadow, draw_foreground


def test_foregrounds_come_from_their_generator_and_cover_a_part() -> None:
    covers = [draw_foreground(48, np.random.default_rng(seed)) for seed in range(20)]
    assert np.array_equal(covers[3], draw_foreground(48, np.random.default_rng(3)))
    for cover in covers:
        assert cover.shape == (48, 48, 4)
        assert cover.min() >= 0
        assert cover.max() <= 1 + 1e-5
    shares = np.array([cover[..., 3].mean() for cover in covers])
    assert 0 < np.median(shares) < 0.5


def test_shadows_darken_the_wall_and_never_the_person() -> None:
    frame = np.full((64, 64, 3), 200, np.uint8)
    person = np.zeros((64, 64), np.uint8)
    person[20:, 20:44] = 1
    shadowed = cast_shadow(frame, person, np.random.default_rng(0))
    assert (shadowed[person > 0] == 200).all()
    assert (shadowed <= frame).all()
    assert (shadowed[person == 0] < 190).any()
