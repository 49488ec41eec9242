"""What the face mesh tells of lips: how far they are open in the head's own frame, when they shut, how they tremble.

Gaps are shares of the face's height (hair line to chin of the first mesh). Every frame's mesh is first brought onto
the first one by the points that neither jaw nor lips nor lids move, so that a nod, a turn or a step towards the camera
opens no mouth. Curves have one value a frame, at 25 fps.

Shape legend: F frames, meshes (F, 468, 3) px with z towards the back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.senses.seeing.library_landmarks import mesh_axes
from dramatis.story.values import FPS
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.world.voices.phones import TimedPhone

RIGID_POINTS = (10, 67, 109, 103, 338, 297, 332, 127, 356, 33, 133, 362, 263, 168, 6, 197, 195)
"""Points of the mesh on forehead, temples, corners of the eyes and the bridge of the nose."""
_INNER_LIPS = ((81, 178), (13, 14), (311, 402))
"""Points of the upper and the lower inner lip, opposite each other."""
_TOP, _CHIN = 10, 152
LABIALS = ("m", "b", "p")
SHUT_SHARE = 0.15
"""Lips are shut where the gap is below this share of the clip's 95th percentile."""
_PHONE_EDGE = 0.5 / FPS
"""Seconds around a phone in which its frames are looked for: a short one lies between two frames' centres."""
SEALED = 0.006
"""What the mesh calls the gap of sealed lips, in the mean over the rendered people of the benchmark."""
SEALED_PORTRAIT = 0.012
"""A portrait whose gap is no larger has sealed lips. Above lie parted lips (0.020 to 0.036 in ../shared/portraits), but
also sealed ones that are full or smile (0.015 to 0.026): the gap alone does not tell these apart."""
SEALED_MOST = 0.026
"""Most that the mesh calls the gap of sealed lips, real or rendered."""
STEP_SHARE = 0.05
"""Smaller steps from frame to frame, as a share of the clip's range, count as none. At a range of 0.06 that is 0.003,
above nine in ten of the steps that a photograph moved about as a still, and its H.264, give the mesh."""


def in_head_frame(meshes: NDArray[np.float64], rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F, 468, 3): every mesh turned, moved and scaled so that its rigid points lie on those of `rest` (468, 3)."""
    rigid = list(RIGID_POINTS)
    target = rest[rigid] - rest[rigid].mean(0)
    out = np.full_like(meshes, np.nan)
    for index, mesh in enumerate(meshes):
        if np.isnan(mesh).any():
            continue
        source = mesh[rigid] - mesh[rigid].mean(0)
        left, values, right = np.linalg.svd(target.T @ source)
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
        turn = (left * signs) @ right
        scale = float((values * signs).sum() / (source**2).sum())
        out[index] = scale * (mesh - mesh[rigid].mean(0)) @ turn.T + rest[rigid].mean(0)
    return out


def mesh_height(rest: NDArray[np.float64]) -> float:
    """Height of a face, px, from the hair line to the chin of a mesh (468, 3)."""
    return float(np.linalg.norm(rest[_TOP] - rest[_CHIN]))


def lip_gaps(meshes: NDArray[np.float64], rest: NDArray[np.float64]) -> FrameValues:
    """(F,) gap of the inner lips along the head's own up, over the face's height of `rest` (468, 3).

    Where no face was seen the gap is read off linearly between its neighbours; 0 where there was none at all.
    """
    upper, lower = (list(points) for points in zip(*_INNER_LIPS, strict=True))
    placed = in_head_frame(meshes, rest)
    up = mesh_axes(rest)[0][1]
    gaps = ((placed[:, upper] - placed[:, lower]) @ up).mean(1) / mesh_height(rest)
    seen = ~np.isnan(gaps)
    if not seen.any():
        return np.zeros(len(gaps))
    frames = np.arange(len(gaps))
    return np.interp(frames, frames[seen], gaps[seen])


def sealed_gap(portrait: float, gaps: FrameValues) -> float:
    """The gap that the mesh sees where a face's lips are sealed, from the gaps in its portrait and in its film (F,).

    The mesh errs for each face in its own way. Where the portrait's lips are sealed for certain it is the portrait's
    own gap, elsewhere the film's smallest, within what the mesh may call sealed: a film whose lips never meet is
    forgiven at most `SEALED_MOST`.
    """
    if portrait <= SEALED_PORTRAIT:
        return portrait
    return float(np.clip(np.percentile(gaps, 2), SEALED, SEALED_MOST))


def gap_range(gaps: FrameValues) -> float:
    """From the 5th to the 95th percentile."""
    low, high = np.percentile(gaps, (5, 95))
    return float(high - low)


def closures(gaps: FrameValues, phonemes: Sequence[TimedPhone]) -> list[bool]:
    """Whether each m, b and p shuts the lips, in a curve that is 0 where lips are sealed.

    A phone counts as shut if the gap is small in one of the frames that it reaches into.
    """
    shut = gaps < SHUT_SHARE * np.percentile(gaps, 95)
    hits = []
    for start, end, phone in phonemes:
        first = max(0, int(np.ceil((start - _PHONE_EDGE) * FPS - 0.5)))
        last = min(len(gaps) - 1, int(np.floor((end + _PHONE_EDGE) * FPS - 0.5)))
        if phone in LABIALS and first <= last:
            hits.append(bool(shut[first : last + 1].any()))
    return hits


def turning_share(values: FrameValues) -> float:
    """Share of the frames in which a curve turns round: rises after it fell, or falls after it rose.

    Steps under `STEP_SHARE` of the curve's range are neither.
    """
    moves = np.diff(values)
    signs = np.sign(moves[np.abs(moves) >= max(STEP_SHARE * gap_range(values), 1e-9)])
    return float((signs[1:] != signs[:-1]).sum() / max(len(values) - 2, 1))
