"""The front door: a picture, a voice and some words in, a directed video out.

`AvatarPipeline` wires the parts that do not know each other: the senses observe, the director plans, the cascade films.
What a user can get wrong is checked here, in this order, before any network loads.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from dramatis.app.casting import Wanted, bind, characters_of, check_filmed, look_at_group, read_characters
from dramatis.app.preview import thumbnails
from dramatis.app.storyline_page import storyline_page
from dramatis.app.voices import LATE, check_voices, listen_to, mixed
from dramatis.backbones.base import Backbone, one_thread
from dramatis.backbones.registry import open_backbone
from dramatis.cascade.pipeline import Film, film, find_face, fit_cast, low_size, reference_picture
from dramatis.director import Crew, check_prompt, direct
from dramatis.errors import UserError
from dramatis.media import audio as sound
from dramatis.media.files import check_disk, check_output, estimate_disk
from dramatis.media.image import choose_size, load_image
from dramatis.media.subtitles import Cue, captions, read_subtitles, to_srt, to_vtt
from dramatis.media.video import read_frames
from dramatis.models.perception import interocular
from dramatis.models.speech import SAMPLE_RATE
from dramatis.models.traits import traits_of
from dramatis.runtime.executor import open_executor
from dramatis.runtime.files import write_whole
from dramatis.runtime.memory import steady_memory
from dramatis.runtime.progress import NullReporter, Reporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.listening import Transcribe, hear
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.hearing.words import Recogniser
from dramatis.senses.seeing.people import Eye
from dramatis.senses.seeing.sight import see, see_group
from dramatis.story.observations import Observations, Sighting
from dramatis.story.storyline import Character, Storyline
from dramatis.story.values import FPS, NumberFormat

JOB_FILE = "job.json"
OUTPUT = Path("out.mp4")


@dataclass(frozen=True)
class Job:
    """A job's folder: what to make, and the artifacts made so far. Enough to resume after any crash."""

    folder: Path
    storyline: Path
    output: Path
    model: str
    number_format: NumberFormat = NumberFormat.AUTO

    def save(self) -> None:
        """Write `job.json`; paths are kept relative to the job's folder, so that the whole can be moved."""
        paths = {"storyline": self.storyline, "output": self.output}
        relative = {name: os.path.relpath(path.resolve(), self.folder.resolve()) for name, path in paths.items()}
        write_whole(
            self.folder / JOB_FILE, json.dumps({**relative, "model": self.model, "dtype": self.number_format}, indent=1)
        )

    @classmethod
    def load(cls, folder: Path) -> Job:
        """Raises UserError where the folder holds no job."""
        try:
            value = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
            storyline, output = folder / value["storyline"], folder / value["output"]
            number_format = NumberFormat(value.get("dtype", NumberFormat.AUTO))
            paths = Path(os.path.normpath(storyline)), Path(os.path.normpath(output))
            return cls(folder, paths[0], paths[1], value["model"], number_format)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: there is no job to resume in this folder; give the folder that `generate` made."
            ) from error


def job_folder(output: Path) -> Path:
    """Where a video's job lies by default: beside the video."""
    return output.with_suffix(".job")


@dataclass(frozen=True)
class Listening:
    """How words are recognised where no subtitles tell them."""

    transcribe: Transcribe
    recogniser: Recogniser | None


@dataclass(frozen=True)
class Inputs:
    """What was given, observed. audio: the sound of the video; size: its width and height; characters: whom the user
    named, and who else is seen with them."""

    audio: Path
    heard: Observations
    seen: Sighting
    size: tuple[int, int]
    characters: tuple[Character, ...] = ()


class AvatarPipeline:
    """Portrait + voice + words -> video.

    >>> pipe = AvatarPipeline.from_pretrained("mini")
    >>> film = pipe(image="her.png", audio="speech.wav", prompt="warm, slow push-in", output="out.mp4")
    """

    def __init__(self, backbone: Backbone, name: str, number_format: NumberFormat = NumberFormat.AUTO) -> None:
        self.backbone = backbone
        self.name = name
        self.number_format = number_format

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str] = "mini", dtype: str = "auto") -> AvatarPipeline:
        """A shipped model by name, or a local folder of weights. Files are checked; networks load when first used.

        dtype: what the large networks compute in, "float32" or "bfloat16"; "auto" for what this machine is fast at.
        Raises UserError for an unknown model and for damaged weights.
        """
        number_format = NumberFormat(dtype)
        return cls(open_backbone(model, number_format), str(model), number_format)

    def plan(
        self,
        image: Path,
        audio: Path | None,
        prompt: str = "",
        seed: int = 0,
        *,
        characters: Sequence[Wanted] = (),
        output: Path = OUTPUT,
        subtitles: Path | None = None,
        transcribe: Transcribe = "auto",
        recogniser: Recogniser | None = None,
        crew: Crew | None = None,
    ) -> tuple[Storyline, Observations]:
        """Observe the inputs and write a storyline. Raises UserError for inputs that cannot be used.

        characters: who is who in a picture of several people, and heard where; `audio` may be left out where they have
        tracks of their own. What has to be written for them is named after `output`: the tracks mixed into one
        (.voices.wav), and the picture with numbers (.people.png) where it is not clear who is meant. subtitles: a .srt
        or .vtt file with what is said; without one, short recordings are transcribed, or all or none as `transcribe`
        says, by `recogniser` or the embedded one. crew: language models that play some of the director's experts.
        """
        check_prompt(prompt)
        how = Listening(transcribe, recogniser)
        if characters:
            inputs = self._group(image, characters, audio, subtitles, how, output)
        else:
            inputs = self._portrait(image, audio, subtitles, how)
        width, height = inputs.size
        storyline = direct(
            inputs.heard,
            prompt,
            seed,
            image=str(image),
            audio=str(inputs.audio),
            width=width,
            height=height,
            seen=inputs.seen,
            crew=crew,
            characters=inputs.characters,
        )
        return storyline, inputs.heard

    def _portrait(self, image: Path, audio: Path | None, subtitles: Path | None, how: Listening) -> Inputs:
        """One person, whoever speaks."""
        if audio is None:
            raise UserError("There is no voice; give --audio, or --character with a track of its own.")
        picture = load_image(image)
        info = sound.probe(audio)
        cues = read_subtitles(subtitles) if subtitles else ()
        seen, size = self._see_one(image, picture.size)
        heard = hear(
            lambda: sound.stream(audio, SAMPLE_RATE),
            info.frames,
            cues=cues,
            transcribe=how.transcribe,
            recogniser=how.recogniser,
        )
        return Inputs(audio, heard, seen, size)

    def _group(
        self,
        image: Path,
        wanted: Sequence[Wanted],
        audio: Path | None,
        subtitles: Path | None,
        how: Listening,
        output: Path,
    ) -> Inputs:
        """Everybody in a picture, those who are named with their voices, the others as listeners."""
        voices = check_voices(wanted, audio, subtitles)
        eye = Eye(self.backbone.eye)
        group = look_at_group(image, eye)
        people = bind(wanted, group, eye, output.with_suffix(".people.png"))
        characters = characters_of(wanted, people, group)
        self.backbone.check_cast(len(characters))
        if len(characters) == 1:
            seen, size = self._see_one(image, group.size)
        else:
            seen = see_group(group.picture, group.people)
            shown = group.size[0] / group.picture.shape[1]
            size = self.frame_size(*group.size, [shown * interocular(found.landmarks) for found in group.people])
            check_filmed(characters, group, size)
        whole = mixed(voices, output.with_suffix(".voices.wav"))
        tracks = {name: str(info.path) for name, info in voices.tracks.items()}
        characters = tuple(one.model_copy(update={"audio": tracks.get(one.name)}) for one in characters)
        heard = listen_to(voices, whole, how.transcribe, how.recogniser)
        return Inputs(whole.path, heard, seen, size, characters)

    def _see_one(self, image: Path, of: tuple[int, int]) -> tuple[Sighting, tuple[int, int]]:
        """What a portrait of (width, height) px shows, and the size (width, height) of a video of it."""
        size = self.frame_size(*of)
        scale = self.backbone.profile.scale
        reference = reference_picture(image, size[0] // scale, size[1] // scale)
        try:
            sight = find_face(self.backbone, reference, str(image))
        except UserError as error:
            raise self._several(image) or error from error
        return see(reference, sight, traits_of(self.backbone.traits, reference, sight)), size

    def _several(self, image: Path) -> UserError | None:
        """The refusal of a picture of several people of whom nobody is named."""
        try:
            people = len(look_at_group(image, Eye(self.backbone.eye)).people)
        except UserError:
            return None
        if people < 2:
            return None
        return UserError(
            f"{image}: {people} people can be seen; say who is who and heard where with --character, which "
            f"`dramatis characters {image}` helps with."
        )

    def frame_size(self, width: int, height: int, eyes: Sequence[float] = ()) -> tuple[int, int]:
        """The size (width, height) of a video of a picture of that size. eyes: distances of the outer eye corners of
        several people in it, px; none for a portrait."""
        profile, people = self.backbone.profile, max(1, len(eyes))
        area = profile.area_of(people)
        low = choose_size(width, height, area, profile.multiple, people)
        if people > 1:
            fitted = max(low[0] / width, low[1] / height)
            growth = profile.growth_for([fitted * distance for distance in eyes])
            low = choose_size(width, height, round(area * growth**2), profile.multiple, people)
        return low[0] * profile.scale, low[1] * profile.scale

    def write_plan(self, storyline: Storyline, heard: Observations, path: Path) -> tuple[Path, Path | None]:
        """Save a storyline; beside it a page to look at, and captions where words are known: paths of these two."""
        write_storyline(storyline, path)
        page = path.with_suffix(".html")
        write_whole(page, storyline_page(storyline, heard, thumbnails(self.backbone, storyline, heard)))
        if not heard.words:
            return page, None
        lines = spoken_lines(storyline, heard)
        write_whole(path.with_suffix(".srt"), to_srt(lines))
        write_whole(path.with_suffix(".vtt"), to_vtt(lines))
        return page, path.with_suffix(".srt")

    def check(self, storyline: Storyline, output: Path) -> None:
        """Everything a user can get wrong, before anything is written or a large network loads. Raises UserError."""
        check_output(output)
        info = sound.probe(storyline.audio)
        if info.frames != storyline.frames:
            raise UserError(
                f"{storyline.audio}: it lasts {info.frames} frames but the storyline has {storyline.frames}; "
                "plan again for this audio."
            )
        check_tracks(storyline)
        check_disk(output.parent, estimate_disk(storyline.frames, (storyline.width, storyline.height)))
        self.backbone.check_cast(len(storyline.cast))
        self.backbone.check_machine()
        low = low_size(storyline, self.backbone.profile)
        fit_cast(storyline, self.backbone, reference_picture(Path(storyline.image), *low))

    def render(
        self,
        storyline: Storyline,
        output: Path,
        folder: Path | None = None,
        reporter: Reporter | None = None,
        workers: int | None = None,
        observations: Observations | None = None,
        executor: str = "threads",
    ) -> Film:
        """Film a storyline into `output`; artifacts go to `folder` (default: beside the output) and are used again.

        workers: how many clips are filmed at once, None for as many as the model is made for. executor: "threads" or
        "processes", what several workers are. The result depends on neither; processes each load the networks, and need
        a script that calls this to have the guard `if __name__ == "__main__":`.
        Sets torch's number of threads in the calling process to one: results then do not depend on the machine's cores.
        Raises UserError for inputs that cannot be used, an output that cannot be written, and a full disk.
        """
        self.check(storyline, output)
        return self.film(storyline, output, folder or job_folder(output), reporter, workers, observations, executor)

    def film(
        self,
        storyline: Storyline,
        output: Path,
        folder: Path,
        reporter: Reporter | None = None,
        workers: int | None = None,
        observations: Observations | None = None,
        executor: str = "threads",
    ) -> Film:
        """What `render` does for inputs that `check` has passed."""
        with open_executor(executor, workers or self.backbone.profile.workers, ready_worker) as crew:
            return film(
                storyline,
                prosodies(storyline, observations),
                self.backbone,
                ArtifactStore(folder / "store"),
                crew,
                output,
                reporter or NullReporter(),
            )

    def __call__(
        self,
        image: str | os.PathLike[str],
        audio: str | os.PathLike[str] | None = None,
        prompt: str = "",
        negative_prompt: str = "",
        output: str | os.PathLike[str] = OUTPUT,
        generator: Any = None,
        seed: int = 0,
        workers: int | None = None,
        output_type: str = "path",
        callback: Callable[[Storyline], Storyline] | None = None,
        reporter: Reporter | None = None,
        executor: str = "threads",
        subtitles: str | os.PathLike[str] | None = None,
        characters: Iterable[str] = (),
    ) -> Any:
        """Plan and film.

        Args:
            image, audio: files; the audio may be left out where characters have tracks. prompt: words of direction.
            negative_prompt: added to the director's own.
            output: the mp4 to write; the storyline and a contact sheet come to lie beside it.
            generator: a `torch.Generator` whose initial seed is used, or None for `seed`.
            output_type: "path" returns a `Film`; "frames" returns an iterator of (H, W, 3) uint8 frames.
            callback: may look at the storyline, or change it, before filming.
            workers, executor: how many clips are filmed at once, and by what; see `render`.
            subtitles: a .srt or .vtt file with what is said.
            characters: of a picture of several people, each as `name=ann,at=left,audio=ann.wav`; see `app.casting`.

        Raises UserError for inputs that cannot be used.
        """
        if generator is not None:
            seed = int(generator.initial_seed())
        output = Path(output)
        check_output(output)
        self.backbone.check_machine()
        storyline, observations = self.plan(
            Path(image),
            None if audio is None else Path(audio),
            prompt,
            seed,
            characters=read_characters(characters),
            output=output,
            subtitles=Path(subtitles) if subtitles else None,
        )
        if negative_prompt:
            joined = ", ".join(part for part in (storyline.negative, negative_prompt) if part)
            storyline = storyline.model_copy(update={"negative": joined})
        if callback is not None:
            storyline = callback(storyline)
        made = self.start(storyline, output, reporter, workers, observations, executor)
        return read_frames(made.video) if output_type == "frames" else made

    def start(
        self,
        storyline: Storyline,
        output: Path,
        reporter: Reporter | None = None,
        workers: int | None = None,
        observations: Observations | None = None,
        executor: str = "threads",
    ) -> Film:
        """Write the storyline beside the output, remember the job for `resume`, and film it."""
        self.check(storyline, output)
        path = output.with_suffix(".storyline.yaml")
        write_storyline(storyline, path)
        job = Job(job_folder(output), path, output, self.name, self.number_format)
        job.save()
        return self.film(storyline, output, job.folder, reporter, workers, observations, executor)


def ready_worker() -> None:
    """One computing thread a worker: equal results whatever their number. And memory that does not grow."""
    one_thread()
    steady_memory()


def write_storyline(storyline: Storyline, path: Path) -> None:
    """Save as YAML; the input files' paths are written relative to the file, so that the folder can be moved."""

    def relative(name: str) -> str:
        return os.path.relpath(Path(name).resolve(), path.parent.resolve())

    write_whole(path, with_paths(storyline, relative).to_yaml())


def read_storyline(path: Path) -> Storyline:
    """Read a YAML or JSON storyline; relative paths count from its folder. Raises UserError naming line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: the storyline cannot be read; check the path, or write one with `dramatis plan`."
        ) from error
    storyline = Storyline.from_json(text) if path.suffix == ".json" else Storyline.from_yaml(text)
    return with_paths(storyline, lambda name: os.path.normpath(path.parent / name))


def with_paths(storyline: Storyline, change: Callable[[str], str]) -> Storyline:
    """The storyline with every input file's path changed."""
    characters = tuple(
        person.model_copy(
            update={
                "image": None if person.image is None else change(person.image),
                "audio": None if person.audio is None else change(person.audio),
            }
        )
        for person in storyline.characters
    )
    return storyline.model_copy(
        update={"image": change(storyline.image), "audio": change(storyline.audio), "characters": characters}
    )


def check_tracks(storyline: Storyline) -> None:
    """Raises UserError for a character's own track that cannot be read, or is of another video."""
    for character in storyline.cast:
        if character.audio is None or character.audio == storyline.audio:
            continue
        seconds = sound.scan(character.audio).duration
        if seconds > storyline.seconds + LATE:
            raise UserError(
                f"{character.audio}: the track of {character.name!r} lasts {seconds:.2f} s but the storyline only "
                f"{storyline.seconds:.2f} s; plan again with this track."
            )


def spoken_lines(storyline: Storyline, heard: Observations) -> list[Cue]:
    """The words as captions; of several people each line is said by whoever is named in, or next to, its stretch of the
    sound."""
    timed = [(word.text, word.span.start / FPS, word.span.stop / FPS) for word in heard.words]
    named = [event for event in heard.events if event.speaker]
    if len(storyline.cast) == 1 or not named:
        return list(captions(timed))
    starts = [event.span.start / FPS for event in named]

    def speaker(word: tuple[str, float, float]) -> str | None:
        middle = (word[1] + word[2]) / 2
        last = bisect_right(starts, middle)
        near = named[max(0, last - 1) : last + 1]
        return min(near, key=lambda event: max(event.span.start / FPS - middle, middle - event.span.stop / FPS)).speaker

    turns = groupby(timed, speaker)
    return [replace(line, speaker=name) for name, words in turns for line in captions(words)]


def another_take(storyline: Storyline, shot: int) -> Storyline:
    """The storyline with a new seed for one shot; everything else stays. Raises UserError for an unknown shot."""
    if not 0 <= shot < len(storyline.shots):
        raise UserError(f"shot {shot} does not exist; the storyline has shots 0 to {len(storyline.shots) - 1}.")
    chosen = storyline.shots[shot]
    if chosen.locked:
        raise UserError(f"shot {shot} is locked; set `locked: false` in the storyline to film it again.")
    shots = list(storyline.shots)
    shots[shot] = chosen.model_copy(update={"seed": chosen.seed + 1})
    return storyline.model_copy(update={"shots": tuple(shots)})


__all__ = ["AvatarPipeline", "Job", "another_take", "job_folder", "read_storyline", "write_storyline"]
