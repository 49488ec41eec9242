"""One take: people, what is said, how they act, where and in what light, filmed with exact ground truth.

`make_take` draws everything from one seed; `Take.render` films any frames of its timeline. The first person
of the scene speaks; the others listen, or speak as well, in turns or at once. The performance comes from
`motion.perform` with shots like the director's, so that a model trained on takes is driven by the same numbers
when it renders a job. Frame 0 is the reference: a face at rest, the mouth closed, or now and then a smile or
parted lips, as people's pictures have.
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
from dramatis.story.values import FPS
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import Person, PosedPerson, make_person
from dramatis_lab.world.renderer.scene import Placement, Scene, random_look, random_placements
from dramatis_lab.world.takes.captions import Description, caption, negative_caption
from dramatis_lab.world.takes.damage import DAMAGES, FRAME_DAMAGES, damage, move
from dramatis_lab.world.takes.direction import direct, direct_listener
from dramatis_lab.world.takes.portrayal import background_of, light_of, subject_of
from dramatis_lab.world.voices.engines import SAMPLE_RATE
from dramatis_lab.world.voices.phones import PAUSE
from dramatis_lab.world.voices.speech import Utterance, utterance_for
from dramatis_lab.world.voices.visemes import caught_emotion, caught_expression, expression_track, viseme_track

SPLITS = ("train", "test")
PEOPLE_SHARES = (0.88, 0.10, 0.02)
DAMAGED_SHARE = 0.12
CAUGHT_SHARE = 0.4
LEAST_FRAMES = 113
"""29 frames at stride 4: what one blueprint clip covers."""
LONGEST_SECONDS = 8.0
"""Of a take whose timeline need not be longer."""
SAMPLES_PER_FRAME = 640

_MOUTH = np.array([name.startswith(("jaw", "mouth")) for name in EXPRESSIONS])


@dataclass(frozen=True)
class Role:
    """One person of a take. performance: under the camera of the take.  utterance: what is said, silence if nothing.
    expressions: (F, 53).  heads: (F, 6), the person's own bearing included.  gaze: (F, 2).  visemes: (F, 16).
    opening: (F,) inner-lip gap over the distance of the outer eye corners, undamaged.  caught: the emotion that
    the reference picture shows and how strong it is, 0..1; None for a face at rest.
    """

    person: Person
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
    """What is wrong with a take: a kind of `damage.DAMAGES`, how much (0..1), the seed of its details."""

    kind: str
    severity: float
    seed: int


@dataclass(frozen=True)
class Seen:
    """T filmed frames of N people. frames: (T, H, W, 3) uint8.  person: (T, H, W) uint8, k + 1 where person k is seen.
    face: (T, H, W) bool. landmarks: (N, T, 68, 2) and anchors: (N, T, 9, 2) float32 px, the first one's first.
    """

    frames: NDArray[np.uint8]
    person: NDArray[np.uint8]
    face: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    anchors: NDArray[np.float32]


@dataclass(frozen=True)
class Take:
    """A take of F frames at 25 fps, not yet filmed."""

    seed: int
    split: str
    identity: int
    roles: tuple[Role, ...]
    shots: tuple[Shot, ...]
    scene: Scene
    fault: Fault | None

    @property
    def frames(self) -> int:
        return len(self.performance)

    @property
    def utterance(self) -> Utterance:
        """Of the first person."""
        return self.roles[0].utterance

    @property
    def audio(self) -> NDArray[np.float32]:
        """(640 F,) mono at 16 kHz, the first person's voice."""
        return self.utterance.audio

    @property
    def performance(self) -> Performance:
        """Of the first person."""
        return self.roles[0].performance

    @property
    def opening(self) -> NDArray[np.float32]:
        """(F,) of the first person's mouth."""
        return self.roles[0].opening

    def render(self, index: ArrayLike) -> Seen:
        """Film the frames `index` (T,) of the timeline, any order; repeated ones are filmed once."""
        times, back = np.unique(np.asarray(index, np.int64), return_inverse=True)
        places = self.scene.placements
        rigid = [role.person.rigid_points(role.heads[times]) for role in self.roles]
        shots, landmarks, anchors = [], [], []
        for t, *points in zip(times.tolist(), *rigid, strict=True):
            row = self.performance.camera[t]
            poses = [role.pose(t) for role in self.roles]
            shot = self.scene.render(poses, row, frame=t)
            shots.append(shot)
            faces = [place.apply(pose.landmarks68) for place, pose in zip(places, poses, strict=True)]
            skulls = [place.apply(head) for place, head in zip(places, points, strict=True)]
            landmarks.append(shot.camera.project(np.stack(faces)))
            anchors.append(shot.camera.project(np.stack(skulls)))
        seen = Seen(
            np.stack([shot.rgb for shot in shots]),
            np.stack([shot.person for shot in shots]),
            np.stack([shot.face for shot in shots]),
            np.stack(landmarks, 1),
            np.stack(anchors, 1),
        )
        seen = self._spoilt(seen, times)
        return Seen(
            seen.frames[back], seen.person[back], seen.face[back], seen.landmarks[:, back], seen.anchors[:, back]
        )

    def describe(self, start: int, stop: int) -> Description:
        """The facts of frames start <= t < stop: the shot that most of them lie in, and gestures mostly inside."""
        shot = max(self.shots, key=lambda shot: min(stop, shot.span.stop) - max(start, shot.span.start))
        gestures = [
            gesture.name
            for gesture in shot.gestures
            if min(stop, gesture.span.stop) - max(start, gesture.span.start) > len(gesture.span) // 2
        ]
        look = self.scene.look
        return Description(
            subjects=tuple(subject_of(role.person.spec) for role in self.roles),
            emotion=shot.emotion.name,
            intensity=shot.emotion.intensity,
            camera=shot.camera.move,
            amount=shot.camera.amount,
            gestures=tuple(gestures),
            delivery=self.utterance.kind,
            light=light_of(look.lights),
            background=background_of(look.background),
            damage=self.fault.kind if self.fault else None,
        )

    def row(self, start: int, stop: int) -> dict[str, Any]:
        """What a manifest says of this take; captions are for frames start <= t < stop, and for the whole."""
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
            "caught": list(self.roles[0].caught) if self.roles[0].caught else None,
            "damage": self.fault.kind if self.fault else None,
            "severity": self.fault.severity if self.fault else 0.0,
            "delivery": self.utterance.kind,
            "text": self.utterance.text,
            "voice": self.utterance.voice,
            "language": self.utterance.language,
            "people": len(self.roles),
            "identity": self.identity,
            "split": self.split,
            "frames": self.frames,
            "shots": [_shot_row(shot) for shot in self.shots],
        }

    def _spoilt(self, seen: Seen, times: NDArray[np.int64]) -> Seen:
        """Faults of the picture; the reference frame stays sound: faults are what a model adds to it."""
        fault = self.fault
        if fault is None or fault.kind not in FRAME_DAMAGES:
            return seen
        later = np.flatnonzero(times > 0)
        frames = seen.frames.copy()
        spoilt = damage(frames[later], fault.kind, fault.severity, np.random.default_rng(fault.seed))
        frames[later] = spoilt.frames
        if fault.kind != "jitter":
            return Seen(frames, seen.person, seen.face, seen.landmarks, seen.anchors)
        shift = np.zeros((len(times), 2), np.float32)
        shift[later] = spoilt.shift
        # The anchors stay where the performance puts them: they are what is asked for, the jitter is the fault.
        return Seen(
            frames,
            move(seen.person, shift),
            move(seen.face, shift),
            seen.landmarks + shift[None, :, None],
            seen.anchors,
        )


def make_take(
    seed: int,
    split: str,
    assets: Path,
    size: int | tuple[int, int] = 128,
    people: int | None = None,
    identity: int | None = None,
    least_frames: int = LEAST_FRAMES,
    faultless: bool = False,
    close: bool = False,
    conversation: bool = False,
) -> Take:
    """Draw a take from `seed`.

    split: "train" or "test"; people, voices and backdrops of the two never meet.  size: (height, width) or
    one side.  people: 1 to 3, drawn if None.  identity: seed of the person who speaks; takes that share it
    share the person.  least_frames: length of the timeline, at least.  faultless: never damaged.  close: people hide
    parts of each other.  conversation: everybody speaks, in turns or at once.  Raises UserError where `assets` lacks
    the raw material.
    """
    rng = np.random.default_rng([seed, 1])
    count = int(rng.choice(3, p=PEOPLE_SHARES)) + 1
    fault = _draw_fault(rng, seed)
    count, fault = people or count, None if faultless else fault
    identity = held_apart(derive_seed("identity", seed) if identity is None else identity, split)
    others = [held_apart(derive_seed("other", identity, k), split) for k in range(1, count)]
    cast = [_person(who, str(assets)) for who in (identity, *others)]
    utterance = _spoken(derive_seed("sound", seed), split, least_frames)
    frames = len(utterance.audio) // SAMPLES_PER_FRAME
    shots = direct(frames, rng)
    placements = _placements(count, rng, close)
    spoken = [utterance, *(_other_voice(seed, k, split, frames, conversation) for k in range(1, count))]
    if conversation:
        spoken = _in_turns(spoken, np.random.default_rng([seed, 3]))
    camera: NDArray[np.float32] | None = None
    roles = []
    for k, (person, place, said) in enumerate(zip(cast, placements, spoken, strict=True)):
        style = np.random.default_rng([seed, 2, k])
        played = direct_listener(shots, rng) if k else shots
        listens = k > 0 and said.kind == "silent"
        prosody = Prosody.silence(frames) if listens else prosody_from_energy(said.audio, frames)
        performance = perform(played, prosody, derive_seed("motion", seed, k))
        camera = performance.camera if camera is None else camera
        performance = _seen_by(camera, performance)
        face = expression_track(said, frames, performance, style)
        roles.append(_role(person, performance, said, face, place, style))
    height, width = (size, size) if isinstance(size, int) else size
    rest = [role.pose(0) for role in roles]
    background = held_apart(derive_seed("background", seed), split)
    look = random_look(rest, placements, derive_seed("look", seed), background, aspect=width / height)
    # The camera orbits the head centres, as motion.face has it, not the middle of the faces in front of them.
    look = replace(look, framing=replace(look.framing, target=(*look.framing.target[:2], 0.0)))
    scene = Scene(cast, rest, placements, look, (height, width))
    if fault and fault.kind in ("frozen", "frozen_lips"):
        roles[0] = _frozen(roles[0], fault)
    return Take(seed, split, identity, tuple(roles), shots, scene, fault)


def held_apart(seed: int, split: str) -> int:
    """The seed of a person or backdrop near `seed` that belongs to the split: seed % 10 == 9 is kept for testing."""
    tens = seed // 10 * 10
    return tens + 9 if split == "test" else tens + seed // 10 % 9


def mouth_opening(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T,) gap of the inner lips over the distance of the outer eye corners, for (T, 68, D) landmarks."""
    gap = np.linalg.norm(landmarks[:, [61, 62, 63]] - landmarks[:, [67, 66, 65]], axis=-1).mean(1)
    return gap / np.linalg.norm(landmarks[:, 36] - landmarks[:, 45], axis=-1)


@lru_cache(maxsize=6)
def _person(identity: int, assets: str) -> Person:
    return make_person(identity, Path(assets))


def _spoken(seed: int, split: str, least_frames: int) -> Utterance:
    """What is said in whole frames, at least so many: up to 8 s, or just the length of a longer timeline."""
    least = least_frames / FPS
    utterance = utterance_for(seed, least, max(least, LONGEST_SECONDS), split)
    frames = max(least_frames, len(utterance.audio) // SAMPLES_PER_FRAME)
    audio = utterance.audio[: frames * SAMPLES_PER_FRAME]
    return replace(utterance, audio=np.pad(audio, (0, frames * SAMPLES_PER_FRAME - len(audio))))


def _draw_fault(rng: np.random.Generator, seed: int) -> Fault | None:
    kind, severity = str(rng.choice(DAMAGES)), round(float(rng.uniform(0.25, 1.0)), 2)
    return Fault(kind, severity, derive_seed("fault", seed)) if rng.random() < DAMAGED_SHARE else None


def _other_voice(seed: int, k: int, split: str, frames: int, conversation: bool) -> Utterance:
    """What the k-th person says, in `frames` frames: something in a conversation, else nothing."""
    samples = frames * SAMPLES_PER_FRAME
    if not conversation:
        silence = np.zeros(samples, np.float32)
        return Utterance(silence, (), np.zeros(0, np.float32), "", "", "", "silent")
    said = _spoken(derive_seed("sound", seed, k), split, frames)
    return replace(said, audio=said.audio[:samples])


def _in_turns(spoken: list[Utterance], rng: np.random.Generator) -> list[Utterance]:
    """The same utterances, half of the time one after another in any order, else at once as they are."""
    if rng.random() < 0.5:
        return spoken
    turn, order = spoken[0].seconds / len(spoken), rng.permutation(len(spoken))
    return [only(said, turn * place, turn * (place + 1)) for said, place in zip(spoken, order.tolist(), strict=True)]


def only(said: Utterance, start: float, stop: float) -> Utterance:
    """An utterance that keeps silent but from `start` to `stop` seconds."""
    fade = 0.01
    time = np.arange(len(said.audio)) / SAMPLE_RATE
    audio = said.audio * np.clip(np.minimum(time - start, stop - time) / fade, 0, 1).astype(np.float32)
    heard = [(max(a, start), min(b, stop), phone) for a, b, phone in said.phonemes if b > start and a < stop]
    phones = ((0.0, start, PAUSE), *heard, (stop, said.seconds, PAUSE))
    moments = np.arange(len(said.loudness)) / 100
    loudness = said.loudness * ((moments >= start) & (moments < stop))
    phonemes = tuple(phone for phone in phones if phone[1] > phone[0])
    return replace(said, audio=audio, phonemes=phonemes, loudness=loudness.astype(np.float32))


def _seen_by(camera: NDArray[np.float32], performance: Performance) -> Performance:
    """The performance before the camera (F, 6) of the take, to which the eyes turn as they did to their own."""
    turned = (performance.camera - camera)[:, 4:6]
    return replace(performance, camera=camera, gaze=performance.gaze + turned)


def _placements(count: int, rng: np.random.Generator, close: bool) -> tuple[Placement, ...]:
    """Where people stand, the one who speaks anywhere among them; one alone is turned a little."""
    if count > 1:
        places = random_placements(count, rng, close)
        return tuple(places[k] for k in rng.permutation(count))
    return (Placement(yaw=float(np.clip(rng.normal(0.0, 0.12), -0.3, 0.3))),)


def _role(
    person: Person,
    performance: Performance,
    utterance: Utterance,
    expressions: NDArray[np.float32],
    place: Placement,
    rng: np.random.Generator,
) -> Role:
    """A person with a bearing: the pose of the reference image, on which the performance builds."""
    bearing = np.clip(rng.normal(0.0, 1.0, 3), -2, 2) * (0.06, 0.05, 0.04)
    # The head comes half-way back from the turn of the body, and the eyes go all the way to the camera.
    yaw, pitch, roll = bearing - (0.5 * place.yaw, 0.0, 0.0)
    base = head_rotation(yaw, pitch, roll)
    turns = base @ head_rotation(*performance.head[:, :3].T)
    heads = performance.head.copy()
    heads[:, :3] = [rotation_angles(turn) for turn in turns]
    gaze = performance.gaze - np.array([yaw + place.yaw, pitch], np.float32)
    # Some reference images show a smile or parted lips, as people's pictures do.
    caught = caught_emotion(rng) if rng.random() < CAUGHT_SHARE else None
    if caught is not None:
        expressions = _settled(expressions, caught_expression(*caught, rng))
    opening = mouth_opening(person.landmarks(expressions, np.zeros((len(heads), 6), np.float32)))
    visemes = viseme_track(utterance.phonemes, len(heads))
    return Role(person, performance, utterance, expressions, heads, gaze.astype(np.float32), visemes, opening, caught)


def _settled(expressions: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """The expressions (F, 53) of a face that leaves that of the reference, (53,), as it settles."""
    left = 1 - smoothstep(np.arange(len(expressions)) / SETTLE_FRAMES).astype(np.float32)[:, None]
    return expressions + left * (first - expressions)


def _frozen(role: Role, fault: Fault) -> Role:
    """The expression (or the mouth alone) held from a moment in the first second on."""
    hold = int(np.random.default_rng(fault.seed).integers(4, 20))
    expressions = role.expressions.copy()
    columns = _MOUTH if fault.kind == "frozen_lips" else np.ones_like(_MOUTH)
    expressions[hold:, columns] = expressions[hold, columns]
    return replace(role, expressions=expressions)


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
