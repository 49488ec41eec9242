from __future__ import annotations

import numpy as np

from dramatis.motion.held_border import BorderHold


def test_shoulders_stay_at_the_border_and_heads_are_free() -> None:
    outline = np.zeros((120, 100), np.float32)
    outline[20:, 30:70] = 1
    hold = BorderHold(outline, scale=60.0)
    at_border, head, beside = hold.freedom(np.array([[50.0, 120.0], [50, 40], [1, 60]]))
    assert at_border[1] < 0.02
    assert at_border[0] == 1, "along the border all is free to move"
    assert np.array_equal(head, [1, 1])
    assert np.array_equal(beside, [1, 1]), "nobody is cut off at the left"


def test_freedom_grows_steadily_away_from_the_border() -> None:
    hold = BorderHold(np.ones((120, 100), np.float32), scale=60.0)
    places = np.stack([np.full(27, 50.0), np.linspace(0, 27, 27)], -1)
    assert (np.diff(hold.freedom(places)[:, 1]) >= 0).all()
