"""The animatic: a directed performance played by the articulated portrait alone, without any diffusion.

Heads, mouths, blinks, emotion and camera are those of the storyline, so a plan can be watched before it is filmed. The
same frames are what the networks' conditions are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.articulated_face import ArticulatedFace
from dramatis.motion.articulation import NATURAL_GAIN, articulation_weights
from dramatis.motion.face import project
from dramatis.motion.group import group_positions
from dramatis.motion.performance import Performance
from dramatis.sampling.articulated_portrait import ArticulatedPortrait, FaceMove

_BLOCK = 25
"""Frames whose warps are worked out together."""
_NODE_STEP = 8
"""Pixels between places that the warp by head and camera is worked out for; between them it is read off linearly."""


@dataclass(frozen=True, eq=False)
class Actor:
    """One face of the portrait and what it does in T frames.

    face: in the portrait's pixels. mouth: (T, 11) weights of `SHAPE_CHANNELS`. performance: T frames.
    """

    face: ArticulatedFace
    mouth: NDArray[np.float32]
    performance: Performance


@torch.no_grad()
def mouth_weights(
    encoder: SpeechEncoder, features: NDArray[np.floating], face: ArticulatedFace, gain: float = NATURAL_GAIN
) -> NDArray[np.float32]:
    """(T, 11) weights of a face's mouth by what the speech encoder predicts from its features (T, C)."""
    logits, shapes = encoder.heads(torch.from_numpy(np.asarray(features, np.float32))[None])
    visemes = logits[0].softmax(-1).numpy()
    return articulation_weights(visemes, shapes[0, :, 0].numpy(), face.mouth_at_rest(gain))


def articulated_frames(picture: Pictures, actors: Sequence[Actor]) -> Iterator[Pictures]:
    """The frames (H, W, 3) uint8 of a performance, one after the other, at the portrait's own size.

    picture: (H, W, 3) uint8. actors: everybody whose face moves, with performances of equal length and one camera.
    """
    portrait = ArticulatedPortrait(picture, tuple(actor.face for actor in actors))
    yield from acted_frames(portrait, actors, (picture.shape[0], picture.shape[1]))


def acted_frames(portrait: ArticulatedPortrait, actors: Sequence[Actor], size: tuple[int, int]) -> Iterator[Pictures]:
    """`articulated_frames` of a portrait of `size` (H, W) that is at hand already."""
    frames = len(actors[0].performance)
    for first in range(0, frames, _BLOCK):
        numbers = np.arange(first, min(first + _BLOCK, frames))
        coarse = _positions(actors, numbers, size)
        for number, nodes in zip(numbers, coarse, strict=True):
            positions = F.interpolate(nodes[None], size, mode="bilinear", align_corners=True)[0].permute(1, 2, 0)
            moves = tuple(FaceMove(actor.mouth[number], float(actor.performance.blink[number])) for actor in actors)
            yield portrait.frame(moves, positions.contiguous().numpy())


def _positions(actors: Sequence[Actor], numbers: NDArray[np.int64], size: tuple[int, int]) -> torch.Tensor:
    """(T, 2, h, w) px of the portrait, where what is seen at nodes of the frame comes from."""
    performances = [_from_rest(actor.performance.take(numbers)) for actor in actors]
    heads = zip(actors, performances, strict=True)
    anchors = np.stack([project(actor.face.head, performance, size) for actor, performance in heads])
    y, x = (np.linspace(0.5, side - 0.5, -(-side // _NODE_STEP) + 1) for side in size)
    nodes = np.stack(np.meshgrid(x, y), -1)
    positions = group_positions(anchors, performances, 0, size, nodes)[1:]
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(positions, -1, 1)))


def _from_rest(performance: Performance) -> Performance:
    """A performance with the portrait itself before its first frame."""
    still = Performance.still(1)
    fields = {name: np.concatenate([getattr(still, name), getattr(performance, name)]) for name in performance.__dict__}
    return Performance(**fields)
