"""A job: its file, its events, stopping and going on, and what is left of jobs of older versions."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from dramatis.app.job import JOB_FILE, Job, JobCancelled, job_folder
from dramatis.app.requests import PlanRequest
from dramatis.app.storyline_files import read_storyline
from dramatis.errors import UserError
from dramatis.runtime.progress import Progress
from dramatis.runtime.store import STORE_FORMAT
from dramatis.story.values import NumberFormat
from tests.inputs import MakeAudio, MakeImage
from tests.people import StageRecorder, see_a_face_in_every_picture


@pytest.fixture(autouse=True)
def a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test pictures show no face; the canonical one stands in the middle."""
    see_a_face_in_every_picture(monkeypatch)


@pytest.fixture
def request_(make_audio: MakeAudio, make_image: MakeImage) -> PlanRequest:
    return PlanRequest(make_image("face.png", (200, 200)), make_audio("voice.wav", 2.2), "she smiles")


@pytest.fixture
def job(model: Path, tmp_path: Path) -> Job:
    return Job.create(tmp_path / "o.mp4", str(model))


def test_a_job_survives_its_file_and_moving_its_folder(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    job = Job.create(tmp_path / "before" / "o.mp4", "mini", NumberFormat.FLOAT32)
    assert list((tmp_path / "before").iterdir()) == [], "nothing is written before it has to be"
    job.save()
    (tmp_path / "before").rename(tmp_path / "after")
    found = Job.load(job_folder(tmp_path / "after" / "o.mp4"))
    assert found.output == tmp_path / "after" / "o.mp4"
    assert found.storyline == tmp_path / "after" / "o.storyline.yaml"
    assert (found.model, found.number_format, found.is_outdated) == ("mini", NumberFormat.FLOAT32, False)


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"storyline": 1, "output": 2}', '{"storyline": "a"}'])
def test_a_folder_without_a_job_is_refused(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / JOB_FILE).write_text(text)
    with pytest.raises(UserError, match="there is no job to resume in this folder"):
        Job.load(tmp_path)


def test_a_planned_job_is_rendered_and_followed_from_another_thread(job: Job, request_: PlanRequest) -> None:
    plan = job.plan(request_)
    assert plan.files == ()
    assert not job.folder.exists()
    followed: list[Progress] = []
    follower = threading.Thread(target=lambda: followed.extend(job.events()))
    follower.start()
    recorder = StageRecorder()
    video = job.render(plan.storyline, plan.observations, reporter=recorder, workers=1)
    follower.join(10)
    assert not follower.is_alive(), "events end with the rendering"
    assert followed == recorder.events == list(job.events())
    assert video.video.exists()
    assert sum(1 for _ in video.frames()) == 55
    assert read_storyline(job.storyline) == plan.storyline
    assert json.loads((job.folder / JOB_FILE).read_text())["format"] == STORE_FORMAT


def test_a_refused_job_ends_its_events_and_writes_nothing(job: Job, request_: PlanRequest) -> None:
    storyline = job.plan(request_).storyline.model_copy(update={"frames": 99})
    with pytest.raises(UserError, match="plan again for this audio"):
        job.render(storyline)
    assert list(job.events()) == []
    assert not job.folder.exists()
    assert not job.storyline.exists()


class Canceller(StageRecorder):
    """Cancels a job when its first sub-clip is there."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def report(self, event: Progress) -> None:
        super().report(event)
        if event.stage == "sub-clips" and event.done:
            self.job.cancel()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cancelled_job_stops_between_tasks_and_can_be_resumed(workers: int, job: Job, request_: PlanRequest) -> None:
    plan = job.plan(request_)
    canceller, recorder = Canceller(job), StageRecorder()
    with pytest.raises(JobCancelled):
        job.render(plan.storyline, plan.observations, reporter=canceller, workers=workers)
    assert canceller.events[-1].stage == "sub-clips"
    assert canceller.events[-1].done == 1 < canceller.total("sub-clips")
    assert not job.output.exists()
    with pytest.raises(JobCancelled):
        job.render(workers=workers)
    video = job.resume(reporter=recorder, workers=workers)
    assert video.video.exists()
    assert 0 < recorder.found("sub-clips") < recorder.total("sub-clips")
    assert list(job.events()) == recorder.events


def test_a_job_of_an_older_version_is_filmed_again_with_one_sentence(
    job: Job, request_: PlanRequest, caplog: pytest.LogCaptureFixture
) -> None:
    plan = job.plan(request_)
    job.render(plan.storyline, plan.observations, workers=1)
    # As the first versions left it: no format in the job's file, and artifacts under keys of other modules.
    fields = json.loads((job.folder / JOB_FILE).read_text())
    del fields["format"]
    (job.folder / JOB_FILE).write_text(json.dumps(fields))
    whole = job.output.read_bytes()
    job.output.unlink()
    for artifact in (job.folder / "store").glob("??/*"):
        artifact.rename(artifact.with_stem("0" * 64))
    recorder = StageRecorder()
    with caplog.at_level(logging.WARNING):
        Job.load(job.folder).resume(reporter=recorder, workers=1)
    sentence = f"The job {job.folder} was made by an older version; everything is filmed again."
    assert [record.getMessage() for record in caplog.records if record.name == "dramatis.app.job"] == [sentence]
    assert recorder.found("sub-clips") == 0
    assert job.output.read_bytes() == whole
    assert not Job.load(job.folder).is_outdated
