from __future__ import annotations

import numpy as np

from dramatis.motion.held_border import BorderHold


def test_people_stay_where_the_border_cuts_them_off() -> None:
    outline = np.zeros((120, 100), np.float32)
    outline[40:, 30:70] = 1
    hold = BorderHold(outline, 60.0)
    bottom, middle, top = hold.freedom(np.array([[50.0, 119.5], [50.0, 60.0], [50.0, 0.5]]))
    assert bottom[1] < 0.05, "cut off below: it moves neither up nor down there"
    assert bottom[0] == 1, "but to the sides"
    assert (middle == 1).all()
    assert (top == 1).all(), "nobody touches the upper border"


def test_freedom_grows_away_from_the_border_and_is_known_everywhere() -> None:
    hold = BorderHold(np.ones((64, 80), np.float32), 40.0)
    line = np.stack([np.full(60, 40.0), np.linspace(0, 30, 60)], -1)
    assert (np.diff(hold.freedom(line)[:, 1]) >= -1e-6).all()
    far = hold.freedom(np.array([[-50.0, -50.0], [500.0, 500.0]]))
    assert np.isfinite(far).all()
    assert (far <= 0.05).all()
