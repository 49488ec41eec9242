"""The denoising loop, short enough to read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import one_branch, one_clip
from dramatis.sampling.gating import Gating
from dramatis.sampling.guidance import CONDITIONAL, Branch, Guider
from dramatis.sampling.parts import InParts
from dramatis.sampling.solvers import Solver

StepCallback = Callable[[int, int], None]


@dataclass(frozen=True)
class Conditions:
    """Everything a clip is made from besides noise; shapes as in `AudioDiT.forward`, batch 1.

    silence: audio features of silence in the shape of `audio`; negative: the negative prompt's text states;
    negative_condition, negative_controls, negative_image: what the branch of the negative prompt reads in place of
    `condition`, `controls` and `image`, None for the same.
    """

    condition: Tensor
    text: Tensor
    negative: Tensor
    image: Tensor | None
    audio: Tensor
    silence: Tensor
    masks: Tensor | None = None
    controls: Tensor | None = None
    maps: Tensor | None = None
    negative_condition: Tensor | None = None
    negative_controls: Tensor | None = None
    negative_image: Tensor | None = None
    regions: Tensor | None = None

    def to(self, dtype: torch.dtype) -> Conditions:
        """All tensors in another dtype."""
        cast = {name: value.to(dtype) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **cast)


def predict(
    dit: AudioDiT | InParts,
    x: Tensor,
    timestep: Tensor,
    given: Conditions,
    branch: Branch,
    gating: Gating | None = None,
) -> Tensor:
    """One evaluation of the network for one guidance branch; gating looks on at the conditional one."""
    condition, image, controls = given.condition, given.image, given.controls
    if branch.negative_text:
        condition = condition if given.negative_condition is None else given.negative_condition
        image = image if given.negative_image is None else given.negative_image
        controls = controls if given.negative_controls is None else given.negative_controls
    call: Callable[..., Tensor] = dit
    with one_branch(network_of(dit), repr(branch)):
        return call(
            x,
            condition,
            timestep,
            given.negative if branch.negative_text else given.text,
            image,
            given.silence if branch.silent else given.audio,
            masks=given.masks if gating is None else gating.gates.to(x),
            controls=controls,
            maps=given.maps,
            **({} if given.regions is None else {"regions": given.regions}),
            **({} if gating is None or branch != CONDITIONAL else {"watch": gating.watch}),
        )


def network_of(dit: AudioDiT | InParts) -> AudioDiT:
    """The network itself."""
    return dit.dit if isinstance(dit, InParts) else dit


@torch.no_grad()
def denoise(
    dit: AudioDiT | InParts,
    noise: Tensor,
    given: Conditions,
    sigmas: Tensor,
    guider: Guider | Sequence[Guider],
    solver: Solver,
    on_step: StepCallback | None = None,
    gating: Gating | None = None,
) -> Tensor:
    """Noise (1, 16, T, h, w) -> clean normalised latents of the same shape, float32.

    guider: one for every step, or one for each.
    gating: whose voice goes where, predicted anew at every step; None: `given.masks` throughout.
    The latent itself stays in float32 whatever the network computes in: rounding errors would add up over steps.
    """
    given = given.to(dit.dtype)
    x = noise.float()
    steps = len(sigmas) - 1
    guiders = guider if isinstance(guider, Sequence) else [guider] * steps
    assert len(guiders) == steps, "as many guiders as steps"
    with one_clip(network_of(dit)):
        for step in range(steps):
            timestep = (1000 * sigmas[step : step + 1]).to(x.device)
            seen = x.to(dit.dtype)
            branches = guiders[step].branches
            predictions = [predict(dit, seen, timestep, given, branch, gating).float() for branch in branches]
            x = solver.step(x, guiders[step].combine(predictions), float(sigmas[step]), float(sigmas[step + 1]))
            if gating is not None:
                gating.advance()
            if on_step is not None:
                on_step(step + 1, steps)
    return x
