"""Who is meant by a character: every clue, every way to be unclear, and what is drawn then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis.app.casting import (
    GroupPicture,
    assign_people,
    characters_of,
    check_filmed,
    draw_numbered_people,
    find_group,
    people_lines,
    roles_by_size,
)
from dramatis.app.requests import read_characters
from dramatis.errors import UserError
from dramatis.motion.face import TEMPLATE_68
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.picture_file import open_picture
from tests import ROOT

CASES = ROOT / "benchmarks" / "cases"
SIDE = 256


def face_of(case: int) -> np.ndarray:
    return np.asarray(Image.open(CASES / f"0{case}" / "portrait.png").convert("RGB"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people of the held-out world in one picture, crops of it, and a stranger."""
    folder = tmp_path_factory.mktemp("people")
    together = Image.fromarray(np.concatenate([face_of(case) for case in (0, 2, 4)], 1))
    together.save(folder / "three.png")
    together.crop((SIDE + 20, 10, 2 * SIDE - 10, SIDE - 16)).resize((150, 153)).save(folder / "second.jpg", quality=60)
    together.crop((0, 0, 2 * SIDE, SIDE)).save(folder / "two.png")
    Image.fromarray(face_of(6)).save(folder / "stranger.png")
    Image.new("RGB", (90, 90), (120, 90, 60)).save(folder / "wall.png")
    return folder


@pytest.fixture(scope="module")
def group(folder: Path) -> GroupPicture:
    return find_group(open_picture(folder / "three.png"))


def assigned(group: GroupPicture, folder: Path, *options: str) -> tuple[int, ...]:
    named = read_characters(f"name={name}{option}" for name, option in zip("abcd", options, strict=False))
    return assign_people(named, group, folder / "numbered.png")


@pytest.mark.parametrize(
    ("options", "people"),
    [
        (("", "", ""), (0, 1, 2)),
        ((",at=right", ",at=left"), (2, 0)),
        ((",at=middle", ",at=3"), (1, 2)),
        ((",at=2", "", ""), (1, 0, 2)),
        ((",point=0.82:0.5",), (2,)),
        ((",point=380:130",), (1,)),
        ((",point=380:250",), (1,)),
        ((",box=300:60:460:220",), (1,)),
        ((",box=0.66:0:1:1",), (2,)),
        ((",box=240:20:590:256",), (1,)),
    ],
)
def test_clues(group: GroupPicture, tmp_path: Path, options: tuple[str, ...], people: tuple[int, ...]) -> None:
    assert assigned(group, tmp_path, *options) == people
    assert not (tmp_path / "numbered.png").exists()


def test_a_crop_tells_who_is_meant_however_it_was_saved(group: GroupPicture, folder: Path, tmp_path: Path) -> None:
    assert assigned(group, tmp_path, f",image={folder / 'second.jpg'}", ",at=right") == (1, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("", "", "", ",at=1"), "4 characters are named but 3 people can be seen"),
        (("",), "'a' may be any of 3 people"),
        ((",at=1", ""), "'b' may be any of 2 people .* say who is meant with at=1"),
        ((",at=left", ",at=1"), "'a' and 'b' both mean person 1 .* let each mean a person of their own"),
        ((",box=300:60:460:220", ",box=290:50:470:250"), "'a' and 'b' both mean person 2"),
        ((",at=4",), "The clue at=4 of 'a' means nobody among 3 people .* a number from 1 to 3"),
        ((",at=up",), "write left, right, middle or a number from 1 to 3"),
        ((",box=0:0:900:100",), "The box of 'a' reaches outside .* which is 768x256 pixels"),
        ((",point=-0.5:0.5",), "The point of 'a' reaches outside"),
        ((",box=0.5:0.5:0.4:0.6",), "The box of 'a' has no size"),
        ((",box=0:0:1:1",), "The box of 'a' holds 3 people .* put it on the face of one person"),
        ((",box=0:0:0.1:0.1",), "The box of 'a' holds nobody"),
        ((",point=0.34:0.02",), "The point of 'a' holds nobody"),
        (
            (",at=1,point=380:130",),
            "The clues at= and point= of 'a' mean person 1 and person 2 .* leave one of them out",
        ),
        ((",image=stranger.png",), "stranger.png, which is to show 'a', matches nobody"),
        ((",image=two.png",), "two.png, which is to show 'a', shows 2 faces"),
        ((",image=wall.png",), "wall.png, which is to show 'a', shows no face"),
    ],
)
def test_who_is_meant_must_be_clear(
    group: GroupPicture, folder: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    told = [option.replace("image=", f"image={folder}/") for option in options]
    with pytest.raises(UserError, match=words) as refused:
        assigned(group, tmp_path, *told)
    message = str(refused.value)
    assert "\n" not in message
    assert "numbered.png shows who is who" in message
    with Image.open(tmp_path / "numbered.png") as drawn:
        assert drawn.width >= 768


def test_twins_are_not_told_apart_by_a_crop(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(np.concatenate([face_of(6), face_of(6)], 1)).save(tmp_path / "twins.png")
    twins = find_group(open_picture(tmp_path / "twins.png"))
    with pytest.raises(UserError, match="matches person 1 or person 2"):
        assigned(twins, tmp_path, f",image={folder / 'stranger.png'}")


def test_everybody_else_listens(group: GroupPicture) -> None:
    cast = characters_of(read_characters(["name=ann,at=2", "name=cyd"]), (1, 2), group)
    assert [(one.name, one.face) for one in cast] == [
        ("ann", group.people[1].face),
        ("cyd", group.people[2].face),
        ("person 1", group.people[0].face),
    ]
    odd = characters_of(read_characters(["name=person 3,at=2"]), (1,), group)
    assert [one.name for one in odd] == ["person 3", "person 1", "person 3*"]
    check_filmed(cast, group, (320, 128))
    with pytest.raises(UserError, match="cut to 128x128 pixels and loses the face of 'cyd'"):
        check_filmed(cast, group, (128, 128))


def test_one_person_needs_no_face(folder: Path, tmp_path: Path) -> None:
    alone = find_group(open_picture(folder / "stranger.png"))
    people = assigned(alone, tmp_path, ",at=middle")
    (only,) = characters_of(read_characters(["name=a"]), people, alone)
    assert (only.name, only.face) == ("a", None)


def test_a_picture_without_a_face_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="no face was found"):
        find_group(open_picture(folder / "wall.png"))


def test_the_preview_numbers_everybody(group: GroupPicture) -> None:
    lines = people_lines(group)
    assert [line.split()[:2] for line in lines] == [["1", "left"], ["2", "middle"], ["3", "right"]]
    left, top, right, bottom = (int(side) for side in lines[1].split("box=")[1].split(":"))
    assert SIDE < left < right < 2 * SIDE
    assert 0 < top < bottom < SIDE
    plain, named = (np.asarray(draw_numbered_people(group, names)) for names in (None, {1: "ann"}))
    changed = np.flatnonzero((plain != named).any((0, 2))) / plain.shape[1]
    assert changed.min() > 0.3, "the name stands at its own person"
    assert changed.max() < 0.67, "the name stands at its own person"


def heads(*scales: float) -> list[Face]:
    """Faces side by side whose heads are so many px high."""
    return [
        Face((TEMPLATE_68[:, :2] * (scale, -scale) + (300 * index, 200)).astype(np.float32), 1.0)
        for index, scale in enumerate(scales)
    ]


@pytest.mark.parametrize(
    ("scales", "speaker", "listeners", "unclear"),
    [
        ((100,), 0, (), False),
        ((30, 100), 1, (), False),
        ((60, 100, 20), 1, (0,), False),
        ((100, 50, 45), 0, (1, 2), False),
        ((80, 100), 1, (0,), True),
    ],
)
def test_whoever_is_by_far_the_largest_speaks(
    scales: tuple[float, ...], speaker: int, listeners: tuple[int, ...], unclear: bool
) -> None:
    roles = roles_by_size(heads(*scales))
    assert (roles.speaker, roles.listeners, roles.unclear) == (speaker, listeners, unclear)
    assert roles.cast[roles.number] == speaker


def test_what_is_decided_by_size_is_said() -> None:
    path = Path("picture.png")
    assert roles_by_size([]).notes(path) == roles_by_size(heads(90)).notes(path) == ()
    (note,) = roles_by_size(heads(60, 100, 20)).notes(path)
    assert note == (
        "picture.png: person 2 from the left is by far the largest and speaks, one person beside listens, one person "
        "in the background stays as in the picture; use --character to decide otherwise."
    )
    (note,) = roles_by_size(heads(100, 50, 45)).notes(path)
    assert "2 people beside listen;" in note
