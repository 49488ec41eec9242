"""The finder on the example's pictures: what it finds, how often it looks, and what it keeps."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dramatis.errors import UserError
from dramatis.models.loading import save_model
from dramatis.models.perception import PerceptionNet
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing import finder as finder_module
from dramatis.senses.seeing.finder import TRAIT_WEIGHTS, PersonFinder, is_large_enough, person_finder
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.story.values import Box
from tests import ROOT
from tests.people import canonical_person

EXAMPLES = ROOT / "examples"
SIZE = (96, 96)


@pytest.fixture(scope="module")
def portrait() -> PictureFile:
    return open_picture(EXAMPLES / "portrait.png")


@pytest.fixture(scope="module")
def pair() -> PictureFile:
    return open_picture(EXAMPLES / "two.png")


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> PersonFinder:
    """A finder that remembers nothing yet, with networks that are loaded already."""
    finder = PersonFinder()
    monkeypatch.setitem(vars(finder), "detector", person_finder().detector)
    return finder


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the looks that are taken at pictures from now on."""
    taken: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        look = getattr(finder_module, name)

        def taking(*args: Any) -> Any:
            taken.append(name)
            return look(*args)

        return taking

    for name in ("read_faces", "find_people", "find_faces"):
        monkeypatch.setattr(finder_module, name, noted(name))
    return taken


def test_a_portrait_is_looked_at_once_however_often_it_is_asked_for(
    finder: PersonFinder, portrait: PictureFile, looks: list[str], tmp_path: Path
) -> None:
    person = finder.portrait(portrait, SIZE)
    assert person.score > 0.9
    assert is_large_enough(person, SIZE)
    assert 0.2 < person.face.left < person.face.right < 0.8
    copy = tmp_path / "copy.png"
    shutil.copy(portrait.path, copy)
    assert finder.portrait(open_picture(copy), SIZE) is person, "content counts, not the name"
    assert finder.describe_portrait(portrait, SIZE).people[0].framing == "head and shoulders"
    assert looks == ["read_faces"]
    finder.portrait(portrait, (112, 112))
    assert looks == ["read_faces", "read_faces"]


def test_several_people_are_looked_at_once_for_each_question(
    finder: PersonFinder, pair: PictureFile, looks: list[str]
) -> None:
    people = finder.everybody(pair)
    assert len(people) == len(finder.describe_group(pair).people) == 2
    boxes = [*(person.face for person in people), Box(0.45, 0.0, 0.5, 0.1)]
    for _ in range(2):
        left, right, nobody = finder.in_boxes(pair, (192, 96), boxes)
        assert nobody is None
        assert left is not None
        assert right is not None
        assert left.landmarks[:, 0].max() < right.landmarks[:, 0].min()
    assert looks == ["find_people", "find_faces"]


def test_a_store_keeps_what_was_seen_bit_for_bit(
    finder: PersonFinder, portrait: PictureFile, pair: PictureFile, looks: list[str], tmp_path: Path
) -> None:
    store = ArtifactStore(tmp_path)
    boxes = [Box(0.1, 0.2, 0.35, 0.65), Box(0.45, 0.0, 0.5, 0.1), Box(0.6, 0.28, 0.83, 0.7)]
    first = finder.portrait(portrait, SIZE), *finder.in_boxes(pair, (192, 96), boxes)
    assert list(store.root.glob("??/*")) == []
    assert (finder.portrait(portrait, SIZE, store), *finder.in_boxes(pair, (192, 96), boxes, store)) == first
    other = PersonFinder()
    vars(other)["detector"] = finder.detector
    second = other.portrait(portrait, SIZE, store), *other.in_boxes(pair, (192, 96), boxes, store)
    assert looks == ["read_faces", "find_faces"]
    assert [person is None for person in second] == [False, False, True, False]
    for before, after in zip(first, second, strict=True):
        if before is None or after is None:
            continue
        assert np.array_equal(before.landmarks, after.landmarks)
        assert before.landmarks.dtype == after.landmarks.dtype
        assert (before.score, before.face, before.person) == (after.score, after.face, after.person)
    readings = [people[0].reading for people in (first, second) if people[0] is not None]
    masks = [(reading.person, reading.face_mask) for reading in readings if reading is not None]
    assert len(masks) == 2
    assert np.array_equal(np.stack(masks[0]), np.stack(masks[1]))


def test_what_cannot_be_used_is_refused_each_time(
    finder: PersonFinder, portrait: PictureFile, looks: list[str], tmp_path: Path
) -> None:
    Image.new("RGB", (90, 90), (120, 90, 60)).save(tmp_path / "wall.png")
    far = Image.new("RGB", (1024, 1024), (120, 120, 130))
    far.paste(portrait.image.resize((160, 160)), (432, 432))
    far.save(tmp_path / "far.png")
    for _ in range(2):
        with pytest.raises(UserError, match=r"wall.png: no face was found in this picture"):
            finder.portrait(open_picture(tmp_path / "wall.png"), SIZE)
    assert looks == ["read_faces"]
    with pytest.raises(UserError, match=r"far.png: (the face is too small|no face was found)"):
        finder.portrait(open_picture(tmp_path / "far.png"), (256, 256))
    assert not is_large_enough(canonical_person(), (400, 400))


def test_a_finder_goes_to_other_processes_as_a_name(finder: PersonFinder, tmp_path: Path) -> None:
    assert len(pickle.dumps(finder)) < 1000
    assert pickle.loads(pickle.dumps(finder)) is person_finder()
    save_model(PerceptionNet(widths=(4, 4, 4, 4)), tmp_path / "perception")
    other = pickle.loads(pickle.dumps(PersonFinder(tmp_path / "perception", TRAIT_WEIGHTS)))
    assert other is not person_finder()
    assert other.identity != finder.identity, "what other weights choose has other keys"
