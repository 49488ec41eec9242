"""Renders one take from start to end as an mp4 with sound, to look at."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from dramatis.errors import UserError
from dramatis.media.video import VideoWriter
from dramatis.runtime.progress import NullReporter, Reporter, StageProgress
from dramatis.story.values import AUDIO_RATE, FPS, SAMPLES_PER_FRAME
from dramatis_lab.world.takes.take import Grouping, make_take

_BLOCK = 8
_LONGEST_SECONDS = 600.0


def render_clip(
    out: Path,
    assets: Path,
    seed: int = 0,
    seconds: float = 6.0,
    size: int = 256,
    people: int = 1,
    split: str = "train",
    reporter: Reporter | None = None,
) -> str:
    """Render the take of `seed` into the mp4 `out` and return its caption.

    seconds: length, rounded to frames.  size: side of the square picture in pixels, even, 32 to 1024.  people: 1 to 3
    in the scene.  Raises UserError for values outside these ranges and if `assets` lacks the raw assets.
    """
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise UserError(
            f"A clip of {seconds} s cannot be rendered; choose more than 0 and at most {_LONGEST_SECONDS:.0f} s."
        )
    if not 32 <= size <= 1024 or size % 2:
        raise UserError(f"The size {size} does not work; choose an even number from 32 to 1024.")
    if people not in (1, 2, 3):
        raise UserError(f"A scene of {people} people cannot be rendered; choose 1, 2 or 3.")
    frames = max(1, round(seconds * FPS))
    take = make_take(seed, split, assets, size, Grouping(people), least_frames=frames, faultless=True)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        soundfile.write(sound, take.audio[: frames * SAMPLES_PER_FRAME], AUDIO_RATE)
        with (
            StageProgress(reporter or NullReporter(), "filming", frames) as stage,
            VideoWriter(out, (size, size), audio=sound) as video,
        ):
            for start in range(0, frames, _BLOCK):
                index = np.arange(start, min(start + _BLOCK, frames))
                for frame in take.render(index).frames:
                    video.write(frame)
                stage.advance(len(index))
    return str(take.row(0, frames)["whole_caption"])
