"""Faces as an artifact of a job's store, and back, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dramatis.runtime.store import ArtifactValue
from dramatis.senses.seeing.eye import CloserLook, CropBox, Face, FaceContours

_LINES = ("lips_outer", "lips_inner", "lids", "irises")


def packed_faces(faces: Sequence[Face]) -> dict[str, ArtifactValue]:
    """The faces that one eye saw in one picture."""
    values: dict[str, ArtifactValue] = {"eyes": json.dumps([face.eye for face in faces]).encode()}
    if not faces:
        return values
    values["landmarks"] = np.stack([face.landmarks for face in faces])
    values["scores"] = np.array([face.score for face in faces], np.float64)
    contours = [face.contours for face in faces if face.contours is not None]
    if len(contours) == len(faces):
        values |= {line: np.stack([getattr(contour, line) for contour in contours]) for line in _LINES}
    closer = [face.closer for face in faces if face.closer is not None]
    if len(closer) == len(faces):
        values["person"] = np.stack([look.person for look in closer])
        values["squares"] = np.array([look.square for look in closer], np.float64)
    return values


def unpacked_faces(values: Mapping[str, ArtifactValue]) -> tuple[Face, ...]:
    """The inverse of `packed_faces`."""
    arrays: dict[str, Any] = dict(values)
    eyes = json.loads(arrays["eyes"])
    contours: list[FaceContours | None] = [None] * len(eyes)
    closer: list[CloserLook | None] = [None] * len(eyes)
    if _LINES[0] in arrays:
        contours = [FaceContours(*(arrays[line][index] for line in _LINES)) for index in range(len(eyes))]
    if "squares" in arrays:
        pairs = zip(arrays["person"], arrays["squares"].tolist(), strict=True)
        closer = [CloserLook(person, CropBox(*square)) for person, square in pairs]
    return tuple(
        Face(arrays["landmarks"][index], float(arrays["scores"][index]), eye, contours[index], closer[index])
        for index, eye in enumerate(eyes)
    )
