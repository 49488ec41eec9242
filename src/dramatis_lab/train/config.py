"""What every training config holds, and how a recipe file becomes one.

Each network's file extends `TrainConfig` with its own options; the values stand in `recipes/mini/*.yaml`, and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dramatis.errors import UserError

Config = TypeVar("Config", bound="TrainConfig")


class TrainConfig(BaseModel):
    """How long and how fast a network learns, and how often it is reported and evaluated.

    minutes: of this call; the learning rate follows them. steps: in all, over resumed calls, if that is sooner.
    warmup_steps: over which the learning rate rises in a fresh run, besides the warm-up that each call begins with.
    clip: largest norm of the gradients. report_every: steps. evaluate_every: steps. evaluate_minutes: the same by the
    clock, for networks that take long to evaluate. Every run is evaluated at its end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float = Field(gt=0)
    steps: int | None = Field(default=None, gt=0)
    rate: float = Field(ge=0)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(ge=1)
    clip: float = Field(gt=0)
    report_every: int = Field(ge=1)
    evaluate_every: int | None = Field(default=None, ge=1)
    evaluate_minutes: float | None = Field(default=None, gt=0)

    def is_evaluation_due(self, step: int, progress: float) -> bool:
        """Whether to evaluate after a step; progress: the share of this call that has passed since the last time."""
        by_steps = self.evaluate_every is not None and step % self.evaluate_every == 0
        by_clock = self.evaluate_minutes is not None and progress * self.minutes > self.evaluate_minutes
        return by_steps or by_clock


def load_config(kind: type[Config], path: Path, overrides: Sequence[str] = ()) -> Config:
    """The config in a YAML file, with some values replaced. overrides: "name=value", the value as YAML.

    Raises UserError for a file that cannot be read, and for values that are unknown, missing or out of range.
    """
    try:
        values: Any = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        remedy = "pass a recipe such as recipes/mini/dit.yaml"
        raise UserError(f"{path} cannot be read as YAML ({error}); {remedy}.") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no options; write lines such as `minutes: 60`.")
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise UserError(f"The override {override!r} has no value; write it as name=value.")
        values[name.strip()] = yaml.safe_load(value)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error, kind)}") from None


def _explain(error: ValidationError, kind: type[TrainConfig]) -> str:
    """The first fault of a config, and what to do about it."""
    fault = error.errors()[0]
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"the option {name!r} is unknown; choose from {', '.join(kind.model_fields)}."
    if fault["type"] == "missing":
        return f"the option {name!r} is missing; add it there or with --set {name}=VALUE."
    return f"the option {name!r} does not work ({fault['msg']}); correct it there or with --set {name}=VALUE."
