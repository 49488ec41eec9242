"""The whole cascade on tiny networks of the real classes."""

from __future__ import annotations

import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatis.app.job import job_folder
from dramatis.app.pipeline import AvatarPipeline
from dramatis.app.storyline_files import another_take
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.context import ArtifactTask
from dramatis.cascade.pipeline import topological_order
from dramatis.cascade.preparation import prepare
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of
from dramatis.story.storyline import Storyline
from dramatis.story.values import NumberFormat
from dramatis_lab.evaluate.studies.kills import watch_command
from tests import ROOT
from tests.inputs import MakeAudio, MakeImage
from tests.people import StageRecorder, a_pair, see_a_face_in_every_picture, two_faces
from tests.tiny import write_model

__all__ = ["two_faces"]  # a fixture


@pytest.fixture(autouse=True)
def a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test pictures show no face; the canonical one stands in the middle."""
    see_a_face_in_every_picture(monkeypatch)


Filmed = tuple[AvatarPipeline, Storyline, Path]


@pytest.mark.parametrize("seconds", [0.2, 1.0, 4.2, 5.64])
def test_the_video_has_exactly_the_frames_of_the_audio(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, seconds: float, dtype: NumberFormat
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
    model_twice: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, seconds: float, dtype: NumberFormat
) -> None:
    recorder = StageRecorder()
    pipe = AvatarPipeline.from_pretrained(model_twice, dtype)
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", seconds)
    film = pipe(image, audio, output=tmp_path / "o.mp4", reporter=recorder)
    info = probe_video(film.video)
    assert (info.frames, info.size) == (round(seconds * 25), (128, 128))
    clips = recorder.total("sub-clips")
    assert recorder.total("high-resolution keyframes") == recorder.total("super-resolution") == clips
    if clips > 1:
        assert recorder.total("transitions") == recorder.total("anchors") == clips - 1


def test_any_number_and_kind_of_workers_gives_equal_bytes(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    image, audio = make_image("face.png", (200, 260)), make_audio("voice.wav", 3.0)
    outputs = set()
    for workers, executor in ((1, "threads"), (3, "threads"), (2, "processes")):
        output = tmp_path / f"{workers}.mp4"
        AvatarPipeline.from_pretrained(model)(image, audio, "nods", output=output, workers=workers, executor=executor)
        outputs.add(output.read_bytes())
    assert len(outputs) == 1


def test_any_number_of_workers_gives_equal_bytes_at_twice_the_size(
    model_twice: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    """And the first seconds are in the video before the last ones are filmed."""
    image, audio = make_image("face.png", (200, 260)), make_audio("voice.wav", 4.0)
    outputs, recorder = set(), StageRecorder()
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


@pytest.mark.parametrize(("workers", "executor"), [(2, "threads"), (2, "processes")])
def test_a_window_is_set_into_a_frame_of_any_size_by_any_workers(
    model_twice: Path, make_audio: MakeAudio, tmp_path: Path, dtype: NumberFormat, workers: int, executor: str
) -> None:
    image, audio = ROOT / "examples" / "portrait.png", make_audio("voice.wav", 2.2)
    model = shutil.copytree(model_twice, tmp_path / "model")
    profile = (model / "profile.yaml").read_text()
    (model / "profile.yaml").write_text(f"{profile}framing: {{target_interocular_px: 16}}\n")
    pipe = AvatarPipeline.from_pretrained(model, dtype)
    plan = pipe.plan(image, audio, "she smiles", size="250x190")
    videos = [
        pipe.render(plan.storyline, tmp_path / f"{number}.mp4", workers=number, executor=kind).video
        for number, kind in ((1, "threads"), (workers, executor))
    ]
    assert probe_video(videos[0]).size == (250, 190)
    assert videos[0].read_bytes() == videos[1].read_bytes()
    frames = np.stack(list(read_frames(videos[0]))).astype(int)
    assert len(frames) == 55
    assert np.abs(frames[0] - frames[-1]).max() > 20


def test_a_set_goes_to_other_processes_as_a_name(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    plan = pipe.plan(make_image("face.png", (200, 200)), make_audio("v.wav", 4.0))
    store = ArtifactStore(tmp_path / "store")
    job = prepare(
        plan.storyline, [prosody_of(plan.observations)], pipe.backbone, store, SerialExecutor(), StageRecorder()
    )
    sent = pickle.dumps(job)
    assert len(sent) < 500
    there = pickle.loads(sent)
    assert pickle.loads(pickle.dumps(job)) is there, "a process reads it once"
    assert there.backbone is pickle.loads(pickle.dumps(pipe.backbone)) is not pipe.backbone
    assert (there.plan, there.storyline, there.backbone.dtype) == (job.plan, plan.storyline, pipe.backbone.dtype)
    rows = np.arange(job.plan.frames)
    assert there.inputs.digest(rows) == job.inputs.digest(rows)
    assert isinstance(there.reporter, NullReporter)


def test_a_set_that_was_tampered_with_is_not_opened(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(model)
    plan = pipe.plan(make_image("face.png", (200, 200)), make_audio("v.wav", 2.0))
    store = ArtifactStore(tmp_path / "store")
    sent = pickle.dumps(
        prepare(
            plan.storyline, [prosody_of(plan.observations)], pipe.backbone, store, SerialExecutor(), StageRecorder()
        )
    )
    for path in store.root.glob("??/*.safetensors"):
        if "context" in (store.get(path.stem) or {}):
            store.put(path.stem, {"context": pickle.dumps("something else")})
    with pytest.raises(OSError, match="run the job again"):
        pickle.loads(sent)


def test_finished_artifacts_are_not_made_again(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, dtype: NumberFormat
) -> None:
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 5.0)
    first, second = StageRecorder(), StageRecorder()
    for recorder in (first, second):
        AvatarPipeline.from_pretrained(model, dtype)(image, audio, output=tmp_path / "o.mp4", reporter=recorder)
    assert first.found("sub-clips") == 0
    assert second.found("sub-clips") == second.total("sub-clips") == first.total("sub-clips")
    assert second.found("blueprint") == second.total("blueprint")


@pytest.fixture
def two_shots(make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path) -> Callable[..., Filmed]:
    """two_shots(model, seconds) -> the pipeline, a storyline with several shots, and its finished video."""

    def film(model: Path, seconds: float, dtype: str = "auto") -> Filmed:
        pipe, output = AvatarPipeline.from_pretrained(model, dtype), tmp_path / "o.mp4"
        portrait, voice = make_image("face.png", (200, 200)), make_audio("voice.wav", seconds)
        storyline = pipe.plan(portrait, voice, "first she smiles, then she is sad").storyline
        assert len(storyline.shots) >= 2
        pipe.render(storyline, output)
        return pipe, storyline, output

    return film


def test_another_take_of_one_shot_leaves_earlier_clips_alone(
    model: Path, two_shots: Callable[..., Filmed], dtype: NumberFormat
) -> None:
    pipe, storyline, output = two_shots(model, 9.0, dtype)
    before = list(read_frames(output))
    again = another_take(storyline, len(storyline.shots) - 1)
    recorder = StageRecorder()
    pipe.render(again, output, reporter=recorder)
    assert 0 < recorder.found("sub-clips") < recorder.total("sub-clips")
    after = list(read_frames(output))
    assert len(after) == len(before)
    assert not np.array_equal(np.stack(before), np.stack(after))


def test_another_take_at_twice_the_size_makes_only_what_it_changes(
    model_twice: Path, two_shots: Callable[..., Filmed]
) -> None:
    pipe, storyline, output = two_shots(model_twice, 5.0)
    recorder = StageRecorder()
    pipe.render(another_take(storyline, len(storyline.shots) - 1), output, reporter=recorder)
    for stage in ("high-resolution keyframes", "sub-clips", "transitions", "anchors", "super-resolution"):
        assert 0 < recorder.found(stage) < recorder.total(stage), stage


KILLED = """
import sys
from pathlib import Path
from dramatis.app.pipeline import AvatarPipeline
from dramatis.senses.seeing.finder import PersonFinder
from tests.people import canonical_faces, canonical_portrait
PersonFinder.portrait, PersonFinder.faces = canonical_portrait, canonical_faces
print("ready", flush=True)
AvatarPipeline.from_pretrained(sys.argv[1])(sys.argv[2], sys.argv[3], output=Path(sys.argv[4]))
"""


@pytest.mark.timeout(300)  # every kill needs a process of its own, and its imports
def test_killed_at_any_moment_and_resumed_equals_undisturbed(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # where the killed process finds `tests`
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 5.0)
    whole, broken = tmp_path / "whole.mp4", tmp_path / "broken.mp4"
    command = [sys.executable, "-c", KILLED, str(model), str(image), str(audio)]
    # In a process of its own as well: what hears and plans has to load there first.
    span = watch_command([*command, str(whole)], job_folder(whole) / "store").seconds
    command.append(str(broken))
    store = job_folder(broken) / "store"
    runs = [watch_command(command, store, moment) for moment in np.random.default_rng(0).uniform(0, span, 4)]
    assert any(run.killed for run in runs)
    assert not any(run.lost for run in runs)
    made = {path: path.stat().st_mtime_ns for path in store.glob("??/*.safetensors")}
    AvatarPipeline.from_pretrained(model)(image, audio, output=broken)
    assert whole.read_bytes() == broken.read_bytes()
    assert made
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in made.items())


def test_weights_are_part_of_every_key(model: Path, tmp_path: Path) -> None:
    other = write_model(tmp_path / "other")
    (other / "profile.yaml").write_text("name: other\nlow: {steps: 3, area: 4096}\n")
    (other / "transformer" / "config.json").write_text((other / "transformer" / "config.json").read_text() + " ")
    assert MiniBackbone(model).identity != MiniBackbone(other).identity


@st.composite
def some_work(draw: st.DrawFn) -> list[list[ArtifactTask]]:
    """Three stages whose pieces need pieces of earlier stages."""
    stages: list[list[ArtifactTask]] = []
    for stage, size in enumerate(draw(st.lists(st.integers(1, 6), min_size=3, max_size=3))):
        earlier = [work.key for pieces in stages for work in pieces]
        needs = st.lists(st.sampled_from(earlier), unique=True, max_size=4) if earlier else st.just([])
        stages.append([ArtifactTask(str(stage), f"{stage}/{n}", dict, tuple(draw(needs))) for n in range(size)])
    return stages


@given(stages=some_work())
def test_work_comes_after_what_it_needs_and_no_later_than_it_must(stages: list[list[ArtifactTask]]) -> None:
    pieces = {work.key: work for stage in stages for work in stage}

    def needed(keys: list[str]) -> set[str]:
        return set(keys).union(*(needed(list(pieces[key].after)) for key in keys))

    order = [work.key for work in topological_order(*stages)]
    wanted = [work.key for work in stages[-1]]
    assert len(order) == len(set(order))
    assert all(order.index(need) < order.index(key) for key in order for need in pieces[key].after)
    assert [key for key in order if key in wanted] == wanted
    for count, key in enumerate(wanted, start=1):
        assert set(order[: order.index(key) + 1]) == needed(wanted[:count])


def test_two_people_are_filmed_each_with_their_own_voice(
    model: Path, two_faces: None, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, dtype: NumberFormat
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
