from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatis.motion.face import ANCHOR_TEMPLATE, TEMPLATE_68
from dramatis.motion.group import face_shares, group_maps, group_positions, head_shares, head_windows, person_maps
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions

SIZE, GRID = (64, 128), (8, 16)


def head_at(x: float, y: float = 24.0, scale: float = 30.0, frames: int = 3) -> np.ndarray:
    """(T, 9, 2) anchors of a head that faces the camera."""
    flat = ANCHOR_TEMPLATE[:, :2] * (scale, -scale) + (x, y)
    return np.repeat(flat[None], frames, 0).astype(np.float32)


def moving(frames: int = 3, emotion: int = 1, zoom: float = 0.2) -> Performance:
    """A camera that moves in while a face takes on an emotion."""
    performance = Performance.still(frames)
    performance.camera[:, 0] = np.linspace(0, zoom, frames)
    performance.emotion[1:, 0], performance.emotion[1:, emotion] = 0.2, 0.8
    return performance


def test_one_person_owns_the_picture() -> None:
    anchors = head_at(40.0)
    assert (head_shares(anchors[None], SIZE, GRID) == 1).all()
    assert np.array_equal(
        group_maps(anchors[None], moving(), SIZE, GRID), coordinate_maps(anchors, moving(), SIZE, GRID)
    )
    alone = warp_positions(anchors, moving(), 1, SIZE)
    assert np.array_equal(group_positions(anchors[None], [moving()], 1, SIZE), alone)


def test_places_belong_to_the_nearest_head_and_chest() -> None:
    anchors = np.stack([head_at(30.0), head_at(98.0)])
    shares = head_shares(anchors, SIZE, GRID)
    assert shares.shape == (2, 3, *GRID)
    assert np.allclose(shares.sum(0), 1, atol=1e-6)
    assert (shares[0, :, :, :7] > 0.75).all()
    assert (shares[1, :, :, 9:] > 0.75).all()
    assert np.allclose(shares[0, ..., ::-1], shares[1], atol=1e-5), "the picture is a mirror of itself"
    assert np.array_equal(head_shares(anchors[::-1], SIZE, GRID), shares[::-1])


def test_faces_are_where_landmarks_are_and_necks_are_none() -> None:
    anchors = np.stack([head_at(30.0), head_at(98.0)])
    found = face_shares(anchors, SIZE, (64, 128))
    assert found.shape == (3, 64, 128)
    assert ((found >= 0) & (found <= 1)).all()
    eyes_and_lips = 30 * TEMPLATE_68[36:68, :2]
    for x in (30, 98):
        columns, rows = (x + eyes_and_lips[:, 0]).astype(int), (24 - eyes_and_lips[:, 1]).astype(int)
        assert (found[:, rows, columns] > 0.5).all()
        assert (found[:, 50:, x] < 0.1).all(), "below the chin"
    assert (found[:, :, 60:68] < 0.01).all(), "between the two"


def test_every_cell_shows_the_head_of_its_owner() -> None:
    anchors = np.stack([head_at(30.0), head_at(98.0)])
    maps = group_maps(anchors, moving(), SIZE, GRID)
    for person, half in enumerate((slice(0, 8), slice(8, 16))):
        alone = coordinate_maps(anchors[person], moving(), SIZE, GRID)
        assert np.array_equal(maps[..., half], alone[..., half])


def test_maps_of_a_person_alone_know_nobody_else() -> None:
    anchors = np.stack([head_at(30.0), head_at(98.0)])
    maps = person_maps(anchors, moving(), SIZE, GRID)
    for person, own in zip(anchors, maps, strict=True):
        assert np.array_equal(own, coordinate_maps(person, moving(), SIZE, GRID))


@given(
    middles=st.lists(st.floats(-50, 450), min_size=1, max_size=5),
    moves=st.lists(st.floats(-150, 150), min_size=5, max_size=5),
    units=st.integers(8, 26),
)
def test_windows_hold_heads_and_cover_the_frame(middles: list[float], moves: list[float], units: int) -> None:
    width, side, unit = 16 * units, 128, 16
    heads = [head_at(x) for x in middles]
    for head, move in zip(heads, moves, strict=False):
        head[1:] += np.array([move, 0], np.float32)
    windows = head_windows(np.stack(heads), width, side, unit)
    covered = np.zeros(width, bool)
    for (start, stop), head in zip(windows, heads, strict=True):
        assert 0 <= start < stop <= width
        assert start % unit == stop % unit == 0
        assert stop - start >= min(side, width)
        inside = head[..., 0].clip(0, width)
        assert start <= inside.min()
        assert inside.max() <= stop
        covered[start:stop] = True
    assert covered.all()


def test_windows_are_no_wider_than_they_must_be() -> None:
    def windows(*middles: float, width: int = 256) -> tuple[tuple[int, int], ...]:
        return head_windows(np.stack([head_at(x) for x in middles]), width, 128, 16)

    assert windows(64.0, 192.0) == ((0, 128), (128, 256))
    assert windows(192.0, 64.0) == ((128, 256), (0, 128)), "in the order of people"
    assert windows(118.0, 138.0) == ((0, 176), (80, 256)), "close people: windows overlap, and reach the borders"
    assert windows(64.0, 320.0, width=384) == ((0, 192), (192, 384)), "what lies between is shared out"


def test_heads_move_by_themselves_and_the_camera_moves_all() -> None:
    anchors = np.stack([head_at(30.0), head_at(98.0)])
    anchors[0, 1:, :, 0] += 3
    acted = [moving(emotion=1), moving(emotion=2)]
    together = group_positions(anchors, acted, 0, SIZE)
    assert together.shape == (3, *SIZE, 2)
    for person, x in enumerate((30, 98)):
        alone = warp_positions(anchors[person], acted[person], 0, SIZE)
        assert np.allclose(together[:, 14:34, x - 6 : x + 6], alone[:, 14:34, x - 6 : x + 6], atol=0.02)
    by_camera = warp_positions(head_at(-900.0), moving(), 0, SIZE)
    assert np.allclose(together[:, :, 64], by_camera[:, :, 64], atol=0.2), "between them the camera alone moves"


def test_where_heads_overlap_neither_pulls_twice() -> None:
    both = np.stack([head_at(50.0), head_at(50.0)])
    both[:, 1:, :, 0] += 5
    still = Performance.still(3)
    across = group_positions(both, [still, still], 0, SIZE)[1:, 24, 50, 0]
    assert np.allclose(across, 50.5 - 5, atol=0.05), "all of one's way, not of both"


def test_as_many_heads_as_performances() -> None:
    with pytest.raises(ValueError, match="2 heads do not fit 1 performances"):
        group_positions(np.stack([head_at(30.0), head_at(98.0)]), [moving()], 0, SIZE)
