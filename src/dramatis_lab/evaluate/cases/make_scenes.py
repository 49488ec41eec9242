"""Render the held-out scenes of several people that the benchmark measures on, and the bundled demo pictures.

Needs the raw assets and the speech engines (docs/world.md). What it writes is kept in the repository:

    python -m dramatis_lab.evaluate.cases.make_scenes --assets ../shared/assets
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
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME
from dramatis_lab.evaluate.cases.group_scenes import scenes_folder
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.world.takes.take import Grouping, Take, TakeFrames, make_take
from dramatis_lab.world.voices.speech import synthesise

_SEED = 880_000
_FRAMES = 57
_TRUTH_EVERY = 4
_HEIGHT = 256
_SHRUNK = 2
"""Masks are stored at the size that the mini films at, half of the video's."""
_NAMES = {2: ("left", "right"), 3: ("left", "middle", "right")}
_DEMOS = (("two", 2, 4_414), ("three", 3, 4_435))
"""Name, number of people and seed of the demo pictures; unlike the scenes, they show people of the training set."""
_PAUSE = 0.3
"""Seconds between one speaker and the next."""
_DEMO_LINES = (
    "Good evening. I hoped that you would come, for there is so much to tell.",
    "Is there? I heard nothing but the rain since I arrived this morning.",
    "Then sit down, both of you, and listen to what the old man told me.",
)
_DEMO_VOICES = {
    "two": (("ann", "flite/slt"), ("ben", "flite/rms")),
    "three": (("dan", "flite/awb"), ("ben", "flite/rms"), ("cal", "espeak/en-us+m3")),
}
"""Names, from the left, and voices. The two have a track each, the three have one recording with subtitles."""


@dataclass(frozen=True)
class _SceneRequest:
    """A scene. people: 2 or 3. close: people hide parts of each other."""

    name: str
    people: int
    close: bool = False


_WANTED = (
    _SceneRequest("two_a", 2),
    _SceneRequest("two_b", 2),
    _SceneRequest("two_close", 2, close=True),
    _SceneRequest("three_a", 3),
    _SceneRequest("three_close", 3, close=True),
)


def _usable(take: Take) -> bool:
    """Whether everybody speaks, with some pauses."""
    moving = [np.mean(role.opening[:_FRAMES] > 0.05) for role in take.tracks]
    if any(role.utterance.kind != "speech" for role in take.tracks):
        return False
    return bool(min(moving) > 0.25 and max(moving) < 0.92)


def _faces_visible(rendered: TakeFrames) -> bool:
    """Whether nobody's face hides behind another or leaves the picture, in the first frame."""
    owners = rendered.person[0]
    height, width = owners.shape
    for person, landmarks in enumerate(rendered.landmarks[:, 0]):
        x, y = np.floor(landmarks[17:]).astype(int).T
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        if not inside.all() or np.mean(owners[y, x] == person + 1) < 0.95:
            return False
    return True


def _face_boxes(rendered: TakeFrames) -> list[list[float]]:
    """Of everybody's 68 landmarks in the first frame: left, top, right, bottom as shares of the picture."""
    size = np.array([rendered.frames.shape[2], rendered.frames.shape[1]])
    low, high = rendered.landmarks[:, 0].min(1) / size, rendered.landmarks[:, 0].max(1) / size
    return [[round(float(value), 4) for value in box] for box in np.concatenate([low, high], 1).clip(0, 1)]


def _names(rendered: TakeFrames) -> list[str]:
    """What everybody is names: by the order from the left."""
    order = rendered.landmarks[:, 0, :, 0].mean(1).argsort().argsort()
    return [_NAMES[len(order)][rank] for rank in order]


def _small_masks(person: NDArray[np.uint8], people: int) -> NDArray[np.bool_]:
    """Owners (K, H, W) -> masks (K, N, H / 2, W / 2): the pixels of which more than half is a person's."""
    count, height, width = person.shape
    masks = person[:, None] == np.arange(1, people + 1, dtype=np.uint8)[:, None, None]
    shape = (count, people, height // _SHRUNK, _SHRUNK, width // _SHRUNK, _SHRUNK)
    return np.asarray(masks.reshape(shape).mean((3, 5)) > 0.5)


def write_scene(folder: Path, request: _SceneRequest, seed: int, assets: Path) -> bool:
    """Write portrait, everybody's voice, the true video and its exact facts; False where the draw is not usable.

    truth.npz, N people, F frames, pixels of the true video: opening (N, F), controls (N, F, 26), anchors (N, F, 9, 2),
    and at the frames `index` (K,) masks (K, N, H / 2, W / 2), bits packed along the last axis.
    """
    size = (_HEIGHT, _HEIGHT * request.people)
    take = make_take(
        seed,
        "test",
        assets,
        size,
        Grouping(request.people, request.close, conversation=True),
        least_frames=_FRAMES,
        faultless=True,
    )
    if not _usable(take) or not _faces_visible(take.render([0])):
        return False
    rendered = take.render(np.arange(_FRAMES))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rendered.frames[0]).save(folder / "portrait.png", optimize=True)
    with VideoWriter(folder / "truth.mp4", size[::-1]) as video:
        for frame in rendered.frames:
            video.write(frame)
    names = _names(rendered)
    for name, role in zip(names, take.tracks, strict=True):
        soundfile.write(folder / f"{name}.flac", role.utterance.audio[: _FRAMES * SAMPLES_PER_FRAME], AUDIO_RATE)
    index = np.arange(0, _FRAMES, _TRUTH_EVERY)
    np.savez_compressed(
        folder / "truth.npz",
        opening=np.stack([role.opening[:_FRAMES] for role in take.tracks]).astype(np.float32),
        index=index,
        masks=np.packbits(_small_masks(rendered.person[index], request.people), axis=-1),
        anchors=rendered.anchors.astype(np.float32),
        controls=np.stack([role.performance.take(np.arange(_FRAMES)).pack_controls() for role in take.tracks]),
    )
    facts: dict[str, Any] = {
        "seed": seed,
        "close": request.close,
        "names": names,
        "faces": _face_boxes(rendered),
        "voices": [role.utterance.voice for role in take.tracks],
        "whole_caption": take.row(0, _FRAMES)["whole_caption"],
    }
    (folder / "scene.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return True


def write_demos(assets: Path) -> None:
    """Write the demo pictures that are missing, and the voices for them."""
    examples = checkout_path("examples")
    for name, people, seed in _DEMOS:
        path = examples / f"{name}.png"
        if not path.exists():
            take = make_take(seed, "train", assets, (_HEIGHT, _HEIGHT * people), Grouping(people), faultless=True)
            Image.fromarray(take.render([0]).frames[0]).save(path, optimize=True)
    # Each of the two has a track; the second is silent while the first speaks.
    for (name, _), (start, voice) in zip(_DEMO_VOICES["two"], _turns("two"), strict=True):
        soundfile.write(examples / f"{name}.flac", np.pad(voice, (start, 0)), AUDIO_RATE)
    turns = _turns("three")
    whole = np.zeros(turns[-1][0] + len(turns[-1][1]), np.float32)
    cues = []
    for (name, _), line, (start, voice) in zip(_DEMO_VOICES["three"], _DEMO_LINES, turns, strict=True):
        whole[start : start + len(voice)] = voice
        stop = start + len(voice)
        cues.append(Cue(start / AUDIO_RATE, stop / AUDIO_RATE, line, name))
    soundfile.write(examples / "three.flac", whole, AUDIO_RATE)
    (examples / "three.srt").write_text(to_srt(cues))


def _turns(demo: str) -> list[tuple[int, NDArray[np.float32]]]:
    """(first sample, samples) of each voice of a demo; one speaks after the other."""
    turns, start = [], 0
    for (_, voice), line in zip(_DEMO_VOICES[demo], _DEMO_LINES, strict=False):
        samples = synthesise(line, voice).audio
        turns.append((start, samples))
        start += len(samples) + round(_PAUSE * AUDIO_RATE)
    return turns


def main(assets: Annotated[Path, typer.Option(help="raw assets")] = Path("../shared/assets")) -> None:
    """Write the scenes and demo pictures that are missing."""
    for index, request in enumerate(_WANTED):
        folder, seed = scenes_folder() / request.name, _SEED + 100 * index
        while not (folder / "scene.json").exists():
            write_scene(folder, request, seed, assets)
            seed += 1
    write_demos(assets)


if __name__ == "__main__":
    typer.run(main)
