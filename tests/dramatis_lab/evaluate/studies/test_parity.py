"""The comparison with official networks: a line for every golden, exit code 1 for one that is not met."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from safetensors.numpy import load_file, save_file

from dramatis_lab.evaluate.studies import parity
from tests import ROOT

GOLDENS = ROOT / "tests" / "goldens"


def test_every_golden_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    parity.main(GOLDENS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["multitalk_one_person", "multitalk_two_people"]
    assert all(line.endswith("  equal") for line in lines)


def test_a_golden_that_is_not_met_ends_in_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in GOLDENS.glob("multitalk_one_person.*"):
        shutil.copy(file, tmp_path)
    arrays = load_file(tmp_path / "multitalk_one_person.safetensors")
    arrays["output"][0, 0, 0, 0, 0] += 2e-4
    save_file(arrays, tmp_path / "multitalk_one_person.safetensors")
    other = json.loads((tmp_path / "multitalk_one_person.json").read_text()) | {"model": "longcat_avatar"}
    (tmp_path / "longcat_one_person.json").write_text(json.dumps(other))
    shutil.copy(tmp_path / "multitalk_one_person.safetensors", tmp_path / "longcat_one_person.safetensors")
    with pytest.raises(typer.Exit) as stop:
        parity.main(tmp_path)
    assert stop.value.exit_code == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "longcat_one_person  not supported yet"
    assert second.startswith("multitalk_one_person  2.")
    assert second.endswith("NOT EQUAL")


def test_an_empty_folder_is_a_fault_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as stop:
        parity.main(tmp_path)
    assert stop.value.exit_code == 2
