"""The lab's command line: the synthetic world, and masks for your own videos.

Every fault that a user can mend ends in one sentence and exit code 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dramatis.cli import QuietOption, SeedOption, progress, run
from dramatis.runtime.packages import require_package
from dramatis_lab.train.commands import train_app

ShardWorkersOption = Annotated[int, typer.Option(min=1, help="Shards rendered at once, each in its own process.")]
AssetsOption = Annotated[Path, typer.Option(help="Folder with the raw assets; see docs/world.md.")]
ASSETS = Path("../shared/assets")

app = typer.Typer(
    help="How the models are made: the rendered world, and annotation of videos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
world = typer.Typer(help="Render the synthetic world that the mini models are trained on.", no_args_is_help=True)
app.add_typer(world, name="world")
app.add_typer(train_app, name="train")


@app.command()
def annotate(  # noqa: PLR0913 - one parameter for each option
    folder: Annotated[Path, typer.Argument(help="Folder with videos; its sub-folders are searched too.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for masks, overlays and the manifest.")],
    *,
    detector: Annotated[Path | None, typer.Option(help="YOLO-class detector, .onnx. Default: embedded.")] = None,
    pose: Annotated[Path | None, typer.Option(help="DWPose, .onnx. Default: embedded.")] = None,
    segmenter: Annotated[Path | None, typer.Option(help="Folder with SAM 2 for videos. Default: embedded.")] = None,
    matting: Annotated[Path | None, typer.Option(help="Matting network, .onnx, for finer outlines.")] = None,
    groups: Annotated[Path | None, typer.Option(help="Folder for the kept frames as training groups.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Videos annotated at once, each in its own process.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Mask every person in every frame of many videos and reject unreliable masks.

    Run the same command again to resume or to add videos.
    """
    from dramatis.senses.seeing.finder import person_finder
    from dramatis_lab.annotate.folder import annotate_folder, check_output_folder
    from dramatis_lab.annotate.parts import PartChoice
    from dramatis_lab.annotate.settings import AnnotationSettings

    choice = PartChoice(detector, pose, segmenter, matting)
    if groups is not None:
        require_package("numba", "The option --groups")
        check_output_folder(groups, "groups")
    for note in person_finder().notes():
        typer.echo(note, err=True)
    with progress(quiet=quiet) as reporter:
        summary = annotate_folder(folder, output, choice, AnnotationSettings(), workers, reporter)
    annotated = f"{summary.videos} videos ({summary.made} annotated now)"
    typer.echo(f"{summary.manifest}: {annotated}, {summary.kept} segments kept")
    for cause, count in summary.causes.items():
        typer.echo(f"rejected, {cause}: {count}")
    if groups is None:
        return
    from dramatis_lab.annotate.groups import write_groups

    with progress(quiet=quiet) as reporter:
        made = write_groups(folder, output, groups, reporter)
    typer.echo(f"{groups}: {made} samples made")


@world.command("render")
def world_render(
    output: Annotated[Path, typer.Argument(help="The mp4 file to write.")] = Path("world.mp4"),
    *,
    seed: SeedOption = 0,
    seconds: Annotated[float, typer.Option(min=0.2, max=60.0, help="Length of the clip.")] = 4.0,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side of the square picture in pixels.")] = 256,
    people: Annotated[int, typer.Option(min=1, max=3, help="People in the picture.")] = 1,
    assets: AssetsOption = ASSETS,
) -> None:
    """Render one clip of the synthetic world to look at."""
    require_package("numba", "The synthetic world")
    from dramatis_lab.world.takes.clip import render_clip

    render_clip(output, seed=seed, seconds=seconds, size=size, people=people, assets=assets)
    typer.echo(str(output))


def _echo_shards(output: Path, made: int, shards: int) -> None:
    typer.echo(f"{output}: {made} shards made, {shards} there")


@world.command("dataset")
def world_dataset(  # noqa: PLR0913 - one parameter for each option
    output: Annotated[Path, typer.Argument(help="Folder for the shards; existing shards are kept.")],
    *,
    shards: Annotated[int, typer.Option(min=1, help="Shards that the data set shall have.")] = 10,
    samples: Annotated[int, typer.Option(min=1, help="Samples in each shard.")] = 32,
    split: Annotated[str, typer.Option(help="train, or test: held-out people, voices and backdrops.")] = "train",
    size: Annotated[int, typer.Option(min=16, max=1024, help="Height of the frames in pixels.")] = 128,
    strided: Annotated[bool, typer.Option(help="Add the frames of a blueprint to each sample.")] = True,
    people: Annotated[
        int | None, typer.Option(min=1, max=3, help="Groups of this many people, in frames as many times as wide.")
    ] = None,
    seed: SeedOption = 0,
    workers: ShardWorkersOption = 2,
    assets: AssetsOption = ASSETS,
    quiet: QuietOption = False,
) -> None:
    """Write training shards: frames with exact ground truth, sound and captions.

    Run the same command again to resume, or with more shards to extend.
    """
    require_package("numba", "The synthetic world")
    from dramatis_lab.world.takes.dataset import Recipe, write_dataset

    recipe = Recipe(seed=seed, split=split, size=size, samples_per_shard=samples, strided=strided, people=people)
    with progress(quiet=quiet) as reporter:
        made = write_dataset(output, shards, assets, recipe, workers, reporter)
    _echo_shards(output, made, shards)


@world.command("stills")
def world_stills(
    output: Annotated[Path, typer.Argument(help="Folder for the shards; existing shards are kept.")],
    *,
    shards: Annotated[int, typer.Option(min=1, help="Shards that the data set shall have.")] = 20,
    split: Annotated[str, typer.Option(help="train, or test: held-out people and backdrops.")] = "train",
    seed: SeedOption = 0,
    workers: ShardWorkersOption = 2,
    assets: AssetsOption = ASSETS,
    quiet: QuietOption = False,
) -> None:
    """Write stills such as users bring, with exact ground truth, for the perception network.

    Run the same command again to resume, or with more shards to extend.
    """
    require_package("numba", "The synthetic world")
    from dramatis_lab.world.stills.dataset import StillRecipe, write_stills

    with progress(quiet=quiet) as reporter:
        made = write_stills(output, shards, assets, StillRecipe(seed=seed, split=split), workers, reporter)
    _echo_shards(output, made, shards)


def main() -> None:
    """Run the lab's command line; a `UserError` becomes one sentence and exit code 2."""
    run(app)


__all__ = ["app", "main"]
