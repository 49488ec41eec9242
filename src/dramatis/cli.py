"""The command line: characters, plan, render, generate, resume, estimate and models.

Every fault that a user can mend ends in one sentence and exit code 2; torch loads only in commands that film.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dramatis.errors import UserError
from dramatis.runtime.executor import Workers
from dramatis.runtime.progress import Reporter, choose_reporter
from dramatis.story.values import NumberFormat

app = typer.Typer(
    help="A portrait, a voice and a few words of direction become a talking video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models = typer.Typer(
    help="The models that are there, and public weights that can be added.", invoke_without_command=True
)
app.add_typer(models, name="models")

ImageOption = Annotated[Path, typer.Option("--image", "-i", help="portrait: png, jpg or webp")]
AudioOption = Annotated[
    Path | None, typer.Option("--audio", "-a", help="voice: wav, mp3, flac, ogg or m4a; or give characters tracks")
]
PromptOption = Annotated[str, typer.Option("--prompt", "-p", help='direction, e.g. "warm, she nods, slow push-in"')]
SeedOption = Annotated[int, typer.Option(min=0, help="another seed, another take")]
ModelOption = Annotated[str, typer.Option("--model", "-m", help="a name from `dramatis models`, or a folder")]
FormatOption = Annotated[
    NumberFormat, typer.Option("--dtype", help="what networks compute in; auto: what this machine is fast at")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="clips filmed at once; the result does not depend on it; default: what the model is made for, "
        "2 for the mini, 1 for public weights, where each takes memory of the graphics card",
        show_default=False,
    ),
]
ExecutorOption = Annotated[Workers, typer.Option(help="what several workers are; the result does not depend on it")]
SubtitlesOption = Annotated[Path | None, typer.Option(help="a .srt or .vtt file with what is said, and by whom")]
CharacterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--character",
        "-c",
        help="one of several people, e.g. name=ann,at=left,audio=ann.wav; or box=, point=, image= to say who is meant",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="no progress")]


@contextmanager
def progress(quiet: bool) -> Iterator[Reporter]:
    """A reporter that is closed in any case, so that no half-drawn bar stays behind."""
    reporter = choose_reporter(quiet)
    try:
        yield reporter
    finally:
        reporter.close()


@app.command()
def generate(
    image: ImageOption,
    audio: AudioOption = None,
    character: CharacterOption = None,
    prompt: PromptOption = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="the mp4 to write")] = Path("out.mp4"),
    model: ModelOption = "mini",
    seed: SeedOption = 0,
    subtitles: SubtitlesOption = None,
    dtype: FormatOption = NumberFormat.AUTO,
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    quiet: QuietOption = False,
) -> None:
    """Plan and film in one go; the storyline and a contact sheet come to lie beside the video."""
    from dramatis.app.pipeline import AvatarPipeline

    with progress(quiet) as reporter:
        pipe = AvatarPipeline.from_pretrained(model, dtype)
        film = pipe(
            image,
            audio,
            prompt,
            output=output,
            seed=seed,
            workers=workers,
            reporter=reporter,
            executor=executor,
            subtitles=subtitles,
            characters=character or (),
        )
    typer.echo(f"{film.video} ({film.storyline.seconds:.2f} s, {len(film.storyline.shots)} shots), {film.sheet}")


@app.command()
def plan(
    image: ImageOption,
    audio: AudioOption = None,
    character: CharacterOption = None,
    prompt: PromptOption = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="the storyline to write")] = Path("storyline.yaml"),
    model: ModelOption = "mini",
    seed: SeedOption = 0,
    subtitles: SubtitlesOption = None,
    transcribe: Annotated[
        bool | None, typer.Option(help="recognise English words; default: in recordings up to a minute")
    ] = None,
    recogniser: Annotated[
        Path | None, typer.Option(help="a folder with a Whisper model that recognises the words instead")
    ] = None,
    llm: Annotated[str | None, typer.Option(help="address of an OpenAI-compatible server, e.g. http://.../v1")] = None,
    llm_model: Annotated[str | None, typer.Option(help="the model there that reads the words and warns")] = None,
    llm_expert: Annotated[
        list[str] | None, typer.Option(help="another model for one expert, e.g. visual=some-vision-model")
    ] = None,
) -> None:
    """Write a storyline to edit, and a page to look at beside it; `render` films it."""
    from dramatis.app.casting import read_characters
    from dramatis.app.llm_experts import hire
    from dramatis.app.pipeline import AvatarPipeline
    from dramatis.media.files import check_output
    from dramatis.senses.hearing.listening import Transcribe
    from dramatis.senses.hearing.whisper import Whisper

    check_output(output, (".yaml", ".yml"))
    characters = read_characters(character or ())
    whisper = Whisper(recogniser) if recogniser else None
    pipe = AvatarPipeline.from_pretrained(model)
    crew = hire(llm, llm_model, llm_expert or (), image, audio)
    transcription: Transcribe = "auto" if transcribe is None else "always" if transcribe else "never"
    storyline, heard = pipe.plan(
        image,
        audio,
        prompt,
        seed,
        characters=characters,
        output=output,
        subtitles=subtitles,
        transcribe=transcription,
        recogniser=whisper,
        crew=crew,
    )
    page, captions = pipe.write_plan(storyline, heard, output)
    said = f", {captions}" if captions else ""
    typer.echo(f"{output}: {storyline.seconds:.2f} s in {len(storyline.shots)} shots; {page}{said}")


@app.command()
def characters(
    picture: Annotated[Path, typer.Argument(help="a picture of one or several people")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="numbered picture; default: the picture's name, .people.png")
    ] = None,
    character: CharacterOption = None,
) -> None:
    """Show who is who in a picture, before anything is planned: everybody gets a number, and the names you give."""
    from dramatis.app.casting import bind, describe, draw_people, look_at_group, read_characters
    from dramatis.media.files import check_output
    from dramatis.media.image import to_png
    from dramatis.runtime.files import write_whole
    from dramatis.senses.seeing.people import Eye

    wanted = read_characters(character or ())
    output = check_output(output or picture.with_suffix(".people.png"), (".png",))
    eye = Eye.shipped()
    group = look_at_group(picture, eye)
    people = bind(wanted, group, eye, output) if wanted else ()
    names = {person: one.name for person, one in zip(people, wanted, strict=True)}
    write_whole(output, to_png(draw_people(group, names)))
    for person, line in enumerate(describe(group)):
        typer.echo(f"{line}  {names.get(person, '')}".rstrip())
    typer.echo(str(output))


@app.command()
def validate(storyline: Annotated[Path, typer.Argument(help="a storyline, edited or not")]) -> None:
    """Check an edited storyline without filming it."""
    from dramatis.app.pipeline import read_storyline

    value = read_storyline(storyline)
    typer.echo(f"{storyline}: {value.seconds:.2f} s in {len(value.shots)} shots, nothing is wrong with it")


@app.command()
def render(
    storyline: Annotated[Path, typer.Argument(help="a storyline from `plan`, edited or not")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="default: the storyline's name, .mp4")] = None,
    shot: Annotated[int | None, typer.Option(help="film this shot again with a new seed (written to the file)")] = None,
    model: ModelOption = "mini",
    dtype: FormatOption = NumberFormat.AUTO,
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    quiet: QuietOption = False,
) -> None:
    """Film a storyline; what has not changed since the last time is not filmed again."""
    from dramatis.app.pipeline import AvatarPipeline, Job, another_take, job_folder, read_storyline, write_storyline
    from dramatis.media.files import check_output

    output = output or storyline.with_suffix(".mp4")
    check_output(output)
    value = read_storyline(storyline)
    if shot is not None:
        value = another_take(value, shot)
    pipe = AvatarPipeline.from_pretrained(model, dtype)
    pipe.check(value, output)
    if shot is not None:
        write_storyline(value, storyline)
    job = Job(job_folder(output), storyline, output, model, dtype)
    job.save()
    with progress(quiet) as reporter:
        film = pipe.film(value, output, job.folder, reporter, workers, executor=executor)
    typer.echo(f"{film.video} ({value.seconds:.2f} s), {film.sheet}")


@app.command()
def resume(
    job: Annotated[Path, typer.Argument(help="the .job folder beside the video")],
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    quiet: QuietOption = False,
) -> None:
    """Go on with a job that was interrupted; finished artifacts are not made again."""
    from dramatis.app.pipeline import AvatarPipeline, Job, read_storyline

    found = Job.load(job)
    value = read_storyline(found.storyline)
    with progress(quiet) as reporter:
        pipe = AvatarPipeline.from_pretrained(found.model, found.number_format)
        film = pipe.render(value, found.output, job, reporter, workers, executor=executor)
    typer.echo(f"{film.video} ({value.seconds:.2f} s), {film.sheet}")


@app.command()
def estimate(
    storyline: Annotated[Path, typer.Argument(help="a storyline from `plan`")],
    model: ModelOption = "mini",
    workers: WorkersOption = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            help='graphics card for public weights, "RTX 4090" or its memory, 16GB; default: this computer\'s'
        ),
    ] = None,
) -> None:
    """Say what a storyline will cost before it is filmed: clips, time, memory, disk."""
    from dramatis.app.pipeline import read_storyline
    from dramatis.backbones.registry import find_model
    from dramatis.cascade.estimate import card_lines, estimate_job

    found = find_model(model)
    workers = workers or found.profile.workers
    cost = estimate_job(read_storyline(storyline), found.profile, workers)
    on_card = card_lines(found, cost, gpu)
    typer.echo(f"{cost.blueprint_clips} blueprint clips and about {cost.sub_clips} sub-clips, {cost.frames} frames")
    if cost.seconds is None or cost.memory_gb is None:
        typer.echo("time   and memory have not been measured for this model; what follows is foretold")
    else:
        minutes = cost.seconds / 60
        typer.echo(f"time   about {minutes:.1f} min with {workers} workers on the machine that profile.yaml names")
        typer.echo(f"memory about {cost.memory_gb:.1f} GB, whatever the length")
    typer.echo(f"disk   about {cost.disk_mb:.0f} MB")
    for line in on_card:
        typer.echo(line)


@models.callback()
def models_list(context: typer.Context) -> None:
    """List the models that come with this installation, and the public weights that you have linked."""
    from dramatis.backbones.profile import load_profile
    from dramatis.backbones.registry import names_of, shipped_models
    from dramatis.models.published.catalogue import OPEN_MODELS
    from dramatis.models.published.links import links

    if context.invoked_subcommand is not None:
        return
    for name, folder in shipped_models().items():
        profile = load_profile(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
        typer.echo(f"{name}  {size:.0f} MB  {profile.steps} steps, {profile.area} pixels a frame  (in this package)")
    for name, folder in links().items():
        names = ", ".join(names_of(name) or [name])
        typer.echo(f"{names}  {folder}  ({'linked' if folder.is_dir() else 'linked, but gone'})")
    typer.echo(f"public weights, see `dramatis models add NAME`: {', '.join(OPEN_MODELS)}")


@models.command("add")
def models_add(
    name: Annotated[str, typer.Argument(help="public weights, a name from `dramatis models`")],
    folder: Annotated[
        Path | None, typer.Option("--folder", "-f", help="where the repositories lie: check and link them")
    ] = None,
    checksums: Annotated[bool, typer.Option("--checksums", help="compare contents too; reads everything once")] = False,
    quiet: QuietOption = False,
) -> None:
    """Say what to download for public weights, or check and link what is there; nothing is fetched."""
    from dramatis.models.published.catalogue import open_model

    model = open_model(name)
    if folder is None:
        from dramatis.backbones.registry import published_needs

        typer.echo("\n".join(model.describe()))
        typer.echo(f"Then: dramatis models add {name} --folder THAT_FOLDER")
        if (needs := published_needs(name)) is not None:
            typer.echo("\n".join(["", "Filming with it asks for one of these:", *needs.lines()]))
        return
    from dramatis.models.published.links import check_folder_of, link, links_file

    with progress(quiet) as reporter:
        findings = check_folder_of(model, folder, checksums, reporter)
    for finding in findings:
        typer.echo(f"{finding.path}  {finding.verdict}")
    link(model, folder, findings)
    typer.echo(f"{name}: every tensor is there; linked in {links_file()}")


def main() -> None:
    """Run the command line; a `UserError` becomes one sentence and exit code 2."""
    run(app)


def run(commands: typer.Typer) -> None:
    """Run a command line; a `UserError` becomes one sentence and exit code 2."""
    try:
        commands()
    except UserError as error:
        print(f"dramatis: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)


__all__ = ["app", "main"]
