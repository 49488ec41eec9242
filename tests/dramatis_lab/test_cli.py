"""The lab's command line: what it offers, and one sentence with exit code 2 for everything a user can get wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dramatis_lab import cli


def test_the_surface_changes_on_purpose_only() -> None:
    names = {command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    assert names | {group.name for group in cli.app.registered_groups} == {"annotate", "train", "world"}
    assert {command.name for command in cli.world.registered_commands} == {"render", "dataset", "stills"}
    assert {path: options(path) for path in SURFACE} == SURFACE


SURFACE = {
    "annotate": "folder --output/-o --detector --pose --segmenter --matting --groups --workers --quiet/-q",
    "world render": "output --seed --seconds --size --people --assets",
    "world dataset": "output --shards --samples --split --size --strided/--no-strided --people --seed --workers "
    "--assets --quiet/-q",
    "world stills": "output --shards --split --seed --workers --assets --quiet/-q",
}
"""Every argument and option of every command: whoever changes one changes this table, on purpose."""


def options(path: str) -> str:
    """The arguments and options of a command, as users type them."""
    command: Any = typer.main.get_command(cli.app)
    for name in path.split():
        command = command.commands[name]
    shown = []
    for parameter in command.params:
        names = [*parameter.opts, *parameter.secondary_opts]
        shown.append("/".join(names))
    return " ".join(shown)


@pytest.mark.parametrize(
    "command",
    [
        ["world", "render", "a.mp4"],
        ["world", "dataset", "a"],
        ["world", "stills", "a"],
        ["annotate", "a", "-o", "b", "--groups", "c"],
    ],
)
def test_a_missing_package_is_named_in_one_sentence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dramatis.runtime.packages.find_spec", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["dramatis-lab", *command])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert "needs the package numba, which is not installed; run `pip install dramatis[lab]`." in message
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def folder_with(path: Path, name: str) -> Path:
    path.mkdir()
    (path / name).write_text("not what it says")
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["clips/a.mp4"], "give the folder that holds the videos"),
        (["notes"], "holds no videos"),
        (["clips", "--detector", "nowhere.onnx"], "nowhere.onnx does not exist"),
        (["clips", "--detector", "notes/a.txt"], "not an ONNX network"),
        (["clips", "--pose", "notes/a.txt"], "not an ONNX network"),
        (["clips", "--segmenter", "notes"], "no config.json"),
        (["clips", "--output", "notes/a.txt"], "a.txt is a file"),
        (["clips", "--groups", "notes/a.txt"], "a.txt is a file; give a folder to write the groups into"),
    ],
)
def test_annotations_that_cannot_begin(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[lab])")
    monkeypatch.chdir(tmp_path)
    folder_with(tmp_path / "clips", "a.mp4")
    folder_with(tmp_path / "notes", "a.txt")
    before = set(tmp_path.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["dramatis-lab", "annotate", "--output", "out", "-q", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    code, message = stop.value.code, capsys.readouterr().err
    assert code == 2, message
    assert words in message, message
    assert message.count("\n") == 1, message
    assert set(tmp_path.rglob("*")) == before


def test_a_video_that_cannot_be_read_is_in_the_manifest(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "clips", "a.mp4")
    out, groups = tmp_path / "out", tmp_path / "groups"
    result = CliRunner().invoke(cli.app, ["annotate", str(folder), "-o", str(out), "--groups", str(groups), "-q"])
    assert result.exit_code == 0
    assert f"{groups}: 0 samples made" in result.output.replace("\n", "")
    assert "1 videos (1 annotated now), 0 segments kept" in result.output
    assert "rejected, unreadable: 1" in result.output
    assert '"cause": "unreadable"' in (tmp_path / "out" / "manifest.jsonl").read_text()
