"""The set of networks that a cascade films with, behind one small interface: no stage asks which family it drives.

A family turns pictures, sound and words into the DiT's conditions and runs the denoising loop: `mini.py` is the model
that ships, `multitalk.py` the MultiTalk family's checkpoints. What differs within a family is data, see `profile.py`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dramatis.backbones.profile import Profile
from dramatis.backbones.speech_features import Spans
from dramatis.media.image import Pictures
from dramatis.models.shapes import PixelShape
from dramatis.motion.performance import Performance
from dramatis.runtime.progress import Reporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.values import NumberFormat

if TYPE_CHECKING:
    # The denoising loop takes longer to import than a short preview takes to play.
    from dramatis.sampling.denoise import StepCallback


class PortraitFill(Protocol):
    """A portrait that acts during one clip: what stands for the frames that are not given."""

    def frames(self, performances: Sequence[Performance]) -> Pictures:
        """(F, H, W, 3) uint8 of the clip's size: everybody in the portrait, in F frames of these performances."""
        ...

    def at(self, frames: ArrayLike) -> PortraitFill:
        """The portrait during these frames of the clip alone."""
        ...


@dataclass(frozen=True)
class ClipInputs:
    """What one clip is filmed from. F = number of frames, N = number of characters.

    head, tail: given frames (n, H, W, 3) uint8, tail may be None. reference: (H, W, 3) uint8.
    audio: (N, F, ...) speech features. performances: N, of F frames each. anchors: (N, F, 9, 2) pixels of every head's
    rigid points. faces: (N, 9, 2) the same points in `reference`. positive and negative: prompts. acting: the portrait
    that speaks; None: the nearest given frame stands for those that are not given.
    """

    head: Pictures
    tail: Pictures | None
    reference: Pictures
    audio: NDArray[np.float32]
    performances: tuple[Performance, ...]
    anchors: NDArray[np.float32]
    faces: NDArray[np.float32]
    positive: str
    negative: str
    seed: int
    acting: PortraitFill | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self.reference.shape[0], self.reference.shape[1]

    @property
    def shape(self) -> PixelShape:
        """Frames, height and width of the clip."""
        return PixelShape(self.audio.shape[1], *self.size)

    @property
    def several(self) -> bool:
        """Whether more than one character is filmed."""
        return len(self.performances) > 1

    def at(self, frames: ArrayLike) -> ClipInputs:
        """What characters say and do at these frames of the clip alone."""
        rows = np.asarray(frames)
        performances = tuple(performance.take(rows) for performance in self.performances)
        acting = None if self.acting is None else self.acting.at(rows)
        heard, anchors = self.audio[:, rows], self.anchors[:, rows]
        return replace(self, audio=heard, performances=performances, anchors=anchors, acting=acting)


def resolve_dtype(number_format: NumberFormat) -> torch.dtype:
    """What the large networks compute in.

    auto: bfloat16 where the hardware multiplies it, else float32, since an older processor emulates bfloat16
    slowly.
    """
    if number_format is NumberFormat.AUTO:
        # torch has no public name for it yet; the tests notice when it goes.
        fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if number_format is NumberFormat.BFLOAT16 else torch.float32


class Backbone(ABC):
    """One model's networks; loaded on first use, so that planning and checks stay light.

    Pickled, it is the folder, the number format and the profile: a process that unpickles it many times loads its
    networks once.
    """

    profile: Profile

    def __init__(self, folder: Path, profile: Profile, dtype: torch.dtype | None = None) -> None:
        self.folder = folder
        self.dtype = dtype or resolve_dtype(NumberFormat.AUTO)
        self.profile = profile
        self._lock = threading.Lock()
        self._models: dict[str, torch.nn.Module] = {}
        self._fingerprint: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _shared, (type(self), self.folder.resolve(), self.profile, self.dtype)

    @staticmethod
    @abstractmethod
    def check(folder: Path, profile: Any) -> None:
        """Whether every file that the profile asks for is there and fits; loads nothing. Raises UserError."""

    def check_cast(self, people: int) -> None:  # noqa: ARG002 (families that limit the number read it)
        """Whether this model films so many people in one picture. Raises UserError."""
        return

    def check_machine(self) -> None:
        """Whether this computer has the memory to film; loads nothing. Raises UserError."""
        return

    @abstractmethod
    def fingerprint(self) -> str:
        """What tells these weights from others."""

    @property
    def identity(self) -> dict[str, str]:
        """What artifacts depend on besides their inputs: weights and arithmetic."""
        if self._fingerprint is None:
            self._fingerprint = self.fingerprint()
        return {"weights": self._fingerprint, "dtype": str(self.dtype)}

    @property
    def low_identity(self) -> dict[str, Any]:
        """What low-resolution artifacts depend on besides their inputs: what comes after them may change."""
        return {"profile": self.profile.settings("low"), **self.identity}

    @property
    def high_identity(self) -> dict[str, Any]:
        """What high-resolution artifacts depend on besides their inputs."""
        return {"profile": self.profile.settings("high"), **self.identity}

    @abstractmethod
    def encode_speech(
        self, path: Path, frames: int, spans: Spans = None
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Speech features (frames, ...) of one voice in an audio file, and how far it opens the mouth (frames,).

        spans: where in the file the voice is; None: all of it.
        """

    def mouth_shapes(self, features: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What speech features (frames, ...) ask of a mouth, in every frame.

        Probabilities of `VISEMES` (frames, 16), and openings (frames,) in distances of the outer eye corners.
        """
        raise NotImplementedError(f"{self.profile.name} films whole frames, in which no portrait acts.")

    def for_job(
        self,
        prompts: Iterable[str],  # noqa: ARG002 (families that read prompts ahead use these)
        store: ArtifactStore,  # noqa: ARG002
        reporter: Reporter,  # noqa: ARG002
    ) -> Backbone:
        """The backbone that generates one job's clips.

        prompts: all that its clips may need, iterated only where they are read ahead. store: the job's, which keeps
        what was read.
        """
        return self

    @abstractmethod
    def generate_clip(
        self, inputs: ClipInputs, on_step: StepCallback | None = None, refine_from: Pictures | None = None
    ) -> Pictures:
        """Denoise and decode one clip: (F, H, W, 3) uint8. Depends on its inputs and the weights alone.

        refine_from: (F, H, W, 3) uint8, a version of the clip to improve. It is noised up to the profile's
        `seam.strength` only, so that what it shows stays and what does not fit is mended.
        """

    @abstractmethod
    def upscale_clip(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        """A finished low-resolution clip at the high resolution: (F, H, W, 3) uint8.

        inputs: as for `generate_clip`, everything at the high resolution, with the high-resolution keyframes at both
        ends as head and tail. low: (F, H / scale, W / scale, 3). Report, section 3.1: HR video super-resolution.
        """

    @abstractmethod
    def upscale_frame(self, inputs: ClipInputs, low: Pictures) -> Pictures:
        """A single frame at the high resolution: (H, W, 3) uint8. Its detail comes from another picture of the person.

        inputs: two frames at the high resolution. The first is that other picture (`head`), with the performance of
        its moment; the second is the one to make, of which `low` (H / scale, W / scale, 3) is all that is known.
        """


@cache
def _shared(kind: type[Backbone], folder: Path, profile: Profile, dtype: torch.dtype) -> Backbone:
    return kind(folder, profile, dtype)


def one_thread() -> None:
    """Give the calling thread one computing thread: sums then have one order, whatever the number of workers."""
    torch.set_num_threads(1)
