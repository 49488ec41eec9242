"""The portrait acts: the articulated portrait in the window that the networks film, as the condition of every frame.

Frames that are not given show it, since networks copy what they are shown: a condition that speaks makes lips that
speak. Low-resolution frames see the same pictures, made smaller.

Shape legend: P people, N frames of the video, F frames of a clip.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.cascade.animatic import Actor, acted_frames
from dramatis.media.image import Pictures, downscale
from dramatis.motion.articulated_face import ArticulatedFace
from dramatis.motion.performance import Performance
from dramatis.sampling.articulated_portrait import ArticulatedPortrait
from dramatis.senses.seeing.articulated_face import look_at_face
from dramatis.senses.seeing.eye import Face


@dataclass(frozen=True, eq=False)
class PortraitCast:
    """A portrait and the faces in it that act.

    picture: (H, W, 3) uint8. faces: P, in its pixels. What articulation needs of them is worked out once a process,
    and never kept: it is many times as large.
    """

    picture: Pictures
    faces: tuple[Face, ...]

    @cached_property
    def articulated(self) -> tuple[ArticulatedFace, ...]:
        """What articulation needs of each face."""
        return tuple(look_at_face(self.picture, face) for face in self.faces)

    def frames(self, mouths: NDArray[np.float32], performances: Sequence[Performance]) -> Iterator[Pictures]:
        """F frames (H, W, 3) uint8. mouths: (P, F, 11) weights of `SHAPE_CHANNELS`. performances: P of F frames."""
        parts = zip(self.articulated, mouths, performances, strict=True)
        actors = [Actor(face, mouth, performance) for face, mouth, performance in parts]
        return acted_frames(self._portrait, actors, (self.picture.shape[0], self.picture.shape[1]))

    def digest(self) -> str:
        """Hash of what was seen of the faces; the picture is not part of it."""
        value = hashlib.sha256()
        for face in self.faces:
            contours = () if face.contours is None else tuple(vars(face.contours).values())
            for places in (face.landmarks, *contours):
                value.update(np.ascontiguousarray(places, np.float32).tobytes())
        return value.hexdigest()

    @cached_property
    def _portrait(self) -> ArticulatedPortrait:
        return ArticulatedPortrait(self.picture, self.articulated)

    def __getstate__(self) -> dict[str, Any]:
        return {"picture": self.picture, "faces": self.faces}


@dataclass(frozen=True, eq=False)
class ActingPortrait:
    """A cast during one clip.

    mouths: (P, F, 11) weights of `SHAPE_CHANNELS`. shrink: side of the portrait over that of the frames asked for.
    """

    cast: PortraitCast
    mouths: NDArray[np.float32]
    shrink: int = 1

    def at(self, frames: ArrayLike) -> ActingPortrait:
        """The portrait during these frames of the clip alone."""
        return replace(self, mouths=self.mouths[:, np.asarray(frames)])

    def frames(self, performances: Sequence[Performance]) -> Pictures:
        """(F, H / shrink, W / shrink, 3) uint8: what everybody does in F frames of these performances."""
        frames = np.stack(list(self.cast.frames(self.mouths, performances)))
        return frames if self.shrink == 1 else downscale(frames, self.shrink)
