"""Render the held-out cases that `benchmarks/run.py` measures on: people, voices and backdrops no training ever saw.

Needs the raw assets and the speech engines (docs/world.md). The cases are kept in the repository, so that the benchmark
itself runs on any machine:

    python benchmarks/make_cases.py --assets ../shared/assets
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
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME
from dramatis_lab.world.takes.take import Take, make_take

CASES = Path(__file__).parent / "cases"
SEED = 770_000
FRAMES = 113
SEEN_EVERY = 7
SIZE = 256


def usable(take: Take) -> bool:
    """Speech with some pause in it: singing and silence are cases of their own kind."""
    moving = take.opening[:FRAMES] > 0.05
    return take.utterance.kind == "speech" and 0.3 < moving.mean() < 0.9


def write_case(folder: Path, seed: int, assets: Path) -> bool:
    """One case: portrait, voice, the true video, and its exact curves; False where the draw is not usable.

    truth.npz, T frames, pixels of the true video: opening (T,), controls (T, 26), anchors (T, 9, 2), and at the frames
    `index` (K,) landmarks (K, 68, 2) and person, (K, SIZE, SIZE) bits packed along the last axis.
    """
    take = make_take(seed, "test", assets, SIZE, people=1, least_frames=FRAMES, faultless=True)
    if not usable(take):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "voice.flac", take.audio[: FRAMES * SAMPLES_PER_FRAME], SAMPLE_RATE)
    seen = take.render(np.arange(FRAMES))
    Image.fromarray(seen.frames[0]).save(folder / "portrait.png")
    with VideoWriter(folder / "truth.mp4", (SIZE, SIZE)) as video:
        for frame in seen.frames:
            video.write(frame)
    index = np.arange(0, FRAMES, SEEN_EVERY)
    np.savez_compressed(
        folder / "truth.npz",
        opening=take.opening[:FRAMES].astype(np.float32),
        index=index,
        landmarks=seen.landmarks[0, index].astype(np.float32),
        person=np.packbits(seen.person[index] > 0, axis=-1),
        anchors=seen.anchors[0].astype(np.float32),
        controls=take.performance.take(np.arange(FRAMES)).vector().astype(np.float32),
    )
    row = take.row(0, FRAMES)
    kept = {name: row[name] for name in ("whole_caption", "voice", "language", "identity", "text")}
    (folder / "case.json").write_text(json.dumps({"seed": seed, **kept}, indent=1, ensure_ascii=False) + "\n")
    return True


def main(
    assets: Annotated[Path, typer.Option(help="raw assets")] = Path("../shared/assets"),
    count: int = 8,
) -> None:
    """Write the cases that are missing."""
    made = len(list(CASES.glob("*/case.json")))
    seed = SEED + 100 * made
    while made < count:
        if write_case(CASES / f"{made:02d}", seed, assets):
            made += 1
            seed = SEED + 100 * made
        else:
            seed += 1


if __name__ == "__main__":
    typer.run(main)
