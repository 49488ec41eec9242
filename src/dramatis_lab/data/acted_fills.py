"""The articulated portrait as the condition of training clips, as it is in a job.

The frozen ear drives it, mistakes and all, and the target is the true frame: so the network learns to correct them.
Some clips are left as they were before portraits spoke, so that the network does not forget to speak by itself.

Shape legend: F frames of a sample, H W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dramatis.backbones.speech_features import heard_mouth
from dramatis.media.image import Pictures, downscale
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.articulation import Mouth, articulation_weights
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.sampling.articulated_portrait import ArticulatedPortrait, FaceMove
from dramatis.sampling.conditioning import enlarge
from dramatis.senses.seeing.articulated_face import look_at_face
from dramatis.senses.seeing.eye import Face
from dramatis_lab.data.mels import sample_mel
from dramatis_lab.data.shards import ShardDataset

ACTED_SHARE = 0.82
"""Of the clips, those in which the portrait speaks."""
GAINS = (0.6, 1.2)
"""Between which shares of what the ear predicts a mouth opens."""
_LANDMARK_ERROR = 0.02
"""Standard deviation of the mouth's place, in distances of the outer eye corners: as far as eyes err."""
_ENLARGED = 2
"""How much larger than the clip the portrait is while it acts, as in a job."""


@dataclass(frozen=True)
class ActedSample:
    """How the articulated portrait differs among samples. gain: see `GAINS`. error: (2,) of the mouth's place."""

    gain: float
    error: NDArray[np.float64]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> ActedSample:
        """One of many."""
        return cls(float(rng.uniform(*GAINS)), rng.normal(0, _LANDMARK_ERROR, 2))


@torch.no_grad()
def acted_frames_of(data: ShardDataset, index: int, reference: Tensor, ear: SpeechEncoder, how: ActedSample) -> Tensor:
    """(3, F, H, W) in [-1, 1]: the reference of a sample (3, H, W), acting in all its F frames; frame 0 is itself."""
    height, width = reference.shape[1:]
    landmarks = data.get(index, "landmarks")[0].astype(np.float32)
    landmarks[48:] += (how.error * np.linalg.norm(landmarks[45] - landmarks[36])).astype(np.float32)
    large = enlarge(reference[None, :, None].cpu(), (height * _ENLARGED, width * _ENLARGED))
    picture = to_pictures(large)[0]
    face = look_at_face(picture, Face(landmarks * _ENLARGED, 1.0))
    mouths = _mouths(data, index, ear, face.mouth_at_rest(how.gain))
    performance = Performance.from_controls(data.get(index, "controls").astype(np.float32))
    anchors = data.get(index, "anchors").astype(np.float32) * np.float32(_ENLARGED)
    positions = warp_positions(anchors, performance, 0, picture.shape[:2])
    portrait = ArticulatedPortrait(picture, (face,))
    frames: list[Pictures] = [
        portrait.frame((FaceMove(mouth, float(blink)),), place)
        for mouth, blink, place in zip(mouths, performance.blink, positions, strict=True)
    ]
    return to_tensor(downscale(np.stack(frames), _ENLARGED))[0].to(reference)


def _mouths(data: ShardDataset, index: int, ear: SpeechEncoder, mouth: Mouth) -> NDArray[np.float32]:
    """(F, 11) weights of the mouth's shapes in every frame of a sample, by what the ear hears of its voice."""
    mel, rows = sample_mel(data, index)
    visemes, openings = heard_mouth(ear, ear(mel.to(ear.device))[0].cpu().numpy())
    return articulation_weights(visemes, openings, mouth)[rows]
