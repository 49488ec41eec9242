from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from dramatis.errors import UserError
from dramatis_lab.train.commands import TRAINED_NETWORKS
from dramatis_lab.train.config import TrainConfig, load_config
from dramatis_lab.train.dit import DitConfig
from tests.dramatis_lab.train.conftest import RECIPES, recipe


def test_every_recipe_is_that_of_a_network() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} == {*TRAINED_NETWORKS, "decoder"}


@pytest.mark.parametrize("network", TRAINED_NETWORKS)
def test_recipes_hold_every_option(network: str) -> None:
    config = recipe(network)
    values = yaml.safe_load((RECIPES / f"{network}.yaml").read_text())
    optional = {"steps", "evaluate_every", "evaluate_minutes"}
    assert set(values) | optional == set(type(config).model_fields)
    assert (config.evaluate_every is None) != (config.evaluate_minutes is None)


def test_the_decoders_recipe_differs_from_the_autoencoders_in_what_it_is_for() -> None:
    whole, decoder = (yaml.safe_load((RECIPES / f"{name}.yaml").read_text()) for name in ("autoencoder", "decoder"))
    assert {name: decoder[name] for name in decoder if decoder[name] != whole[name]} == {
        "texture": 1.5,
        "decoder_only": True,
    }


def test_values_are_replaced_and_frozen() -> None:
    config = load_config(DitConfig, RECIPES / "dit.yaml", ["steps=10", "rate=2e-3", "compile_blocks=true"])
    assert (config.steps, config.rate, config.compile_blocks) == (10, 2e-3, True)
    with pytest.raises(ValidationError, match="frozen"):
        config.rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stps=10", r"dit.yaml: the option 'stps' is unknown; choose from minutes, "),
        ("steps=0", r"dit.yaml: the option 'steps' does not work \(.*greater than 0\); correct it there or with --set"),
        ("batch_full=many", r"the option 'batch_full' does not work \("),
        ("steps", r"^The override 'steps' has no value; write it as name=value.$"),
    ],
)
def test_a_wrong_value_is_one_sentence(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(DitConfig, RECIPES / "dit.yaml", [override])


def test_a_recipe_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    short, broken, listed = (tmp_path / name for name in ("short.yaml", "broken.yaml", "listed.yaml"))
    short.write_text("minutes: 3")
    broken.write_text("minutes: [")
    listed.write_text("- 1")
    for path, message in (
        (short, "the option 'rate' is missing; add it there or with --set rate=VALUE."),
        (broken, "cannot be read as YAML"),
        (tmp_path / "none.yaml", "cannot be read as YAML"),
        (listed, "holds no options; write lines such as"),
    ):
        with pytest.raises(UserError, match=message):
            load_config(TrainConfig, path)


def test_networks_and_their_trainers_agree() -> None:
    for network in TRAINED_NETWORKS:
        assert callable(getattr(import_module(f"dramatis_lab.train.{network}"), f"train_{network}"))
