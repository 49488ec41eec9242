"""A second opinion on every mask, by an eye of another kind, by the body's reach and by what moves.

The eye that made a mask repeats its own mistakes when it looks again. So a mask must also be plausible by itself (no
holes, no sudden change of area), must stay within what head, shoulders and arms can reach, and must not go beyond what
others see of the person: a second eye, and the network that finds the joints. Where it does so only a little, what
stays in place while the person moves is not the person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dramatis.senses.seeing.eye import Eye, Face, Points, radius_of, square_around
from dramatis_lab.annotate.reach import within_reach
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame, Pose
from dramatis_lab.annotate.verdicts import SOUND, Cause, MaskVerdict

_EDGE = 12.0
"""Least gradient, in grey levels of 255 a pixel, of an edge whose place can be told."""
_FEWEST_EDGES = 30
"""Pixels of edges below which it cannot be told whether a region moves."""
_BESIDE = 0.25
"""Distance, in radii of the face, from which a mask counts as beyond what others see of the person."""


def share_of_holes(mask: NDArray[np.bool_]) -> float:
    """Area of the holes in a mask (H, W) over that of the mask."""
    return float((ndimage.binary_fill_holes(mask) & ~mask).sum() / max(mask.sum(), 1))


def share_beyond_reach(mask: NDArray[np.bool_], pose: Pose) -> float:
    """Share of a mask (H, W) that head, shoulders and arms cannot reach."""
    reach = within_reach(pose.face, pose.body, mask.shape)
    return float((mask & ~reach).sum() / max(mask.sum(), 1))


class SecondEye:
    """What an eye of another kind says of the masks of one shot, every few frames."""

    def __init__(self, eye: Eye, settings: AnnotationSettings) -> None:
        self._eye, self._settings = eye, settings
        self._number = -1
        self._outlines: dict[int, NDArray[np.bool_]] = {}

    def look(self, frame: Frame, poses: Sequence[Pose | None]) -> None:
        """Look at the next frame if it is its turn. poses: of each person, None of whom nobody was found."""
        self._number += 1
        if self._number % self._settings.second_look:
            return
        faces: dict[int, Face] = {}
        for person, pose in enumerate(poses):
            face = None if pose is None else self._eye.face_in(frame, square_around(pose.face))
            if face is not None:
                faces[person] = face
        outlines = self._eye.outlines(frame, list(faces.values())) if faces else ()
        self._outlines = {person: outline > 0.5 for person, outline in zip(faces, outlines, strict=True)}

    def outline(self, person: int) -> NDArray[np.bool_] | None:
        """The person's outline at the last look; None if it saw nobody there."""
        return self._outlines.get(person)


class StillnessWatch:
    """Edges that stayed in place over the last frames of a shot, and how far each person has moved meanwhile."""

    def __init__(self, settings: AnnotationSettings) -> None:
        self._edges: deque[NDArray[np.bool_]] = deque(maxlen=settings.watched)
        self._places: deque[dict[int, Points]] = deque(maxlen=settings.watched)

    def look(self, frame: Frame, poses: Sequence[Pose | None]) -> None:
        """Take in the next frame."""
        grey = frame.astype(np.float32).mean(-1)
        self._edges.append(np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)) / 8 > _EDGE)
        self._places.append({person: pose.face.mean(0) for person, pose in enumerate(poses) if pose is not None})

    def moved(self, person: int) -> float:
        """How far the face has come since the first frame that is remembered, px; 0 before enough are."""
        first, last = self._places[0].get(person), self._places[-1].get(person)
        if first is None or last is None or len(self._places) < self._places.maxlen:  # type: ignore[operator]
            return 0.0
        return float(np.linalg.norm(last - first))

    def share_still(self, region: NDArray[np.bool_]) -> float:
        """Share of a region's edges that were there in every frame; 0 where there are too few to tell."""
        edges = self._edges[-1] & region
        if edges.sum() < _FEWEST_EDGES:
            return 0.0
        return float((edges & np.logical_and.reduce(self._edges)).sum() / edges.sum())


class MaskJudge:
    """Judges the masks of one shot that have passed all other checks.

    eye: the second eye; None where there is no other than the one that made the masks.
    """

    def __init__(self, people: int, settings: AnnotationSettings, eye: Eye | None) -> None:
        self._settings = settings
        self._second = None if eye is None else SecondEye(eye, settings)
        self._stillness = StillnessWatch(settings)
        self._areas: list[float | None] = [None] * people

    def look(self, frame: Frame, poses: Sequence[Pose | None]) -> None:
        """Take in the next frame, before its masks are judged. poses: of each person."""
        self._stillness.look(frame, poses)
        if self._second is not None:
            self._second.look(frame, poses)

    def judge(self, person: int, mask: NDArray[np.bool_], pose: Pose) -> MaskVerdict:
        """The verdict on one mask (H, W) of the frame that was taken in last."""
        verdict = self._verdict(person, mask, pose)
        if verdict is SOUND:
            self._areas[person] = float(mask.sum())
        return verdict

    def _verdict(self, person: int, mask: NDArray[np.bool_], pose: Pose) -> MaskVerdict:
        bounds = self._settings
        if (holes := share_of_holes(mask)) > bounds.holes:
            return MaskVerdict(Cause.HOLES, holes)
        last = self._areas[person]
        if last is not None and (change := abs(float(mask.sum()) / last - 1)) > bounds.area_change:
            return MaskVerdict(Cause.AREA, change)
        if (beyond := share_beyond_reach(mask, pose)) > bounds.beyond_reach:
            return MaskVerdict(Cause.REACH, beyond)
        return self._second_opinion(person, mask, pose)

    def _second_opinion(self, person: int, mask: NDArray[np.bool_], pose: Pose) -> MaskVerdict:
        """What is said by all others who see the person: the second eye, and the network that finds the joints."""
        bounds, radius = self._settings, radius_of(pose.face)
        outlines = [None if self._second is None else self._second.outline(person)]
        if pose.body is not None and pose.body.outline is not None:
            outlines.append(pose.body.outline > 0.5)
        seen = [outline for outline in outlines if outline is not None and outline.any()]
        if not seen:
            return SOUND
        missed = np.logical_and.reduce(seen) & (ndimage.distance_transform_edt(~mask) > _BESIDE * radius)
        if (share := float(missed.sum() / max(mask.sum(), 1))) > bounds.missed:
            return MaskVerdict(Cause.MISSING, share)
        beyond = mask & (ndimage.distance_transform_edt(~np.logical_or.reduce(seen)) > _BESIDE * radius)
        share = float(beyond.sum() / max(mask.sum(), 1))
        if share > bounds.beyond_second:
            return MaskVerdict(Cause.SECOND_EYE, share)
        if share > bounds.beside_second and self._stillness.moved(person) > bounds.moved * radius:
            still = self._stillness.share_still(beyond)
            if still > bounds.still:
                return MaskVerdict(Cause.STILL, still)
        return SOUND
