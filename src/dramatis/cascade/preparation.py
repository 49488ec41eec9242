"""What comes before the stages: a storyline and the files it names become everything that the stages read.

The picture is read and its heads are fitted, every voice is encoded, the cast performs, and the prompts are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dramatis.backbones.base import Backbone
from dramatis.backbones.profile import Profile
from dramatis.cascade.acting import PortraitCast, PortraitFilm
from dramatis.cascade.context import JobContext
from dramatis.cascade.film_window import FilmWindow, film_window
from dramatis.cascade.plan import plan_cascade
from dramatis.cascade.prompts import every_prompt
from dramatis.cascade.render_inputs import CharacterInputs, RenderInputs
from dramatis.cascade.tone_curve import brighten, gamma_for
from dramatis.cascade.whole_frame import WholeFrame
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.motion.articulation import articulation_weights
from dramatis.motion.face import HeadFit, fit_head
from dramatis.motion.performance import Performance, perform
from dramatis.motion.prosody import Prosody
from dramatis.runtime.executor import Executor
from dramatis.runtime.files import hash_file
from dramatis.runtime.progress import Reporter, StageProgress
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.people import DetectedPerson
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.senses.seeing.refusals import is_large_enough
from dramatis.story.storyline import Character, Storyline


def prepare(
    storyline: Storyline,
    prosodies: Sequence[Prosody],
    backbone: Backbone,
    store: ArtifactStore,
    executor: Executor,
    reporter: Reporter,
) -> JobContext:
    """Plan the geometry, make what the networks take (pictures, features, performances, heads), read the prompts."""
    plan = plan_cascade(storyline, backbone.profile.geometry)
    inputs = make_render_inputs(storyline, perform_cast(storyline, prosodies), backbone, store, reporter)
    backbone = backbone.for_job(every_prompt(storyline, plan), store, reporter)
    return JobContext(storyline, plan, inputs, backbone, store, executor, reporter)


def perform_cast(storyline: Storyline, prosodies: Sequence[Prosody]) -> list[Performance]:
    """What everybody in the cast does, each by the rhythm of their voice; all are seen by one camera."""
    return [
        perform(storyline.shots_of(character.name), prosody, storyline.seed, index)
        for index, (character, prosody) in enumerate(zip(storyline.cast, prosodies, strict=True))
    ]


def make_render_inputs(
    storyline: Storyline,
    performances: Sequence[Performance],
    backbone: Backbone,
    store: ArtifactStore,
    reporter: Reporter,
) -> RenderInputs:
    """The job's inputs as the networks take them; what was seen and heard is kept as artifacts."""
    size, scale = (storyline.width, storyline.height), backbone.profile.scale
    portrait = open_picture(storyline.image).fitted(size)
    people = cast_people(storyline, size, store)
    heads = [fit_head(person.landmarks) for person in people]
    window = window_of(storyline, heads, backbone.profile)
    high, low = window.cut(portrait, scale), window.cut(portrait)
    low_heads = [window.head(head) for head in heads]
    gamma = gamma_for(low, low_heads, backbone.profile.framing.face_tone) if len(heads) > 1 else 1.0
    heard = _hear_cast(storyline, backbone, store, reporter)
    characters = tuple(
        CharacterInputs(features, openings, performance, head)
        for (features, openings), performance, head in zip(heard, performances, low_heads, strict=True)
    )
    inputs = RenderInputs(
        portrait=brighten(high, gamma),
        reference=brighten(low, gamma),
        characters=characters,
        context=backbone.profile.audio_context,
        gamma=gamma,
    )
    if backbone.profile.framing.target_interocular_px is None:
        return inputs
    return _with_acting(inputs, portrait_cast(portrait, people), window, backbone)


def _with_acting(inputs: RenderInputs, cast: PortraitCast, window: FilmWindow, backbone: Backbone) -> RenderInputs:
    """The inputs of a window in which the portrait acts, and which is set into the whole frame, `cast`, at the end."""
    mouths = cast_mouths(cast, [backbone.mouth_shapes(character.features) for character in inputs.characters])
    performances = tuple(character.performance for character in inputs.characters)
    filmed = tuple(performance.framed_still() for performance in performances)
    scale = backbone.profile.scale
    faces = tuple(window.face(face, scale) for face in cast.faces)
    matte = None if cast.matte is None else window.cut(cast.matte, scale)
    return replace(
        inputs,
        characters=tuple(
            replace(character, performance=performance)
            for character, performance in zip(inputs.characters, filmed, strict=True)
        ),
        film=PortraitFilm(PortraitCast(inputs.portrait, faces, matte), mouths, filmed),
        whole=WholeFrame(PortraitFilm(cast, mouths, performances), window),
    )


def portrait_cast(portrait: Pictures, people: Sequence[DetectedPerson]) -> PortraitCast:
    """A portrait (H, W, 3) and the people of the cast, as seen in it."""
    faces = tuple(Face(person.landmarks, person.score, person.eye, person.contours) for person in people)
    return PortraitCast(portrait, faces, person_finder().matte(portrait, faces))


def cast_mouths(
    cast: PortraitCast, shapes: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]]
) -> NDArray[np.float32]:
    """(P, N, 11) how everybody's mouth moves. shapes: `Backbone.mouth_shapes` of everybody's voice."""
    return np.stack(
        [
            articulation_weights(visemes, openings, face.mouth_at_rest())
            for (visemes, openings), face in zip(shapes, cast.articulated, strict=True)
        ]
    )


def _hear_cast(
    storyline: Storyline, backbone: Backbone, store: ArtifactStore, reporter: Reporter
) -> list[tuple[NDArray[np.float16], NDArray[np.float32]]]:
    """Features and openings of everybody in the cast."""
    heard = []
    with StageProgress(reporter, "hearing", len(storyline.cast)) as progress:
        for character in storyline.cast:
            heard.append(_encoded_speech(storyline, character, backbone, store))
            progress.advance(detail=character.name)
    return heard


def _encoded_speech(
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

    def encode() -> dict[str, Any]:
        features, openings = backbone.encode_speech(Path(voice.path), storyline.frames, voice.spans)
        return {"features": features, "openings": openings.astype(np.float32)}

    encoded = store.fetch(key, encode)
    features, openings = encoded["features"], encoded["openings"]
    assert isinstance(features, np.ndarray)
    assert isinstance(openings, np.ndarray)
    return features, openings


def fit_heads(storyline: Storyline, size: tuple[int, int], store: ArtifactStore | None = None) -> list[HeadFit]:
    """The head of everybody in the cast, in pixels of the picture fitted to `size` (width, height).

    store: keeps what was seen. Raises UserError where a face cannot be used.
    """
    return [fit_head(person.landmarks) for person in cast_people(storyline, size, store)]


def cast_people(
    storyline: Storyline, size: tuple[int, int], store: ArtifactStore | None = None
) -> Sequence[DetectedPerson]:
    """Everybody in the cast as seen in the picture fitted to `size` (width, height), in its pixels. See `fit_heads`."""
    picture = open_picture(storyline.image)
    if storyline.cast[0].face is None:
        return [person_finder().portrait(picture, size, store)]
    return _people_in_boxes(storyline.cast, picture, size, store)


def window_of(storyline: Storyline, heads: Sequence[HeadFit], profile: Profile) -> FilmWindow:
    """What the networks film. heads: in pixels of the storyline's size. UserError for a size that does not fit."""
    if profile.framing.target_interocular_px is None:
        unit = profile.scale * profile.low.size_multiple
        if storyline.width % unit or storyline.height % unit:
            raise UserError(
                f"The storyline's size {storyline.width}x{storyline.height} does not fit the model {profile.name!r}; "
                f"write a width and a height that are multiples of {unit}."
            )
    return film_window(heads, (storyline.width, storyline.height), profile)


def _people_in_boxes(
    cast: Sequence[Character], picture: PictureFile, size: tuple[int, int], store: ArtifactStore | None
) -> list[DetectedPerson]:
    """The people in the characters' boxes."""
    boxes = [character.face for character in cast if character.face is not None]
    people = []
    for character, person in zip(cast, person_finder().in_boxes(picture, size, boxes, store), strict=True):
        if person is None:
            raise UserError(
                f"{picture.path}: no face was found in the box of {character.name!r}; see who is where with "
                f"`dramatis characters {picture.path}`, and correct the box."
            )
        if not is_large_enough(person, size):
            raise UserError(
                f"{picture.path}: the face of {character.name!r} is too small to be animated; "
                "crop the picture closer to the people."
            )
        people.append(person)
    return people


def reference_picture(path: Path, width: int, height: int) -> Pictures:
    """The reference image at a size, (H, W, 3) uint8."""
    return open_picture(path).fitted((width, height))
