"""The portrait acts: heads, mouths, blinks, breath and camera of a performance, in the portrait's own pixels.

It is watched by itself as a preview, before any diffusion. In the window that the networks film it is the condition of
every frame that is not given, since networks copy what they are shown: a condition that speaks makes lips that speak.
And it surrounds what they filmed, at the portrait's own size.

Shape legend: P people, N frames of the video, F frames of a clip, H W pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from dramatis.media.image import Pictures, downscale
from dramatis.motion.articulated_face import ArticulatedFace
from dramatis.motion.face import project
from dramatis.motion.group import group_positions
from dramatis.motion.performance import Performance
from dramatis.motion.warp import camera_positions
from dramatis.sampling.articulated_portrait import ArticulatedPortrait, FaceMove
from dramatis.senses.seeing.articulated_face import look_at_face
from dramatis.senses.seeing.eye import Face

_BLOCK = 25
"""Frames whose warps are worked out together."""
_NODE_STEP = 8
"""Pixels between places that the warp by head and camera is worked out for; between them it is read off linearly."""


@dataclass(frozen=True, eq=False)
class Acts:
    """What bodies do by the sound and by themselves, which the networks are not told.

    mouths: (P, F, 11) weights of `SHAPE_CHANNELS`. breaths: (P, F) 0 to 1, how full everybody's chest is.
    """

    mouths: NDArray[np.float32]
    breaths: NDArray[np.float32]

    def at(self, frames: ArrayLike) -> Acts:
        """Those of some frames alone."""
        rows = np.asarray(frames)
        return Acts(self.mouths[:, rows], self.breaths[:, rows])

    def digest(self) -> str:
        """Hash of all of it."""
        parts = (np.ascontiguousarray(part).tobytes() for part in (self.mouths, self.breaths))
        return hashlib.sha256(b"".join(parts)).hexdigest()


@dataclass(frozen=True, eq=False)
class PortraitCast:
    """A portrait and the faces in it that act.

    picture: (H, W, 3) uint8. faces: P, in its pixels. matte: (H, W) uint8, how much of each pixel belongs to these
    people, 255 all of it; None: that is not known, and the background moves with them. What articulation needs is
    worked out once a process, and never kept: it is many times as large.
    """

    picture: Pictures
    faces: tuple[Face, ...]
    matte: NDArray[np.uint8] | None = None

    @cached_property
    def articulated(self) -> tuple[ArticulatedFace, ...]:
        """What articulation needs of each face."""
        return tuple(look_at_face(self.picture, face) for face in self.faces)

    def frames(self, acts: Acts, performances: Sequence[Performance]) -> Iterator[Pictures]:
        """F frames (H, W, 3) uint8, one after the other; none depends on which others are asked for.

        performances: P of F frames, before one camera.
        """
        size = self.picture.shape[0], self.picture.shape[1]
        for first in range(0, len(performances[0]), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(performances[0])))
            shown = [performance.take(rows) for performance in performances]
            some = acts.at(rows)
            people, ground = self._positions(some, shown, size)
            for row in range(len(rows)):
                moves = tuple(
                    FaceMove(mouth[row], float(performance.blink[row]))
                    for mouth, performance in zip(some.mouths, shown, strict=True)
                )
                behind = None if ground is None else _between(ground[row], size)
                yield self._portrait.frame(moves, _between(people[row], size), behind)

    def digest(self) -> str:
        """Hash of what was seen of the people; the picture is not part of it."""
        value = hashlib.sha256()
        for face in self.faces:
            contours = () if face.contours is None else tuple(vars(face.contours).values())
            for places in (face.landmarks, *contours):
                value.update(np.ascontiguousarray(places, np.float32).tobytes())
        if self.matte is not None:
            value.update(np.ascontiguousarray(self.matte).tobytes())
        return value.hexdigest()

    @cached_property
    def _portrait(self) -> ArticulatedPortrait:
        matte = None if self.matte is None else np.asarray(self.matte, np.float32) / np.float32(255)
        return ArticulatedPortrait(self.picture, self.articulated, matte)

    def _positions(
        self, acts: Acts, performances: Sequence[Performance], size: tuple[int, int]
    ) -> tuple[Tensor, Tensor | None]:
        """(F, 2, h, w) px of the portrait, where what is seen of people at nodes of the frame comes from.

        And the same of what is seen of their background, if the portrait has layers and the camera moves.
        """
        moved = [_from_rest(performance) for performance in performances]
        heads = zip(self.articulated, moved, strict=True)
        anchors = np.stack([project(face.head, performance, size) for face, performance in heads])
        y, x = (np.linspace(0.5, side - 0.5, -(-side // _NODE_STEP) + 1) for side in size)
        nodes = np.stack(np.meshgrid(x, y), -1)
        layered = self._portrait.layered
        breaths = [np.append(np.float32(0), breath) for breath in acts.breaths] if layered else None
        people = group_positions(anchors, moved, 0, size, nodes, breaths)[1:]
        if not (layered and moved[0].camera.any()):
            return _as_pictures(people), None
        ground = camera_positions(moved[0].camera, 0, size, nodes)[1:]
        return _as_pictures(people), _as_pictures(ground.reshape(people.shape))

    def __getstate__(self) -> dict[str, Any]:
        return {"picture": self.picture, "faces": self.faces, "matte": self.matte}


@dataclass(frozen=True, eq=False)
class ActingPortrait:
    """A cast during one clip. shrink: side of the portrait over that of the frames asked for."""

    cast: PortraitCast
    acts: Acts
    shrink: int = 1

    def at(self, frames: ArrayLike) -> ActingPortrait:
        """The portrait during these frames of the clip alone."""
        return replace(self, acts=self.acts.at(frames))

    def frames(self, performances: Sequence[Performance]) -> Pictures:
        """(F, H / shrink, W / shrink, 3) uint8: what everybody does in F frames of these performances."""
        frames = np.stack(list(self.cast.frames(self.acts, performances)))
        return frames if self.shrink == 1 else downscale(frames, self.shrink)


def _as_pictures(positions: NDArray[np.float32]) -> Tensor:
    """(F, h, w, 2) -> (F, 2, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(positions, -1, 1)))


def _between(nodes: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    """Positions (2, h, w) at nodes, for every pixel: (H, W, 2)."""
    positions = F.interpolate(nodes[None], size, mode="bilinear", align_corners=True)[0].permute(1, 2, 0)
    return np.asarray(positions.contiguous().numpy(), np.float32)


def _from_rest(performance: Performance) -> Performance:
    """A performance with the portrait itself before its first frame."""
    still = Performance.still(1)
    fields = {name: np.concatenate([getattr(still, name), getattr(performance, name)]) for name in performance.__dict__}
    return Performance(**fields)
