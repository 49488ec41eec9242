"""Films of real pictures, and what the face mesh and plain pixels say of each.

../shared/portraits is no part of a checkout; the photograph that scikit-image carries always is there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from dramatis.app.animatic import film_animatic
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.media.video import read_frames
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.picture_file import open_picture
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.timed_voices import TimedVoice, load_voices
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.measures.face_mesh import MeshTracker
from dramatis_lab.evaluate.measures.looks import change_outside, face_sharpness_kept, surroundings
from dramatis_lab.evaluate.measures.mesh_lips import (
    closures,
    gap_range,
    lip_gaps,
    mesh_height,
    sealed_gap,
    turning_share,
)
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.evaluate.measures.sync import MAX_LAG, lagged_correlations, silence_ratio

PROMPT = "neutral, static camera"
"""Words of direction of every film: what is measured is the voice's mouth and a background at rest."""
_LOG = logging.getLogger(__name__)


class Filming(StrEnum):
    """What is measured: the finished film, or the animatic of the same storyline."""

    FILM = "film"
    ANIMATIC = "animatic"


@dataclass(frozen=True, eq=False)
class RealFilm:
    """A finished film of a picture. name: of the picture, or of picture and voice where these are not the usual two."""

    name: str
    filming: Filming
    picture: Path
    video: Path

    @cached_property
    def frames(self) -> list[Pictures]:
        """All frames as a player shows them, (H, W, 3) each."""
        return list(read_frames(self.video))

    @cached_property
    def portrait(self) -> Pictures:
        """The picture at the size of the film."""
        height, width = self.frames[0].shape[:2]
        return open_picture(self.picture).fitted((width, height))


@dataclass(frozen=True, eq=False)
class MeshedFilm:
    """A film under the mesh, F frames. rest: (468, 3) of the portrait.  meshes: (F, 468, 3), nan where lost."""

    film: RealFilm
    rest: NDArray[np.float64]
    meshes: NDArray[np.float64]

    @cached_property
    def gaps(self) -> FrameValues:
        """(F,) gap of the lips over the face's height, 0 where they are sealed as far as the mesh can tell."""
        portrait = float(lip_gaps(self.rest[None], self.rest)[0])
        gaps = lip_gaps(self.meshes, self.rest)
        return np.maximum(gaps - sealed_gap(portrait, gaps), 0.0)

    @property
    def lost(self) -> float:
        """Share of the frames in which no face was seen."""
        return float(np.isnan(self.meshes[:, 0, 0]).mean())

    @property
    def points(self) -> list[NDArray[np.float64]]:
        """(468, 2) px for every frame; where the face was lost, those of the portrait."""
        return [(self.rest if np.isnan(mesh).any() else mesh)[:, :2] for mesh in self.meshes]


@dataclass(frozen=True)
class FilmFigures:
    """What is said of one film with a voice of exact phone times.

    by_lag: r of gap and phones' opening at lags -5 to 5.  control: mean r with the openings of all other voices.
    reach: range of the gap.  shut: how many of `labials` m, b and p shut the lips.  pause: opening in pauses over
    speech.  turning: share of frames.  kept, jump: of the face's sharpness.  outside: grey levels, nan where the person
    fills the picture.  lost: share of frames.
    """

    name: str
    voice: str
    size: tuple[int, int]
    by_lag: tuple[float, ...]
    control: float
    reach: float
    shut: int
    labials: int
    pause: float
    turning: float
    kept: float
    jump: float
    outside: float
    lost: float

    @property
    def r(self) -> float:
        """r at lag 0."""
        return self.by_lag[MAX_LAG]


class RealBench:
    """Pictures, voices and eyes that the rows share; films are kept in the work folder."""

    def __init__(self, bench: Bench, most: int | None = None) -> None:
        self.bench = bench
        self.voices = load_voices()
        self._most = most
        from dramatis.senses.seeing.library_eye import LibraryEye

        eye = PersonFinder("library").eye
        assert isinstance(eye, LibraryEye)
        self.eye, self.tracker = eye, MeshTracker(eye)
        self.refused: dict[Filming, dict[str, str]] = {filming: {} for filming in Filming}

    @cached_property
    def portraits(self) -> list[Path]:
        """../shared/portraits, none where they are absent; the first few where fewer were asked for."""
        return sorted((shared_folder() / "portraits").glob("*.jpg"))[: self._most]

    @cached_property
    def photograph(self) -> Path:
        """The photograph that scikit-image carries."""
        path = self.bench.work / "photograph.png"
        Image.fromarray(data.astronaut()).save(path)
        return path

    def voice_of(self, number: int) -> TimedVoice:
        """The voice of the picture of that number: all voices in turn."""
        return self.voices[number % len(self.voices)]

    def film(self, filming: Filming, picture: Path, voice: Path, name: str) -> RealFilm | None:
        """Film a picture, or take the film of an earlier run with the same model; None where it cannot be filmed.

        Any error counts as not filmed and is written down in `refused`: a table of 22 pictures must not be lost to one.
        """
        video = self.bench.work / f"real-{filming}" / f"{name}.mp4"
        video.parent.mkdir(exist_ok=True)
        facts = {"model": self._model, "picture": picture.name, "voice": voice.name}
        if not _is_made(video, facts):
            try:
                _FILMERS[filming](self.bench, picture, voice, video)
            except Exception as error:
                self.refused[filming][name] = str(error) if isinstance(error, UserError) else repr(error)
                _LOG.warning("%s: %s", name, self.refused[filming][name])
                return None
            _facts_path(video).write_text(json.dumps(facts))
        return RealFilm(name, filming, picture, video)

    def under_the_mesh(self, film: RealFilm) -> MeshedFilm | None:
        """Every frame's mesh; None, and the film counts as none, where the portrait itself shows the mesh no face."""
        rest = self.tracker.at(film.portrait, None)
        if rest is None:
            self.refused[film.filming][film.name] = "the mesh sees no face in the portrait"
            return None
        return MeshedFilm(film, rest, self.tracker.follow(film.frames, rest))

    def figures(self, meshed: MeshedFilm, voice: TimedVoice) -> FilmFigures:
        """Everything that is said of one film."""
        film, gaps = meshed.film, meshed.gaps
        opening = voice.opening[: len(gaps)]
        hits = closures(gaps, voice.phonemes)
        others = [other.opening[: len(gaps)] for other in self.voices if other.path != voice.path]
        sharp = face_sharpness_kept(film.frames, meshed.points, film.portrait, meshed.rest[:, :2])
        return FilmFigures(
            name=film.name,
            voice=voice.path.stem,
            size=(film.portrait.shape[1], film.portrait.shape[0]),
            by_lag=tuple(lagged_correlations(gaps, opening)),
            control=float(np.mean([lagged_correlations(gaps, other)[MAX_LAG] for other in others])),
            reach=gap_range(gaps),
            shut=sum(hits),
            labials=len(hits),
            pause=silence_ratio([gaps], [opening]),
            turning=turning_share(gaps),
            kept=sharp.kept,
            jump=sharp.jump,
            outside=self._outside(meshed),
            lost=meshed.lost,
        )

    def _outside(self, meshed: MeshedFilm) -> float:
        """Change outside the person as the library's eye sees them in the portrait; the film has no say in it."""
        faces = self.eye.find(meshed.film.portrait)
        outline = self.eye.outlines(meshed.film.portrait, faces).sum(0)
        outside = surroundings(outline, mesh_height(meshed.rest)) if faces else None
        return float("nan") if outside is None else change_outside(meshed.film.frames, outside)

    @cached_property
    def _model(self) -> dict[str, object]:
        backbone = self.bench.backbone
        return {"profile": backbone.profile.model_dump(mode="json"), **backbone.identity}


def shared_folder() -> Path:
    """What lies beside a checkout: pictures and voices of others, assets."""
    return checkout_path().parent / "shared"


def _film(bench: Bench, picture: Path, voice: Path, video: Path) -> None:
    bench.pipe(picture, voice, PROMPT, output=video)


def _play(bench: Bench, picture: Path, voice: Path, video: Path) -> None:
    plan = bench.pipe.plan(picture, voice, PROMPT)
    film_animatic(plan.storyline, video, plan.observations)


_FILMERS: dict[Filming, Callable[[Bench, Path, Path, Path], None]] = {Filming.FILM: _film, Filming.ANIMATIC: _play}


def _facts_path(video: Path) -> Path:
    return video.with_suffix(".made.json")


def _is_made(video: Path, facts: Mapping[str, object]) -> bool:
    made = _facts_path(video)
    return video.exists() and made.exists() and json.loads(made.read_text()) == facts


def row_name(filming: Filming, name: str) -> str:
    """The name of a row, which says where the animatic is meant."""
    return name if filming is Filming.FILM else f"  animatic, {name.strip()}"


def median(values: Sequence[float]) -> float:
    """The median of the values that are not nan; nan where there are none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else float("nan")
