"""Views of pictures with one person, as the perception network looks at them: squares of 128 pixels with their truth.

From takes come faces under any turn and zoom (`warp_faces`). From stills come faces as `senses.seeing` looks at them,
windows of its survey, any other spot (`sample_still_views`), and hands and ears, which are taken for faces most easily
(`sample_detail_views`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dramatis.models.perception import LANDMARKS, PerceptionNet
from dramatis.senses.seeing.eye import LOOK
from dramatis_lab.data.shards import ShardDataset

MIRRORED_LANDMARKS = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1)),  # jaw, brows
        *(*range(27, 31), *range(35, 30, -1)),  # nose
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),  # lips
    ]
)
"""Landmark order of the mirrored face."""
CLOSE_LOOK_SHARE, WINDOW_SHARE = 0.55, 0.3
"""Of views of stills: a face in the middle as it is looked at closely, a window of the survey. The others show any
spot, near or far."""
SMALLEST_RADIUS, FULL_RADIUS = 5.0, 12.0
"""Root mean square distances of landmarks from their centre, px: below the first no face can be told, from the second
on a face counts in full."""
LEAST_VISIBLE = 0.4
"""Share of the landmarks that must be visible for a face to count as seen."""
MOST_CUT_FACE = 0.25
"""Share of the landmarks up to which a view of a hand or an ear still counts as one without a face."""
FACE_TOO_NEAR, FACE_ASIDE = 30.0, 40.0
"""A view of an ear also counts as one without a face where the face's radius and the distance of its middle from the
middle of the view exceed these, px: a close look would have a radius of 18 and the face in the middle."""


class FaceViews(NamedTuple):
    """Views of people.

    images: (B, 3, 128, 128) in [-1, 1].  landmarks: (B, 68, 2) px.  masks: (B, 2, 128, 128) of person and face, 0..1.
    presence: (B,) 1 for a face as large as it should be, less for a smaller one, 0 for none, -1 where that is unclear.
    """

    images: Tensor
    landmarks: Tensor
    masks: Tensor
    presence: Tensor


class _Stills(NamedTuple):
    """Whole pictures.

    images: (B, 3, H, H).  landmarks, masks: as in `FaceViews`.  visible: (B,) share of the landmarks that nothing
    hides.  hands: (B, 2, 2) px.
    """

    images: Tensor
    landmarks: Tensor
    masks: Tensor
    visible: np.ndarray
    hands: np.ndarray

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the faces: their centres (B, 2) and their radii (B,), the root mean square distance of the landmarks."""
        middle = self.landmarks.mean(1).numpy()
        return middle, np.sqrt(((self.landmarks.numpy() - middle[:, None]) ** 2).sum(-1).mean(1))


class _Square(NamedTuple):
    """Squares of pictures. centre: (B, 2) px.  side: (B,) px.  angle: (B,) radians.  mirror: (B,) 1 or -1."""

    centre: np.ndarray
    side: np.ndarray
    angle: np.ndarray
    mirror: np.ndarray


def has_true_geometry(row: dict[str, Any]) -> bool:
    """One person, and pixels that lie where the ground truth says."""
    return row.get("people", 1) == 1 and row.get("damage") != "distorted"


def sample_frames(data: ShardDataset, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (B, 3, H, W) in [-1, 1], landmarks (B, 68, 2) px, masks (B, 2, H, W) of person and face."""
    frames, marks, masks = [], [], []
    for _ in range(size):
        index = int(rng.integers(len(data)))
        while not has_true_geometry(data.row(index)):
            index = int(rng.integers(len(data)))
        row = int(rng.integers(data.frame_count(index)))
        frames.append(data.get_row(index, "frames", row))
        marks.append(data.get_row(index, "landmarks", row).astype(np.float32))
        person, face = (data.get_row(index, key, row) for key in ("person", "face"))
        masks.append(np.stack([person > 0, face > 0]).astype(np.float32))
    return _as_images(frames), torch.from_numpy(np.stack(marks)), torch.from_numpy(np.stack(masks))


def warp_faces(images: Tensor, marks: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Random scale, rotation, shift and mirror of a batch, applied to pictures, landmarks and masks alike."""
    size, extent = len(images), images.shape[-1]
    angle = rng.normal(0, 0.22, size)
    scale = np.exp(rng.uniform(np.log(0.5), np.log(1.35), size))  # source pixels per output pixel: < 1 zooms in
    centre = marks.mean(1).numpy() + rng.normal(0, 7, (size, 2))
    mirror = _draw_mirror(rng, size)
    return _cut_out((images, marks, masks), _Square(centre, scale * extent, angle, mirror), oversampling=1)


def sample_still_views(data: ShardDataset, rng: np.random.Generator, size: int) -> FaceViews:
    """Views of stills: close looks at faces, windows of the survey, any other spot."""
    stills = _sample_stills(data, rng, size)
    extent = stills.images.shape[-1]
    middle, radius = stills.centres()
    kind = rng.random(size)
    look = kind < CLOSE_LOOK_SHARE
    window = ~look & (kind < CLOSE_LOOK_SHARE + WINDOW_SHARE)
    side = np.where(look, LOOK * radius * np.exp(rng.uniform(-0.35, 0.4, size)), radius * rng.uniform(3, 14, size))
    side = np.where(window, extent * rng.uniform(0.45, 1.0, size), side)
    anywhere = rng.random((size, 2)) * extent
    within = side[:, None] / 2 + rng.random((size, 2)) * (extent - side)[:, None]
    near = middle + rng.normal(0, 0.06, (size, 2)) * side[:, None]
    centre = np.where(look[:, None], near, np.where(window[:, None], within, anywhere))
    angle = rng.normal(0, 1, size) * np.where(window, 0.07, 0.2)
    square = _Square(centre, side, angle, _draw_mirror(rng, size))
    views = _cut_out((stills.images, stills.landmarks, stills.masks), square, oversampling=2)
    return FaceViews(*views, _presence(views[1], views[2], stills.visible))


def sample_detail_views(data: ShardDataset, rng: np.random.Generator, size: int) -> FaceViews:
    """Views of hands and ears of stills, as large as faces are seen. They count as none, or not at all near a face."""
    stills = _sample_stills(data, rng, size)
    extent = stills.images.shape[-1]
    middle, radius = stills.centres()
    hand = stills.hands[np.arange(size), rng.integers(0, 2, size)]
    # Where the hand lies outside the picture, an ear is looked at: it is near one of these points of the jaw.
    held_up = np.asarray(((hand > 0) & (hand < extent)).all(1))
    jaw = stills.landmarks.numpy()[np.arange(size), np.where(rng.random(size) < 0.5, 1, 15)]
    ear = middle + (jaw - middle) * rng.uniform(1.0, 1.3, (size, 1))
    centre = np.where(held_up[:, None], hand, ear) + rng.normal(0, 0.2, (size, 2)) * radius[:, None]
    side = radius * np.where(held_up, rng.uniform(1.5, 6.0, size), rng.uniform(0.8, 4.0, size))
    square = _Square(centre, side, rng.normal(0, 0.5, size), _draw_mirror(rng, size))
    views = _cut_out((stills.images, stills.landmarks, stills.masks), square, oversampling=2)
    offset = (views[1].mean(1) - PerceptionNet.size / 2).abs().amax(1)
    beside = torch.from_numpy(radius / side * PerceptionNet.size > FACE_TOO_NEAR) & (offset > FACE_ASIDE)
    nothing = (_share_inside(views[1]) < MOST_CUT_FACE) | beside
    return FaceViews(*views, torch.where(nothing, 0.0, -1.0))


def _sample_stills(data: ShardDataset, rng: np.random.Generator, size: int) -> _Stills:
    rows = []
    for _ in range(size):
        index = int(rng.integers(len(data)))
        row = int(rng.integers(data.frame_count(index)))
        keys = ("frames", "landmarks", "person", "face", "visible", "hands")
        rows.append([data.get_row(index, key, row) for key in keys])
    frames, marks, person, face, visible, hands = (list(column) for column in zip(*rows, strict=True))
    masks = np.stack([np.stack(person), np.stack(face)], 1).astype(np.float32)
    landmarks = torch.from_numpy(np.stack(marks))
    return _Stills(_as_images(frames), landmarks, torch.from_numpy(masks), np.asarray(visible), np.stack(hands))


def _as_images(frames: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _draw_mirror(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.where(rng.random(size) < 0.5, -1.0, 1.0)


def _cut_out(
    truth: tuple[Tensor, Tensor, Tensor], square: _Square, *, oversampling: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Squares as views of 128 pixels. truth: images (B, 3, H, H), landmarks (B, 68, 2), masks (B, 2, H, H).

    oversampling: samples along each side of a pixel, which are averaged, so that what is shrunk does not alias.
    """
    images, marks, masks = truth
    extent, out = images.shape[-1], PerceptionNet.size
    scale = square.side / extent
    cos, sin = np.cos(square.angle) * scale, np.sin(square.angle) * scale
    linear = np.stack([np.stack([cos * square.mirror, -sin], -1), np.stack([sin * square.mirror, cos], -1)], 1)
    shift = square.centre / extent * 2 - 1
    theta = torch.from_numpy(np.concatenate([linear, shift[:, :, None]], 2).astype(np.float32))
    side = oversampling * out
    grid = F.affine_grid(theta, [len(images), 3, side, side], align_corners=False)
    both = F.grid_sample(torch.cat([images, masks], 1), grid, padding_mode="border", align_corners=False)
    both = F.avg_pool2d(both, oversampling)
    unit = (marks.numpy() / extent * 2 - 1) - shift[:, None]
    moved = (np.einsum("bij,bkj->bki", np.linalg.inv(linear), unit) + 1) / 2 * out
    mirrored = np.where((square.mirror < 0)[:, None, None], moved[:, MIRRORED_LANDMARKS], moved)
    return both[:, :3], torch.from_numpy(mirrored.astype(np.float32)), both[:, 3:]


def _share_inside(marks: Tensor) -> Tensor:
    """(B,) share of landmarks (B, 68, 2) that lie within the view."""
    return ((marks > 0) & (marks < PerceptionNet.size)).all(-1).float().mean(1)


def _presence(marks: Tensor, masks: Tensor, visible: np.ndarray) -> Tensor:
    """(B,) as in `FaceViews`. visible: (B,) share of the landmarks that nothing hides."""
    inside = _share_inside(marks)
    middle = marks.mean(1)
    radius = (marks - middle[:, None]).square().sum(-1).mean(1).sqrt()
    central = (middle - PerceptionNet.size / 2).abs().amax(1) < 0.3 * PerceptionNet.size
    visible_enough = torch.from_numpy(visible) > LEAST_VISIBLE
    whole = (inside > 0.95) & central & (radius > SMALLEST_RADIUS) & visible_enough
    # Other people's faces have no landmarks here, but skin.
    nothing = (inside == 0) & (masks[:, 1].mean((1, 2)) < 0.002)
    size = (radius / FULL_RADIUS).clamp(max=1)
    return torch.where(whole, size, torch.where(nothing, 0.0, -1.0))


assert len(MIRRORED_LANDMARKS) == LANDMARKS
