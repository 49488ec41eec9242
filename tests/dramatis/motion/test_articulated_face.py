from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.articulation import NATURAL_GAIN
from dramatis.senses.seeing.articulated_face import look_at_face
from tests.drawn_face import draw_face


@pytest.mark.parametrize(("degrees", "share"), [(0, 1.0), (20, 1.0), (60, 0.85)])
def test_turned_mouths_open_less_far(degrees: float, share: float) -> None:
    face = look_at_face(*draw_face(yaw=np.radians(degrees)))
    assert face.mouth_at_rest().gain == pytest.approx(share * NATURAL_GAIN, abs=0.03)
    assert face.mouth_at_rest(1.0).gain == pytest.approx(share, abs=0.04)
