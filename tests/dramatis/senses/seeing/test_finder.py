"""The finder on the example's pictures, with each eye: what it finds, how often it looks, and what it keeps."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.models.loading import save_model
from dramatis.models.perception import PerceptionNet
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing import finder as finder_module
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import TRAIT_WEIGHTS, PersonFinder, person_finder
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.senses.seeing.refusals import is_large_enough
from dramatis.story.values import Box
from tests import ROOT

EXAMPLES = ROOT / "examples"
SIZE = (96, 96)


@pytest.fixture(scope="module")
def portrait() -> PictureFile:
    return open_picture(EXAMPLES / "portrait.png")


@pytest.fixture(scope="module")
def pair() -> PictureFile:
    return open_picture(EXAMPLES / "two.png")


@pytest.fixture
def finder(any_finder: PersonFinder) -> PersonFinder:
    """A finder that remembers nothing yet, with networks that are loaded already."""
    finder = PersonFinder(any_finder._choice[0])
    vars(finder).update(eye=any_finder.eye, own_eye=any_finder.own_eye)
    return finder


@pytest.fixture
def looks(finder: PersonFinder, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Sizes of the pictures in which faces are looked for from now on."""
    taken: list[tuple[int, ...]] = []
    find = finder.eye.find

    def finding(frame: Pictures) -> list[Face]:
        taken.append(frame.shape[:2])
        return find(frame)

    monkeypatch.setattr(finder.eye, "find", finding)
    return taken


def test_a_portrait_is_looked_at_once_however_often_it_is_asked_for(
    finder: PersonFinder, portrait: PictureFile, looks: list[tuple[int, ...]], tmp_path: Path
) -> None:
    person = finder.portrait(portrait, SIZE)
    assert person.score > 0.8
    assert person.eye == finder.eye.name
    assert is_large_enough(person, SIZE)
    assert 0.2 < person.face.left < person.face.right < 0.8
    copy = tmp_path / "copy.png"
    shutil.copy(portrait.path, copy)
    again = finder.portrait(open_picture(copy), (112, 112))
    assert np.allclose(again.landmarks, person.landmarks * (112 / 96), atol=1e-3), "content counts, not the name"
    seen = finder.describe_portrait(portrait, SIZE)
    assert seen.people[0].framing == "head and shoulders"
    assert finder.everybody(portrait)[0].face == pytest.approx(person.face, abs=0.01)
    assert len(looks) == 1


def test_several_people_are_looked_at_once_for_all_questions(
    finder: PersonFinder, pair: PictureFile, looks: list[tuple[int, ...]]
) -> None:
    people = finder.everybody(pair)
    assert len(people) == len(finder.describe_group(pair).people) == len(finder.bodies(pair)) == 2
    boxes = [*(person.face for person in people), Box(0.45, 0.0, 0.5, 0.1)]
    for _ in range(2):
        left, right, nobody = finder.in_boxes(pair, (192, 96), boxes)
        assert nobody is None
        assert left is not None
        assert right is not None
        assert left.landmarks[:, 0].max() < right.landmarks[:, 0].min()
    assert len([size for size in looks if size != (96, 192)]) == 1


def test_fitted_places_are_those_of_the_fitted_picture(finder: PersonFinder, portrait: PictureFile) -> None:
    wide = finder.portrait(portrait, (192, 96))
    whole = finder.portrait(portrait, SIZE)
    assert np.allclose(wide.landmarks, 2 * whole.landmarks - (0, 48), atol=1e-3), "cut above and below"


def test_a_store_keeps_what_was_seen_bit_for_bit(
    finder: PersonFinder, portrait: PictureFile, looks: list[tuple[int, ...]], tmp_path: Path
) -> None:
    store = ArtifactStore(tmp_path)
    first = finder.portrait(portrait, SIZE)
    assert list(store.root.glob("??/*")) == []
    finder.portrait(portrait, SIZE, store)
    other = PersonFinder(finder._choice[0])
    vars(other).update(eye=finder.eye)
    second = other.portrait(portrait, SIZE, store)
    assert len(looks) == 1
    assert np.array_equal(first.landmarks, second.landmarks)
    assert first.landmarks.dtype == second.landmarks.dtype
    assert (first.score, first.face, first.person) == (second.score, second.face, second.person)


def test_what_cannot_be_used_is_refused_each_time(finder: PersonFinder, portrait: PictureFile, tmp_path: Path) -> None:
    Image.new("RGB", (90, 90), (120, 90, 60)).save(tmp_path / "wall.png")
    far = Image.new("RGB", (2048, 2048), (120, 120, 130))
    far.paste(portrait.image.resize((160, 160)), (944, 944))
    far.save(tmp_path / "far.png")
    for _ in range(2):
        with pytest.raises(UserError, match=r"wall.png: no face was found in this picture"):
            finder.portrait(open_picture(tmp_path / "wall.png"), SIZE)
        with pytest.raises(UserError, match=r"far.png: (the face is too small|no face was found)"):
            finder.portrait(open_picture(tmp_path / "far.png"), (256, 256))


def test_a_finder_goes_to_other_processes_as_a_name(any_finder: PersonFinder, tmp_path: Path) -> None:
    assert len(pickle.dumps(any_finder)) < 1000
    assert pickle.loads(pickle.dumps(person_finder())) is person_finder()
    save_model(PerceptionNet(widths=(4, 4, 4, 4)), tmp_path / "perception")
    other = pickle.loads(pickle.dumps(PersonFinder("own", tmp_path / "perception", TRAIT_WEIGHTS)))
    assert other is not person_finder()
    assert other.identity != person_finder().own_eye.identity, "what other weights see has other keys"


def test_without_the_librarys_files_the_own_eye_sees_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "missing_for_library_eye", lambda: "nothing is installed")
    finder = PersonFinder()
    assert finder.eye.name == "own"
    (note,) = finder.notes()
    assert "since nothing is installed" in note
    assert "`dramatis models install-eyes`" in note
    assert PersonFinder("own").notes() == ()
    monkeypatch.setattr(finder_module, "missing_for_library_eye", lambda: None)
    assert PersonFinder().notes() == ()
