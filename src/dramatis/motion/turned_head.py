"""A head of a portrait as a surface that bulges towards the viewer, turned: the face moves further than its rim.

A flat sheet that is turned slides as a whole; on a surface with depth the nose passes before the cheeks, and hair at
the outline hardly moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.face import VIEW_DISTANCE, HeadFit, head_rotation
from dramatis.motion.performance import Performance

_DEPTH = 0.43
"""How far the middle of the face lies before the head's centre, in head heights (chin and brows of `TEMPLATE_68`)."""
_FLAT = 0.32
"""Half the height over which that depth is the same: from the chin to the brows."""
_MIDDLE = (0.0, 0.08, 0.2)
"""The middle of the bulge on the head; nearer its axis than the face, so it stays put on a head that is turned away."""
_ROUNDING = 6.0
"""How fast depth falls off: exp(-6 d^2) gives brows, cheeks and jaw of `TEMPLATE_68` within 0.1 of their depth, and no
slope above 0.9, so that turns of 40 degrees fold nothing."""
_ROUNDS = 6
"""Iterations in which the surface's depth at a place is found: less than a fifth of the error is left at 0.7 rad."""


class TurnedHead:
    """Where the content of T frames lies on a head, and where that is in the portrait.

    head: in the portrait. acted: T frames; only head and orbit are read.
    """

    def __init__(self, head: HeadFit, acted: Performance) -> None:
        moved, camera = acted.head.astype(np.float64), acted.camera.astype(np.float64)
        orbit = head_rotation(camera[:, 4], camera[:, 5], 0.0)
        turn = orbit @ (head.rotation @ head_rotation(moved[:, 0], moved[:, 1], moved[:, 2]))
        shift = np.einsum("tij,tj->ti", orbit, moved[:, 3:6])
        self._shift = shift[:, :2].astype(np.float32)
        self._nearer = (1.0 / (1.0 - shift[:, 2] / VIEW_DISTANCE)).astype(np.float32)
        relative = turn @ head.rotation.T
        self._back = np.linalg.inv(relative[:, :2, :2]).astype(np.float32)
        self._slide = (self._back @ relative[:, :2, 2:].astype(np.float32))[..., 0]
        self._rotation = head.rotation.astype(np.float32)
        self._centre, self._scale = head.centre.astype(np.float32), np.float32(head.scale)
        self._middle = (self._rotation @ np.array(_MIDDLE, np.float32))[:2]

    def before(self, number: int, nodes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, 3) head coordinates (x right, y up, z near, in head heights) of what a frame shows at nodes (h, w, 2).

        nodes: px, without the camera's zoom, roll and pan.
        """
        flat = (nodes - self._centre) * (np.array((1, -1), np.float32) / (self._scale * self._nearer[number]))
        flat = (flat - self._shift[number]) @ self._back[number].T
        view = flat
        if np.abs(self._slide[number]).max() > 0:
            for _ in range(_ROUNDS):
                view = flat - self._slide[number] * self._depth(view)[..., None]
        return np.concatenate([view, self._depth(view)[..., None]], -1) @ self._rotation

    def seen(self, on_head: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, 2) px of the portrait where head coordinates (h, w, 3) are."""
        view = on_head @ self._rotation[:2].T
        return view * np.array((self._scale, -self._scale), np.float32) + self._centre

    def _depth(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, 2) places seen from the front, in head heights from the head's centre -> (h, w) how near they are."""
        across = view[..., 0] - self._middle[0]
        beyond = np.maximum(np.abs(view[..., 1] - self._middle[1]) - np.float32(_FLAT), 0)
        return np.float32(_DEPTH) * np.exp(-np.float32(_ROUNDING) * (across * across + beyond * beyond))
