"""Render the held-out cases that the benchmark measures on: people, voices and backdrops that no training ever saw.

Needs the raw assets and the speech engines (docs/world.md). The cases are kept in the repository, so that the benchmark
itself runs on any machine:

    python -m dramatis_lab.evaluate.cases.make_cases --assets ../shared/assets
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from PIL import Image

from dramatis.media.video import VideoWriter
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME
from dramatis_lab.evaluate.cases.held_out import cases_folder
from dramatis_lab.world.takes.take import Grouping, Take, make_take

_SEED = 770_000
_FRAMES = 113
_TRUTH_EVERY = 7
_SIZE = 256


def _usable(take: Take) -> bool:
    """Whether it is speech with some pauses: singing and silence are cases of their own kind."""
    moving = take.opening[:_FRAMES] > 0.05
    return take.utterance.kind == "speech" and 0.3 < moving.mean() < 0.9


def write_case(folder: Path, seed: int, assets: Path) -> bool:
    """Write portrait, voice, the true video and its exact curves; False where the draw is not usable.

    truth.npz, T frames, pixels of the true video: opening (T,), controls (T, 26), anchors (T, 9, 2), and at the frames
    `index` (K,) landmarks (K, 68, 2) and person, (K, SIZE, SIZE) bits packed along the last axis.
    """
    take = make_take(seed, "test", assets, _SIZE, Grouping(1), least_frames=_FRAMES, faultless=True)
    if not _usable(take):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "voice.flac", take.audio[: _FRAMES * SAMPLES_PER_FRAME], AUDIO_RATE)
    rendered = take.render(np.arange(_FRAMES))
    Image.fromarray(rendered.frames[0]).save(folder / "portrait.png")
    with VideoWriter(folder / "truth.mp4", (_SIZE, _SIZE)) as video:
        for frame in rendered.frames:
            video.write(frame)
    index = np.arange(0, _FRAMES, _TRUTH_EVERY)
    np.savez_compressed(
        folder / "truth.npz",
        opening=take.opening[:_FRAMES].astype(np.float32),
        index=index,
        landmarks=rendered.landmarks[0, index].astype(np.float32),
        person=np.packbits(rendered.person[index] > 0, axis=-1),
        anchors=rendered.anchors[0].astype(np.float32),
        controls=take.performance.take(np.arange(_FRAMES)).pack_controls().astype(np.float32),
    )
    row = take.row(0, _FRAMES)
    facts = {name: row[name] for name in ("whole_caption", "voice", "language", "identity", "text")}
    (folder / "case.json").write_text(json.dumps({"seed": seed, **facts}, indent=1, ensure_ascii=False) + "\n")
    return True


def main(
    assets: Annotated[Path, typer.Option(help="raw assets")] = Path("../shared/assets"),
    count: int = 8,
) -> None:
    """Write the cases that are missing."""
    folder = cases_folder()
    count_written = len(list(folder.glob("*/case.json")))
    seed = _SEED + 100 * count_written
    while count_written < count:
        if write_case(folder / f"{count_written:02d}", seed, assets):
            count_written += 1
            seed = _SEED + 100 * count_written
        else:
            seed += 1


if __name__ == "__main__":
    typer.run(main)
