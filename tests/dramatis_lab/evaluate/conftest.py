"""A bench of tiny networks, and one held-out case of a second."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from dramatis.backbones.mini import MiniBackbone
from dramatis.motion.face import RIGID_ANCHORS
from dramatis.motion.performance import Performance
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.people import DetectedPerson, person_with_face
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.held_out import Case
from dramatis_lab.evaluate.ways import film, processes
from dramatis_lab.evaluate.ways.record import FilmingWay
from tests.dramatis_lab.evaluate import FRAMES, SIDE
from tests.inputs import voice
from tests.people import canonical_faces
from tests.tiny import canonical_sight


@pytest.fixture
def bench(model_twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with one case; videos that are timed are filmed in this process."""

    def portrait(
        finder: PersonFinder, picture: PictureFile, size: tuple[int, int], store: object = None
    ) -> DetectedPerson:
        return person_with_face(Face(canonical_sight().landmarks, 1.0), size)

    monkeypatch.setattr(PersonFinder, "portrait", portrait)
    monkeypatch.setattr(PersonFinder, "faces", canonical_faces)

    def film_here(command: list[str], video: Path) -> tuple[float, float]:
        assert command[1:3] == ["-m", film.__name__]
        words = dict(zip(command[4::2], command[5::2], strict=True))
        files = {name: Path(words[f"--{name}"]) for name in ("image", "audio", "output")}
        image, audio, output = files.values()
        film.main(FilmingWay(command[3]), image, audio, output, words["--model"], 1, "threads", words.get("--size"))
        return 2.0, 100.0

    monkeypatch.setattr(processes, "run_timed", film_here)
    return Bench(MiniBackbone(model_twice), [_case(tmp_path)], tmp_path, tmp_path / "pictures", (2,))


def _case(folder: Path) -> Case:
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8), FRAMES, 0)
    Image.fromarray(frames[0]).save(folder / "portrait.png")
    soundfile.write(folder / "voice.flac", voice(1.0, 16_000), 16_000)
    (folder / "case.json").write_text(json.dumps({"whole_caption": "a face"}))
    rigid = canonical_sight().landmarks[list(RIGID_ANCHORS)] * (SIDE / 64)
    return Case(
        folder,
        folder / "portrait.png",
        folder / "voice.flac",
        frames,
        rng.uniform(0, 1, FRAMES),
        Performance.still(FRAMES).pack_controls(),
        np.repeat(rigid[None], FRAMES, 0).astype(np.float32),
        np.arange(0, FRAMES, 7),
        np.repeat(canonical_sight().landmarks[None] * 2, 4, 0),
        np.ones((4, SIDE, SIDE), bool),
    )
