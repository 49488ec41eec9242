"""Render the held-out scenes of several people that the benchmark measures on, and the bundled demo pictures.

Needs the raw assets and the speech engines (docs/world.md). What it writes is kept in the repository:

    python benchmarks/make_scenes.py --assets ../shared/assets
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.subtitles import Cue, to_srt
from dramatis.media.video import VideoWriter
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME
from dramatis_lab.world.takes.take import Seen, Take, make_take
from dramatis_lab.world.voices.speech import synthesise

SCENES = Path(__file__).parent / "scenes"
EXAMPLES = Path(__file__).parents[1] / "examples"
SEED = 880_000
FRAMES = 57
SEEN_EVERY = 4
HEIGHT = 256
SHRUNK = 2
"""Masks are kept at the size that the mini films at: half of the video's."""
PLACES = {2: ("left", "right"), 3: ("left", "middle", "right")}


@dataclass(frozen=True)
class Wanted:
    """A scene. people: 2 or 3. close: people hide parts of each other."""

    name: str
    people: int
    close: bool = False


WANTED = (
    Wanted("two_a", 2),
    Wanted("two_b", 2),
    Wanted("two_close", 2, close=True),
    Wanted("three_a", 3),
    Wanted("three_close", 3, close=True),
)
DEMOS = (("two", 2, 4_414), ("three", 3, 4_435))
"""Name, people and seed of the demo pictures; of people that were trained on, unlike the scenes."""
PAUSE = 0.3
"""Seconds between one who speaks and the next."""
DEMO_LINES = (
    "Good evening. I hoped that you would come, for there is so much to tell.",
    "Is there? I heard nothing but the rain since I arrived this morning.",
    "Then sit down, both of you, and listen to what the old man told me.",
)
DEMO_VOICES = {
    "two": (("ann", "flite/slt"), ("ben", "flite/rms")),
    "three": (("dan", "flite/awb"), ("ben", "flite/rms"), ("cal", "espeak/en-us+m3")),
}
"""Names, from the left, and voices. Two have a track each, three have one recording with subtitles."""


def usable(take: Take) -> bool:
    """Everybody speaks at the same time, with some pause in it."""
    moving = [np.mean(role.opening[:FRAMES] > 0.05) for role in take.roles]
    return all(role.utterance.kind == "speech" for role in take.roles) and min(moving) > 0.25 and max(moving) < 0.92


def faces_seen(seen: Seen) -> bool:
    """Whether nobody's face hides behind another or leaves the picture, in the first frame."""
    owners = seen.person[0]
    height, width = owners.shape
    for person, marks in enumerate(seen.landmarks[:, 0]):
        x, y = np.floor(marks[17:]).astype(int).T
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        if not inside.all() or np.mean(owners[y, x] == person + 1) < 0.95:
            return False
    return True


def boxes(seen: Seen) -> list[list[float]]:
    """Of everybody's 68 landmarks in the first frame: left, top, right, bottom as shares of the picture."""
    size = np.array([seen.frames.shape[2], seen.frames.shape[1]])
    low, high = seen.landmarks[:, 0].min(1) / size, seen.landmarks[:, 0].max(1) / size
    return [[round(float(value), 4) for value in box] for box in np.concatenate([low, high], 1).clip(0, 1)]


def names(seen: Seen) -> list[str]:
    """What everybody is called: by the order from the left."""
    order = seen.landmarks[:, 0, :, 0].mean(1).argsort().argsort()
    return [PLACES[len(order)][place] for place in order]


def small_masks(person: NDArray[np.uint8], people: int) -> NDArray[np.bool_]:
    """(K, H, W) owners -> (K, N, H / 2, W / 2): pixels of which more than half is a person's."""
    count, height, width = person.shape
    own = person[:, None] == np.arange(1, people + 1, dtype=np.uint8)[:, None, None]
    shape = (count, people, height // SHRUNK, SHRUNK, width // SHRUNK, SHRUNK)
    return np.asarray(own.reshape(shape).mean((3, 5)) > 0.5)


def write_scene(folder: Path, wanted: Wanted, seed: int, assets: Path) -> bool:
    """One scene: portrait, everybody's voice, the true video and its exact facts; False where the draw is not usable.

    truth.npz, N people, F frames, pixels of the true video: opening (N, F), controls (N, F, 26), anchors (N, F, 9, 2),
    and at the frames `index` (K,) masks (K, N, H / 2, W / 2), bits packed along the last axis.
    """
    size = (HEIGHT, HEIGHT * wanted.people)
    take = make_take(
        seed, "test", assets, size, wanted.people, None, FRAMES, True, close=wanted.close, conversation=True
    )
    if not usable(take) or not faces_seen(take.render([0])):
        return False
    seen = take.render(np.arange(FRAMES))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(seen.frames[0]).save(folder / "portrait.png", optimize=True)
    with VideoWriter(folder / "truth.mp4", size[::-1]) as video:
        for frame in seen.frames:
            video.write(frame)
    called = names(seen)
    for name, role in zip(called, take.roles, strict=True):
        soundfile.write(folder / f"{name}.flac", role.utterance.audio[: FRAMES * SAMPLES_PER_FRAME], SAMPLE_RATE)
    index = np.arange(0, FRAMES, SEEN_EVERY)
    np.savez_compressed(
        folder / "truth.npz",
        opening=np.stack([role.opening[:FRAMES] for role in take.roles]).astype(np.float32),
        index=index,
        masks=np.packbits(small_masks(seen.person[index], wanted.people), axis=-1),
        anchors=seen.anchors.astype(np.float32),
        controls=np.stack([role.performance.take(np.arange(FRAMES)).vector() for role in take.roles]),
    )
    facts: dict[str, Any] = {
        "seed": seed,
        "close": wanted.close,
        "names": called,
        "faces": boxes(seen),
        "voices": [role.utterance.voice for role in take.roles],
        "whole_caption": take.row(0, FRAMES)["whole_caption"],
    }
    (folder / "scene.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return True


def write_demos(assets: Path) -> None:
    """The demo pictures that are missing, and the voices for them."""
    for name, people, seed in DEMOS:
        path = EXAMPLES / f"{name}.png"
        if not path.exists():
            take = make_take(seed, "train", assets, (HEIGHT, HEIGHT * people), people, faultless=True)
            Image.fromarray(take.render([0]).frames[0]).save(path, optimize=True)
    # With own tracks, the second is silent while the first speaks.
    for (name, _), (start, voice) in zip(DEMO_VOICES["two"], _turns("two"), strict=True):
        soundfile.write(EXAMPLES / f"{name}.flac", np.pad(voice, (start, 0)), SAMPLE_RATE)
    turns = _turns("three")
    whole = np.zeros(turns[-1][0] + len(turns[-1][1]), np.float32)
    cues = []
    for (name, _), line, (start, voice) in zip(DEMO_VOICES["three"], DEMO_LINES, turns, strict=True):
        whole[start : start + len(voice)] = voice
        stop = start + len(voice)
        cues.append(Cue(start / SAMPLE_RATE, stop / SAMPLE_RATE, line, name))
    soundfile.write(EXAMPLES / "three.flac", whole, SAMPLE_RATE)
    (EXAMPLES / "three.srt").write_text(to_srt(cues))


def _turns(demo: str) -> list[tuple[int, NDArray[np.float32]]]:
    """Where each voice of a demo begins, in samples, and its samples: one after the other."""
    turns, start = [], 0
    for (_, voice), line in zip(DEMO_VOICES[demo], DEMO_LINES, strict=False):
        samples = synthesise(line, voice).audio
        turns.append((start, samples))
        start += len(samples) + round(PAUSE * SAMPLE_RATE)
    return turns


def main(assets: Annotated[Path, typer.Option(help="raw assets")] = Path("../shared/assets")) -> None:
    """Write the scenes and demo pictures that are missing."""
    for number, wanted in enumerate(WANTED):
        folder, seed = SCENES / wanted.name, SEED + 100 * number
        while not (folder / "scene.json").exists():
            write_scene(folder, wanted, seed, assets)
            seed += 1
    write_demos(assets)


if __name__ == "__main__":
    typer.run(main)
