"""Rows about the predicted masks of several people, while a clip between two true frames is filmed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.motion.performance import unpack_controls
from dramatis.sampling.gating import Gating
from dramatis_lab.annotate.overlay import tint_masks
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.group_scenes import GroupScene
from dramatis_lab.evaluate.report import Row, judged_row

SHOWN_FRAMES = (0, 14, 28)
"""Frames on the contact sheet: the first, the middle and the last."""
MASK_CLIP_FRAMES = 29
"""Frames of the clip whose masks are measured."""


class MaskRecorder(Gating):
    """Gating that records the masks of every step. even: begin with even shares instead of where heads are."""

    def __init__(self, plain: Gating, *, even: bool = False) -> None:
        shares = torch.full_like(plain.shares, 1 / plain.shares.shape[1]) if even else plain.shares
        super().__init__(plain.shares, plain.head, plain.identities)
        self.gates = shares
        self.recorded: list[Tensor] = []

    def advance(self) -> None:
        super().advance()
        assert self.masks is not None
        self.recorded.append(self.masks[0])


class MaskRecordingBackbone(MiniBackbone):
    """A backbone that records the masks of its last clip."""

    even = False
    last: MaskRecorder | None = None

    def gating(self, inputs: ClipInputs) -> Gating | None:
        plain = super().gating(inputs)
        assert plain is not None
        self.last = MaskRecorder(plain, even=self.even)
        return self.last


def mask_rows(bench: Bench, scenes: Sequence[GroupScene]) -> list[Row]:
    """Overlap of the predicted masks with the true ones: the mean over the steps of a clip, which begin in noise."""
    bars = {"two people": (0.80, 0.92), "three people": (0.75, 0.90), "occluded": (0.65, 0.80)}
    rows, cells, labels = [], [], []
    steps: dict[bool, list[float]] = {}
    overlaps_by_kind: dict[str, list[float]] = {}
    for even in (False, True):
        for scene in scenes:
            backbone = bench.backbone_of(MaskRecordingBackbone)
            backbone.even = even
            frames = backbone.generate_clip(true_clip_inputs(backbone, scene))
            assert backbone.last is not None
            overlaps = [latent_mask_iou(masks, scene) for masks in backbone.last.recorded]
            steps.setdefault(even, []).append(overlaps[0])
            if not even:
                overlaps_by_kind.setdefault(scene.kind, []).append(float(np.mean(overlaps)))
                cells += mask_overlays(frames, backbone.last.recorded[-1])
                labels += [f"{scene.folder.name}, frame {frame_index}" for frame_index in SHOWN_FRAMES]
    for kind, (bar, aim) in bars.items():
        value = float(np.mean(overlaps_by_kind[kind]))
        name = f"predicted masks: overlap (IoU) with the true ones, {kind}"
        rows.append(judged_row(name, f"{value:.3f}", f"{bar:.2f}", f"{aim:.2f}", value >= bar, value >= aim))
    first, plain = (float(np.mean(steps[even])) for even in (False, True))
    name = "  after the first step, which starts from where heads are; from even shares"
    rows.append(Row(name, f"{first:.3f}; {plain:.3f}", figures={"heads": first, "even": plain}))
    contact_sheet(cells, labels, columns=3).save(bench.pictures / "scene_masks.png")
    return rows


def true_clip_inputs(backbone: MiniBackbone, scene: GroupScene) -> ClipInputs:
    """Inputs of a clip between two true frames of a scene, everybody with their own voice and true performance."""
    speech = [
        backbone.encode_speech(voice, len(scene.frames))[0][:MASK_CLIP_FRAMES].astype(np.float32)
        for voice in scene.voices
    ]
    return ClipInputs(
        head=scene.frames[:1],
        tail=scene.frames[MASK_CLIP_FRAMES - 1 : MASK_CLIP_FRAMES],
        reference=scene.frames[0],
        audio=np.stack(speech),
        performances=unpack_controls(scene.controls[:, :MASK_CLIP_FRAMES]),
        anchors=scene.anchors[:, :MASK_CLIP_FRAMES],
        faces=scene.anchors[:, 0],
        positive=json.loads((scene.folder / "scene.json").read_text())["whole_caption"],
        negative="",
        seed=0,
    )


def latent_mask_iou(masks: Tensor, scene: GroupScene) -> float:
    """Mean over people of IoU on the latent grid; a cell is truly of the person who has most of it.

    masks: (N + 1, T, h/8, w/8), background first.
    """
    owner = masks.argmax(0).numpy()
    inside = [row for row, frame_index in enumerate(scene.index) if frame_index < MASK_CLIP_FRAMES]
    known_frames = [int(scene.index[row]) for row in inside]
    assert known_frames == list(range(0, MASK_CLIP_FRAMES, 4)), "There must be one mask for each latent frame."
    true = scene.masks[inside]
    count, people, height, width = true.shape
    cells = true.reshape(count, people, height // 8, 8, width // 8, 8).mean((3, 5)) > 0.5
    ious = []
    for person in range(people):
        predicted, truth = owner == person + 1, cells[:, person]
        ious.append(float((predicted & truth).sum() / max(1, (predicted | truth).sum())))
    return float(np.mean(ious))


def mask_overlays(frames: Pictures, masks: Tensor) -> list[Image.Image]:
    """First, middle and last frame of a clip with everybody's predicted mask as a tint."""
    pictures = []
    for frame_index in SHOWN_FRAMES:
        owner = masks[:, (frame_index + 3) // 4].argmax(0).numpy().repeat(8, 0).repeat(8, 1)
        tints = np.stack([owner == person + 1 for person in range(len(masks) - 1)])
        pictures.append(Image.fromarray(tint_masks(frames[frame_index], tints, set(range(len(tints))))))
    return pictures
