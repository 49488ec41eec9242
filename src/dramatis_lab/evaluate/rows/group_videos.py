"""Videos of the scenes of several people with an assignment of their voices, and everybody's mouth in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from dramatis.app.pipeline import AvatarPipeline
from dramatis.app.planning import frame_size
from dramatis.app.video_size import read_size
from dramatis.cascade.preparation import fit_heads, perform_cast
from dramatis.media.image import Pictures
from dramatis.media.video import read_frames
from dramatis.models.perception import PerceptionNet, mouth_opening
from dramatis.motion.face import RIGID_ANCHORS, TEMPLATE_68, HeadFit, fit_head, project
from dramatis.motion.group import head_shares
from dramatis.motion.performance import Performance, unpack_controls
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.eye import Face, square_around
from dramatis.senses.seeing.own_eye import OwnEye
from dramatis.senses.seeing.people import find_faces
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.group_scenes import GroupScene
from dramatis_lab.evaluate.measures.landmarks import SETTLING_FRAMES
from dramatis_lab.evaluate.measures.sync import correlation


@dataclass(frozen=True)
class GroupVideo:
    """voices: index of the voice of each person, None for none.  openings: (N, T) of everybody's mouth in the video."""

    scene: GroupScene
    voices: tuple[int | None, ...]
    openings: np.ndarray

    def sync(self, person: int, voice: int) -> float:
        """Lip sync r of a person with a voice of the scene."""
        return correlation(self.openings[person, SETTLING_FRAMES:], self.scene.opening[voice, SETTLING_FRAMES:])

    @property
    def own_voice_sync(self) -> list[float]:
        """Lip sync r of everybody who speaks with the voice that was assigned to them."""
        return [self.sync(person, voice) for person, voice in enumerate(self.voices) if voice is not None]

    @property
    def right_voice(self) -> list[bool]:
        """Whether the mouth of everybody who speaks goes best with the voice that was assigned to them."""
        voices = range(self.scene.people)
        return [
            max(voices, key=partial(self.sync, person)) == voice
            for person, voice in enumerate(self.voices)
            if voice is not None
        ]

    @property
    def mouth_motion(self) -> np.ndarray:
        """(N,) standard deviation of everybody's mouth opening."""
        return np.asarray(self.openings[:, SETTLING_FRAMES:].std(1))


def render_scene(
    bench: Bench, pipe: AvatarPipeline, scene: GroupScene, voices: Sequence[int | None], name: str
) -> GroupVideo:
    """Film a scene with an assignment of its voices; nothing is asked for but speech. name: for the file."""
    label = "".join("-" if voice is None else str(voice) for voice in voices)
    output = bench.work / f"{scene.folder.name}-{name}-{label}.mp4"
    storyline = storyline_of(bench, pipe, scene, voices)
    frames = np.stack(list(read_frames(pipe.render(storyline, output).video)))
    return GroupVideo(scene, tuple(voices), group_mouths(bench.perception, frames, planned_heads(storyline)))


def storyline_of(bench: Bench, pipe: AvatarPipeline, scene: GroupScene, voices: Sequence[int | None]) -> Storyline:
    """The storyline of a scene, as long as its voices and as large as videos of portraits are."""
    count, height, width, _ = scene.frames.shape
    asked = None if bench.video_size is None else read_size(bench.video_size)
    width, height = frame_size(pipe.backbone.profile, (width, height), scene.people, asked)
    names = [f"person {person + 1}" for person in range(scene.people)]
    tracks = [None if voice is None else str(scene.voices[voice]) for voice in voices]
    people = zip(names, scene.faces, tracks, strict=True)
    return Storyline(
        image=str(scene.folder / "portrait.png"),
        audio=str(mix_voices(bench, scene, voices)),
        frames=count,
        width=width,
        height=height,
        characters=tuple(Character(name=name, face=face, audio=track) for name, face, track in people),
        shots=(
            Shot(
                index=0,
                span=FrameSpan(0, count),
                positive=f"{scene.people} people speak, neutral.",
                speakers=tuple(name for name, track in zip(names, tracks, strict=True) if track is not None),
            ),
        ),
    )


def mix_voices(bench: Bench, scene: GroupScene, voices: Sequence[int | None]) -> Path:
    """Write the voices that are heard into one file."""
    speaking = sorted(voice for voice in voices if voice is not None)
    path = bench.work / f"{scene.folder.name}-{''.join(map(str, speaking))}.wav"
    tracks = [soundfile.read(scene.voices[voice]) for voice in speaking]
    soundfile.write(path, np.sum([samples for samples, _ in tracks], 0) / len(tracks), tracks[0][1])
    return path


def planned_heads(storyline: Storyline) -> np.ndarray:
    """(N, T, 68, 2) px of everybody's landmarks where the plan of a video puts them, mouths shut."""
    size = storyline.height, storyline.width
    performances = perform_cast(storyline, prosodies(storyline))
    return acted_landmarks(fit_heads(storyline, (storyline.width, storyline.height)), performances, size)


def true_heads(perception: PerceptionNet, scene: GroupScene) -> np.ndarray:
    """(N, T, 68, 2) px of everybody's landmarks in the true frames, by the same fit and the true performance."""
    heads = [fit_head(face.landmarks) for face in first_faces(perception, scene)]
    return acted_landmarks(heads, unpack_controls(scene.controls), scene.frames.shape[1:3])


def first_faces(perception: PerceptionNet, scene: GroupScene) -> list[Face]:
    """Everybody's face in the first true frame."""
    results = find_faces(OwnEye(perception), scene.frames[0], scene.faces)
    faces = [face for face in results if face is not None]
    assert len(faces) == len(results), "Every face of a scene must be found."
    return faces


def acted_landmarks(heads: Sequence[HeadFit], performances: Sequence[Performance], size: tuple[int, int]) -> np.ndarray:
    """(N, T, 68, 2) px of the landmarks of heads that perform, in frames of `size` (height, width)."""
    people = zip(heads, performances, strict=True)
    return np.stack([project(head, performance, size, TEMPLATE_68) for head, performance in people])


def group_mouths(perception: PerceptionNet, frames: Pictures, heads: np.ndarray) -> np.ndarray:
    """(N, T) opening of everybody's mouth, looked for in a square around the head. heads: (N, T, 68, 2) px.

    Pixels nearer to somebody else's head are painted over: of two faces in a square the network may take either.
    """
    detector, size = OwnEye(perception), frames.shape[1:3]
    owner = head_shares(heads[:, :, list(RIGID_ANCHORS)], size, size).argmax(0)
    openings = np.zeros(heads.shape[:2])
    for person, frame_index in np.ndindex(*openings.shape):
        alone = frames[frame_index].copy()
        alone[owner[frame_index] != person] = frames[frame_index].mean((0, 1))
        openings[person, frame_index] = mouth_opening(
            detector.at(alone, square_around(heads[person, frame_index])).landmarks
        )
    return openings
