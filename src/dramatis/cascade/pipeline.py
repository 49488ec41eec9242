"""The cascade from top to bottom, in the order of the report's section 3.1.

A `Storyline` and the files it names go in, an mp4 comes out. Every stage reads and writes artifacts; a run that was
killed goes on where it stopped, and its result equals an undisturbed one bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dramatis.backbones.base import Backbone, one_thread
from dramatis.backbones.profile import Profile
from dramatis.cascade.blueprint import make_blueprint
from dramatis.cascade.clips import plan_clips
from dramatis.cascade.compose import compose
from dramatis.cascade.context import Set, Work
from dramatis.cascade.keyframes import choose_keyframes, upscale_keyframes
from dramatis.cascade.material import Material, Role
from dramatis.cascade.plan import clips_from_keyframes, plan_cascade
from dramatis.cascade.prompts import every_prompt
from dramatis.cascade.super_resolution import plan_super_resolution
from dramatis.cascade.tone_curve import lift_for, lifted
from dramatis.cascade.transitions import plan_transitions
from dramatis.errors import UserError
from dramatis.media.image import Pictures, fit_picture, fitted_box, load_image
from dramatis.models.perception import Sight, interocular, look
from dramatis.models.pictures import to_tensor
from dramatis.motion.face import HeadFit, fit_head
from dramatis.motion.performance import Performance, perform
from dramatis.motion.prosody import Prosody
from dramatis.runtime.executor import Executor
from dramatis.runtime.files import hash_file
from dramatis.runtime.progress import NullReporter, Reporter, Stage
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing.people import Eye, Face, find_faces
from dramatis.story.storyline import Character, Storyline

FACE_THRESHOLD = 0.5
WORST_FIT = 0.03
"""Error of the canonical head on the landmarks, in head heights: faces stay below 0.02, other things do not."""
SMALLEST_FACE = 0.10
"""Interocular distance over picture height below which the mini cannot shape a mouth."""


@dataclass(frozen=True)
class Film:
    """A finished video: where it lies, and what it was made from."""

    video: Path
    sheet: Path
    storyline: Storyline
    keyframes: tuple[int, ...]


def film(
    storyline: Storyline,
    prosodies: Sequence[Prosody],
    backbone: Backbone,
    store: ArtifactStore,
    executor: Executor,
    out: Path,
    reporter: Reporter | None = None,
) -> Film:
    """Make the video that the storyline describes.

    prosodies: the rhythm of every voice of the storyline's cast, one value a frame, as the hearing sense measured it.
    Raises UserError for input files that cannot be used, before a large network loads.
    """
    one_thread()  # hearing and seeing, too, must not depend on how many cores there are
    stage = prepare(storyline, prosodies, backbone, store, executor, reporter or NullReporter())

    blueprint = make_blueprint(stage)
    chosen = choose_keyframes(stage, blueprint)
    keyframes = upscale_keyframes(stage, blueprint, chosen)
    clips = clips_from_keyframes(stage.plan, chosen)
    filmed = plan_clips(stage, clips, keyframes)
    transitions = plan_transitions(stage, clips, filmed)
    anchors, enlarged = plan_super_resolution(stage, clips, filmed, transitions, keyframes)
    made = stage.make(in_order(filmed, transitions.values(), anchors, enlarged))
    compose(stage, clips, [work.key for work in enlarged], made, Path(storyline.audio), out)
    return Film(out, out.with_suffix(".sheet.png"), storyline, chosen)


def in_order(*stages: Iterable[Work]) -> list[Work]:
    """The work of several stages, each piece as early as what it needs allows: finished seconds come early."""
    pieces = {work.key: work for stage in stages for work in stage}
    out: dict[str, Work] = {}

    def place(work: Work) -> None:
        for key in work.after:
            if key not in out:
                place(pieces[key])
        out.setdefault(work.key, work)

    for work in list(stages[-1]):
        place(work)
    return list(out.values())


def prepare(
    storyline: Storyline,
    prosodies: Sequence[Prosody],
    backbone: Backbone,
    store: ArtifactStore,
    executor: Executor,
    reporter: Reporter,
) -> Set:
    """Plan the geometry, make the material (picture, features, performance, head), and have the prompts read."""
    plan = plan_cascade(storyline, backbone.profile.geometry)
    material = make_material(storyline, perform_cast(storyline, prosodies), backbone, store, reporter)
    filming = backbone.for_job(every_prompt(storyline, plan), store, reporter)
    return Set(storyline, plan, material, filming, store, executor, reporter)


def perform_cast(storyline: Storyline, prosodies: Sequence[Prosody]) -> list[Performance]:
    """What each of the cast does, by the rhythm of their voices; one camera for all."""
    return [
        perform(storyline.shots_of(character.name), prosody, storyline.seed, place)
        for place, (character, prosody) in enumerate(zip(storyline.cast, prosodies, strict=True))
    ]


def make_material(
    storyline: Storyline,
    performances: Sequence[Performance],
    backbone: Backbone,
    store: ArtifactStore,
    reporter: Reporter,
) -> Material:
    """The job's inputs as the networks take them; hearing is kept as an artifact."""
    portrait = reference_picture(Path(storyline.image), storyline.width, storyline.height)
    reference = reference_picture(Path(storyline.image), *low_size(storyline, backbone.profile))
    heads = fit_cast(storyline, backbone, reference)
    roles = []
    with Stage(reporter, "hearing", len(heads)) as progress:
        for character, performance, head in zip(storyline.cast, performances, heads, strict=True):
            features, openings = _heard(storyline, character, backbone, store)
            roles.append(Role(features, openings, performance, head))
            progress.advance(detail=character.name)
    lift = lift_for(reference, heads, backbone.profile.face_tone) if len(heads) > 1 else 1.0
    pictures = lifted(portrait, lift), lifted(reference, lift)
    return Material(*pictures, tuple(roles), backbone.profile.audio_context, lift)


def _heard(
    storyline: Storyline, character: Character, backbone: Backbone, store: ArtifactStore
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """What the video network hears of one character, and how far that opens the mouth."""
    voice = storyline.voice_of(character.name)
    spans = None if voice.spans is None else [[span.start, span.stop] for span in voice.spans]
    key = store.key(
        {
            "stage": "hearing",
            "audio": hash_file(voice.path),
            "frames": storyline.frames,
            **({} if spans is None else {"spans": spans}),
            **backbone.identity,
        }
    )

    def listen() -> dict[str, Any]:
        features, openings = backbone.hear(Path(voice.path), storyline.frames, voice.spans)
        return {"features": features, "openings": openings.astype(np.float32)}

    heard = store.fetch(key, listen)
    features, openings = heard["features"], heard["openings"]
    assert isinstance(features, np.ndarray) and isinstance(openings, np.ndarray)
    return features, openings


def fit_cast(storyline: Storyline, backbone: Backbone, reference: Pictures) -> list[HeadFit]:
    """The head of everybody whom the storyline films, in pixels of a reference; UserError where a face cannot be
    used."""
    cast = storyline.cast
    if cast[0].face is None:
        seen = [find_face(backbone, reference, storyline.image).landmarks]
    else:
        seen = [face.landmarks for face in _find_all(backbone, reference, cast, storyline.image)]
    try:
        return [fit_head(landmarks) for landmarks in seen]
    except ValueError as error:
        raise no_face(storyline.image) from error


def _find_all(backbone: Backbone, reference: Pictures, cast: Sequence[Character], name: str) -> list[Face]:
    """The faces in the characters' boxes."""
    shape, size = load_image(Path(name)).size, reference.shape[1::-1]
    boxes = [fitted_box(character.face, shape, size) for character in cast if character.face is not None]
    out = []
    for character, face in zip(cast, find_faces(Eye(backbone.eye), reference, boxes), strict=True):
        if face is None:
            raise UserError(
                f"{name}: no face was found in the box of {character.name!r}; see who is where with "
                f"`dramatis characters {name}`, and correct the box."
            )
        if interocular(face.landmarks) < SMALLEST_FACE * min(reference.shape[:2]):
            raise UserError(
                f"{name}: the face of {character.name!r} is too small to be animated; crop the picture closer to the "
                "people."
            )
        out.append(face)
    return out


def low_size(storyline: Storyline, profile: Profile) -> tuple[int, int]:
    """(width, height) of the low-resolution frames; UserError for a size that the model cannot film."""
    unit = profile.scale * profile.multiple
    if storyline.width % unit or storyline.height % unit:
        raise UserError(
            f"the storyline's size {storyline.width}x{storyline.height} does not fit the model {profile.name!r}; "
            f"write a width and a height that are multiples of {unit}."
        )
    return storyline.width // profile.scale, storyline.height // profile.scale


def reference_picture(path: Path, width: int, height: int) -> np.ndarray:
    """The reference image at a size, (H, W, 3) uint8."""
    return fit_picture(load_image(path), (width, height))


def find_face(backbone: Backbone, reference: np.ndarray, name: str) -> Sight:
    """Look at the reference with the small perception network; UserError when there is no usable face."""
    sight = look(backbone.eye, to_tensor(reference[None])[0].transpose(0, 1))[0]
    if sight.face < FACE_THRESHOLD or not _shaped_like_a_face(sight):
        raise no_face(name)
    if sight.interocular < SMALLEST_FACE * min(reference.shape[:2]):
        raise UserError(f"{name}: the face is too small to be animated; crop the picture to head and shoulders.")
    return sight


def no_face(name: str) -> UserError:
    """The refusal of a picture without a usable face."""
    return UserError(f"{name}: no face was found in this picture; give a portrait that shows one face from the front.")


def _shaped_like_a_face(sight: Sight) -> bool:
    """Whether a head fits the landmarks: what the network places on a plain wall does not look like one."""
    try:
        return fit_head(sight.landmarks).error < WORST_FIT
    except ValueError:
        return False
