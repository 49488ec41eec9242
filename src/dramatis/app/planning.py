"""From a request to a storyline: the senses observe picture and sound, and the director plans.

What a user can get wrong is checked here before any network of the video model loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dramatis.app.captions import spoken_lines
from dramatis.app.casting import assign_people, characters_of, check_filmed, find_group, roles_by_size
from dramatis.app.llm_experts import experts_from_options
from dramatis.app.preview import thumbnails
from dramatis.app.requests import CharacterRequest, PlanRequest
from dramatis.app.storyline_files import write_storyline
from dramatis.app.storyline_page import storyline_page
from dramatis.app.video_size import VideoSize
from dramatis.app.voices import check_voices, mix_tracks, observe_voices
from dramatis.backbones.base import Backbone
from dramatis.backbones.profile import Profile
from dramatis.director import check_prompt, direct
from dramatis.errors import UserError
from dramatis.media import audio as sound
from dramatis.media.image import choose_size
from dramatis.media.subtitles import read_subtitles, to_srt, to_vtt
from dramatis.runtime.files import write_whole
from dramatis.senses.hearing.listening import observe_audio
from dramatis.senses.hearing.whisper import Whisper
from dramatis.senses.hearing.words import Recogniser
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.story.observations import AudioObservations, PictureObservations
from dramatis.story.storyline import Character, Storyline
from dramatis.story.values import AUDIO_RATE


@dataclass(frozen=True)
class Plan:
    """A storyline and what was heard for it.

    files: those that were written while planning, the mixed tracks. notes: what was decided for the user, in words.
    """

    storyline: Storyline
    observations: AudioObservations
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Observed:
    """The inputs, observed.

    audio: the sound of the video; size: its width and height; characters: those whom the user named, and everybody
    else in the picture; files: what was written; notes: what was decided for the user, in words.
    """

    audio: Path
    heard: AudioObservations
    seen: PictureObservations
    size: tuple[int, int]
    characters: tuple[Character, ...] = ()
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def plan_storyline(request: PlanRequest, backbone: Backbone) -> Plan:
    """Observe the inputs of a request and have the director write a storyline for the backbone.

    Where characters have tracks of their own, these are mixed into a file named after the request's output
    (.voices.wav). Raises UserError for inputs that cannot be used; where it is not clear who is meant, after drawing
    the picture with numbers (.people.png).
    """
    check_prompt(request.prompt)
    recogniser = Whisper(request.recogniser) if request.recogniser else None
    experts = experts_from_options(request.llm, request.llm_model, request.llm_experts, request.image, request.audio)
    picture = open_picture(request.image)
    if request.characters:
        observed = _observe_group(request, backbone, recogniser, picture)
    else:
        observed = _observe_unnamed(request, backbone, recogniser, picture)
    storyline = direct(
        observed.heard,
        request.prompt,
        request.seed,
        image=str(request.image),
        audio=str(observed.audio),
        width=observed.size[0],
        height=observed.size[1],
        seen=observed.seen,
        llm_experts=experts,
        characters=observed.characters,
    )
    if request.negative_prompt:
        negative = ", ".join(part for part in (storyline.negative, request.negative_prompt) if part)
        storyline = storyline.model_copy(update={"negative": negative})
    return Plan(storyline, observed.heard, observed.files, (*person_finder().notes(), *observed.notes))


def _observe_unnamed(
    request: PlanRequest, backbone: Backbone, recogniser: Recogniser | None, picture: PictureFile
) -> _Observed:
    """A picture in which nobody is named: one person, or whoever is by far the largest, speaks."""
    if request.audio is None:
        raise UserError("There is no voice; give --audio, or --character with a track of its own.")
    roles = roles_by_size(person_finder().faces(picture))
    if roles.unclear:
        raise UserError(
            f"{picture.path}: {roles.people} people can be seen; say who is who and which voice belongs to whom "
            f"with --character, which `dramatis characters {picture.path}` helps with."
        )
    if not roles.listeners:
        observed = _observe_portrait(request, request.audio, backbone, recogniser, picture)
    else:
        speaker = CharacterRequest(f"person {roles.number + 1}", at=str(roles.number + 1))
        observed = _observe_group(replace(request, characters=(speaker,)), backbone, recogniser, picture, roles.cast)
    return replace(observed, notes=roles.notes(picture.path))


def _observe_portrait(
    request: PlanRequest, audio: Path, backbone: Backbone, recogniser: Recogniser | None, picture: PictureFile
) -> _Observed:
    """One person, whoever speaks."""
    info = sound.probe(audio)
    cues = read_subtitles(request.subtitles) if request.subtitles else ()
    seen, size = _see_portrait(request, picture, backbone.profile)
    heard = observe_audio(
        lambda: sound.stream(audio, AUDIO_RATE),
        info.frames,
        cues=cues,
        transcribe=request.transcribe,
        recogniser=recogniser,
    )
    return _Observed(audio, heard, seen, size)


def _observe_group(
    request: PlanRequest,
    backbone: Backbone,
    recogniser: Recogniser | None,
    picture: PictureFile,
    chosen: Sequence[int] | None = None,
) -> _Observed:
    """Everybody in a picture, or those chosen: who is named has a voice, the others listen."""
    voices = check_voices(request.characters, request.audio, request.subtitles)
    group = find_group(picture, chosen)
    people = assign_people(request.characters, group, request.output.with_suffix(".people.png"))
    characters = characters_of(request.characters, people, group)
    backbone.check_cast(len(characters))
    if len(characters) == 1:
        seen, size = _see_portrait(request, picture, backbone.profile)
    else:
        seen = person_finder().describe_group(picture)
        size = frame_size(backbone.profile, picture.size, len(group.people), request.size)
        check_filmed(characters, group, size)
    whole = mix_tracks(voices, request.output.with_suffix(".voices.wav"))
    tracks = {name: str(info.path) for name, info in voices.tracks.items()}
    characters = tuple(character.model_copy(update={"audio": tracks.get(character.name)}) for character in characters)
    heard = observe_voices(voices, whole, request.transcribe, recogniser)
    return _Observed(whole.path, heard, seen, size, characters, () if voices.whole else (whole.path,))


def _see_portrait(
    request: PlanRequest, picture: PictureFile, profile: Profile
) -> tuple[PictureObservations, tuple[int, int]]:
    """What a portrait shows, and the size (width, height) of a video of it."""
    size = frame_size(profile, picture.size, asked=request.size)
    return person_finder().describe_portrait(picture, size), size


def frame_size(
    profile: Profile, picture: tuple[int, int], people: int = 1, asked: VideoSize | None = None
) -> tuple[int, int]:
    """The size (width, height) of a video of a picture of that size.

    asked: what the user wants. Raises UserError for a model that films at its own size.
    """
    if profile.framing.target_interocular_px is not None:
        return (asked or VideoSize()).of(picture, people)
    if asked is not None:
        raise UserError(f"The model {profile.name!r} films at a size of its own; leave --size out.")
    low = choose_size(*picture, profile.area_of(people), profile.low.size_multiple, people)
    return low[0] * profile.scale, low[1] * profile.scale


def write_plan(plan: Plan, path: Path) -> tuple[Path, ...]:
    """Save a plan's storyline; beside it a page to look at, and captions where words are known. All their paths."""
    write_storyline(plan.storyline, path)
    page = path.with_suffix(".html")
    pictures = thumbnails(plan.storyline, plan.observations)
    write_whole(page, storyline_page(plan.storyline, plan.observations, pictures))
    if not plan.observations.words:
        return path, page
    lines = spoken_lines(plan.storyline, plan.observations)
    subtitles = path.with_suffix(".srt"), path.with_suffix(".vtt")
    write_whole(subtitles[0], to_srt(lines))
    write_whole(subtitles[1], to_vtt(lines))
    return path, page, *subtitles
