"""The whole low-resolution cascade on tiny networks of the real classes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dramatis.avatar import AvatarPipeline, another_take, job_folder, read_storyline, write_storyline
from dramatis.cascade.backbone import Backbone
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.progress import Progress
from dramatis.story import UserError
from tests.tiny import canonical_sight, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained eye sees no face; where it should see one, the canonical face stands in the middle."""
    for module in ("dramatis.cascade.pipeline", "dramatis.avatar"):
        monkeypatch.setattr(f"{module}.find_face", lambda backbone, reference, name: canonical_sight())


class Recorder:
    """Remembers how many artifacts each stage found and made."""

    def __init__(self) -> None:
        self.events: list[Progress] = []

    def report(self, event: Progress) -> None:
        self.events.append(event)

    def close(self) -> None:
        return None

    def found(self, stage: str) -> int:
        return max((event.done for event in self.events if event.stage == stage and event.detail == "found"), default=0)

    def total(self, stage: str) -> int:
        return next(event.total for event in self.events if event.stage == stage)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 4.2, 5.64])
def test_the_video_has_exactly_the_frames_of_the_audio(
    model: Path, make_audio, make_image, tmp_path: Path, seconds: float
) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    film = pipe(
        make_image("face.png", (200, 200)), make_audio("voice.wav", seconds), "she smiles", output=tmp_path / "o.mp4"
    )
    info = probe_video(film.video)
    assert info.frames == round(seconds * 25)
    assert info.size == (64, 64)
    assert info.sound
    assert film.sheet.exists()
    assert (tmp_path / "o.storyline.yaml").exists()


def test_any_number_of_workers_gives_equal_bytes(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    image, audio = make_image("face.png", (200, 260)), make_audio("voice.wav", 3.0)
    outputs = []
    for workers in (1, 3):
        output = tmp_path / f"{workers}.mp4"
        AvatarPipeline.from_pretrained(model)(image, audio, "nods", output=output, workers=workers)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]


def test_finished_artifacts_are_not_made_again(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 5.0)
    first, second = Recorder(), Recorder()
    for recorder in (first, second):
        AvatarPipeline.from_pretrained(model)(image, audio, output=tmp_path / "o.mp4", reporter=recorder)
    assert first.found("sub-clips") == 0
    assert second.found("sub-clips") == second.total("sub-clips") == first.total("sub-clips")
    assert second.found("blueprint level 0") == second.total("blueprint level 0")


def test_another_take_of_one_shot_leaves_earlier_clips_alone(
    model: Path, make_audio, make_image, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    storyline, _ = pipe.plan(
        make_image("face.png", (200, 200)), make_audio("voice.wav", 9.0), "first she smiles, then she is sad"
    )
    assert len(storyline.shots) >= 2
    output = tmp_path / "o.mp4"
    pipe.start(storyline, output)
    before = list(read_frames(output))
    again = another_take(storyline, len(storyline.shots) - 1)
    recorder = Recorder()
    pipe.render(again, output, job_folder(output), recorder)
    assert 0 < recorder.found("sub-clips") < recorder.total("sub-clips")
    after = list(read_frames(output))
    assert len(after) == len(before)
    assert not np.array_equal(np.stack(before), np.stack(after))


def test_a_locked_shot_is_not_filmed_again(model: Path, make_audio, make_image) -> None:
    storyline, _ = AvatarPipeline.from_pretrained(model).plan(
        make_image("face.png", (200, 200)), make_audio("v.wav", 1.0)
    )
    locked = storyline.model_copy(update={"shots": (storyline.shots[0].model_copy(update={"locked": True}),)})
    with pytest.raises(UserError, match="locked"):
        another_take(locked, 0)
    with pytest.raises(UserError, match="does not exist"):
        another_take(storyline, 7)


def test_a_storyline_survives_its_file(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    storyline, _ = AvatarPipeline.from_pretrained(model).plan(
        make_image("face.png", (200, 200)), make_audio("v.wav", 2.0)
    )
    path = tmp_path / "deep" / "story.yaml"
    write_storyline(storyline, path)
    assert str(tmp_path) not in path.read_text()
    assert read_storyline(path) == storyline


KILLED = """
import sys
from pathlib import Path
import dramatis.avatar as avatar
import dramatis.cascade.pipeline as pipeline
from dramatis.avatar import AvatarPipeline
from tests.tiny import canonical_sight
avatar.find_face = pipeline.find_face = lambda backbone, reference, name: canonical_sight()
AvatarPipeline.from_pretrained(sys.argv[1])(sys.argv[2], sys.argv[3], output=Path(sys.argv[4]), workers=1)
"""


def test_killed_and_resumed_equals_undisturbed(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 8.0)
    whole, broken = tmp_path / "whole.mp4", tmp_path / "broken.mp4"
    AvatarPipeline.from_pretrained(model)(image, audio, output=whole)
    command = [sys.executable, "-c", KILLED, str(model), str(image), str(audio), str(broken)]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent.parent)
    store = job_folder(broken) / "store"
    deadline = time.monotonic() + 300
    while len(list(store.glob("??/*.safetensors"))) < 4 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    made = {path: path.stat().st_mtime_ns for path in store.glob("??/*.safetensors")}
    assert made
    AvatarPipeline.from_pretrained(model)(image, audio, output=broken)
    assert whole.read_bytes() == broken.read_bytes()
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in made.items())


def test_weights_are_part_of_every_key(model: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "other")
    (other / "profile.yaml").write_text("name: other\nsteps: 3\narea: 4096\n")
    (other / "transformer" / "config.json").write_text((other / "transformer" / "config.json").read_text() + " ")
    assert Backbone(model).identity != Backbone(other).identity
