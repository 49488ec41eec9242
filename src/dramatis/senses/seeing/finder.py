"""The one finder of people in pictures, for planning as for rendering, for one person as for several.

It owns the small networks that see: perception (faces, landmarks, masks) and traits (glasses, beard, expression), with
the weights of this package. Every look is taken once: results are remembered in the process by the picture's content,
and kept as artifacts in a job's store where there is one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media.image import fitted_box
from dramatis.models.loading import load_model
from dramatis.models.perception import FaceReading, PerceptionNet, interocular, read_faces
from dramatis.models.pictures import to_tensor
from dramatis.models.traits import TraitNet, traits_of
from dramatis.motion.face import fit_head
from dramatis.runtime.store import ArtifactStore, ArtifactValue
from dramatis.senses.seeing.people import (
    FACE_SEEN,
    WEIGHTS,
    DetectedPerson,
    FaceDetector,
    face_box,
    find_faces,
    find_people,
)
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis.senses.seeing.sight import describe_group, describe_portrait
from dramatis.story.observations import PictureObservations
from dramatis.story.values import Box

TRAIT_WEIGHTS = WEIGHTS.parent / "traits"
MAX_HEAD_FIT_ERROR = 0.03
"""Error of the canonical head on the landmarks, in head heights: faces stay below 0.02, other things do not."""
MIN_INTEROCULAR_SHARE = 0.10
"""Interocular distance over picture height below which the mini cannot shape a mouth."""
_REMEMBERED = 64
"""Looks that are remembered in the process; those at a portrait of 256 px hold 130 kB."""


def no_face(name: str | Path) -> UserError:
    """The refusal of a picture without a usable face."""
    return UserError(f"{name}: no face was found in this picture; give a portrait that shows one face from the front.")


def is_large_enough(person: DetectedPerson, size: tuple[int, int]) -> bool:
    """Whether a face can be animated in a picture of (width, height) px, in whose pixels its landmarks are."""
    return interocular(person.landmarks) >= MIN_INTEROCULAR_SHARE * min(size)


class PersonFinder:
    """Finds people in pictures and says what they look like; safe for several threads at once.

    The networks load on first use. Pickled, it is its folders' names: a process that unpickles it many times loads its
    networks once. Looks are taken with one computing thread, so that they do not depend on the machine's cores.
    """

    def __init__(self, perception: Path = WEIGHTS, traits: Path = TRAIT_WEIGHTS) -> None:
        self._folders = (perception, traits)
        self._lock = threading.RLock()
        self._people: dict[str, tuple[DetectedPerson | None, ...]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _finder_of, self._folders

    @cached_property
    def detector(self) -> FaceDetector:
        """Looks at parts of pictures."""
        with self._lock:
            detector = FaceDetector.shipped(self._folders[0])
            detector.net.requires_grad_(requires_grad=False)
            return detector

    @property
    def perception(self) -> PerceptionNet:
        """The network that finds faces and landmarks."""
        return self.detector.net

    @property
    def identity(self) -> str:
        """What tells the weights that find people from others."""
        return self.detector.identity

    def portrait(
        self, picture: PictureFile, size: tuple[int, int], store: ArtifactStore | None = None
    ) -> DetectedPerson:
        """The person in a portrait, by one look at the whole picture fitted to `size` (width, height), in its pixels.

        Raises UserError where there is no usable face.
        """

        def look() -> tuple[DetectedPerson, ...]:
            frame = picture.fitted(size)
            (reading,) = read_faces(self.perception, to_tensor(frame[None])[0].transpose(0, 1))
            return (replace(_of_face(reading.landmarks, reading.face, size), reading=reading),)

        (person,) = self._looked(picture, {"look": "portrait", "size": list(size)}, look, store)
        if person is None or person.score < FACE_SEEN or not _looks_like_a_head(person):
            raise no_face(picture.path)
        if not is_large_enough(person, size):
            raise UserError(
                f"{picture.path}: the face is too small to be animated; crop the picture to head and shoulders."
            )
        return person

    def everybody(self, picture: PictureFile) -> tuple[DetectedPerson, ...]:
        """Everybody whose face can be seen, from left to right, in pixels of the picture's overview."""
        people = self._looked(
            picture, {"look": "everybody"}, lambda: tuple(find_people(self.detector, picture.overview)), None
        )
        return tuple(person for person in people if person is not None)

    def in_boxes(
        self,
        picture: PictureFile,
        size: tuple[int, int],
        boxes: Sequence[Box],
        store: ArtifactStore | None = None,
    ) -> tuple[DetectedPerson | None, ...]:
        """The face in each box, given in shares of the whole picture; None for a box without one.

        Looks at the picture fitted to `size` (width, height); landmarks are in its pixels.
        """
        fitted = [Box(*fitted_box(box, picture.size, size)) for box in boxes]

        def look() -> tuple[DetectedPerson | None, ...]:
            faces = find_faces(self.detector, picture.fitted(size), fitted)
            return tuple(None if face is None else _of_face(face.landmarks, face.score, size) for face in faces)

        question = {"look": "boxes", "size": list(size), "boxes": [list(box) for box in boxes]}
        return self._looked(picture, question, look, store)

    def describe_portrait(self, picture: PictureFile, size: tuple[int, int]) -> PictureObservations:
        """What a portrait shows, for the planner. Raises UserError where there is no usable face."""
        person = self.portrait(picture, size)
        assert person.reading is not None
        with self._looking():
            frame = picture.fitted(size)
            return describe_portrait(frame, person.reading, traits_of(self._trait_net, frame, person.reading))

    def describe_group(self, picture: PictureFile) -> PictureObservations:
        """What a picture of several people shows, for the planner."""
        return describe_group(picture.overview, self.everybody(picture))

    @cached_property
    def _trait_net(self) -> TraitNet:
        with self._lock:
            net = load_model(TraitNet, self._folders[1])
            net.requires_grad_(requires_grad=False)
            return net

    def _looked(
        self,
        picture: PictureFile,
        question: Mapping[str, Any],
        look: Callable[[], tuple[DetectedPerson | None, ...]],
        store: ArtifactStore | None,
    ) -> tuple[DetectedPerson | None, ...]:
        """Whom a look at a picture finds: as the process remembers it, as the store holds it, or by a look now."""
        key = ArtifactStore.key(
            {"stage": "seeing", "picture": picture.content_hash, "weights": self.identity, **question}
        )
        with self._looking():
            people = self._people.pop(key, None)
            if people is None and store is not None and (values := store.get(key)) is not None:
                people = _unpacked(values)
            if people is None:
                people = look()
            self._people[key] = people
            while len(self._people) > _REMEMBERED:
                del self._people[next(iter(self._people))]
        if store is not None:
            store.fetch(key, lambda: _packed(people))
        return people

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
    """The finder with the weights of this package, of which a process has one."""
    return _finder_of(WEIGHTS, TRAIT_WEIGHTS)


@cache
def _finder_of(perception: Path, traits: Path) -> PersonFinder:
    return PersonFinder(perception, traits)


def _of_face(landmarks: NDArray[np.float32], score: float, size: tuple[int, int]) -> DetectedPerson:
    """Somebody of whom only the face was looked at, in a picture of (width, height) px."""
    box = face_box(landmarks, size)
    return DetectedPerson(landmarks, score, box, box)


def _looks_like_a_head(person: DetectedPerson) -> bool:
    """Whether a head fits the landmarks: those that the network puts on a plain wall do not look like one."""
    try:
        return fit_head(person.landmarks).error < MAX_HEAD_FIT_ERROR
    except ValueError:
        return False


def _packed(people: Sequence[DetectedPerson | None]) -> dict[str, ArtifactValue]:
    """The people of a look as an artifact."""
    persons = [person for person in people if person is not None]
    values: dict[str, ArtifactValue] = {"found": np.array([person is not None for person in people], np.uint8)}
    if persons:
        values |= {
            "landmarks": np.stack([person.landmarks for person in persons]),
            "scores": np.array([person.score for person in persons], np.float64),
            "boxes": np.array([[person.face, person.person] for person in persons], np.float64),
        }
    if len(persons) == 1 and (reading := persons[0].reading) is not None:
        values |= {"person": reading.person, "face_mask": reading.face_mask}
    return values


def _unpacked(values: Mapping[str, ArtifactValue]) -> tuple[DetectedPerson | None, ...]:
    """The inverse of `_packed`."""
    arrays: dict[str, Any] = dict(values)
    columns = (arrays.get(name, ()) for name in ("landmarks", "scores", "boxes"))
    persons = iter(
        DetectedPerson(landmarks, float(score), Box(*face.tolist()), Box(*person.tolist()))
        for landmarks, score, (face, person) in zip(*columns, strict=True)
    )
    people = tuple(next(persons) if found else None for found in arrays["found"])
    if "person" not in arrays or people[0] is None:
        return people
    reading = FaceReading(people[0].landmarks, arrays["person"], arrays["face_mask"], people[0].score)
    return (replace(people[0], reading=reading),)
