"""Storylines on the disk, and new takes of their shots."""

from __future__ import annotations

from pathlib import Path

import pytest

from dramatis.app.storyline_files import another_take, read_storyline, write_storyline
from dramatis.errors import UserError
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan


def two_shots(folder: Path, *, locked: bool = False) -> Storyline:
    return Storyline(
        image=str(folder / "a.png"),
        audio=str(folder / "a.wav"),
        frames=50,
        width=64,
        height=64,
        characters=(
            Character(name="ann", audio=str(folder / "ann.wav"), face=(0.1, 0.2, 0.4, 0.7)),
            Character(name="bob", image=str(folder / "bob.png"), face=(0.6, 0.2, 0.9, 0.7)),
        ),
        shots=(
            Shot(index=0, span=FrameSpan(0, 24), seed=3, locked=locked),
            Shot(index=1, span=FrameSpan(24, 50), seed=3),
        ),
    )


def test_a_storyline_survives_its_file(tmp_path: Path) -> None:
    storyline, path = two_shots(tmp_path), tmp_path / "deep" / "story.yaml"
    write_storyline(storyline, path)
    assert str(tmp_path) not in path.read_text()
    assert read_storyline(path) == storyline


def test_a_folder_can_be_moved_with_its_storyline(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    write_storyline(two_shots(tmp_path / "before"), tmp_path / "before" / "story.yaml")
    (tmp_path / "before").rename(tmp_path / "after")
    assert read_storyline(tmp_path / "after" / "story.yaml") == two_shots(tmp_path / "after")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.yaml: the storyline cannot be read; check the path"):
        read_storyline(tmp_path / "none.yaml")


def test_another_take_changes_the_seed_of_one_shot(tmp_path: Path) -> None:
    storyline = two_shots(tmp_path)
    retaken = another_take(storyline, 1)
    assert [shot.seed for shot in retaken.shots] == [3, 4]
    assert retaken.shots[0] == storyline.shots[0]


def test_a_locked_shot_is_not_filmed_again(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Shot 0 is locked"):
        another_take(two_shots(tmp_path, locked=True), 0)
    with pytest.raises(UserError, match="Shot 7 does not exist; the storyline has shots 0 to 1"):
        another_take(two_shots(tmp_path), 7)
