"""What the groups of rows of the main benchmark share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dramatis.app.pipeline import AvatarPipeline
from dramatis.media.video import read_frames
from dramatis.models.perception import PerceptionNet, Sight
from dramatis_lab.evaluate import measures
from filming import Stage
from held_out import Case


@dataclass
class Bench:
    """What the rows share: the model, the eye, the cases, and generated videos (made once each)."""

    stage: Stage
    eye: PerceptionNet

    @property
    def pipe(self) -> AvatarPipeline:
        return self.stage.pipe

    @property
    def cases(self) -> list[Case]:
        return self.stage.cases

    @property
    def work(self) -> Path:
        return self.stage.work

    @property
    def pictures(self) -> Path:
        return self.stage.pictures

    def film(self, name: str, image: Path, voice: Path, prompt: str) -> np.ndarray:
        """Frames of a generated video."""
        film = self.pipe(image, voice, prompt, output=self.work / f"{name}.mp4")
        return np.stack(list(read_frames(film.video)))

    def own(self) -> list[tuple[np.ndarray, list[Sight]]]:
        """Every case filmed with its own voice and no direction."""
        if not hasattr(self, "_own"):
            made = []
            for place, case in enumerate(self.cases):
                frames = self.film(f"own-{place}", case.portrait, case.voice, "")
                made.append((frames, measures.see(self.eye, frames)))
            self._own = made
        return self._own
