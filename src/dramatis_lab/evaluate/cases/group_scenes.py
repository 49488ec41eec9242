"""The held-out scenes of several people (benchmarks/scenes) as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dramatis.media.image import Pictures, downscale
from dramatis.media.video import read_frames
from dramatis.story.values import Box
from dramatis_lab.evaluate.checkout import checkout_path


@dataclass(frozen=True)
class GroupScene:
    """N people with their voices, T frames.

    close: they hide parts of each other.  frames: (T, h, w, 3) at the low resolution.  opening: (N, T).  controls:
    (N, T, 26).  anchors: (N, T, 9, 2) px of `frames`.  masks: (K, N, h, w) at the frames `index` (K,).
    """

    folder: Path
    close: bool
    faces: tuple[Box, ...]
    voices: tuple[Path, ...]
    frames: Pictures
    opening: np.ndarray
    controls: np.ndarray
    anchors: np.ndarray
    index: np.ndarray
    masks: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> GroupScene:
        facts, truth = json.loads((folder / "scene.json").read_text()), np.load(folder / "truth.npz")
        frames = downscale(np.stack(list(read_frames(folder / "truth.mp4"))), 2)
        masks = np.unpackbits(truth["masks"], axis=-1).astype(bool)[..., : frames.shape[2]]
        return cls(
            folder,
            facts["close"],
            tuple(Box(*box) for box in facts["faces"]),
            tuple(folder / f"{name}.flac" for name in facts["names"]),
            frames,
            truth["opening"],
            truth["controls"],
            truth["anchors"] / np.float32(2),
            truth["index"],
            masks,
        )

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.faces)

    @cached_property
    def kind(self) -> str:
        """The name of the row that the scene belongs to."""
        return "occluded" if self.close else {2: "two people", 3: "three people"}[self.people]


def scenes_folder() -> Path:
    """Where the held-out scenes lie in the checkout."""
    return checkout_path("benchmarks", "scenes")


def load_group_scenes() -> list[GroupScene]:
    """All held-out scenes, in order."""
    return [GroupScene.load(path.parent) for path in sorted(scenes_folder().glob("*/scene.json"))]
