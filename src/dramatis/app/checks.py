"""What a user can get wrong about a storyline and its output, checked before anything is written or filmed."""

from __future__ import annotations

from pathlib import Path

from dramatis.app.voices import TRACK_TAIL_SECONDS
from dramatis.backbones.base import Backbone
from dramatis.cascade.preparation import fit_heads, window_of
from dramatis.errors import UserError
from dramatis.media import audio as sound
from dramatis.media.files import check_disk, check_output, estimate_disk
from dramatis.runtime.store import ArtifactStore
from dramatis.story.storyline import Storyline


def check_storyline(storyline: Storyline, backbone: Backbone, output: Path, store: ArtifactStore | None = None) -> None:
    """Whether the backbone can film a storyline into `output` on this computer; no large network loads.

    store: of a job that was begun before, which may know the faces. Raises UserError.
    """
    check_output(output)
    check_sound(storyline)
    profile, size = backbone.profile, (storyline.width, storyline.height)
    filmed = profile.filmed_area(size, len(storyline.cast)) * profile.scale**2
    check_disk(output.parent, estimate_disk(storyline.frames, filmed))
    backbone.check_cast(len(storyline.cast))
    backbone.check_machine()
    window_of(storyline, fit_heads(storyline, size, store), profile)


def check_sound(storyline: Storyline) -> None:
    """Whether the sound is the one that was planned for, and everybody's own track belongs to it. Raises UserError."""
    info = sound.probe(storyline.audio)
    if info.frames != storyline.frames:
        raise UserError(
            f"{storyline.audio}: it lasts {info.frames} frames but the storyline has {storyline.frames}; "
            "plan again for this audio."
        )
    check_tracks(storyline)


def check_tracks(storyline: Storyline) -> None:
    """Whether every character's own track can be read and belongs to this video. Raises UserError."""
    for character in storyline.cast:
        if character.audio is None or character.audio == storyline.audio:
            continue
        seconds = sound.scan(character.audio).duration
        if seconds > storyline.seconds + TRACK_TAIL_SECONDS:
            raise UserError(
                f"{character.audio}: the track of {character.name!r} lasts {seconds:.2f} s but the storyline only "
                f"{storyline.seconds:.2f} s; plan again with this track."
            )
