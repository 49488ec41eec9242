"""What every stage reads: the reference picture, the sound as features, the performance as controls.

Made once per job. It grows by about half a kilobyte a frame (an hour: 45 MB), the one part of a
job that grows at all; pixels are held only for the clips at work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dramatis.cascade.acting import ActingPortrait, PortraitFilm
from dramatis.cascade.whole_frame import WholeFrame
from dramatis.motion.face import HeadFit, project
from dramatis.motion.performance import Performance


@dataclass(frozen=True)
class CharacterInputs:
    """What one character brings to a job of N frames.

    features: (N, ...) float16 speech features. openings: (N,) float32, how far the mouth should be open by the sound.
    performance: N frames, as they are filmed. head: the reference's head, in pixels of the low-resolution reference.
    """

    features: NDArray[np.float16]
    openings: NDArray[np.float32]
    performance: Performance
    head: HeadFit


@dataclass(frozen=True)
class RenderInputs:
    """One job's inputs as the networks take them. N = frames of the video, P = characters.

    portrait: (H, W, 3) uint8, what the networks film of the reference image, at the high resolution. reference:
    (h, w, 3) uint8, the same at the low one. characters: P of them, in the storyline's order. context: how many
    neighbouring frames on either side are heard with each; 0: features stand alone. gamma: exponent of the tone curve
    that both pictures went through (`tone_curve`); 1: their own tones. film: `portrait`, acting;
    None: it does not. whole: the frame of which `portrait` is a window; None: it is the whole frame.
    """

    portrait: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    characters: tuple[CharacterInputs, ...]
    context: int = 0
    gamma: float = 1.0
    film: PortraitFilm | None = None
    whole: WholeFrame | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the low-resolution frames."""
        return self.reference.shape[0], self.reference.shape[1]

    @property
    def scale(self) -> int:
        """Side of a high-resolution frame over that of a low-resolution frame."""
        return self.portrait.shape[0] // self.reference.shape[0]

    @property
    def frames(self) -> int:
        """N."""
        return len(self.characters[0].features)

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) of the video."""
        return (self.portrait.shape[0], self.portrait.shape[1]) if self.whole is None else self.whole.size

    @cached_property
    def openings(self) -> NDArray[np.float32]:
        """(N,) how far the widest mouth should be open."""
        return np.max([character.openings for character in self.characters], axis=0)

    def audio(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(P, F, ...) features at frame numbers, with a context c (P, F, 2c+1, ...), the ends repeated."""
        return self._heard(frames).astype(np.float32)

    def _heard(self, frames: NDArray[np.int64]) -> NDArray[np.float16]:
        last = self.frames - 1
        rows = frames if not self.context else frames[:, None] + np.arange(-self.context, self.context + 1)
        return np.stack([character.features[rows.clip(0, last)] for character in self.characters])

    def performances(self, frames: NDArray[np.int64]) -> tuple[Performance, ...]:
        """What each of P characters does at F frame numbers."""
        return tuple(character.performance.take(frames) for character in self.characters)

    def anchors(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(P, F, 9, 2) pixels of the heads' rigid points at frame numbers, in low-resolution frames."""
        return np.stack(
            [project(character.head, character.performance.take(frames), self.size) for character in self.characters]
        )

    @cached_property
    def faces(self) -> NDArray[np.float32]:
        """(P, 9, 2) the same in the reference, where nobody has moved yet."""
        still = Performance.still(1)
        return np.stack([project(character.head, still, self.size)[0] for character in self.characters])

    def acting(self, frames: NDArray[np.int64], shrink: int = 1) -> ActingPortrait | None:
        """The portrait that acts at frame numbers, `shrink` times smaller than the high resolution; None: none does."""
        return None if self.film is None else ActingPortrait(self.film, frames, shrink)

    def digest(self, frames: NDArray[np.int64]) -> str:
        """Hash of everything a clip over these frames reads from here."""
        value = hashlib.sha256(self.portrait.tobytes())
        value.update(self.reference.tobytes())
        value.update(np.ascontiguousarray(self._heard(frames)).tobytes())
        for performance in self.performances(frames):
            value.update(np.ascontiguousarray(performance.pack_controls()).tobytes())
        if self.film is not None:
            value.update(self.film.digest(frames).encode())
        for character in self.characters:
            head = character.head
            value.update(np.array([head.scale, *head.centre, *head.rotation.ravel()]).tobytes())
        return value.hexdigest()
