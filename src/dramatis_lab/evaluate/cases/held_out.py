"""The held-out cases (benchmarks/cases) as values, and the long recording that is made of their voices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from dramatis.media.image import fit_picture
from dramatis.media.video import read_frames
from dramatis.story.values import FPS
from dramatis_lab.evaluate.checkout import checkout_path


@dataclass(frozen=True)
class Case:
    """One held-out person and voice with its truth, T frames at 25 fps.

    frames: (T, S, S, 3) uint8.  opening: (T,).  controls: (T, 26).  anchors: (T, 9, 2) px.  At the frames `index` (K,):
    landmarks (K, 68, 2) px and person (K, S, S) bool.
    """

    folder: Path
    portrait: Path
    voice: Path
    frames: np.ndarray
    opening: np.ndarray
    controls: np.ndarray
    anchors: np.ndarray
    index: np.ndarray
    landmarks: np.ndarray
    person: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Case:
        truth = np.load(folder / "truth.npz")
        frames = np.stack(list(read_frames(folder / "truth.mp4")))
        person = np.unpackbits(truth["person"], axis=-1).astype(bool)[..., : frames.shape[2]]
        curves = {name: truth[name] for name in ("opening", "controls", "anchors", "index", "landmarks")}
        return cls(folder, folder / "portrait.png", folder / "voice.flac", frames, person=person, **curves)

    @property
    def side(self) -> int:
        """Pixels of a side of the true frames."""
        return int(self.frames.shape[1])

    def at(self, side: int) -> np.ndarray:
        """(T, side, side, 3): the true frames, scaled down as portraits are."""
        if side == self.side:
            return self.frames
        return np.stack([fit_picture(Image.fromarray(frame), (side, side)) for frame in self.frames])


def cases_folder() -> Path:
    """Where the held-out cases lie in the checkout."""
    return checkout_path("benchmarks", "cases")


def load_cases() -> list[Case]:
    """All held-out cases, in order."""
    return [Case.load(path.parent) for path in sorted(cases_folder().glob("*/case.json"))]


def write_long_voice(cases: list[Case], seconds: int, path: Path) -> np.ndarray:
    """Write the voices of the cases one after another, over and over, to a wav file of that length.

    Returns the true mouth opening of its frames, (F,).
    """
    voices, curves = [], []
    for case in cases:
        samples, rate = soundfile.read(case.voice)
        assert len(samples) * FPS == len(case.opening) * rate, "a voice and its curve differ in length"
        voices.append(samples)
        curves.append(case.opening)
    soundfile.write(path, np.resize(np.concatenate(voices), seconds * rate), rate)
    return np.resize(np.concatenate(curves), seconds * FPS)
