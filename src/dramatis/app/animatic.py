"""The animatic of a storyline as an mp4: watched, changed and watched again before anything is filmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.app.checks import check_sound
from dramatis.backbones.speech_features import encode_speech, heard_mouth
from dramatis.cascade.acting import PortraitFilm
from dramatis.cascade.preparation import cast_mouths, cast_people, perform_cast, portrait_cast
from dramatis.media.files import check_output
from dramatis.media.video import VideoWriter
from dramatis.models.loading import load_model
from dramatis.models.speech import SpeechEncoder
from dramatis.runtime.ahead import work_ahead
from dramatis.runtime.progress import NullReporter, Reporter, StageProgress
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.own_eye import WEIGHTS
from dramatis.senses.seeing.picture_file import open_picture
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Storyline

SPEECH_ENCODER = WEIGHTS.parent / "speech_encoder"
"""The mini's, whatever model will film: no other network is needed."""
ANIMATIC_SIDE = 512
"""Shorter side of an animatic, px, unless the portrait is smaller."""


def film_animatic(
    storyline: Storyline,
    output: Path,
    observations: AudioObservations | None = None,
    side: int = ANIMATIC_SIDE,
    reporter: Reporter | None = None,
) -> Path:
    """Play a storyline as the articulated portrait alone, with its sound, into an mp4.

    observations: what was heard when it was planned, else the sound is heard again. The mouths follow the mini's speech
    encoder, whatever model will film. Raises UserError for inputs that cannot be used, before anything is written.
    """
    check_output(output)
    check_sound(storyline)
    picture = open_picture(storyline.image)
    size = animatic_size((storyline.width, storyline.height), picture.size, side)
    cast = portrait_cast(picture.fitted(size), cast_people(storyline, size))
    performances = tuple(perform_cast(storyline, prosodies(storyline, observations)))
    film = PortraitFilm(cast, cast_mouths(cast, _mouth_shapes(storyline)), performances)
    with (
        VideoWriter(output, size, audio=storyline.audio) as writer,
        StageProgress(reporter or NullReporter(), "animatic", storyline.frames) as stage,
    ):
        for _ in work_ahead(writer.write, film):
            stage.advance()
    return output


def _mouth_shapes(storyline: Storyline) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """What everybody's voice asks of their mouth."""
    encoder, shapes = load_model(SpeechEncoder, SPEECH_ENCODER), []
    for character in storyline.cast:
        voice = storyline.voice_of(character.name)
        features, _ = encode_speech(encoder, Path(voice.path), storyline.frames, voice.spans)
        shapes.append(heard_mouth(encoder, features))
    return shapes


def animatic_size(video: tuple[int, int], picture: tuple[int, int], side: int) -> tuple[int, int]:
    """(width, height) in the proportions of the video, with a shorter side of `side` px or what the picture has."""
    scale = min(side / min(video), max(1.0, min(whole / part for whole, part in zip(picture, video, strict=True))))
    width, height = (2 * round(extent * scale / 2) for extent in video)
    return width, height
