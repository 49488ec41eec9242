"""The one finder of people in pictures, for planning as for rendering, for one person as for several.

It owns the eye that looks at users' pictures, the library's where its files are there and otherwise our own, the
perception network that looks at generated frames, and the network that names traits. Every picture is looked at once:
faces are remembered in the process by the picture's content, and kept as artifacts in a job's store where there is one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.models.loading import load_model
from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis.models.traits import TraitNet, traits_of
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing.eye import BodyPose, Eye, Face
from dramatis.senses.seeing.library_files import find_library_files, missing_for_library_eye
from dramatis.senses.seeing.own_eye import WEIGHTS, OwnEye
from dramatis.senses.seeing.packing import packed_faces, unpacked_faces
from dramatis.senses.seeing.people import (
    DetectedPerson,
    find_faces,
    find_people,
    largest_face,
    person_with_face,
)
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis.senses.seeing.refusals import check_usable, no_face
from dramatis.senses.seeing.sight import describe_group, describe_portrait, face_region
from dramatis.story.observations import PictureObservations
from dramatis.story.values import Box

EyeName = Literal["auto", "library", "own"]
TRAIT_WEIGHTS = WEIGHTS.parent / "traits"
_REMEMBERED = 64
"""Looks that are remembered in the process; the faces of one picture hold a few kB each."""


class PersonFinder:
    """Finds people in pictures and says what they look like; safe for several threads at once.

    eye: "library", "own", or "auto" for the library's where its files are there. perception, traits: folders with the
    weights of our own networks, which load on first use. Pickled, it is these three: a process that unpickles it many
    times loads its networks once. Looks are taken with one computing thread, so that they do not depend on the
    machine's cores.
    """

    def __init__(self, eye: EyeName = "auto", perception: Path = WEIGHTS, traits: Path = TRAIT_WEIGHTS) -> None:
        self._choice = (eye, perception, traits)
        self._lock = threading.RLock()
        self._faces: dict[str, tuple[Face, ...]] = {}
        self._people: dict[str, tuple[DetectedPerson, ...]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _finder_of, self._choice

    @cached_property
    def eye(self) -> Eye:
        """What looks at users' pictures."""
        with self._lock:
            wanted = self._choice[0]
            if wanted == "own" or (wanted == "auto" and missing_for_library_eye() is not None):
                return self.own_eye
            from dramatis.senses.seeing.library_eye import LibraryEye

            folder = find_library_files()
            assert folder is not None, missing_for_library_eye()
            return LibraryEye(folder)

    @cached_property
    def own_eye(self) -> OwnEye:
        """Our own network, which looks at generated frames, and at pictures where there is no other eye."""
        with self._lock:
            eye = OwnEye.shipped(self._choice[1])
            eye.net.requires_grad_(requires_grad=False)
            return eye

    @property
    def perception(self) -> PerceptionNet:
        """The network of our own eye."""
        return self.own_eye.net

    @property
    def identity(self) -> str:
        """What tells the networks that look at users' pictures from others."""
        return self.eye.identity

    def notes(self) -> tuple[str, ...]:
        """What users should know about the eye, in words: nothing about the library's, or what our own lacks."""
        if self._choice[0] != "auto" or (missing := missing_for_library_eye()) is None:
            return ()
        return (
            f"Pictures are seen by the mini's own network, since {missing}: it knows rendered people best and may miss "
            "real faces, so run `dramatis models install-eyes`.",
        )

    def faces(self, picture: PictureFile, store: ArtifactStore | None = None) -> tuple[Face, ...]:
        """All faces of a picture, from left to right, in its own pixels."""
        key = ArtifactStore.key({"stage": "seeing", "picture": picture.content_hash, "eye": self.identity})
        with self._looking():
            faces = self._faces.get(key)
            if faces is None and store is not None and (values := store.get(key)) is not None:
                faces = unpacked_faces(values)
            if faces is None:
                frame = picture.at_most(self.eye.sharpest_side)
                faces = tuple(face.placed(picture.size[0] / frame.shape[1]) for face in self.eye.find(frame))
            _remember(self._faces, key, faces)
        if store is not None:
            store.fetch(key, lambda: packed_faces(faces))
        return faces

    def portrait(
        self, picture: PictureFile, size: tuple[int, int], store: ArtifactStore | None = None
    ) -> DetectedPerson:
        """The person in a portrait fitted to `size` (width, height), in its pixels: whoever is largest.

        Raises UserError, with the true cause, where there is no usable face.
        """
        face = largest_face(self.faces(picture, store))
        if face is None:
            with self._looking():
                raise no_face(picture, self.eye.doubts(picture.at_most(self.eye.sharpest_side)))
        check_usable(face, picture, size)
        return person_with_face(_fitted(face, picture, size), size)

    def everybody(self, picture: PictureFile) -> tuple[DetectedPerson, ...]:
        """Everybody whose face can be seen, from left to right, in pixels of the picture's overview."""
        faces = self.faces(picture)
        key = f"{picture.content_hash} {self.identity}"
        with self._looking():
            people = self._people.get(key)
            if people is None:
                scale = picture.overview.shape[1] / picture.size[0]
                people = tuple(find_people(self.eye, picture.overview, [face.placed(scale) for face in faces]))
            _remember(self._people, key, people)
        return people

    def in_boxes(
        self,
        picture: PictureFile,
        size: tuple[int, int],
        boxes: Sequence[Box],
        store: ArtifactStore | None = None,
    ) -> tuple[DetectedPerson | None, ...]:
        """The face in each box, given in shares of the whole picture; None for a box without one.

        Landmarks are in pixels of the picture fitted to `size` (width, height).
        """
        faces = self.faces(picture, store)
        found = [_in_box(faces, box.pixels(picture.size)) or self._looked_for(picture, box) for box in boxes]
        return tuple(None if face is None else person_with_face(_fitted(face, picture, size), size) for face in found)

    def matte(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.uint8] | None:
        """(H, W) how much of each pixel of a frame belongs to the people with these faces, 255 all of it, soft at hair.

        None: this eye's outlines are too coarse to cut people out.
        """
        if not self.eye.cuts_out:
            return None
        with self._looking():
            outlines = self.eye.outlines(frame, faces)
        return np.asarray((255 * outlines.sum(0).clip(0, 1)).round(), np.uint8)

    def bodies(self, picture: PictureFile) -> list[BodyPose | None]:
        """Shoulders and arms of everybody in `faces`, in pixels of the picture's overview; None where unseen."""
        scale = picture.overview.shape[1] / picture.size[0]
        faces = [face.placed(scale) for face in self.faces(picture)]
        with self._looking():
            return self.eye.bodies(picture.overview, faces)

    def describe_portrait(self, picture: PictureFile, size: tuple[int, int]) -> PictureObservations:
        """What a portrait shows, for the planner. Raises UserError where there is no usable face."""
        person = self.portrait(picture, size)
        with self._looking():
            frame = picture.fitted(size)
            (outline,) = self.eye.outlines(frame, [Face(person.landmarks, person.score, person.eye)])
            region = face_region(person.landmarks, frame.shape[:2])[::2, ::2]
            reading = FaceReading(person.landmarks, outline[::2, ::2], region, person.score)
            return describe_portrait(frame, reading, traits_of(self._trait_net, frame, reading))

    def describe_group(self, picture: PictureFile) -> PictureObservations:
        """What a picture of several people shows, for the planner."""
        return describe_group(picture.overview, self.everybody(picture))

    @cached_property
    def _trait_net(self) -> TraitNet:
        with self._lock:
            net = load_model(TraitNet, self._choice[2])
            net.requires_grad_(requires_grad=False)
            return net

    def _looked_for(self, picture: PictureFile, box: Box) -> Face | None:
        """The face that a user says is in a box, where the eye has found none by itself."""
        frame = picture.at_most(self.eye.sharpest_side)
        with self._looking():
            (face,) = find_faces(self.eye, frame, [box])
        return None if face is None else face.placed(picture.size[0] / frame.shape[1])

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """One look at a time, with one computing thread: sums then have one order on every machine."""
        with self._lock:
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                yield
            finally:
                torch.set_num_threads(threads)


def person_finder() -> PersonFinder:
    """The finder with the best eye that is there and the weights of this package, of which a process has one."""
    return _finder_of("auto", WEIGHTS, TRAIT_WEIGHTS)


@cache
def _finder_of(eye: EyeName, perception: Path, traits: Path) -> PersonFinder:
    return PersonFinder(eye, perception, traits)


def _remember(memory: dict[str, Any], key: str, value: Any) -> None:
    """Keep a look as the latest, and forget the one that was not asked for longest."""
    memory.pop(key, None)
    memory[key] = value
    while len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]


def _fitted(face: Face, picture: PictureFile, size: tuple[int, int]) -> Face:
    """A face of a picture, in pixels of the picture fitted to `size` (width, height)."""
    scale = max(size[0] / picture.size[0], size[1] / picture.size[1])
    cropped = [(scale * whole - seen) / 2 for whole, seen in zip(picture.size, size, strict=True)]
    return face.placed(scale, (-cropped[0], -cropped[1]))


def _in_box(faces: Sequence[Face], box: Box) -> Face | None:
    """The largest of the faces whose middle lies in a box of the same pixels."""
    inside = [face for face in faces if box.left < face.centre[0] < box.right and box.top < face.centre[1] < box.bottom]
    return largest_face(inside)
