"""Stages two and three (report 3.1): choose representative keyframes from the blueprint, and upscale them.

Near every planned boundary several blueprint frames could stand between two sub-clips. The one is taken whose identity
is closest to the reference, whose face is seen whole and sharp, which is expressive, and whose mouth is right for the
sound of that moment: a wrong mouth in a keyframe is a wrong mouth in two clips.

The high-resolution DiT then makes each of them anew at the size of the video, under the global prompts: pose and
expression are the blueprint's, skin, hair and background come from the reference at full resolution. Made small again,
these keyframes are the first and last frames of the sub-clips.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from dramatis.cascade.blueprint import blueprint_frame
from dramatis.cascade.context import Set, content, stored
from dramatis.cascade.plan import Boundary, SubClip
from dramatis.media.image import Pictures, shrunk
from dramatis.models.perception import PerceptionNet, look
from dramatis.models.pictures import to_tensor
from dramatis.runtime.seeds import derive_seed
from dramatis.senses.seeing.measures import colour_distance, laplacian_variance, shape_distance


@dataclass(frozen=True)
class Weights:
    """How much each property counts; every term is about 0..1."""

    identity: float = 1.0
    colour: float = 0.5
    face: float = 1.0
    sharpness: float = 0.6
    expressive: float = 0.2
    mouth: float = 1.5


def choose_keyframes(stage: Set, blueprint: dict[str, str]) -> tuple[int, ...]:
    """One frame number per boundary of the plan. The choice and every candidate's terms are kept as an artifact."""
    wanted, keys = {}, []
    for boundary in stage.plan.boundaries:
        key = stage.store.key(
            {
                "stage": "keyframe",
                "boundary": boundary.model_dump(mode="json"),
                "blueprint": [_source(stage, blueprint, frame) for frame in boundary.candidates],
                "openings": [float(x) for x in stage.material.openings[stage.rows(boundary.candidates)]],
                **stage.backbone.identity,
            }
        )
        keys.append(key)
        wanted[key] = partial(_choose, stage, blueprint, boundary)
    stage.make_all("keyframes", wanted)
    return tuple(_chosen(stage, key) for key in keys)


@dataclass(frozen=True)
class Keyframes:
    """The pictures between sub-clips, in the store: `frames` (1, H, W, 3), the video's size, and `low` (1, h, w, 3)."""

    stage: Set
    keys: dict[int, str]

    def of(self, clip: SubClip) -> Keyframes:
        """Only those of one clip: what its task needs to know."""
        ends = (clip.first, clip.last)
        return Keyframes(self.stage, {frame: key for frame, key in self.keys.items() if frame in ends})

    def high(self, frame: int) -> Pictures:
        """(H, W, 3) uint8; frame 0 is the reference itself."""
        return stored(self.stage, self.keys[frame], "frames")[0] if frame else self.stage.material.portrait

    def low(self, frame: int) -> Pictures:
        """(h, w, 3) uint8."""
        return stored(self.stage, self.keys[frame], "low")[0] if frame else self.stage.material.reference


def upscale_keyframes(stage: Set, blueprint: dict[str, str], chosen: tuple[int, ...]) -> Keyframes:
    """Make every chosen keyframe at the size of the video; at scale 1 that is the blueprint's frame."""
    keys, wanted = {}, {}
    for frame in chosen[1:]:
        keys[frame] = stage.store.key(
            {
                "stage": "high keyframe",
                "frame": frame,
                "picture": content(blueprint_frame(stage, blueprint, frame)),
                "material": stage.material.digest(stage.rows([0, frame])),
                "prompts": stage.prompts([frame], []),
                "seed": _seed(stage, frame),
                **stage.backbone.high_identity,
            }
        )
        wanted[keys[frame]] = partial(_upscale, stage, blueprint, frame)
    stage.make_all("high-resolution keyframes", wanted)
    return Keyframes(stage, keys)


def _seed(stage: Set, frame: int) -> int:
    return derive_seed(stage.storyline.seed, f"keyframe/{frame}")


def _upscale(stage: Set, blueprint: dict[str, str], frame: int) -> dict[str, Any]:
    low = blueprint_frame(stage, blueprint, frame)
    scale = stage.material.scale
    if scale == 1:
        return {"frames": low[None], "low": low[None]}
    high = enlarge_still(stage, low, 0, frame, stage.material.portrait, _seed(stage, frame))
    return {"frames": high[None], "low": shrunk(high[None], scale)}


def enlarge_still(stage: Set, low: Pictures, source: int, frame: int, detail: Pictures, seed: int) -> Pictures:
    """Frame `frame`, seen as `low` (h, w, 3), at the video's size; detail (H, W, 3) is how frame `source` looks."""
    inputs = stage.inputs([source, frame], [], low[None], None, seed, own=1)
    return stage.backbone.upscale_keyframe(stage.high(inputs, detail[None], None), low)


def _source(stage: Set, blueprint: dict[str, str], frame: int) -> str:
    return "reference" if frame == 0 else blueprint[stage.plan.blueprint_source(frame)[0]]


def _chosen(stage: Set, key: str) -> int:
    found = stage.store.get(key)
    assert found is not None
    report = found["report"]
    assert isinstance(report, bytes)
    return int(json.loads(report)["chosen"])


def _choose(stage: Set, blueprint: dict[str, str], boundary: Boundary) -> dict[str, Any]:
    if len(boundary.candidates) == 1:
        return {"report": json.dumps({"chosen": boundary.candidates[0], "candidates": []}).encode()}
    pictures = np.stack([blueprint_frame(stage, blueprint, frame) for frame in boundary.candidates])
    openings = stage.material.openings[stage.rows(boundary.candidates)]
    eye = stage.backbone.eye
    terms = [
        score_terms(eye, stage.material.reference, picture, float(opening))
        for picture, opening in zip(pictures, openings, strict=True)
    ]
    totals = [total_score(term) for term in terms]
    best = boundary.candidates[int(np.argmax(totals))]
    rows = [
        {"frame": frame, "score": round(score, 4), **{name: round(value, 4) for name, value in term.items()}}
        for frame, score, term in zip(boundary.candidates, totals, terms, strict=True)
    ]
    return {"report": json.dumps({"chosen": best, "candidates": rows}).encode()}


def total_score(terms: dict[str, float], weights: Weights = Weights()) -> float:
    """The weighted sum of a candidate's terms; greater is better."""
    return sum(getattr(weights, name) * value for name, value in terms.items())


def score_terms(eye: PerceptionNet, reference: Pictures, picture: Pictures, opening: float) -> dict[str, float]:
    """A candidate's terms. reference, picture: (H, W, 3) uint8; opening: what the sound asks of the mouth."""
    with torch.no_grad():
        own, seen = look(eye, to_tensor(np.stack([reference, picture]))[0].transpose(0, 1))
    return {
        "identity": -shape_distance(own, seen) / 0.1,
        "colour": -colour_distance(reference, own, picture, seen) / 20.0,
        "face": seen.face,
        "sharpness": min(1.0, laplacian_variance(picture, seen) / max(laplacian_variance(reference, own), 1e-6)),
        "expressive": min(1.0, abs(seen.mouth_opening - own.mouth_opening) / 0.2),
        "mouth": -min(1.0, abs(seen.mouth_opening - opening) / 0.2),
    }
