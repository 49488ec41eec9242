"""The whole cascade on tiny networks of the real classes."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from dramatis.app.pipeline import AvatarPipeline, another_take, job_folder, read_storyline, write_storyline
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.context import Work
from dramatis.cascade.pipeline import in_order, prepare, reference_picture
from dramatis.cascade.tone_curve import lifted
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter, Progress
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosodies, prosody_of
from dramatis.senses.seeing.people import Eye, Face, Square
from dramatis.story.dialogue import Box
from dramatis.story.observations import AudioEvent
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan, NumberFormat
from dramatis_lab.evaluate.kills import watch
from tests import ROOT
from tests.tiny import canonical_sight, write_model


@pytest.fixture(autouse=True)
def a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained eye sees no face; where it should see one, the canonical face stands in the middle."""
    for module in ("dramatis.cascade.pipeline", "dramatis.app.pipeline"):
        monkeypatch.setattr(f"{module}.find_face", lambda backbone, reference, name: canonical_sight())


Filmed = tuple[AvatarPipeline, Storyline, Path]


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
    model: Path, make_audio, make_image, tmp_path: Path, seconds: float, dtype: NumberFormat
) -> None:
    pipe = AvatarPipeline.from_pretrained(model, dtype)
    film = pipe(
        make_image("face.png", (200, 200)), make_audio("voice.wav", seconds), "she smiles", output=tmp_path / "o.mp4"
    )
    info = probe_video(film.video)
    assert info.frames == round(seconds * 25)
    assert info.size == (64, 64)
    assert info.sound
    assert film.sheet.exists()
    assert (tmp_path / "o.storyline.yaml").exists()


@pytest.mark.parametrize("seconds", [0.2, 2.2])
def test_a_video_at_twice_the_size_has_exactly_the_frames_of_the_audio(
    model_twice: Path, make_audio, make_image, tmp_path: Path, seconds: float, dtype: NumberFormat
) -> None:
    recorder = Recorder()
    pipe = AvatarPipeline.from_pretrained(model_twice, dtype)
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", seconds)
    film = pipe(image, audio, output=tmp_path / "o.mp4", reporter=recorder)
    info = probe_video(film.video)
    assert (info.frames, info.size) == (round(seconds * 25), (128, 128))
    clips = recorder.total("sub-clips")
    assert recorder.total("high-resolution keyframes") == recorder.total("super-resolution") == clips
    if clips > 1:
        assert recorder.total("transitions") == recorder.total("anchors") == clips - 1


def test_a_size_that_the_model_cannot_film_is_refused(
    model_twice: Path, make_audio, make_image, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(model_twice)
    storyline, _ = pipe.plan(make_image("face.png", (200, 200)), make_audio("voice.wav", 1.0))
    assert (storyline.width, storyline.height) == (128, 128)
    with pytest.raises(UserError, match=r"144x128 does not fit the model 'tiny'; .* multiples of 32"):
        pipe.render(storyline.model_copy(update={"width": 144}), tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()


def test_any_number_and_kind_of_workers_gives_equal_bytes(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    image, audio = make_image("face.png", (200, 260)), make_audio("voice.wav", 3.0)
    outputs = set()
    for workers, executor in ((1, "threads"), (3, "threads"), (2, "processes")):
        output = tmp_path / f"{workers}.mp4"
        AvatarPipeline.from_pretrained(model)(image, audio, "nods", output=output, workers=workers, executor=executor)
        outputs.add(output.read_bytes())
    assert len(outputs) == 1


def test_any_number_of_workers_gives_equal_bytes_at_twice_the_size(
    model_twice: Path, make_audio, make_image, tmp_path: Path
) -> None:
    """And the first seconds are in the video before the last ones are filmed."""
    image, audio = make_image("face.png", (200, 260)), make_audio("voice.wav", 4.0)
    outputs, recorder = set(), Recorder()
    for workers in (1, 3):
        output = tmp_path / f"{workers}.mp4"
        pipe = AvatarPipeline.from_pretrained(model_twice)
        pipe(image, audio, "nods", output=output, workers=workers, reporter=recorder if workers == 1 else None)
        outputs.add(output.read_bytes())
    assert len(outputs) == 1
    done = [(event.stage, event.done) for event in recorder.events]
    clips = recorder.total("super-resolution")
    assert clips >= 4
    for stage in ("sub-clips", "super-resolution"):
        assert done.index(("video", 12)) < done.index((stage, clips))
    assert done.index(("super-resolution", 1)) < done.index(("sub-clips", 3))


def test_a_set_goes_to_other_processes_as_a_name(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    storyline, seen = pipe.plan(make_image("face.png", (200, 200)), make_audio("v.wav", 4.0))
    store = ArtifactStore(tmp_path / "store")
    stage = prepare(storyline, [prosody_of(seen)], pipe.backbone, store, SerialExecutor(), Recorder())
    assert pipe.backbone.eye is not None
    sent = pickle.dumps(stage)
    assert len(sent) < 500
    there = pickle.loads(sent)
    assert pickle.loads(pickle.dumps(stage)) is there, "a process reads it once"
    assert there.backbone is pickle.loads(pickle.dumps(pipe.backbone)) is not pipe.backbone
    assert (there.plan, there.storyline, there.backbone.dtype) == (stage.plan, storyline, pipe.backbone.dtype)
    rows = np.arange(stage.plan.frames)
    assert there.material.digest(rows) == stage.material.digest(rows)
    assert isinstance(there.reporter, NullReporter)


def test_a_set_that_was_tampered_with_is_not_opened(model: Path, make_audio, make_image, tmp_path: Path) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    storyline, seen = pipe.plan(make_image("face.png", (200, 200)), make_audio("v.wav", 2.0))
    store = ArtifactStore(tmp_path / "store")
    sent = pickle.dumps(prepare(storyline, [prosody_of(seen)], pipe.backbone, store, SerialExecutor(), Recorder()))
    for path in store.root.glob("??/*.safetensors"):
        if "set" in (store.get(path.stem) or {}):
            store.put(path.stem, {"set": pickle.dumps("something else")})
    with pytest.raises(OSError, match="run the job again"):
        pickle.loads(sent)


def test_finished_artifacts_are_not_made_again(
    model: Path, make_audio, make_image, tmp_path: Path, dtype: NumberFormat
) -> None:
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 5.0)
    first, second = Recorder(), Recorder()
    for recorder in (first, second):
        AvatarPipeline.from_pretrained(model, dtype)(image, audio, output=tmp_path / "o.mp4", reporter=recorder)
    assert first.found("sub-clips") == 0
    assert second.found("sub-clips") == second.total("sub-clips") == first.total("sub-clips")
    assert second.found("blueprint") == second.total("blueprint")


@pytest.fixture
def two_shots(make_audio, make_image, tmp_path: Path) -> Callable[[Path, float], Filmed]:
    """two_shots(model, seconds) -> the pipeline, a storyline with several shots, and its finished video."""

    def film(model: Path, seconds: float, dtype: str = "auto") -> Filmed:
        pipe, output = AvatarPipeline.from_pretrained(model, dtype), tmp_path / "o.mp4"
        portrait, voice = make_image("face.png", (200, 200)), make_audio("voice.wav", seconds)
        storyline, _ = pipe.plan(portrait, voice, "first she smiles, then she is sad")
        assert len(storyline.shots) >= 2
        pipe.start(storyline, output)
        return pipe, storyline, output

    return film


def test_another_take_of_one_shot_leaves_earlier_clips_alone(model: Path, two_shots, dtype: NumberFormat) -> None:
    pipe, storyline, output = two_shots(model, 9.0, dtype)
    before = list(read_frames(output))
    again = another_take(storyline, len(storyline.shots) - 1)
    recorder = Recorder()
    pipe.render(again, output, job_folder(output), recorder)
    assert 0 < recorder.found("sub-clips") < recorder.total("sub-clips")
    after = list(read_frames(output))
    assert len(after) == len(before)
    assert not np.array_equal(np.stack(before), np.stack(after))


def test_another_take_at_twice_the_size_makes_only_what_it_changes(model_twice: Path, two_shots) -> None:
    pipe, storyline, output = two_shots(model_twice, 5.0)
    recorder = Recorder()
    pipe.render(another_take(storyline, len(storyline.shots) - 1), output, job_folder(output), recorder)
    for stage in ("high-resolution keyframes", "sub-clips", "transitions", "anchors", "super-resolution"):
        assert 0 < recorder.found(stage) < recorder.total(stage), stage


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
import dramatis.app.pipeline as avatar
import dramatis.cascade.pipeline as pipeline
from dramatis.app.pipeline import AvatarPipeline
from tests.tiny import canonical_sight
avatar.find_face = pipeline.find_face = lambda backbone, reference, name: canonical_sight()
print("ready", flush=True)
AvatarPipeline.from_pretrained(sys.argv[1])(sys.argv[2], sys.argv[3], output=Path(sys.argv[4]))
"""


@pytest.mark.timeout(300)  # every kill needs a process of its own, and its imports
def test_killed_at_any_moment_and_resumed_equals_undisturbed(
    model: Path, make_audio, make_image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # where the killed process finds `tests`
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 5.0)
    whole, broken = tmp_path / "whole.mp4", tmp_path / "broken.mp4"
    command = [sys.executable, "-c", KILLED, str(model), str(image), str(audio)]
    # In a process of its own as well: what hears and plans has to load there first.
    span = watch([*command, str(whole)], job_folder(whole) / "store").seconds
    command.append(str(broken))
    store = job_folder(broken) / "store"
    runs = [watch(command, store, moment) for moment in np.random.default_rng(0).uniform(0, span, 4)]
    assert any(run.killed for run in runs)
    assert not any(run.lost for run in runs)
    made = {path: path.stat().st_mtime_ns for path in store.glob("??/*.safetensors")}
    AvatarPipeline.from_pretrained(model)(image, audio, output=broken)
    assert whole.read_bytes() == broken.read_bytes()
    assert made
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in made.items())


def test_weights_are_part_of_every_key(model: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "other")
    (other / "profile.yaml").write_text("name: other\nsteps: 3\narea: 4096\n")
    (other / "transformer" / "config.json").write_text((other / "transformer" / "config.json").read_text() + " ")
    assert MiniBackbone(model).identity != MiniBackbone(other).identity


@st.composite
def some_work(draw: st.DrawFn) -> list[list[Work]]:
    """Three stages whose pieces need pieces of earlier stages."""
    stages: list[list[Work]] = []
    for stage, size in enumerate(draw(st.lists(st.integers(1, 6), min_size=3, max_size=3))):
        earlier = [work.key for pieces in stages for work in pieces]
        needs = st.lists(st.sampled_from(earlier), unique=True, max_size=4) if earlier else st.just([])
        stages.append([Work(str(stage), f"{stage}/{n}", dict, tuple(draw(needs))) for n in range(size)])
    return stages


@given(stages=some_work())
def test_work_comes_after_what_it_needs_and_no_later_than_it_must(stages: list[list[Work]]) -> None:
    pieces = {work.key: work for stage in stages for work in stage}

    def needed(keys: list[str]) -> set[str]:
        return set(keys).union(*(needed(list(pieces[key].after)) for key in keys))

    order = [work.key for work in in_order(*stages)]
    wanted = [work.key for work in stages[-1]]
    assert len(order) == len(set(order))
    assert all(order.index(need) < order.index(key) for key in order for need in pieces[key].after)
    assert [key for key in order if key in wanted] == wanted
    for count, key in enumerate(wanted, start=1):
        assert set(order[: order.index(key) + 1]) == needed(wanted[:count])


# Several people


LEFT, RIGHT = (0.1, 0.2, 0.35, 0.8), (0.65, 0.2, 0.9, 0.8)


@pytest.fixture
def two_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canonical face in every box that is asked for."""

    def find(eye: Eye, picture: Pictures, boxes: Sequence[Box]) -> list[Face]:
        height, width = picture.shape[:2]
        middles = [np.array([(b[0] + b[2]) / 2 * width, (b[1] + b[3]) / 2 * height], np.float32) for b in boxes]
        nobody = np.zeros((64, 64), np.float32)
        faces = canonical_sight().landmarks - (32, 40)
        return [Face((faces + middle).astype(np.float32), 1.0, nobody, Square(0, 0, 64)) for middle in middles]

    monkeypatch.setattr("dramatis.cascade.pipeline.find_faces", find)


def a_pair(make_audio, make_image, low: str | None, high: str | None) -> Storyline:
    """Ann on the left and bob on the right, with the tracks of these names or none; 0.8 s of both in the mix."""
    mix = make_audio("mix.wav", 0.8)
    samples, rate = soundfile.read(mix)
    tracks = {name: str(mix.with_name(f"{name}.wav")) for name in ("low", "high")}
    soundfile.write(tracks["low"], samples, rate)
    soundfile.write(tracks["high"], 0.3 * samples[::-1], rate)
    events = (AudioEvent(kind="noise", span=FrameSpan(0, 20)),)
    voices = [None if track is None else tracks[track] for track in (low, high)]
    people = zip(("ann", "bob"), (LEFT, RIGHT), voices, strict=True)
    return Storyline(
        image=str(make_image("pair.png", (400, 200))),
        audio=str(mix),
        frames=20,
        width=128,
        height=64,
        characters=tuple(Character(name=name, face=face, audio=voice) for name, face, voice in people),
        events=events,
        shots=(Shot(index=0, span=FrameSpan(0, 20), speakers=("ann",)),),
    )


def test_two_people_are_filmed_each_with_their_own_voice(
    model: Path, two_faces: None, make_audio, make_image, tmp_path: Path, dtype: NumberFormat
) -> None:
    pipe = AvatarPipeline.from_pretrained(model, dtype)
    made = {}
    for voices in (("low", "high"), ("low", None), (None, None)):
        storyline = a_pair(make_audio, make_image, *voices)
        film = pipe.render(storyline, tmp_path / "o.mp4", folder=tmp_path / "job", workers=1)
        made[voices] = np.stack(list(read_frames(film.video))).astype(int)
        assert made[voices].shape == (20, 64, 128, 3)
    halves = {"left": np.s_[:, :, :64], "right": np.s_[:, :, 64:]}
    changes = {
        (side, one, other): np.abs(made[one][half] - made[other][half]).mean()
        for side, half in halves.items()
        for one, other in ((("low", "high"), ("low", None)), (("low", None), (None, None)))
    }
    assert changes["right", ("low", "high"), ("low", None)] > 1.2 * changes["left", ("low", "high"), ("low", None)]
    assert changes["left", ("low", None), (None, None)] > 1.2 * changes["right", ("low", None), (None, None)]


def test_dark_faces_of_several_are_filmed_in_lighter_tones(
    model: Path, two_faces: None, make_audio, make_image, tmp_path: Path
) -> None:
    backbone = AvatarPipeline.from_pretrained(model).backbone
    pair = a_pair(make_audio, make_image, "low", "high")
    parts = ArtifactStore(tmp_path / "store"), SerialExecutor(), Recorder()
    one = pair.model_copy(update={"characters": pair.characters[:1]})
    own = reference_picture(Path(pair.image), pair.width, pair.height)
    for storyline, tone, lift in ((pair, None, 1.0), (one, 0.5, 1.0), (pair, 0.5, np.log(0.5) / np.log(280 / 765))):
        backbone.profile = backbone.profile.model_copy(update={"face_tone": tone})
        material = prepare(storyline, prosodies(storyline), backbone, *parts).material
        assert material.lift == pytest.approx(lift, abs=0.01)
        assert np.array_equal(material.portrait, lifted(own, material.lift))


def test_who_has_no_voice_hears_silence(model: Path, two_faces: None, make_audio, make_image, tmp_path: Path) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    storyline = a_pair(make_audio, make_image, "low", None)
    store = ArtifactStore(tmp_path / "store")
    stage = prepare(storyline, prosodies(storyline), pipe.backbone, store, SerialExecutor(), Recorder())
    speaking, listening = stage.material.roles
    quiet, _ = pipe.backbone.hear(Path(storyline.audio), 20, ())
    assert np.array_equal(listening.features, quiet)
    assert not np.array_equal(speaking.features, quiet)
    cameras = [role.performance.camera for role in stage.material.roles]
    assert np.array_equal(*cameras), "both are seen by one camera"
    assert not np.allclose(speaking.performance.head, listening.performance.head), "they do not sway as one"


def test_a_face_that_is_not_where_its_box_says_is_refused(
    model: Path, make_audio, make_image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatis.cascade.pipeline.find_faces", lambda eye, picture, boxes: [None for _ in boxes])
    storyline = a_pair(make_audio, make_image, "low", "high")
    with pytest.raises(UserError, match=r"pair.png: no face was found in the box of 'ann'; .* `dramatis characters"):
        AvatarPipeline.from_pretrained(model).render(storyline, tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()
