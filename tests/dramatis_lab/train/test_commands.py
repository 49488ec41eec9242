from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dramatis.models.loading import load_model, save_model
from dramatis.models.speech import SpeechEncoder
from dramatis_lab.train.commands import TRAINED_NETWORKS, train_app
from tests.dramatis_lab.train.conftest import RECIPES, logged
from tests.dramatis_lab.train.test_speech import fake_voices


def test_a_network_is_trained_by_its_recipe_and_folders(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    fake_voices(tmp_path / "voices" / "train-00000.safetensors", 0)
    fake_voices(tmp_path / "voices" / "test-00000.safetensors", 1)
    save_model(SpeechEncoder(channels=12, blocks=(1, 1)), tmp_path / "init")
    folders = {"assets": "unused", "cache": "voices", "run": "run", "out": "out", "init": "init"}
    options = [part for name, folder in folders.items() for part in (f"--{name}", str(tmp_path / folder))]
    changes = [f"--set={change}" for change in ("steps=3", "utterances=100", "held_out=100", "batch_size=2")]
    result = CliRunner().invoke(train_app, ["speech", "--config", str(RECIPES / "speech.yaml"), *changes, *options])
    assert result.exit_code == 0, result.output
    assert logged(tmp_path / "run")[-1]["step"] == 3
    assert load_model(SpeechEncoder, tmp_path / "out").config["channels"] == 12


@pytest.mark.parametrize("network", TRAINED_NETWORKS)
def test_every_network_tells_its_folders(network: str) -> None:
    result = CliRunner().invoke(train_app, [network, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    for option in ("--config", "--set", "--run", "--out"):
        assert option in result.output


def test_an_unknown_network_is_refused() -> None:
    assert CliRunner().invoke(train_app, ["nonsense"]).exit_code == 2


def test_naming_the_commands_needs_no_torch() -> None:
    code = "import sys, dramatis_lab.train.commands; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
