"""What every training loop shares: device, clock, checkpoints that resume, an averaged copy of the weights, a log."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import numpy as np
import torch
import typer
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


class Samples(Protocol):
    """Data that may grow while it is learnt from."""

    def __len__(self) -> int: ...
    def refresh(self) -> object: ...


RunOption = Annotated[Path, typer.Option(help="run folder: checkpoints and log")]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="compile the blocks: a quarter faster after three minutes")
]


def pick_device() -> torch.device:
    """CUDA if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device) -> torch.autocast:
    """bf16 on either device; both CPUs with bf16 units and GPUs gain two to six times."""
    return torch.autocast(device.type, dtype=torch.bfloat16)


class Average:
    """Exponential moving average of a model's weights; what is measured and shipped."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {
            key: value.detach().float().clone() if value.is_floating_point() else value.detach().clone()
            for key, value in model.state_dict().items()
        }
        self.updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model; early on it follows more quickly."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value.float(), 1 - decay)
            else:
                self.state[key].copy_(value)


class MasterAdamW:
    """AdamW on float32 copies of a bf16 model's weights.

    All arithmetic of the network then runs in bf16 without autocast's casts (a quarter of a small model's step on a
    CPU), while updates too small for bf16 still add up.
    """

    def __init__(self, model: nn.Module, rate: float, weight_decay: float, clip: float) -> None:
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.masters = [p.detach().float().clone() for p in self.parameters]
        self.clip = clip
        self.inner = torch.optim.AdamW(self.masters, lr=rate, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True)

    def step(self, rate: float) -> None:
        """Clip, update the copies, write them back; gradients are cleared."""
        set_rate(self.inner, rate)
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(self.masters, self.clip)
        self.inner.step()
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                parameter.copy_(master)

    def state_dict(self) -> dict[str, Any]:
        return {"masters": self.masters, "inner": self.inner.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for master, saved in zip(self.masters, state["masters"], strict=True):
            master.copy_(saved)
        self.inner.load_state_dict(state["inner"])


@dataclass
class Run:
    """A training run in a folder: `state.pt` (resume), `log.jsonl` (one line a report).

    Steps go on until `minutes` of this call are over or `steps` in all are done; the learning rate follows the greater
    share of both, so a run that is cut by the clock still cools down.
    """

    folder: Path
    minutes: float
    steps: int = 10**9
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
        return min(1.0, max((time.monotonic() - self._started) / (60 * self.minutes), self.step / self.steps))

    def loop(self) -> Iterator[int]:
        """Step numbers, counted across resumed calls."""
        while self.progress() < 1.0:
            self.step += 1
            yield self.step

    def resume(self, **parts: Any) -> bool:
        """Load every part (module, optimiser, Average) from the last checkpoint, if there is one."""
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        saved = torch.load(path, map_location="cpu", weights_only=True)
        for name, part in parts.items():
            if isinstance(part, Average):
                part.updates = saved[name]["updates"]
                for key, value in saved[name]["state"].items():
                    part.state[key].copy_(value)
            else:
                part.load_state_dict(saved[name])
        self.step, self.seconds = saved["step"], saved["seconds"]
        return True

    def save(self, **parts: Any) -> None:
        """Write the checkpoint atomically."""
        elapsed = self.seconds + time.monotonic() - self._started
        saved: dict[str, Any] = {"step": self.step, "seconds": elapsed}
        for name, part in parts.items():
            average = isinstance(part, Average)
            saved[name] = {"updates": part.updates, "state": part.state} if average else part.state_dict()
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


def fit(
    net: Net,
    clock: Run,
    loss_of: Callable[[np.random.Generator], Tensor],
    evaluate: Callable[[Net], dict[str, float]],
    *,
    rate: float,
    weight_decay: float,
    clip: float = 1.0,
    report_every: int = 250,
    judge_every: int = 1000,
    refresh: Callable[[], object] = lambda: None,
) -> Net:
    """Train `net` with AdamW until the clock is over, resuming where its run folder stopped; returns the averaged copy.

    loss_of: draws a batch with the generator it is given and returns the loss. evaluate: figures of the averaged copy,
    logged every `judge_every` steps and at the end. refresh: called at every report, to take in new data.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=weight_decay)
    average = Average(net, 0.998)
    parts = {"net": net, "optimiser": optimiser, "average": average}
    clock.resume(**parts)
    rng = np.random.default_rng(clock.step)
    shipped = copy.deepcopy(net).eval()
    recent: list[float] = []
    for step in clock.loop():
        # The first steps of all are small: a large one can saturate a fresh network for good.
        set_rate(optimiser, rate * cosine(clock.progress()) * min(1.0, step / 200))
        loss = loss_of(rng)
        if clock.outlier(loss):
            continue
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()
        average.update(net)
        recent.append(float(loss.detach()))
        if step % report_every == 0:
            shipped.load_state_dict(average.state)
            clock.log(loss=float(np.mean(recent)), **(evaluate(shipped) if step % judge_every == 0 else {}))
            recent.clear()
            refresh()
        if clock.due():
            clock.save(**parts)
    clock.save(**parts)
    shipped.load_state_dict(average.state)
    clock.log(**evaluate(shipped))
    return shipped


def fit_bf16(
    net: Net,
    name: str,
    clock: Run,
    loss_of: Callable[[np.random.Generator], tuple[str, Tensor]],
    report: Callable[[Net], dict[str, float]],
    *,
    rate: float,
    log_every: int,
    judge_every: float,
    data: Samples,
) -> None:
    """Train a bf16 `net`, called `name` in the checkpoint, until the clock is over, resuming where its folder stopped.

    loss_of: draws a batch with the generator it is given; returns what to call its loss in the log, and the loss.
    report: figures of the averaged copy, logged every `judge_every` minutes and at the end; it may write weights.
    data: what grows while it is learnt from; taken in anew at every line of the log.
    """
    optimiser = MasterAdamW(net, rate, weight_decay=0.01, clip=1.0)
    average = Average(net, 0.998)
    parts = {name: net, "optimiser": optimiser, "average": average}
    clock.resume(**parts)
    torch.manual_seed(clock.step)
    rng = np.random.default_rng(clock.step)
    shipped = copy.deepcopy(net).eval()
    recent: dict[str, list[float]] = {}
    judged = clock.progress()

    def judge() -> None:
        shipped.load_state_dict(average.state)
        clock.log(**report(shipped))

    for step in clock.loop():
        kind, loss = loss_of(rng)
        if clock.outlier(loss):
            continue
        loss.backward()
        optimiser.step(rate * cosine(clock.progress()))
        average.update(net)
        recent.setdefault(kind, []).append(float(loss.detach()))
        if step % log_every == 0:
            clock.log(samples=len(data), **{kind: float(np.mean(values)) for kind, values in recent.items()})
            recent.clear()
            data.refresh()
        if clock.due():
            clock.save(**parts)
        if (clock.progress() - judged) * clock.minutes > judge_every:
            judged = clock.progress()
            judge()
    clock.save(**parts)
    judge()


def cosine(progress: float, warm: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine down to 2 %."""
    if progress < warm:
        return max(progress / warm, 0.01)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm)))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """One learning rate for all groups."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)


def psnr(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """dB between two tensors in [-1, 1]; `weight` (broadcastable, 0 or 1) picks pixels."""
    error = (a.float().clamp(-1, 1) - b.float()).square() / 4
    if weight is not None:
        error = error * weight
        mean = error.sum() / weight.expand_as(error).sum().clamp(min=1)
    else:
        mean = error.mean()
    return float(-10 * torch.log10(mean.clamp(min=1e-10)))
