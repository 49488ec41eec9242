"""People who are seen where a test wants them: untextured test pictures show nobody, so the finder is told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from dramatis.media.image import fitted_box
from dramatis.runtime.progress import Progress
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.people import DetectedPerson, person_with_face
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis.story.observations import AudioEvent
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import Box, FrameSpan
from tests.inputs import MakeAudio, MakeImage
from tests.tiny import canonical_sight

LEFT, RIGHT = Box(0.1, 0.2, 0.35, 0.8), Box(0.65, 0.2, 0.9, 0.8)


def canonical_person(landmarks: NDArray[np.float32] | None = None, size: tuple[int, int] = (64, 64)) -> DetectedPerson:
    """Somebody with the canonical face, in the middle of 64x64 pixels or where the landmarks say."""
    points = canonical_sight().landmarks if landmarks is None else landmarks
    return person_with_face(Face(points, 1.0), size)


def canonical_portrait(
    finder: PersonFinder, picture: PictureFile, size: object, store: object = None
) -> DetectedPerson:
    """In place of `PersonFinder.portrait`: the canonical face in every picture, always in the same pixels."""
    return canonical_person()


def canonical_faces(finder: PersonFinder, picture: PictureFile, store: object = None) -> tuple[Face, ...]:
    """In place of `PersonFinder.faces`: one face in every picture."""
    return (Face(canonical_sight().landmarks, 1.0),)


def see_a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the finder see the canonical face in every portrait."""
    monkeypatch.setattr(PersonFinder, "portrait", canonical_portrait)
    monkeypatch.setattr(PersonFinder, "faces", canonical_faces)


def see_a_face_in_every_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the finder see the canonical face in every box that it is asked for."""

    def in_boxes(
        finder: PersonFinder, picture: PictureFile, size: tuple[int, int], boxes: Sequence[Box], store: object = None
    ) -> tuple[DetectedPerson, ...]:
        fitted = [fitted_box(box, picture.size, size) for box in boxes]
        middles = [np.array([(b[0] + b[2]) / 2 * size[0], (b[1] + b[3]) / 2 * size[1]], np.float32) for b in fitted]
        face = canonical_sight().landmarks - (32, 40)
        return tuple(canonical_person((face + middle).astype(np.float32), size) for middle in middles)

    monkeypatch.setattr(PersonFinder, "in_boxes", in_boxes)


@pytest.fixture
def two_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canonical face in every box that is asked for."""
    see_a_face_in_every_box(monkeypatch)


def a_pair(make_audio: MakeAudio, make_image: MakeImage, low: str | None, high: str | None) -> Storyline:
    """Ann on the left and bob on the right, with the tracks of these names or none; 0.8 s of both in the mix."""
    mix = make_audio("mix.wav", 0.8)
    samples, rate = soundfile.read(mix)
    tracks = {name: str(mix.with_name(f"{name}.wav")) for name in ("low", "high")}
    soundfile.write(tracks["low"], samples, rate)
    soundfile.write(tracks["high"], 0.3 * samples[::-1], rate)
    events = (AudioEvent(kind="noise", span=FrameSpan(0, 20)),)
    voices = [None if track is None else tracks[track] for track in (low, high)]
    people = zip(("ann", "bob"), (LEFT, RIGHT), voices, strict=True)
    return Storyline(
        image=str(make_image("pair.png", (400, 200))),
        audio=str(mix),
        frames=20,
        width=128,
        height=64,
        characters=tuple(Character(name=name, face=face, audio=voice) for name, face, voice in people),
        events=events,
        shots=(Shot(index=0, span=FrameSpan(0, 20), speakers=("ann",)),),
    )


class StageRecorder:
    """Remembers how many artifacts each stage found and made."""

    def __init__(self) -> None:
        self.events: list[Progress] = []

    def report(self, event: Progress) -> None:
        self.events.append(event)

    def close(self) -> None:
        return None

    def found(self, stage: str) -> int:
        return max((event.done for event in self.events if event.stage == stage and event.detail == "found"), default=0)

    def total(self, stage: str) -> int:
        return next(event.total for event in self.events if event.stage == stage)
