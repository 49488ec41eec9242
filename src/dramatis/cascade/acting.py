"""The portrait acts: heads, mouths, blinks, breath and camera of a performance, in the portrait's own pixels.

It is watched by itself as a preview, before any diffusion. In the window that the networks film it is the condition of
every frame that is not given, since networks copy what they are shown: a condition that speaks makes lips that speak.
And it surrounds what they filmed, at the portrait's own size.

Shape legend: P people, N frames of the video, F frames of a clip, H W pixels.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dramatis.media.image import Pictures, downscale
from dramatis.motion.articulated_face import ArticulatedFace
from dramatis.motion.face import project
from dramatis.motion.followers import breath_track, lagging_track
from dramatis.motion.group import group_positions
from dramatis.motion.performance import Performance
from dramatis.motion.portrait_motion import PortraitMotion
from dramatis.runtime.ahead import work_ahead
from dramatis.sampling.articulated_portrait import ArticulatedPortrait, FaceMove
from dramatis.sampling.portrait_layers import split_portrait
from dramatis.senses.seeing.articulated_face import look_at_face
from dramatis.senses.seeing.eye import Face

_KEPT = 160
"""Frames that are kept, those of a few clips: at 256 pixels a side 30 MB."""
_ONCE = threading.RLock()
"""Held while something is worked out, so that several workers do not do it at once."""
_NODE_STEP = 8
"""Pixels between places that the warp by head and camera is worked out for; between them it is read off linearly."""


class _Recomputed:
    """A dataclass whose cached properties are worked out anew in every process: they are far larger than its fields."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, eq=False)
class PortraitCast(_Recomputed):
    """A portrait and the faces in it that act.

    picture: (H, W, 3) uint8. faces: P, in its pixels. matte: (H, W) uint8, how much of each pixel belongs to these
    people, 255 all of it; None: that is not known, and the background moves with them.
    """

    picture: Pictures
    faces: tuple[Face, ...]
    matte: NDArray[np.uint8] | None = None

    @cached_property
    def articulated(self) -> tuple[ArticulatedFace, ...]:
        """What articulation needs of each face."""
        return tuple(look_at_face(self.picture, face) for face in self.faces)

    @cached_property
    def outline(self) -> NDArray[np.float32] | None:
        """The matte, 0..1."""
        return None if self.matte is None else np.asarray(self.matte, np.float32) / np.float32(255)

    @cached_property
    def portrait(self) -> ArticulatedPortrait:
        """What paints the frames."""
        layers = None if self.outline is None else split_portrait(self.picture, self.outline)
        return ArticulatedPortrait(self.picture, self.articulated, layers)

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


@dataclass(frozen=True, eq=False)
class PortraitFilm(_Recomputed):
    """A directed performance of a portrait: any of its N frames, each independent of which others are asked for.

    mouths: (P, N, 11) weights of `SHAPE_CHANNELS`. performances: P of N frames, before one camera.
    """

    cast: PortraitCast
    mouths: NDArray[np.float32]
    performances: tuple[Performance, ...]

    def __len__(self) -> int:
        return len(self.performances[0])

    def __iter__(self) -> Iterator[Pictures]:
        """All frames in order; as many are worked on at once as torch may use cores, each on one."""
        with one_thread_each() as cores:
            yield from work_ahead(self.frame, range(len(self)), cores)

    def frame(self, number: int, performances: Sequence[Performance] | None = None) -> Pictures:
        """One frame (H, W, 3) uint8.

        performances: P of one frame, whose blinks and emotions stand for their own.
        """
        shown = performances or [performance.take([number]) for performance in self.performances]
        moves = tuple(
            FaceMove(mouth[number], float(performance.blink[0]))
            for mouth, performance in zip(self.mouths, shown, strict=True)
        )
        with _ONCE:
            portrait, motion, enlarge = self._ready
        if motion is None:
            return portrait.frame(moves, enlarge(self._together(shown, enlarge.nodes)))
        people = motion.people(number, enlarge.nodes, [performance.emotion[0] for performance in shown])
        moves_too = motion.background_moves(number)
        background = enlarge(motion.background(number, enlarge.nodes)) if moves_too else None
        return portrait.frame(moves, enlarge(people), background)

    def painted(self, number: int, performances: Sequence[Performance]) -> Pictures:
        """`frame`, of which the latest are kept: several stages ask for the same ones, soon after each other."""
        key = number, b"".join(shown.blink.tobytes() + shown.emotion.tobytes() for shown in performances)
        with _ONCE:
            picture = self._latest.pop(key, None)
        if picture is None:
            picture = self.frame(number, performances)
        with _ONCE:
            self._latest[key] = picture
            while len(self._latest) > _KEPT:
                del self._latest[next(iter(self._latest))]
        return picture

    def digest(self, frames: NDArray[np.int64]) -> str:
        """Hash of what frames are made of, besides the picture and the performances themselves."""
        value = hashlib.sha256(self._cast_digest.encode())
        value.update(np.ascontiguousarray(self.mouths[:, frames]).tobytes())
        for track in self._followers:
            value.update(np.ascontiguousarray(track[frames]).tobytes())
        return value.hexdigest()

    @cached_property
    def _cast_digest(self) -> str:
        return self.cast.digest()

    @cached_property
    def _followers(self) -> tuple[NDArray[np.floating], ...]:
        """(N, ...) each: hair and breath, which depend on all that went before a frame; none where they do not move."""
        if self.cast.matte is None:
            return ()
        return tuple(
            track
            for performance in self.performances
            for track in (lagging_track(performance.head), breath_track(performance))
        )

    @property
    def _size(self) -> tuple[int, int]:
        return self.cast.picture.shape[0], self.cast.picture.shape[1]

    @cached_property
    def _latest(self) -> dict[tuple[int, bytes], Pictures]:
        return {}

    @cached_property
    def _ready(self) -> tuple[ArticulatedPortrait, PortraitMotion | None, _Enlarger]:
        """What every frame is made with; the motion is None where people and background are one."""
        heads, motion = [face.head for face in self.cast.articulated], None
        if self.cast.outline is not None:
            motion = PortraitMotion(heads, self.performances, self._size, self.cast.outline)
        return self.cast.portrait, motion, _Enlarger(self._size)

    def _together(self, performances: Sequence[Performance], nodes: NDArray[np.floating]) -> NDArray[np.float32]:
        """(h, w, 2) px of the portrait, where what is seen at nodes comes from, people and background in one."""
        moved = [_from_rest(performance) for performance in performances]
        heads = zip(self.cast.articulated, moved, strict=True)
        anchors = np.stack([project(face.head, performance, self._size) for face, performance in heads])
        return group_positions(anchors, moved, 0, self._size, nodes)[1]


@dataclass(frozen=True, eq=False)
class ActingPortrait:
    """A portrait's film during one clip.

    numbers: (F,) which of the film's frames these are. shrink: side of the portrait over that of the frames asked for.
    """

    film: PortraitFilm
    numbers: NDArray[np.int64]
    shrink: int = 1

    def at(self, frames: ArrayLike) -> ActingPortrait:
        """The portrait during these frames of the clip alone."""
        return replace(self, numbers=self.numbers[np.asarray(frames)])

    def frames(self, performances: Sequence[Performance]) -> Pictures:
        """(F, H / shrink, W / shrink, 3) uint8: what everybody does in F frames of these performances."""
        frames = [
            self.film.painted(int(number), [performance.take([row]) for performance in performances])
            for row, number in enumerate(self.numbers)
        ]
        return np.stack(frames) if self.shrink == 1 else downscale(np.stack(frames), self.shrink)


class _Enlarger:
    """Places at nodes of a frame of (height, width) become those at its pixels, bilinearly: two products of matrices.

    nodes: (h, w, 2) px.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        y, x = (np.linspace(0.5, side - 0.5, -(-side // _NODE_STEP) + 1) for side in size)
        self.nodes = np.stack(np.meshgrid(x, y), -1).astype(np.float32)
        hats = (torch.from_numpy(_hats(side, len(at))) for side, at in zip(size, (y, x), strict=True))
        self._down, self._across = hats

    def __call__(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, 2) -> (H, W, 2)."""
        # By torch, whose threads are limited: those of numpy's product would wait for one another in every frame.
        wide = self._across @ torch.from_numpy(places)
        large = self._down @ wide.reshape(len(wide), -1)
        return np.asarray(large.reshape(len(large), -1, 2).numpy())


@contextmanager
def one_thread_each() -> Iterator[int]:
    """Let torch compute each result with one thread meanwhile; gives how many it had before.

    On small pictures threads within an operation wait longer for one another than they work.
    """
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)


def _hats(side: int, nodes: int) -> NDArray[np.float32]:
    """(side, nodes) how much each pixel takes from each node along one side."""
    at = np.linspace(0, nodes - 1, side)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(nodes))).astype(np.float32)


def _from_rest(performance: Performance) -> Performance:
    """A performance with the portrait itself before its first frame."""
    still = Performance.still(1)
    values = {name: np.concatenate([getattr(still, name), getattr(performance, name)]) for name in vars(performance)}
    return Performance(**values)
