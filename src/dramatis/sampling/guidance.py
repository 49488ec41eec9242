"""Classifier-free guidance for two kinds of condition, text and audio.

A guider lists the branches that it wants evaluated and combines their predictions. The unconditional branch reads the
negative text, so the sample is steered away from whatever that names (the report's negative director).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Branch:
    """One evaluation of the network: whether it reads the negative text, and whether its audio is silence."""

    negative_text: bool
    silent: bool


CONDITIONAL = Branch(negative_text=False, silent=False)


class Guider(Protocol):
    """Which branches to evaluate, and how to combine them."""

    branches: tuple[Branch, ...]

    def combine(self, predictions: list[Tensor]) -> Tensor:
        """Predictions in the order of `branches`, each (B, C, T, h, w) -> one of the same shape."""
        ...


class NoGuidance:
    """The conditional branch alone."""

    branches: tuple[Branch, ...] = (CONDITIONAL,)

    def combine(self, predictions: list[Tensor]) -> Tensor:
        return predictions[0]


class PairGuidance:
    """uncond + scale (cond - uncond); subclasses say which conditions the second branch gets."""

    branches: tuple[Branch, ...]

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def combine(self, predictions: list[Tensor]) -> Tensor:
        cond, uncond = predictions
        return uncond + self.scale * (cond - uncond)


class TextGuidance(PairGuidance):
    """Both branches hear the audio; the unconditional one reads the negative text."""

    branches: tuple[Branch, ...] = (CONDITIONAL, Branch(negative_text=True, silent=False))


class AudioGuidance(PairGuidance):
    """Both branches read the prompt; the unconditional one hears nothing. What MultiTalk does at a text scale of 1."""

    branches: tuple[Branch, ...] = (CONDITIONAL, Branch(negative_text=False, silent=True))


class JointGuidance(PairGuidance):
    """The unconditional branch reads the negative text and hears nothing."""

    branches: tuple[Branch, ...] = (CONDITIONAL, Branch(negative_text=True, silent=True))


class TextAudioGuidance:
    """MultiTalk's three branches: uncond + text (cond - drop_text) + audio (drop_text - uncond)."""

    branches: tuple[Branch, ...] = (
        CONDITIONAL,
        Branch(negative_text=True, silent=False),
        Branch(negative_text=True, silent=True),
    )

    def __init__(self, text: float, audio: float) -> None:
        self.text, self.audio = text, audio

    def combine(self, predictions: list[Tensor]) -> Tensor:
        cond, drop_text, uncond = predictions
        return uncond + self.text * (cond - drop_text) + self.audio * (drop_text - uncond)


class MeanKeepingGuidance:
    """Another guider, but each frame keeps the mean of the conditional branch.

    Text and sound change something at a place in the picture; a step in the mean of a whole frame only shifts its
    colours, and such steps add up to drift.
    """

    def __init__(self, inner: Guider) -> None:
        self.inner = inner
        self.branches = inner.branches

    def combine(self, predictions: list[Tensor]) -> Tensor:
        cond = predictions[0]
        change = self.inner.combine(predictions) - cond
        return cond + change - change.mean(dim=(-2, -1), keepdim=True)


class RegionGuidance:
    """One guider inside a region of the picture, and another outside.

    where: (1, 1, T, h, w) in 0..1, how much of each cell lies inside.
    """

    def __init__(self, inside: Guider, outside: Guider, where: Tensor) -> None:
        self.inside, self.outside, self.where = inside, outside, where
        self.branches = tuple(dict.fromkeys(inside.branches + outside.branches))

    def combine(self, predictions: list[Tensor]) -> Tensor:
        by_branch = dict(zip(self.branches, predictions, strict=True))
        outside, inside = (
            guider.combine([by_branch[branch] for branch in guider.branches]) for guider in (self.outside, self.inside)
        )
        return torch.lerp(outside, inside, self.where.to(outside))


def choose_guider(text: float, audio: float, *, keep_mean: bool = False) -> Guider:
    """The cheapest guider for two scales; a scale of 1 needs no extra branch. keep_mean: see `MeanKeepingGuidance`."""
    if text == 1.0 and audio == 1.0:
        return NoGuidance()
    chosen: Guider
    if audio == 1.0:
        chosen = TextGuidance(text)
    elif text == 1.0:
        chosen = AudioGuidance(audio)
    elif text == audio:
        chosen = JointGuidance(text)
    else:
        chosen = TextAudioGuidance(text, audio)
    return MeanKeepingGuidance(chosen) if keep_mean else chosen
