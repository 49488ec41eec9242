"""The command line of training: one command a network, whose options are the parameters of its `train_...` function.

A network's module is imported when its command is asked for, so that the list of commands needs no torch.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup
from typer.main import get_command

from dramatis_lab.train.config import load_config

TRAINED_NETWORKS = (
    "speech",
    "perception",
    "traits",
    "autoencoder",
    "dit",
    "super_resolution",
    "refiner",
    "group_adapter",
    "mask_head",
)
"""In the order in which they are trained."""

_ConfigOption = Annotated[Path, typer.Option("--config", exists=True, help="the recipe: recipes/mini/NETWORK.yaml")]
_SetOption = Annotated[list[str], typer.Option("--set", help="replace a value of the recipe: --set steps=10")]


class _NetworkGroup(TyperGroup):
    """The networks as commands."""

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(TRAINED_NETWORKS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        return _network_command(cmd_name) if cmd_name in TRAINED_NETWORKS else None


def _network_command(network: str) -> Any:
    """The command that reads a network's config and trains it."""
    train = getattr(import_module(f"dramatis_lab.train.{network}"), f"train_{network}")
    hints = get_type_hints(train, include_extras=True)
    kind = hints["config"]

    def command(config: Path, overrides: list[str], **options: Any) -> None:
        train(load_config(kind, config, overrides), **options)

    parameters = [
        inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, annotation=_ConfigOption),
        inspect.Parameter("overrides", inspect.Parameter.KEYWORD_ONLY, annotation=_SetOption, default=[]),
        *(
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            for name, parameter in inspect.signature(train).parameters.items()
            if name != "config"
        ),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = train.__doc__
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(network)(command)
    return get_command(app)


train_app = typer.Typer(cls=_NetworkGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@train_app.callback()
def _train() -> None:
    """Train a network: a recipe says how, folders say from what; the same command resumes a run."""
