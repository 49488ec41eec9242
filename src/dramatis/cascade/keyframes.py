"""Stages two and three (report 3.1): choose representative keyframes from the blueprint, and upscale them.

Near every planned boundary several blueprint frames could separate two sub-clips. The best one is close to the
reference in identity, shows the face whole and sharp, is expressive, and has a mouth that is right for the sound of
that moment: a wrong mouth in a keyframe is a wrong mouth in two clips.

The high-resolution DiT then generates each of them at the size of the video, under the global prompts: pose and
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
from dramatis.cascade.context import JobContext, picture_hash, read_frames_of
from dramatis.cascade.plan import Boundary, SubClip
from dramatis.media.image import Pictures, downscale
from dramatis.models.perception import PerceptionNet, read_faces
from dramatis.models.pictures import to_tensor
from dramatis.runtime.seeds import derive_seed
from dramatis.senses.seeing.finder import person_finder
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


def choose_keyframes(job: JobContext, blueprint: dict[str, str]) -> tuple[int, ...]:
    """One frame number per boundary of the plan. The choice and every candidate's terms are stored as an artifact."""
    makers, keys = {}, []
    for boundary in job.plan.boundaries:
        key = job.store.key(
            {
                "stage": "keyframe",
                "boundary": boundary.model_dump(mode="json"),
                "blueprint": [_source(job, blueprint, frame) for frame in boundary.candidates],
                "openings": [float(x) for x in job.inputs.openings[job.rows(boundary.candidates)]],
                "perception": person_finder().own_eye.identity,
                **job.backbone.identity,
            }
        )
        keys.append(key)
        makers[key] = partial(_choose, job, blueprint, boundary)
    job.make_all("keyframes", makers)
    return tuple(_chosen(job, key) for key in keys)


@dataclass(frozen=True)
class Keyframes:
    """The pictures between sub-clips, in the store: `frames` (1, H, W, 3), the video's size, and `low` (1, h, w, 3)."""

    job: JobContext
    keys: dict[int, str]

    def of(self, clip: SubClip) -> Keyframes:
        """Only those of one clip: what its task needs to know."""
        ends = (clip.first, clip.last)
        return Keyframes(self.job, {frame: key for frame, key in self.keys.items() if frame in ends})

    def high(self, frame: int) -> Pictures:
        """(H, W, 3) uint8; frame 0 is the reference itself."""
        return read_frames_of(self.job, self.keys[frame], "frames")[0] if frame else self.job.inputs.portrait

    def low(self, frame: int) -> Pictures:
        """(h, w, 3) uint8."""
        return read_frames_of(self.job, self.keys[frame], "low")[0] if frame else self.job.inputs.reference


def upscale_keyframes(job: JobContext, blueprint: dict[str, str], chosen: tuple[int, ...]) -> Keyframes:
    """Make every chosen keyframe at the size of the video; at scale 1 that is the blueprint's frame."""
    keys, makers = {}, {}
    for frame in chosen[1:]:
        keys[frame] = job.store.key(
            {
                "stage": "high keyframe",
                "frame": frame,
                "picture": picture_hash(blueprint_frame(job, blueprint, frame)),
                "material": job.inputs.digest(job.rows([0, frame])),
                "prompts": job.prompts([frame], []),
                "seed": _seed(job, frame),
                **job.backbone.high_identity,
            }
        )
        makers[keys[frame]] = partial(_upscale, job, blueprint, frame)
    job.make_all("high-resolution keyframes", makers)
    return Keyframes(job, keys)


def _seed(job: JobContext, frame: int) -> int:
    return derive_seed(job.storyline.seed, f"keyframe/{frame}")


def _upscale(job: JobContext, blueprint: dict[str, str], frame: int) -> dict[str, Any]:
    low = blueprint_frame(job, blueprint, frame)
    scale = job.inputs.scale
    if scale == 1:
        return {"frames": low[None], "low": low[None]}
    high = enlarge_still(job, low, 0, frame, job.inputs.portrait, _seed(job, frame))
    return {"frames": high[None], "low": downscale(high[None], scale)}


def enlarge_still(job: JobContext, low: Pictures, source: int, frame: int, detail: Pictures, seed: int) -> Pictures:
    """Frame `frame`, seen as `low` (h, w, 3), at the video's size; detail (H, W, 3) is how frame `source` looks."""
    inputs = job.clip_inputs([source, frame], [], low[None], None, seed, lead_frames=1)
    return job.backbone.upscale_frame(job.high_resolution_inputs(inputs, detail[None], None), low)


def _source(job: JobContext, blueprint: dict[str, str], frame: int) -> str:
    return "reference" if frame == 0 else blueprint[job.plan.blueprint_source(frame)[0]]


def _chosen(job: JobContext, key: str) -> int:
    artifact = job.store.get(key)
    assert artifact is not None
    report = artifact["report"]
    assert isinstance(report, bytes)
    return int(json.loads(report)["chosen"])


def _choose(job: JobContext, blueprint: dict[str, str], boundary: Boundary) -> dict[str, Any]:
    if len(boundary.candidates) == 1:
        return {"report": json.dumps({"chosen": boundary.candidates[0], "candidates": []}).encode()}
    pictures = np.stack([blueprint_frame(job, blueprint, frame) for frame in boundary.candidates])
    openings = job.inputs.openings[job.rows(boundary.candidates)]
    perception = person_finder().perception
    terms = [
        score_terms(perception, job.inputs.reference, picture, float(opening))
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


def score_terms(perception: PerceptionNet, reference: Pictures, picture: Pictures, opening: float) -> dict[str, float]:
    """A candidate's terms. reference, picture: (H, W, 3) uint8; opening: what the sound asks of the mouth."""
    with torch.no_grad():
        reference_face, face = read_faces(perception, to_tensor(np.stack([reference, picture]))[0].transpose(0, 1))
    sharpest = max(laplacian_variance(reference, reference_face), 1e-6)
    return {
        "identity": -shape_distance(reference_face, face) / 0.1,
        "colour": -colour_distance(reference, reference_face, picture, face) / 20.0,
        "face": face.face,
        "sharpness": min(1.0, laplacian_variance(picture, face) / sharpest),
        "expressive": min(1.0, abs(face.mouth_opening - reference_face.mouth_opening) / 0.2),
        "mouth": -min(1.0, abs(face.mouth_opening - opening) / 0.2),
    }
