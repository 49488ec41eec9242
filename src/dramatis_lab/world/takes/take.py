"""Takes: people, speech, performances, light and backdrop drawn from one seed and rendered with exact ground truth.

`make_take` draws everything from one seed; `Take.render` renders any frames of its timeline. The first person of the
scene speaks; the others listen, or speak as well, in turns or at once. The performance comes from `motion.perform` with
shots like the director's, so that a model trained on takes is driven by the same numbers when it renders a job. Frame 0
is the reference: a face at rest with the mouth closed, or sometimes a smile or parted lips, as photographs of people
have them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.face import head_rotation, rotation_angles
from dramatis.motion.performance import SETTLE_FRAMES, Performance, perform
from dramatis.motion.prosody import Prosody, prosody_from_energy
from dramatis.motion.signals import smoothstep
from dramatis.runtime.seeds import derive_seed
from dramatis.story.storyline import Shot
from dramatis.story.values import AUDIO_RATE, FPS, SAMPLES_PER_FRAME
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import PosedPerson, RenderedPerson, make_person
from dramatis_lab.world.renderer.scene import PersonPlacement, Scene, random_placements, random_setup
from dramatis_lab.world.splits import seed_in_split
from dramatis_lab.world.takes.captions import Description, caption, negative_caption
from dramatis_lab.world.takes.damage import DAMAGES, FRAME_DAMAGES, apply_damage, shift_pictures
from dramatis_lab.world.takes.direction import draw_listener_shots, draw_shots
from dramatis_lab.world.takes.portrayal import describe_background, describe_light, describe_person
from dramatis_lab.world.voices.phones import PAUSE
from dramatis_lab.world.voices.speech import Utterance, draw_utterance
from dramatis_lab.world.voices.visemes import caught_emotion, caught_expression, expression_track, viseme_track

PEOPLE_SHARES = (0.88, 0.10, 0.02)
DAMAGED_SHARE = 0.12
CAUGHT_SHARE = 0.4
LEAST_FRAMES = 113
"""29 frames at stride 4: what one blueprint clip covers."""
_LONGEST_SECONDS = 8.0
"""Length of a take whose timeline need not be longer."""

_MOUTH = np.array([name.startswith(("jaw", "mouth")) for name in EXPRESSIONS])


@dataclass(frozen=True)
class PersonTrack:
    """One person of a take.

    performance: with the camera of the take.  utterance: what the person says, or silence. expressions: (F, 53).
    heads: (F, 6), the person's own posture included.  gaze: (F, 2).  visemes: (F, 16). opening: (F,) inner-lip gap
    over the distance of the outer eye corners, undamaged.  caught: the emotion that the reference picture shows and
    how strong it is, 0..1; None for a face at rest.
    """

    person: RenderedPerson
    performance: Performance
    utterance: Utterance
    expressions: NDArray[np.float32]
    heads: NDArray[np.float32]
    gaze: NDArray[np.float32]
    visemes: NDArray[np.float32]
    opening: NDArray[np.float32]
    caught: tuple[str, float] | None = None

    def pose(self, frame: int) -> PosedPerson:
        blink = float(self.performance.blink[frame])
        return self.person.pose(self.expressions[frame], self.heads[frame], self.gaze[frame], blink)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a take: one of `damage.DAMAGES`, its severity (0..1) and the seed of its details."""

    kind: str
    severity: float
    seed: int


@dataclass(frozen=True)
class TakeFrames:
    """T rendered frames of N people.

    frames: (T, H, W, 3) uint8.  person: (T, H, W) uint8, 0 is the backdrop and k the k-th person. face: (T, H, W) bool.
    landmarks: (N, T, 68, 2) and anchors: (N, T, 9, 2) float32 px.
    """

    frames: NDArray[np.uint8]
    person: NDArray[np.uint8]
    face: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    anchors: NDArray[np.float32]


@dataclass(frozen=True)
class Take:
    """A take of F frames at 25 fps, not yet rendered."""

    seed: int
    split: str
    identity: int
    tracks: tuple[PersonTrack, ...]
    shots: tuple[Shot, ...]
    scene: Scene
    fault: Fault | None

    @property
    def frames(self) -> int:
        return len(self.performance)

    @property
    def utterance(self) -> Utterance:
        """Of the first person."""
        return self.tracks[0].utterance

    @property
    def audio(self) -> NDArray[np.float32]:
        """(640 F,) mono at 16 kHz, the first person's voice."""
        return self.utterance.audio

    @property
    def performance(self) -> Performance:
        """Of the first person."""
        return self.tracks[0].performance

    @property
    def opening(self) -> NDArray[np.float32]:
        """(F,) of the first person's mouth."""
        return self.tracks[0].opening

    def render(self, index: ArrayLike) -> TakeFrames:
        """Render the frames `index` (T,) of the timeline in any order; repeated ones are rendered once."""
        times, back = np.unique(np.asarray(index, np.int64), return_inverse=True)
        placements = self.scene.placements
        rigid = [track.person.rigid_points(track.heads[times]) for track in self.tracks]
        shots, landmarks, anchors = [], [], []
        for t, *points in zip(times.tolist(), *rigid, strict=True):
            row = self.performance.camera[t]
            poses = [track.pose(t) for track in self.tracks]
            shot = self.scene.render(poses, row, frame=t)
            shots.append(shot)
            faces = [placement.apply(pose.landmarks68) for placement, pose in zip(placements, poses, strict=True)]
            skulls = [placement.apply(head) for placement, head in zip(placements, points, strict=True)]
            landmarks.append(shot.camera.project(np.stack(faces)))
            anchors.append(shot.camera.project(np.stack(skulls)))
        rendered = TakeFrames(
            np.stack([shot.rgb for shot in shots]),
            np.stack([shot.person for shot in shots]),
            np.stack([shot.face for shot in shots]),
            np.stack(landmarks, 1),
            np.stack(anchors, 1),
        )
        rendered = self._damaged(rendered, times)
        return TakeFrames(
            rendered.frames[back],
            rendered.person[back],
            rendered.face[back],
            rendered.landmarks[:, back],
            rendered.anchors[:, back],
        )

    def describe(self, start: int, stop: int) -> Description:
        """The facts of frames start <= t < stop: the shot that holds most of them, and the gestures mostly inside."""
        shot = max(self.shots, key=lambda shot: min(stop, shot.span.stop) - max(start, shot.span.start))
        gestures = [
            gesture.name
            for gesture in shot.gestures
            if min(stop, gesture.span.stop) - max(start, gesture.span.start) > len(gesture.span) // 2
        ]
        setup = self.scene.setup
        return Description(
            subjects=tuple(describe_person(track.person.spec) for track in self.tracks),
            emotion=shot.emotion.name,
            intensity=shot.emotion.intensity,
            camera=shot.camera.move,
            amount=shot.camera.amount,
            gestures=tuple(gestures),
            delivery=self.utterance.kind,
            light=describe_light(setup.lights),
            background=describe_background(setup.background),
            damage=self.fault.kind if self.fault else None,
        )

    def row(self, start: int, stop: int) -> dict[str, Any]:
        """The row of this take in a manifest, with captions of frames start <= t < stop and of the whole take."""
        rng = np.random.default_rng([self.seed, 7])
        part, whole = self.describe(start, stop), self.describe(0, self.frames)
        return {
            "caption": caption(part, rng),
            "negative": negative_caption(part, rng),
            "whole_caption": caption(whole, rng),
            "whole_negative": negative_caption(whole, rng),
            "emotion": part.emotion,
            "intensity": part.intensity,
            "camera": part.camera,
            "amount": part.amount,
            "gestures": list(part.gestures),
            "caught": list(self.tracks[0].caught) if self.tracks[0].caught else None,
            "damage": self.fault.kind if self.fault else None,
            "severity": self.fault.severity if self.fault else 0.0,
            "delivery": self.utterance.kind,
            "text": self.utterance.text,
            "voice": self.utterance.voice,
            "language": self.utterance.language,
            "people": len(self.tracks),
            "identity": self.identity,
            "split": self.split,
            "frames": self.frames,
            "shots": [_shot_row(shot) for shot in self.shots],
        }

    def _damaged(self, rendered: TakeFrames, times: NDArray[np.int64]) -> TakeFrames:
        """Apply the fault to the pictures. The reference stays sound, because faults are what a model adds to it."""
        fault = self.fault
        if fault is None or fault.kind not in FRAME_DAMAGES:
            return rendered
        later = np.flatnonzero(times > 0)
        frames = rendered.frames.copy()
        damaged = apply_damage(frames[later], fault.kind, fault.severity, np.random.default_rng(fault.seed))
        frames[later] = damaged.frames
        if fault.kind != "jitter":
            return TakeFrames(frames, rendered.person, rendered.face, rendered.landmarks, rendered.anchors)
        shift = np.zeros((len(times), 2), np.float32)
        shift[later] = damaged.shift
        # The anchors stay where the performance puts them: they are the request, and the jitter is the fault.
        return TakeFrames(
            frames,
            shift_pictures(rendered.person, shift),
            shift_pictures(rendered.face, shift),
            rendered.landmarks + shift[None, :, None],
            rendered.anchors,
        )


@dataclass(frozen=True)
class Grouping:
    """Who is in a take.

    people: 1 to 3, drawn if None.  close: they hide parts of each other.  conversation: everybody speaks, in turns
    or at once; otherwise the first person alone.
    """

    people: int | None = None
    close: bool = False
    conversation: bool = False


def make_take(
    seed: int,
    split: str,
    assets: Path,
    size: int | tuple[int, int] = 128,
    group: Grouping = Grouping(),
    *,
    identity: int | None = None,
    least_frames: int = LEAST_FRAMES,
    faultless: bool = False,
) -> Take:
    """Draw a take from `seed`.

    split: "train" or "test"; the two share no people, voices or backdrops.  size: (height, width), or one side of a
    square.  identity: seed of the person who speaks; takes with the same one show the same person.  least_frames: least
    length of the timeline.  faultless: never damaged.  Raises UserError if `assets` lacks the raw material.
    """
    rng = np.random.default_rng([seed, 1])
    count = int(rng.choice(3, p=PEOPLE_SHARES)) + 1
    fault = _draw_fault(rng, seed)
    count, fault = group.people or count, None if faultless else fault
    identity = seed_in_split(derive_seed("identity", seed) if identity is None else identity, split)
    others = [seed_in_split(derive_seed("other", identity, k), split) for k in range(1, count)]
    cast = [_person(who, str(assets)) for who in (identity, *others)]
    utterance = _spoken(derive_seed("sound", seed), split, least_frames)
    frames = len(utterance.audio) // SAMPLES_PER_FRAME
    shots = draw_shots(frames, rng)
    placements = _placements(count, rng, close=group.close)
    spoken = [utterance, *(_other_voice(seed, k, split, frames, speaks=group.conversation) for k in range(1, count))]
    if group.conversation:
        spoken = _in_turns(spoken, np.random.default_rng([seed, 3]))
    camera: NDArray[np.float32] | None = None
    tracks = []
    for k, (person, placement, speech) in enumerate(zip(cast, placements, spoken, strict=True)):
        style = np.random.default_rng([seed, 2, k])
        played = draw_listener_shots(shots, rng) if k else shots
        listens = k > 0 and speech.kind == "silent"
        prosody = Prosody.silence(frames) if listens else prosody_from_energy(speech.audio, frames)
        performance = perform(played, prosody, derive_seed("motion", seed, k))
        camera = performance.camera if camera is None else camera
        performance = _with_camera(camera, performance)
        face = expression_track(speech, frames, performance, style)
        tracks.append(_person_track(person, performance, speech, face, placement, style))
    height, width = (size, size) if isinstance(size, int) else size
    rest = [track.pose(0) for track in tracks]
    background = seed_in_split(derive_seed("background", seed), split)
    setup = random_setup(rest, placements, derive_seed("look", seed), background, aspect=width / height)
    # The camera orbits the head centres, as motion.face has it, not the middle of the faces in front of them.
    setup = replace(setup, framing=replace(setup.framing, target=(*setup.framing.target[:2], 0.0)))
    scene = Scene(cast, rest, placements, setup, (height, width))
    if fault and fault.kind in ("frozen", "frozen_lips"):
        tracks[0] = _frozen(tracks[0], fault)
    return Take(seed, split, identity, tuple(tracks), shots, scene, fault)


def lip_openings(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) gap of the inner lips over the distance of the outer eye corners, for (T, 68, D) landmarks."""
    gap = np.linalg.norm(landmarks[:, [61, 62, 63]] - landmarks[:, [67, 66, 65]], axis=-1).mean(1)
    return gap / np.linalg.norm(landmarks[:, 36] - landmarks[:, 45], axis=-1)


@lru_cache(maxsize=6)
def _person(identity: int, assets: str) -> RenderedPerson:
    return make_person(identity, Path(assets))


def _spoken(seed: int, split: str, least_frames: int) -> Utterance:
    """An utterance in whole frames: up to 8 s, or the length of a longer timeline."""
    least = least_frames / FPS
    utterance = draw_utterance(seed, least, max(least, _LONGEST_SECONDS), split)
    frames = max(least_frames, len(utterance.audio) // SAMPLES_PER_FRAME)
    audio = utterance.audio[: frames * SAMPLES_PER_FRAME]
    return replace(utterance, audio=np.pad(audio, (0, frames * SAMPLES_PER_FRAME - len(audio))))


def _draw_fault(rng: np.random.Generator, seed: int) -> Fault | None:
    kind, severity = str(rng.choice(DAMAGES)), round(float(rng.uniform(0.25, 1.0)), 2)
    return Fault(kind, severity, derive_seed("fault", seed)) if rng.random() < DAMAGED_SHARE else None


def _other_voice(seed: int, k: int, split: str, frames: int, *, speaks: bool) -> Utterance:
    """What the k-th person says in `frames` frames; silence if that person does not speak."""
    samples = frames * SAMPLES_PER_FRAME
    if not speaks:
        silence = np.zeros(samples, np.float32)
        return Utterance(silence, (), np.zeros(0, np.float32), "", "", "", "silent")
    utterance = _spoken(derive_seed("sound", seed, k), split, frames)
    return replace(utterance, audio=utterance.audio[:samples])


def _in_turns(spoken: list[Utterance], rng: np.random.Generator) -> list[Utterance]:
    """The same utterances: in half of the cases one after another in random order, otherwise all at once."""
    if rng.random() < 0.5:
        return spoken
    turn, order = spoken[0].seconds / len(spoken), rng.permutation(len(spoken))
    return [
        silence_outside(utterance, turn * turn_index, turn * (turn_index + 1))
        for utterance, turn_index in zip(spoken, order.tolist(), strict=True)
    ]


def silence_outside(utterance: Utterance, start: float, stop: float) -> Utterance:
    """The utterance with silence everywhere but from `start` to `stop` seconds."""
    fade = 0.01
    time = np.arange(len(utterance.audio)) / AUDIO_RATE
    audio = utterance.audio * np.clip(np.minimum(time - start, stop - time) / fade, 0, 1).astype(np.float32)
    heard = [(max(a, start), min(b, stop), phone) for a, b, phone in utterance.phonemes if b > start and a < stop]
    phones = ((0.0, start, PAUSE), *heard, (stop, utterance.seconds, PAUSE))
    moments = np.arange(len(utterance.loudness)) / 100
    loudness = utterance.loudness * ((moments >= start) & (moments < stop))
    phonemes = tuple(phone for phone in phones if phone[1] > phone[0])
    return replace(utterance, audio=audio, phonemes=phonemes, loudness=loudness.astype(np.float32))


def _with_camera(camera: NDArray[np.float32], performance: Performance) -> Performance:
    """The performance with the camera (F, 6) of the take; the eyes turn to it as they turned to their own camera."""
    turned = (performance.camera - camera)[:, 4:6]
    return replace(performance, camera=camera, gaze=performance.gaze + turned)


def _placements(count: int, rng: np.random.Generator, *, close: bool) -> tuple[PersonPlacement, ...]:
    """Where people stand, the speaker at any position; a single person is turned a little."""
    if count > 1:
        places = random_placements(count, rng, close=close)
        return tuple(places[k] for k in rng.permutation(count))
    return (PersonPlacement(yaw=float(np.clip(rng.normal(0.0, 0.12), -0.3, 0.3))),)


def _person_track(
    person: RenderedPerson,
    performance: Performance,
    utterance: Utterance,
    expressions: NDArray[np.float32],
    placement: PersonPlacement,
    rng: np.random.Generator,
) -> PersonTrack:
    """The track of a person with a posture: the pose of the reference image, to which the performance is added."""
    posture = np.clip(rng.normal(0.0, 1.0, 3), -2, 2) * (0.06, 0.05, 0.04)
    # The head comes half-way back from the turn of the body, and the eyes go all the way to the camera.
    yaw, pitch, roll = posture - (0.5 * placement.yaw, 0.0, 0.0)
    base = head_rotation(yaw, pitch, roll)
    turns = base @ head_rotation(*performance.head[:, :3].T)
    heads = performance.head.copy()
    heads[:, :3] = [rotation_angles(turn) for turn in turns]
    gaze = performance.gaze - np.array([yaw + placement.yaw, pitch], np.float32)
    # Some reference images show a smile or parted lips, as people's pictures do.
    caught = caught_emotion(rng) if rng.random() < CAUGHT_SHARE else None
    if caught is not None:
        expressions = _settled(expressions, caught_expression(*caught, rng))
    opening = lip_openings(person.landmarks(expressions, np.zeros((len(heads), 6), np.float32)))
    visemes = viseme_track(utterance.phonemes, len(heads))
    return PersonTrack(
        person, performance, utterance, expressions, heads, gaze.astype(np.float32), visemes, opening, caught
    )


def _settled(expressions: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Expressions (F, 53) that start at `first` (53,), that of the reference, and leave it within half a second."""
    left = 1 - smoothstep(np.arange(len(expressions)) / SETTLE_FRAMES).astype(np.float32)[:, None]
    return expressions + left * (first - expressions)


def _frozen(track: PersonTrack, fault: Fault) -> PersonTrack:
    """The track with the expression, or the mouth alone, frozen from a moment in the first second on."""
    hold = int(np.random.default_rng(fault.seed).integers(4, 20))
    expressions = track.expressions.copy()
    columns = _MOUTH if fault.kind == "frozen_lips" else np.ones_like(_MOUTH)
    expressions[hold:, columns] = expressions[hold, columns]
    return replace(track, expressions=expressions)


def _shot_row(shot: Shot) -> dict[str, Any]:
    return {
        "start": shot.span.start,
        "stop": shot.span.stop,
        "emotion": shot.emotion.name,
        "intensity": shot.emotion.intensity,
        "camera": shot.camera.move,
        "amount": shot.camera.amount,
        "gestures": [[g.name, g.span.start, g.span.stop, g.amount] for g in shot.gestures],
    }
