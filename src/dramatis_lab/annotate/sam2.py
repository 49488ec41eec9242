"""Segments and tracks people with SAM 2 (Apache licence), through the classes of transformers.

Frames are streamed: the session keeps only what the network still reads, so memory does not grow with the shot.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.published.checkpoints import load_published
from dramatis.runtime.files import hash_file
from dramatis_lab.annotate.onnx_file import resize_frame
from dramatis_lab.annotate.units import Frame, Masks, Prompt, Tracking

_MODEL_TYPE = "sam2_video"
_CORNERS, _INSIDE = (2, 3), 1
"""Labels of prompt points: the corners of a box, and a point on the person."""
_PROMPT_POINTS = 4
"""Keypoints that prompt beside the box, spread as far apart as possible."""
_LEAST_CONFIDENCE = 0.5
_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
_DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class Sam2Segmenter:
    """SAM 2 from a local folder. Raises UserError for a folder that does not hold it completely."""

    def __init__(self, folder: Path) -> None:
        files = sam2_weight_files(folder)
        from transformers import Sam2VideoModel

        self._model = load_published(Sam2VideoModel, folder, torch.float32)
        self.identity = "sam2:" + ",".join(hash_file(file) for file in files)

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _Session(self._model, prompts)


class _Session:
    """One shot in SAM 2's memory."""

    def __init__(self, model: Any, prompts: Sequence[Prompt]) -> None:
        self._model = model
        self._prompts = prompts
        self._side = int(model.config.image_size)
        self._number = 0
        self.session: Any = None

    @torch.no_grad()
    def step(self, frame: Frame) -> Masks:
        if self.session is None:
            self.session = self.open_session(frame.shape[:2])
        pixels = to_pixels(frame, self._side)
        output = self._model(inference_session=self.session, frame_idx=self._number, frame=pixels)
        self._forget()
        self._number += 1
        logits = F.interpolate(output.pred_masks.float(), size=frame.shape[:2], mode="bilinear")[:, 0]
        return exclusive_masks(logits.numpy())

    def open_session(self, size: tuple[int, int]) -> Any:
        """SAM 2's memory of a shot with frames of (height, width), prompted."""
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        session = Sam2VideoInferenceSession(video_height=size[0], video_width=size[1], dtype=torch.float32)
        scale = torch.tensor([self._side / size[1], self._side / size[0]])
        for person, prompt in enumerate(self._prompts):
            points, labels = to_points(prompt)
            index = session.obj_id_to_idx(person)
            inputs = {"point_coords": (points * scale)[None, None], "point_labels": labels[None, None]}
            session.add_point_inputs(index, 0, inputs)
        session.obj_with_new_inputs = list(range(len(self._prompts)))
        return session

    def _forget(self) -> None:
        """Drop the frames and outputs that the network no longer reads; the prompted frame stays."""
        config = self._model.config
        oldest = self._number - max(config.num_maskmem, config.max_object_pointers_in_encoder) - 1
        self.session.processed_frames.pop(self._number, None)
        for outputs in self.session.output_dict_per_obj.values():
            outputs["non_cond_frame_outputs"].pop(oldest, None)
        for tracked in self.session.frames_tracked_per_obj.values():
            tracked.pop(oldest, None)


def sam2_weight_files(folder: Path) -> list[Path]:
    """The weight files in a Hugging Face folder with SAM 2 for videos; raises UserError for any other folder."""
    if not folder.is_dir():
        raise UserError(f"The segmenter {folder} is not a folder; give the one that holds SAM 2's config.json.")
    try:
        kind = json.loads((folder / "config.json").read_text())["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"The segmenter {folder} has no config.json that can be read; download it again.") from error
    if kind != _MODEL_TYPE:
        raise UserError(
            f"The segmenter {folder} holds a {kind} model, not {_MODEL_TYPE}; give facebook/sam2.1-hiera-*."
        )
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UserError(f"The segmenter {folder} holds no .safetensors file; download its weights too.")
    return files


def to_pixels(frame: Frame, side: int) -> Tensor:
    """A frame as SAM 2 sees it, (3, side, side): both sides scaled to the same length, ImageNet's colours."""
    picture = torch.from_numpy(resize_frame(frame, (side, side)).copy()).permute(2, 0, 1).float() / 255
    return (picture - _MEAN) / _DEVIATION


def to_points(prompt: Prompt) -> tuple[Tensor, Tensor]:
    """The prompt's points (P, 2) in pixels and their labels (P,): the box's corners, then keypoints."""
    box = prompt.box
    corners = np.array([(box.left, box.top), (box.right, box.bottom)], np.float32)
    points = np.concatenate([corners, spread_points(prompt.pose.sure(_LEAST_CONFIDENCE), _PROMPT_POINTS)])
    labels = [*_CORNERS, *[_INSIDE] * (len(points) - 2)]
    return torch.from_numpy(points), torch.tensor(labels, dtype=torch.int32)


def spread_points(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """At most `count` of the points (K, 2): the most central one, then always the farthest from those chosen."""
    if len(points) <= count:
        return points
    chosen = [int(np.linalg.norm(points - points.mean(0), axis=1).argmin())]
    while len(chosen) < count:
        gaps = np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(1)
        chosen.append(int(gaps.argmax()))
    return points[chosen]


def exclusive_masks(logits: NDArray[np.float32]) -> Masks:
    """Masks (N, H, W) from logits, in which each pixel belongs to its most likely person at most."""
    owners = logits.argmax(0)
    return np.asarray((logits > 0) & (owners == np.arange(len(logits))[:, None, None]))
