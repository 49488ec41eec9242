"""A training run in a folder: its clock, a checkpoint that resumes, and a log."""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol

import numpy as np
import torch
import typer
from torch import Tensor

RunOption = Annotated[Path, typer.Option(help="run folder: checkpoint and log; the same command resumes from it")]
_FORMER_NAMES = {"net": ("learner", "dit")}
"""What older checkpoints call a part."""


class Resumable(Protocol):
    """What a checkpoint holds: a network, an optimiser, averaged weights."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> object: ...


@dataclass
class TrainingRun:
    """A training run in a folder: `state.pt` (resume), `log.jsonl` (one line a report).

    Steps go on until `minutes` of this call are over or `steps` in all are done; the learning rate follows the greater
    share of both, so a run that is cut by the clock still cools down.
    """

    folder: Path
    minutes: float
    steps: int | None = None
    save_every: float = 120.0
    step: int = 0
    seconds: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def progress(self) -> float:
        """Share done of this call, 0..1."""
        by_steps = 0.0 if self.steps is None else self.step / self.steps
        return min(1.0, max((time.monotonic() - self._started) / (60 * self.minutes), by_steps))

    def loop(self) -> Iterator[int]:
        """Step numbers, counted across resumed calls."""
        while self.progress() < 1.0:
            self.step += 1
            yield self.step

    def resume(self, **parts: Resumable) -> bool:
        """Load every part from the last checkpoint, if there is one."""
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        saved = torch.load(path, map_location="cpu", weights_only=True)
        for name, part in parts.items():
            stored = next(key for key in (name, *_FORMER_NAMES.get(name, ())) if key in saved)
            part.load_state_dict(saved[stored])
        self.step, self.seconds = saved["step"], saved["seconds"]
        return True

    def save(self, **parts: Resumable) -> None:
        """Write the checkpoint atomically."""
        elapsed = self.seconds + time.monotonic() - self._started
        saved = {"step": self.step, "seconds": elapsed} | {name: part.state_dict() for name, part in parts.items()}
        partial = self.folder / "state.pt.part"
        torch.save(saved, partial)
        os.replace(partial, self.folder / "state.pt")
        self._saved = time.monotonic()

    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() - self._saved > self.save_every

    def outlier(self, loss: Tensor) -> bool:
        """Whether a step should be skipped: its loss is not finite, or far above the last hundred.

        Seen once in 25,000 steps of the autoencoder, which took 200 steps to recover from it.
        """
        value = float(loss.detach())
        strange = not math.isfinite(value) or (len(self._losses) > 20 and value > 20 * float(np.median(self._losses)))
        if not strange:
            self._losses.append(value)
        return strange

    def log(self, **figures: float) -> None:
        """One line to the log and to standard output."""
        row = {"step": self.step, "seconds": round(self.seconds + time.monotonic() - self._started, 1)}
        row |= {name: round(float(value), 5) for name, value in figures.items()}
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
