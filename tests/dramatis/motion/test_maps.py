"""Coordinate maps: the cell over the mouth reads the mouth, the background reads where it came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68, HeadFit, head_rotation, project
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import Performance

SIZE, GRID = (128, 128), (16, 16)
FIT = HeadFit(scale=56.0, centre=np.array([60.0, 70.0]), rotation=head_rotation(0.05, 0.0, 0.02))


def with_values(frames: int, **columns: dict[int, float]) -> Performance:
    still = Performance.still(frames)
    values = {name: getattr(still, name).copy() for name in columns}
    for name, changes in columns.items():
        for column, value in changes.items():
            values[name][:, column] = value
    return replace(still, **values)


def maps_of(performance: Performance) -> np.ndarray:
    return coordinate_maps(project(FIT, performance, SIZE), performance, SIZE, GRID)


@pytest.mark.parametrize(
    "performance",
    [
        with_values(2),
        with_values(2, head={2: 0.2, 3: 0.1, 4: -0.05}),
        with_values(2, head={0: 0.2}, camera={0: 0.2, 1: -0.05, 3: 0.05}),
    ],
)
def test_the_cell_at_the_mouth_reads_the_mouth(performance: Performance) -> None:
    maps = maps_of(performance)
    mouth = TEMPLATE_68[[51, 57]].mean(0)
    column, row = project(FIT, performance, SIZE, [mouth])[1, 0] / 8 - 0.5
    left, top = int(column), int(row)
    across, down = column - left, row - top
    around = maps[1, :2, top : top + 2, left : left + 2]
    read = np.tensordot(np.outer([1 - down, down], [1 - across, across]), around, ([0, 1], [1, 2]))
    # The affine map ignores depth: lips stand a little before the mean of the anchors.
    np.testing.assert_allclose(2 * read, mouth[:2], atol=0.06)


def test_head_coordinates_grow_right_and_up() -> None:
    maps = maps_of(with_values(1))[0]
    assert (np.diff(maps[0], axis=1) > 0).all()
    assert (np.diff(maps[1], axis=0) < 0).all()


def test_a_still_camera_displaces_nothing() -> None:
    assert np.abs(maps_of(with_values(3, head={0: 0.3}))[:, 2:4]).max() < 1e-6


def test_displacement_points_to_the_source() -> None:
    panned = maps_of(with_values(1, camera={1: 0.1, 2: 0.05}))[0, 2:4]
    np.testing.assert_allclose(panned[0], -0.4, atol=1e-5)  # content moved right: it came from the left
    np.testing.assert_allclose(panned[1], 0.2, atol=1e-5)  # and up: it came from below
    zoomed = maps_of(with_values(1, camera={0: 0.1}))[0, 2:4]
    assert (zoomed[0, :, 0] > 0).all()
    assert (zoomed[0, :, -1] < 0).all()
    orbited = maps_of(with_values(1, camera={4: 0.1}))[0, 2:4]
    np.testing.assert_allclose(orbited[0], 0.16, atol=1e-5)  # background slid left


def test_the_last_channels_are_the_place_in_the_reference() -> None:
    still = maps_of(with_values(1))[0, 4:]
    np.testing.assert_allclose(still[0, 0], np.linspace(-0.9375, 0.9375, 16), atol=1e-5)
    np.testing.assert_allclose(still[1, :, 3], np.linspace(-0.9375, 0.9375, 16), atol=1e-5)
    panned = maps_of(with_values(1, camera={1: 0.1}))[0, 4:]
    np.testing.assert_allclose(panned[0, :, 8], still[0, :, 8] - 0.2, atol=1e-5)


def test_range_and_length_are_checked() -> None:
    performance = with_values(3, camera={0: 0.45, 1: 0.12})
    maps = coordinate_maps(np.full((3, 9, 2), 64.0), performance, SIZE, GRID)
    assert maps.dtype == np.float32
    assert maps.shape == (3, 6, 16, 16)
    assert np.abs(maps).max() <= 1.0
    with pytest.raises(ValueError, match="Anchors"):
        coordinate_maps(np.zeros((2, 9, 2)), performance, SIZE, GRID)
