"""The denoising loop, short enough to read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import branch_cache, clip_cache
from dramatis.sampling.gating import Gating
from dramatis.sampling.guidance import CONDITIONAL, Branch, Guider
from dramatis.sampling.parts import PartwiseDiT
from dramatis.sampling.solvers import Solver

StepCallback = Callable[[int, int], None]


@dataclass(frozen=True)
class Conditions:
    """Everything a clip is generated from besides noise; shapes as in `AudioDiT.forward`, batch 1.

    silence: audio features of silence in the shape of `audio`. negative: the negative prompt's text states.
    negative_condition, negative_controls, negative_image: what the branch of the negative prompt reads in place of
    `condition`, `controls` and `image`; None for the same.
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
        tensors = {name: value.to(dtype) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)


def predict(
    dit: AudioDiT | PartwiseDiT,
    x: Tensor,
    timestep: Tensor,
    conditions: Conditions,
    branch: Branch,
    gating: Gating | None = None,
) -> Tensor:
    """Evaluate the network for one guidance branch; gating reads the tokens of the conditional one."""
    condition, image, controls = conditions.condition, conditions.image, conditions.controls
    if branch.negative_text:
        condition = condition if conditions.negative_condition is None else conditions.negative_condition
        image = image if conditions.negative_image is None else conditions.negative_image
        controls = controls if conditions.negative_controls is None else conditions.negative_controls
    call: Callable[..., Tensor] = dit
    with branch_cache(network_of(dit), repr(branch)):
        return call(
            x,
            condition,
            timestep,
            conditions.negative if branch.negative_text else conditions.text,
            image,
            conditions.silence if branch.silent else conditions.audio,
            masks=conditions.masks if gating is None else gating.gates.to(x),
            controls=controls,
            maps=conditions.maps,
            **({} if conditions.regions is None else {"regions": conditions.regions}),
            **({} if gating is None or branch != CONDITIONAL else {"on_block": gating.on_block}),
        )


def network_of(dit: AudioDiT | PartwiseDiT) -> AudioDiT:
    """The network itself, whether it is called in parts or whole."""
    return dit.dit if isinstance(dit, PartwiseDiT) else dit


@torch.no_grad()
def denoise(
    dit: AudioDiT | PartwiseDiT,
    noise: Tensor,
    conditions: Conditions,
    sigmas: Tensor,
    guider: Guider | Sequence[Guider],
    solver: Solver,
    on_step: StepCallback | None = None,
    gating: Gating | None = None,
) -> Tensor:
    """Noise (1, 16, T, h, w) -> clean normalised latents of the same shape, float32.

    guider: one for all steps, or a list with one for each. gating: where each voice goes, predicted anew at every step;
    None: `conditions.masks` throughout. on_step: called after every step with its number and the number of steps.

    The latent itself stays in float32 whatever the network computes in: rounding errors would add up over the steps.
    """
    conditions = conditions.to(dit.dtype)
    x = noise.float()
    steps = len(sigmas) - 1
    guiders = guider if isinstance(guider, Sequence) else [guider] * steps
    assert len(guiders) == steps, "as many guiders as steps"
    with clip_cache(network_of(dit)):
        for step in range(steps):
            timestep = (1000 * sigmas[step : step + 1]).to(x.device)
            rounded = x.to(dit.dtype)
            branches = guiders[step].branches
            predictions = [predict(dit, rounded, timestep, conditions, branch, gating).float() for branch in branches]
            x = solver.step(x, guiders[step].combine(predictions), float(sigmas[step]), float(sigmas[step + 1]))
            if gating is not None:
                gating.advance()
            if on_step is not None:
                on_step(step + 1, steps)
    return x
