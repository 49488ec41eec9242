"""The lab's command line: masks for videos of one's own, and the synthetic world.

Every fault that a user can mend ends in one sentence and exit code 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dramatis.cli import QuietOption, SeedOption, progress, run

app = typer.Typer(
    help="How the models are made: data, annotation, training.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
world = typer.Typer(help="The synthetic world that the mini models are trained on.", no_args_is_help=True)
app.add_typer(world, name="world")


@app.command()
def annotate(
    folder: Annotated[Path, typer.Argument(help="a folder with videos; sub-folders are searched too")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for masks, overlays and the manifest")],
    detector: Annotated[Path | None, typer.Option(help="a YOLO-class detector, .onnx; default: embedded")] = None,
    pose: Annotated[Path | None, typer.Option(help="DWPose, .onnx; default: embedded")] = None,
    segmenter: Annotated[Path | None, typer.Option(help="a folder with SAM 2 for videos; default: embedded")] = None,
    groups: Annotated[Path | None, typer.Option(help="write what is kept as groups to train on, here")] = None,
    workers: Annotated[int, typer.Option(min=1, help="videos annotated at once, in as many processes")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Mask every person in every frame of many videos and drop what does not hold; run again to resume or extend."""
    from dramatis_lab.annotate.folder import annotate_folder, check_output
    from dramatis_lab.annotate.parts import Choice
    from dramatis_lab.annotate.settings import Settings

    choice = Choice(detector, pose, segmenter)
    if groups is not None:
        check_output(groups, "groups")
    with progress(quiet) as reporter:
        done = annotate_folder(folder, output, choice, Settings(), workers, reporter)
    typer.echo(f"{done.manifest}: {done.videos} videos ({done.made} annotated now), {done.kept} segments kept")
    for cause, count in done.causes.items():
        typer.echo(f"rejected, {cause}: {count}")
    if groups is None:
        return
    from dramatis_lab.annotate.groups import write_groups

    with progress(quiet) as reporter:
        made = write_groups(folder, output, groups, reporter)
    typer.echo(f"{groups}: {made} samples made")


@world.command("render")
def world_render(
    output: Annotated[Path, typer.Argument(help="the mp4 to write")] = Path("world.mp4"),
    seed: SeedOption = 0,
    seconds: Annotated[float, typer.Option(min=0.2, max=60.0)] = 4.0,
    size: Annotated[int, typer.Option(min=64, max=1024)] = 256,
    people: Annotated[int, typer.Option(min=1, max=3)] = 1,
    assets: Annotated[Path, typer.Option(help="raw assets, see docs/world.md")] = Path("../shared/assets"),
) -> None:
    """Render a clip of the synthetic world to look at."""
    from dramatis_lab.world.takes.film import render_clip

    render_clip(output, seed=seed, seconds=seconds, size=size, people=people, assets=assets)
    typer.echo(str(output))


@world.command("dataset")
def world_dataset(
    output: Annotated[Path, typer.Argument(help="folder for the shards; existing ones are kept")],
    shards: Annotated[int, typer.Option(min=1)] = 10,
    samples: Annotated[int, typer.Option(min=1, help="samples a shard")] = 32,
    split: Annotated[str, typer.Option(help="train or test (held-out people, voices, backgrounds)")] = "train",
    size: Annotated[int, typer.Option(min=16, max=1024)] = 128,
    strided: Annotated[bool, typer.Option(help="with the frames of a blueprint; high resolution does without")] = True,
    people: Annotated[int | None, typer.Option(min=1, max=3, help="groups of so many, in frames as wide")] = None,
    seed: SeedOption = 0,
    workers: Annotated[int, typer.Option(min=1, help="shards rendered at once, in as many processes")] = 2,
    assets: Annotated[Path, typer.Option(help="raw assets, see docs/world.md")] = Path("../shared/assets"),
    quiet: QuietOption = False,
) -> None:
    """Write training shards: frames with exact ground truth, sound and captions; run again to resume or extend."""
    from dramatis_lab.world.takes.dataset import Recipe, write_dataset

    recipe = Recipe(seed=seed, split=split, size=size, samples_per_shard=samples, strided=strided, people=people)
    with progress(quiet) as reporter:
        made = write_dataset(output, shards, assets, recipe, workers, reporter)
    typer.echo(f"{output}: {made} shards made, {shards} there")


def main() -> None:
    """Run the lab's command line; a `UserError` becomes one sentence and exit code 2."""
    run(app)


__all__ = ["app", "main"]
