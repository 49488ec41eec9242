"""Volumes of hair round a ball instead of a head; beards are tested on people, in `test_accessories`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dramatis_lab.world.people.hair_volume import HairVolume, build_hair_volume
from dramatis_lab.world.people.shells import SHELL_CENTRE, AttachedPart, texel_points

COLOUR = (0.3, 0.2, 0.1)
HAIR = HairVolume(length=0.25, volume=0.03, curl=0.2, face_halves=(0.06, 0.06), parted=0.1, hairline=0.11)


def layers(hair: HairVolume) -> list[AttachedPart]:
    directions = np.random.default_rng(0).normal(size=(20_000, 3))
    ball = (SHELL_CENTRE + 0.1 * directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    return build_hair_volume(hair, ball, COLOUR, np.random.default_rng(0))


def opaque_share(part: AttachedPart, where: tuple[slice, slice, slice]) -> float:
    """Share of the texels in a box (x, y, z slices in millimetres) that are not cut away."""
    columns = len(np.unique(part.uv[:, 0]))
    points = texel_points(part.vertices.reshape(-1, columns, 3)) * 1000
    within = np.ones(points.shape[:2], bool)
    for axis, limits in enumerate(where):
        within &= (points[..., axis] >= limits.start) & (points[..., axis] < limits.stop)
    assert part.material.alpha is not None
    assert within.any()
    return float((part.material.alpha[within] > 0).mean())


FACE = (slice(-40, 40), slice(-40, 60), slice(40, 400))
NAPE = (slice(-60, 60), slice(-150, 60), slice(-400, -20))


def test_hair_is_behind_the_head_and_not_before_the_face() -> None:
    inner, outer = layers(HAIR)
    assert 0.5 < opaque_share(outer, NAPE) < opaque_share(inner, NAPE) < 1, "the outer layer has more gaps"
    assert opaque_share(inner, FACE) == opaque_share(outer, FACE) == 0


def test_more_volume_stands_farther_off() -> None:
    flat, full = (layers(replace(HAIR, volume=volume))[1].vertices for volume in (0.01, 0.1))
    assert np.abs(full[:, 0]).max() > np.abs(flat[:, 0]).max() + 0.03


def test_long_hair_ends_at_its_length() -> None:
    ends = (slice(-400, 400), slice(-260, -249), slice(-400, 400))
    assert opaque_share(layers(HAIR)[0], ends) < 0.6
    assert layers(HAIR)[0].vertices[:, 1].min() >= -0.2501
