"""Short runs of the trainers with the recipes of the repository."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from dramatis_lab.train.config import TrainConfig, load_config

RECIPES = Path(__file__).parents[3] / "recipes" / "mini"


def recipe(network: str, name: str | None = None, **changes: object) -> Any:
    """The config in a network's recipe, or in the recipe `name`, with some values changed."""
    train = getattr(import_module(f"dramatis_lab.train.{network}"), f"train_{network}")
    kind: type[TrainConfig] = get_type_hints(train)["config"]
    overrides = [f"{option}={json.dumps(value)}" for option, value in changes.items()]
    return load_config(kind, RECIPES / f"{name or network}.yaml", overrides)


def logged(run: Path) -> list[dict[str, Any]]:
    """The rows of a run folder's log."""
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
