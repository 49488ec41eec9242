"""How the people of a portrait move before its background: heads, necks, shoulders that breathe, hair that lags behind.

The background follows the camera alone. A head turns as a whole, its middle nearer than its rim; the neck passes that
on to the shoulders, which follow a little and rise and sink with the breath. Hair far from the skull follows the head
as a mass on a spring. Whatever the picture's border cuts off stays at the border. The tracks are worked out once for
all frames, and each depends on earlier frames only: so every frame can be made alone, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.expression import EXPRESSION_BOX, undo_expression
from dramatis.motion.face import HeadFit, background_shift, camera_similarity, head_rotation
from dramatis.motion.followers import breath_track, lagging_track
from dramatis.motion.group import SPINE, nearest_shares, spine_distance
from dramatis.motion.held_border import BorderHold
from dramatis.motion.performance import Performance
from dramatis.motion.signals import smoothstep
from dramatis.motion.turned_head import TurnedHead

_Matrices = NDArray[np.floating]
_Field = NDArray[np.float32]
_NECK = (-0.22, -0.75, -1.6)
"""Height in head heights down to which all moves with the head, at which shoulders begin, and below which nothing does.
"""
_SHOULDERS = 0.15
"""How much of the head's motion shoulders take over."""
_ASIDE = (0.7, 1.3)
"""Distances from the middle of the head between which what is beside it ceases to move with it: hats do, hands not."""
_HAIR = (0.46, 0.58), (1.0, 1.6), 0.7
"""Half axes of the skull with close hair; distances in them between which hair begins to lag; how much it lags."""
_BESIDE_NECK, _ABOVE_BROWS = (0.25, 0.45), (0.3, 0.6)
"""Where hair is looked for: so far beside the middle of the head, or so far above it, in head heights."""
_BREATH = 0.012
"""Height in head heights by which a breath lifts the chest: 3 px of a head of 256 px, about a centimetre."""
_LIFTS = (-2.4, -0.8, -0.3, 0.5), (0.0, 1.0, 0.4, 0.3)
"""Heights and how much of that lift they take part in: the head rides on the shoulders."""
_CHEST_DEPTH = 0.15
"""How far neck and chest lie before the axis about which the camera circles, in head heights."""


class PortraitMotion:
    """Where everything of a portrait is in T frames.

    heads: of N people, in pixels of the portrait. performances: theirs, of T frames with one camera. size: (H, W) of
    the portrait. outline: (H, W) in 0..1, which pixels are anybody's; None: nobody is cut off by the border.
    """

    def __init__(
        self,
        heads: Sequence[HeadFit],
        performances: Sequence[Performance],
        size: tuple[int, int],
        outline: NDArray[np.floating] | None = None,
    ) -> None:
        assert len(heads) == len(performances) > 0, "every head has a performance"
        self._camera = performances[0].camera
        self._to_portrait = np.linalg.inv(_camera_maps(self._camera, size))
        self._to_background = np.linalg.inv(_background_maps(self._camera, size))
        self._people = tuple(_Person(*person, size) for person in zip(heads, performances, strict=True))
        self._hold = None if outline is None else BorderHold(outline, max(head.scale for head in heads))

    def __len__(self) -> int:
        return len(self._camera)

    def background_moves(self, number: int) -> bool:
        """Whether the background is seen otherwise in a frame than in the portrait."""
        return bool(np.abs(self._camera[number]).max() > 0)

    def background(self, number: int, nodes: NDArray[np.floating]) -> _Field:
        """(h, w, 2) px of the portrait, where the background at nodes (h, w, 2) px of a frame comes from."""
        return _applied(self._to_background[number], nodes)

    def people(
        self, number: int, nodes: NDArray[np.floating], emotions: Sequence[NDArray[np.floating]] | None = None
    ) -> _Field:
        """(h, w, 2) px of the portrait, where people at nodes (h, w, 2) px of a frame come from.

        emotions: N of (8,), in place of those of their performances.
        """
        still = _applied(self._to_portrait[number], nodes)
        shown = emotions or repeat(None, len(self._people))
        parts = [person.places(number, still, emotion) for person, emotion in zip(self._people, shown, strict=True)]
        if len(parts) == 1:
            places = parts[0][0]
        else:
            shares = nearest_shares(np.stack([distance for _, distance in parts]))
            places = np.einsum("khw,khwc->hwc", shares, np.stack([part for part, _ in parts]))
        if self._hold is None:
            return places
        moved = (places - still) * self._hold.freedom(still)
        return np.asarray(still + moved, np.float32)


class _Person:
    """The tracks of one person, in the plane of the portrait: what the camera's zoom, roll and pan do is undone."""

    def __init__(self, head: HeadFit, acted: Performance, size: tuple[int, int]) -> None:
        self._emotion = acted.emotion
        self._head = TurnedHead(head, acted)
        self._hair = TurnedHead(head, replace(acted, head=lagging_track(acted.head)))
        self._to_body = np.linalg.inv(_body_maps(head, acted.camera, size))
        self._lift = (_BREATH * head.scale * breath_track(acted)).astype(np.float32)

    def places(
        self, number: int, nodes: _Field, emotion: NDArray[np.floating] | None
    ) -> tuple[_Field, NDArray[np.float32]]:
        """Where the person at nodes (h, w, 2) px comes from, and how far away it is, in head heights."""
        on_head = self._head.before(number, nodes)
        across_up = on_head[..., :2]
        weight, hair = _follows(across_up), _lags(across_up)
        on_head[..., :2] = _without_expression(across_up, self._emotion[number] if emotion is None else emotion)
        by_head = self._head.seen(on_head)
        by_head += hair[..., None] * (self._hair.seen(self._hair.before(number, nodes)) - by_head)
        places = _applied(self._to_body[number], nodes)
        places += weight[..., None] * (by_head - places)
        if self._lift[number]:
            places[..., 1] += self._lift[number] * np.interp(across_up[..., 1], *_LIFTS).astype(np.float32)
        return places, spine_distance(across_up[..., 0], across_up[..., 1])


def _without_expression(on_head: _Field, emotion: NDArray[np.floating]) -> _Field:
    """Head coordinates (h, w, 2) of a frame before the emotion moved brows and lips."""
    before = on_head.copy()
    left, low, right, high = EXPRESSION_BOX
    x, y = on_head[..., 0], on_head[..., 1]
    face = (x > left) & (x < right) & (y > low) & (y < high)
    if face.any():
        before[face] = undo_expression(on_head[face][None], emotion[None] - Performance.still(1).emotion)[0]
    return before


def _follows(on_head: _Field) -> NDArray[np.float32]:
    """(..., 2) head coordinates -> (...,) how much a place moves with the head."""
    across, up = np.abs(on_head[..., 0]), on_head[..., 1]
    chin, shoulders, chest = _NECK
    neck = (1 - _SHOULDERS) * smoothstep((up - shoulders) / (chin - shoulders))
    below = _SHOULDERS * smoothstep((up - chest) / (shoulders - chest))
    near, far = _ASIDE
    return np.asarray((neck + below) * (1 - smoothstep((across - near) / (far - near))), np.float32)


def _lags(on_head: _Field) -> NDArray[np.float32]:
    """(..., 2) head coordinates -> (...,) how much of the head's motion comes late."""
    across, up = np.abs(on_head[..., 0]), on_head[..., 1]
    (wide, high), (near, far), most = _HAIR
    away = np.hypot(across / wide, (up - SPINE[0]) / high)
    beside = smoothstep((across - _BESIDE_NECK[0]) / (_BESIDE_NECK[1] - _BESIDE_NECK[0]))
    above = smoothstep((up - _ABOVE_BROWS[0]) / (_ABOVE_BROWS[1] - _ABOVE_BROWS[0]))
    return np.asarray(most * np.maximum(beside, above) * smoothstep((away - near) / (far - near)), np.float32)


def _applied(affine: _Matrices, nodes: NDArray[np.floating]) -> _Field:
    """An affine map (3, 3) of nodes (h, w, 2)."""
    turn, shift = affine[:2, :2].T.astype(np.float32), affine[:2, 2].astype(np.float32)
    return np.asarray(nodes.astype(np.float32, copy=False) @ turn + shift)


def _affine_through(before: NDArray[np.float64], after: NDArray[np.float64]) -> _Matrices:
    """The affine maps (n, 3, 3) nearest to taking K points (K, 2) to (n, K, 2)."""
    rows = np.linalg.pinv(np.column_stack([before, np.ones(len(before))])) @ after
    maps = np.zeros((len(after), 3, 3))
    maps[:, :2], maps[:, 2, 2] = np.swapaxes(rows, 1, 2), 1
    return maps


def _corners(size: tuple[int, int]) -> NDArray[np.float64]:
    return np.array([(0, 0), (size[1], 0), (0, size[0])], np.float64)


def _camera_maps(camera: NDArray[np.float32], size: tuple[int, int]) -> _Matrices:
    """(n, 3, 3) from the portrait's pixels to a frame's, by zoom, roll and pan."""
    corners = _corners(size)
    return _affine_through(corners, camera_similarity(np.broadcast_to(corners, (len(camera), 3, 2)), camera, size))


def _background_maps(camera: NDArray[np.float32], size: tuple[int, int]) -> _Matrices:
    """The same for the distant background, which slides when the camera circles."""
    corners = _corners(size)
    shifted = corners + background_shift(camera, size)[:, None]
    return _affine_through(corners, camera_similarity(shifted, camera, size))


def _body_maps(head: HeadFit, camera: NDArray[np.float32], size: tuple[int, int]) -> _Matrices:
    """(n, 3, 3) from the portrait to where a body is when the camera circles about the axis through its head."""
    corners = _corners(size)
    flat = np.concatenate([(corners - head.centre) * (1, -1), np.full((3, 1), _CHEST_DEPTH * head.scale)], 1)
    orbit = head_rotation(camera[:, 4], camera[:, 5], 0.0)
    rest = flat @ np.eye(3)[:, :2]
    turned = (flat @ orbit.transpose(0, 2, 1))[..., :2]
    return _affine_through(corners, corners + (turned - rest) * (1, -1))
