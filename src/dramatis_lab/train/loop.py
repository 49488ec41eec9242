"""The one training loop: steps, checkpoints, averaged weights, log and evaluation of every network."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dramatis_lab.data.shards import GrowingDataset
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.optimisers import ClippedAdamW, MasterAdamW, Optimiser, WeightAverage
from dramatis_lab.train.run import TrainingRun

AVERAGE_DECAY = 0.998

Net = TypeVar("Net", bound=nn.Module)
StepLoss = Callable[[np.random.Generator], tuple[str, Tensor]]
"""Draws a batch with the generator it is given; returns the name of its loss in the log, and the loss."""


def fit(
    net: Net,
    run: TrainingRun,
    config: TrainConfig,
    step_loss: StepLoss,
    evaluate: Callable[[Net], dict[str, float]],
    dataset: GrowingDataset | None = None,
) -> Net:
    """Train `net` until the run is over, resuming where its folder stopped; returns the averaged copy.

    A network with bf16 weights is updated through float32 copies. evaluate: figures of the averaged copy, logged as
    often as the config says and at the end; it may write weights. dataset: what may grow while it is learnt from; taken
    in anew at every report.
    """
    optimiser = _optimiser_for(net, config)
    average = WeightAverage(net, AVERAGE_DECAY)
    if run.resume(net=net, optimiser=optimiser, average=average):
        torch.manual_seed(run.step)  # else a resumed run would draw the noise of its first call once more
    rng = np.random.default_rng(run.step)
    shipped = copy.deepcopy(net).eval()
    recent: dict[str, list[float]] = {}
    evaluated = run.progress()

    def report() -> None:
        samples = {} if dataset is None else {"samples": len(dataset)}
        run.log(**samples, **{name: float(np.mean(values)) for name, values in recent.items()})
        recent.clear()
        if dataset is not None:
            dataset.refresh()

    def report_evaluation() -> None:
        shipped.load_state_dict(average.state)
        run.log(**evaluate(shipped))

    for step in run.loop():
        name, loss = step_loss(rng)
        if run.outlier(loss):
            continue
        loss.backward()
        # The first steps of all are small: a large one can saturate a fresh network for good.
        optimiser.step(config.rate * warmup_cosine(run.progress()) * min(1.0, step / config.warmup_steps))
        average.update(net)
        recent.setdefault(name, []).append(float(loss.detach()))
        if step % config.report_every == 0:
            report()
        if run.due():
            run.save(net=net, optimiser=optimiser, average=average)
        if config.is_evaluation_due(step, run.progress() - evaluated):
            evaluated = run.progress()
            report_evaluation()
    run.save(net=net, optimiser=optimiser, average=average)
    report_evaluation()
    return shipped


def _optimiser_for(net: nn.Module, config: TrainConfig) -> Optimiser:
    kind = MasterAdamW if next(net.parameters()).dtype == torch.bfloat16 else ClippedAdamW
    return kind(net, config.rate, config.weight_decay, config.clip)


def warmup_cosine(progress: float, warm: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up, then half a cosine down to 2 %."""
    if progress < warm:
        return max(progress / warm, 0.01)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm)))
