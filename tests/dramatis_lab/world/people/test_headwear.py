"""Hats and headscarves on a ball instead of a head."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.headwear import HATS, build_hat, build_headscarf, height_above_hat_line
from dramatis_lab.world.people.shells import SHELL_CENTRE, AttachedPart, texel_points

COLOUR = (0.2, 0.4, 0.6)
RADIUS = 0.1


def ball() -> np.ndarray:
    directions = np.random.default_rng(0).normal(size=(20_000, 3))
    return (SHELL_CENTRE + RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)


def hat(kind: str, seed: int = 0) -> list[AttachedPart]:
    return build_hat(kind, ball(), COLOUR, np.random.default_rng(seed))


def opaque_points(part: AttachedPart) -> np.ndarray:
    """(N, 3) where the texels of a shell lie that are not cut away."""
    columns = len(np.unique(part.uv[:, 0]))
    alpha = part.material.alpha
    assert alpha is not None
    return texel_points(part.vertices.reshape(-1, columns, 3))[alpha > 0]


@pytest.mark.parametrize("kind", HATS)
def test_hats_sit_outside_the_head_and_above_their_line(kind: str) -> None:
    crown = hat(kind)[0]
    shown = opaque_points(crown)
    assert np.linalg.norm(shown - SHELL_CENTRE, axis=1).min() > RADIUS
    assert height_above_hat_line(shown).min() > -0.02
    assert all(np.array_equal(one.vertices, two.vertices) for one, two in zip(hat(kind), hat(kind), strict=True))


def test_caps_have_a_peak_in_front_and_hats_a_brim_all_round() -> None:
    assert len(hat("beanie")) == 1
    for kind, behind in (("cap", 0.0), ("brim", 0.03)):
        edge, rim = hat(kind)[1].vertices.reshape(2, -1, 3)
        reach = np.linalg.norm(rim - edge, axis=1)
        assert reach[len(reach) // 2] > 0.035
        assert reach[0] >= behind
        assert (reach[0] < 1e-6) == (kind == "cap")


def test_a_headscarf_leaves_the_face_free() -> None:
    scarf = build_headscarf(ball(), COLOUR, np.random.default_rng(0))
    shown = opaque_points(scarf)
    front = shown[(shown[:, 2] > 0) & (np.abs(shown[:, 1] - 0.02) < 0.02)]
    assert np.abs(front[:, 0]).min() > 0.04
    assert (shown[:, 2] < 0).mean() > 0.4, "it is closed behind"
