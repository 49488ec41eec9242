"""The command line: generate, plan, characters, validate, preview, render, resume, estimate and models.

Every fault that a user can mend ends in one sentence and exit code 2; torch loads only in commands that need it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from dramatis.errors import UserError
from dramatis.runtime.executor import Workers
from dramatis.runtime.progress import Reporter, choose_reporter
from dramatis.story.values import NumberFormat

if TYPE_CHECKING:
    from dramatis.app.job import Job
    from dramatis.app.planning import Plan
    from dramatis.app.requests import PlanOptions, PlanRequest
    from dramatis.senses.hearing.listening import Transcribe

app = typer.Typer(
    help="A portrait, a voice and a few words of direction become a talking video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models = typer.Typer(help="List the available models, or add public weights.", invoke_without_command=True)
app.add_typer(models, name="models")

ImageOption = Annotated[
    Path, typer.Option("--image", "-i", help="Portrait or picture of several people: png, jpg, webp.")
]
AudioOption = Annotated[
    Path | None,
    typer.Option("--audio", "-a", help="Voice: wav, mp3, flac, ogg or m4a. May be left out if characters have tracks."),
]
PromptOption = Annotated[
    str, typer.Option("--prompt", "-p", help='Words of direction, e.g. "warm, she nods, slow push-in".')
]
NegativePromptOption = Annotated[
    str, typer.Option("--negative-prompt", help="What to avoid, added to the director's own.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Another seed gives another take.")]
SizeOption = Annotated[
    str | None,
    typer.Option(
        help="Of the video: its shorter side, or width and height as 1280x720. Default: 512.", show_default=False
    ),
]
ModelOption = Annotated[str, typer.Option("--model", "-m", help="A name from `dramatis models`, or a folder.")]
FormatOption = Annotated[
    NumberFormat, typer.Option("--dtype", help="What networks compute in. auto: what this machine is fast at.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Clips filmed at once; the result does not depend on it. Default: what the model is made for, "
        "2 for the mini, 1 for public weights, where each takes memory of the graphics card.",
        show_default=False,
    ),
]
ExecutorOption = Annotated[Workers, typer.Option(help="What several workers are; the result does not depend on it.")]
SubtitlesOption = Annotated[
    Path | None, typer.Option(help="A .srt or .vtt file that says what is said, and by whom if several people speak.")
]
CharacterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--character",
        "-c",
        help="One of several people, e.g. name=ann,at=left,audio=ann.wav. "
        "box=, point= and image= also say who is meant.",
    ),
]
TranscribeOption = Annotated[
    bool | None, typer.Option(help="Recognise English words. Default: in recordings up to a minute.")
]
RecogniserOption = Annotated[
    Path | None, typer.Option(help="A folder with a Whisper model, which recognises the words instead.")
]
LLMOption = Annotated[
    str | None, typer.Option("--llm", help="Address of an OpenAI-compatible server, e.g. http://.../v1.")
]
LLMModelOption = Annotated[
    str | None, typer.Option("--llm-model", help="The model there that reads the prompt and writes the warnings.")
]
LLMExpertOption = Annotated[
    list[str] | None,
    typer.Option("--llm-expert", help="Another model for one expert, e.g. visual=some-vision-model."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Reporter]:
    """A reporter that is closed in any case, so that no half-drawn bar stays behind."""
    reporter = choose_reporter(quiet=quiet)
    try:
        yield reporter
    finally:
        reporter.close()


def _request(
    image: Path,
    audio: Path | None,
    prompt: str,
    **options: Unpack[PlanOptions],
) -> PlanRequest:
    """The request that the options mean which `generate` and `plan` share."""
    from dramatis.app.requests import request_from_options

    return request_from_options(image, audio, prompt, options)


def _echo_notes(written: Plan) -> None:
    """Say what was decided for the user; the result lines alone go to the standard output."""
    for note in written.notes:
        typer.echo(note, err=True)


def _preview_plan(written: Plan, job: Job, reporter: Reporter) -> None:
    """Write a job's storyline, and its preview in place of the video."""
    from dramatis.app.animatic import film_animatic
    from dramatis.app.storyline_files import write_storyline

    film_animatic(written.storyline, job.output, written.observations, reporter=reporter)
    write_storyline(written.storyline, job.storyline)
    typer.echo(f"{job.output} ({written.storyline.seconds:.2f} s), a preview of {job.storyline}")


def _transcribe(*, wanted: bool | None) -> Transcribe:
    return "auto" if wanted is None else "always" if wanted else "never"


@app.command()
def generate(  # noqa: PLR0913 (options of the command line)
    image: ImageOption,
    audio: AudioOption = None,
    character: CharacterOption = None,
    prompt: PromptOption = "",
    negative_prompt: NegativePromptOption = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="The mp4 to write.")] = Path("out.mp4"),
    model: ModelOption = "mini",
    seed: SeedOption = 0,
    size: SizeOption = None,
    subtitles: SubtitlesOption = None,
    transcribe: TranscribeOption = None,
    recogniser: RecogniserOption = None,
    llm: LLMOption = None,
    llm_model: LLMModelOption = None,
    llm_expert: LLMExpertOption = None,
    dtype: FormatOption = NumberFormat.AUTO,
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    *,
    preview_only: Annotated[
        bool, typer.Option("--preview", help="Stop at a preview: the portrait itself, speaking and moving.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Plan and film in one go; the storyline and a contact sheet are written beside the video."""
    from dramatis.app.job import Job

    request = _request(
        image,
        audio,
        prompt,
        transcribe=_transcribe(wanted=transcribe),
        negative_prompt=negative_prompt,
        seed=seed,
        characters=character or (),
        subtitles=subtitles,
        recogniser=recogniser,
        llm=llm,
        llm_model=llm_model,
        llm_experts=llm_expert or (),
        output=output,
        size=size,
    )
    with progress(quiet=quiet) as reporter:
        job = Job.create(output, model, dtype)
        plan = job.plan(request)
        _echo_notes(plan)
        if preview_only:
            _preview_plan(plan, job, reporter)
            return
        video = job.render(plan.storyline, plan.observations, reporter=reporter, workers=workers, executor=executor)
    shots = len(video.storyline.shots)
    typer.echo(f"{video.video} ({video.storyline.seconds:.2f} s, {shots} shots), {video.sheet}")


@app.command()
def plan(  # noqa: PLR0913 (options of the command line)
    image: ImageOption,
    audio: AudioOption = None,
    character: CharacterOption = None,
    prompt: PromptOption = "",
    negative_prompt: NegativePromptOption = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="The storyline to write.")] = Path("storyline.yaml"),
    model: ModelOption = "mini",
    seed: SeedOption = 0,
    size: SizeOption = None,
    subtitles: SubtitlesOption = None,
    transcribe: TranscribeOption = None,
    recogniser: RecogniserOption = None,
    llm: LLMOption = None,
    llm_model: LLMModelOption = None,
    llm_expert: LLMExpertOption = None,
) -> None:
    """Write a storyline to edit, and a page to look at beside it; `render` films it."""
    from dramatis.app.pipeline import AvatarPipeline
    from dramatis.app.planning import write_plan
    from dramatis.media.files import check_output

    check_output(output, (".yaml", ".yml"))
    request = _request(
        image,
        audio,
        prompt,
        transcribe=_transcribe(wanted=transcribe),
        negative_prompt=negative_prompt,
        seed=seed,
        characters=character or (),
        subtitles=subtitles,
        recogniser=recogniser,
        llm=llm,
        llm_model=llm_model,
        llm_experts=llm_expert or (),
        output=output,
        size=size,
    )
    pipe = AvatarPipeline.from_pretrained(model)
    written = pipe.plan(request)
    _echo_notes(written)
    files = write_plan(written, output)
    storyline, others = written.storyline, ", ".join(str(path) for path in (*files[1:], *written.files))
    typer.echo(f"{output}: {storyline.seconds:.2f} s in {len(storyline.shots)} shots; {others}")


@app.command()
def characters(
    picture: Annotated[Path, typer.Argument(help="A picture of one or several people.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Numbered picture. Default: the picture's name, .people.png.")
    ] = None,
    character: CharacterOption = None,
) -> None:
    """Show who is who in a picture, before anything is planned: everybody's number, and the names you give."""
    from dramatis.app.casting import assign_people, draw_numbered_people, find_group, people_lines
    from dramatis.app.requests import read_characters
    from dramatis.media.files import check_output
    from dramatis.media.image import to_png
    from dramatis.runtime.files import write_whole
    from dramatis.senses.seeing.picture_file import open_picture

    requests = read_characters(character or ())
    output = check_output(output or picture.with_suffix(".people.png"), (".png",))
    group = find_group(open_picture(picture))
    people = assign_people(requests, group, output) if requests else ()
    names = {person: request.name for person, request in zip(people, requests, strict=True)}
    write_whole(output, to_png(draw_numbered_people(group, names)))
    for person, line in enumerate(people_lines(group)):
        typer.echo(f"{line}  {names.get(person, '')}".rstrip())
    typer.echo(str(output))


@app.command()
def validate(storyline: Annotated[Path, typer.Argument(help="A storyline, edited or not.")]) -> None:
    """Check an edited storyline without filming it."""
    from dramatis.app.storyline_files import read_storyline

    value = read_storyline(storyline)
    typer.echo(f"{storyline}: {value.seconds:.2f} s in {len(value.shots)} shots, nothing is wrong with it")


@app.command("render")
def render_storyline(
    storyline: Annotated[Path, typer.Argument(help="A storyline from `plan`, edited or not.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The mp4 to write. Default: the storyline's name, .mp4.")
    ] = None,
    shot: Annotated[
        int | None, typer.Option(help="Film this shot again with a new seed, which is written to the storyline.")
    ] = None,
    model: ModelOption = "mini",
    dtype: FormatOption = NumberFormat.AUTO,
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    *,
    quiet: QuietOption = False,
) -> None:
    """Film a storyline; what has not changed since the last time is not filmed again."""
    from dramatis.app.job import Job
    from dramatis.app.storyline_files import another_take, read_storyline
    from dramatis.media.files import check_output

    output = output or storyline.with_suffix(".mp4")
    check_output(output)
    retaken = None if shot is None else another_take(read_storyline(storyline), shot)
    job = Job.create(output, model, dtype, storyline=storyline)
    with progress(quiet=quiet) as reporter:
        video = job.render(retaken, reporter=reporter, workers=workers, executor=executor)
    typer.echo(f"{video.video} ({video.storyline.seconds:.2f} s), {video.sheet}")


@app.command()
def preview(
    storyline: Annotated[Path, typer.Argument(help="A storyline from `plan`, edited or not.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The mp4 to write. Default: the storyline's name, .preview.mp4."),
    ] = None,
    side: Annotated[int, typer.Option(min=64, max=1080, help="Shorter side of the preview in pixels.")] = 512,
    *,
    quiet: QuietOption = False,
) -> None:
    """Play a storyline as the portrait itself, speaking and moving, before anything is filmed."""
    from dramatis.app.animatic import film_animatic
    from dramatis.app.storyline_files import read_storyline

    value = read_storyline(storyline)
    with progress(quiet=quiet) as reporter:
        video = film_animatic(value, output or storyline.with_suffix(".preview.mp4"), side=side, reporter=reporter)
    typer.echo(f"{video} ({value.seconds:.2f} s)")


@app.command()
def resume(
    job: Annotated[Path, typer.Argument(help="The .job folder beside the video.")],
    workers: WorkersOption = None,
    executor: ExecutorOption = Workers.THREADS,
    *,
    quiet: QuietOption = False,
) -> None:
    """Go on with a job that was interrupted; finished artifacts are not made again."""
    from dramatis.app.job import Job

    with progress(quiet=quiet) as reporter:
        video = Job.load(job).resume(reporter=reporter, workers=workers, executor=executor)
    typer.echo(f"{video.video} ({video.storyline.seconds:.2f} s), {video.sheet}")


@app.command()
def estimate(
    storyline: Annotated[Path, typer.Argument(help="A storyline from `plan`.")],
    model: ModelOption = "mini",
    workers: WorkersOption = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            help='Graphics card for public weights, "RTX 4090" or its memory, 16GB. Default: this computer\'s.'
        ),
    ] = None,
) -> None:
    """Say what a storyline will cost before it is filmed: clips, time, memory, disk."""
    from dramatis.app.storyline_files import read_storyline
    from dramatis.backbones.registry import find_model
    from dramatis.cascade.estimate import estimate_job, gpu_lines

    entry = find_model(model)
    workers = workers or entry.profile.execution.workers
    cost = estimate_job(read_storyline(storyline), entry.profile, workers)
    lines = gpu_lines(entry, cost, gpu)
    typer.echo(f"{cost.blueprint_clips} blueprint clips and about {cost.sub_clips} sub-clips, {cost.frames} frames")
    if cost.seconds is None or cost.memory_gb is None:
        typer.echo("time   and memory have not been measured for this model; what follows is an estimate")
    else:
        minutes = cost.seconds / 60
        typer.echo(f"time   about {minutes:.1f} min with {workers} workers on the machine that profile.yaml names")
        typer.echo(f"memory about {cost.memory_gb:.1f} GB, whatever the length")
    typer.echo(f"disk   about {cost.disk_mb:.0f} MB")
    for line in lines:
        typer.echo(line)


@models.callback()
def models_list(context: typer.Context) -> None:
    """List the models that come with this installation, and the public weights that you have linked."""
    from dramatis.backbones.profile_files import load_profile
    from dramatis.backbones.registry import names_of, shipped_models
    from dramatis.models.published.catalogue import OPEN_MODELS
    from dramatis.models.published.links import linked_models
    from dramatis.senses.seeing.library_files import missing_for_library_eye

    if context.invoked_subcommand is not None:
        return
    for name, folder in shipped_models().items():
        profile = load_profile(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6
        typer.echo(
            f"{name}  {size:.0f} MB  {profile.low.steps} steps, {profile.low.area} pixels a frame  (in this package)"
        )
    for name, folder in linked_models().items():
        names = ", ".join(names_of(name) or [name])
        typer.echo(f"{names}  {folder}  ({'linked' if folder.is_dir() else 'linked, but gone'})")
    missing = missing_for_library_eye()
    typer.echo("eyes for pictures: the mini's own network" + ("" if missing else " and the library's (in use)"))
    if missing:
        typer.echo(f"the library's eye is not in use, since {missing}; see `dramatis models install-eyes`")
    typer.echo(f"public weights, see `dramatis models add NAME`: {', '.join(OPEN_MODELS)}")


@models.command("install-eyes")
def models_install_eyes() -> None:
    """Fetch mediapipe's networks with pip, checked by SHA-256: they see real people best."""
    from dramatis.senses.seeing.library_files import install_library_files, missing_for_library_eye

    typer.echo(f"The networks are in {install_library_files()}")
    if (missing := missing_for_library_eye()) is not None:
        raise UserError(f"They cannot run yet, since {missing}; run pip install 'dramatis[eyes]'.")


@models.command("add")
def models_add(
    name: Annotated[str, typer.Argument(help="Public weights, a name from `dramatis models`.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", "-f", help="Where the repositories lie: check and link them.")
    ] = None,
    *,
    checksums: Annotated[
        bool, typer.Option("--checksums", help="Compare contents too; reads everything once.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Say what to download for public weights, or check and link what is there; nothing is fetched."""
    from dramatis.models.published.catalogue import published_model

    model = published_model(name)
    if folder is None:
        from dramatis.backbones.registry import published_needs

        typer.echo("\n".join(model.describe()))
        typer.echo(f"Then: dramatis models add {name} --folder THAT_FOLDER")
        if (needs := published_needs(name)) is not None:
            typer.echo("\n".join(["", "Filming with it asks for one of these:", *needs.lines()]))
        return
    from dramatis.models.published.links import check_downloads, link_model, links_file

    with progress(quiet=quiet) as reporter:
        findings = check_downloads(model, folder, reporter, checksums=checksums)
    for finding in findings:
        typer.echo(f"{finding.path}  {finding.verdict}")
    link_model(model, folder, findings)
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
