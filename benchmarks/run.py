"""Measure the shipped weights on held-out people and voices, and write the table of results.

    python benchmarks/run.py                                     # everything: hours on two cores
    python benchmarks/run.py --only sync --only autoencoder      # some groups of rows
    python benchmarks/run.py --only comparison --seconds 10 --seconds 60

Writes benchmarks/RESULTS.md, benchmarks/results.json and docs/pictures. Rows that this run does not measure stay as an
earlier run left them; every row says which run measured it. Rows that miss their bar are printed as failing. Nothing
here is used for training or tuning.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from annotation import annotation
from bench import Bench
from cascade import PARTS
from characters import characters
from directing import direction, negatives
from director import director_rows
from dramatis.backbones.registry import open_backbone
from dramatis.media.sheet import contact_sheet
from dramatis.models.loading import load_model
from dramatis.models.perception import PerceptionNet
from dramatis.senses.seeing.measures import laplacian_variance
from dramatis_lab.evaluate import measures, report
from dramatis_lab.evaluate.report import Entry, Row, Run, judged
from dramatis_lab.train.autoencoder import detail_boxes
from enlarging import round_trip
from filming import PICTURES, SECONDS, Stage, make
from held_out import load_cases
from ways import Way

HERE = Path(__file__).parent
ABOUT = (
    "{cases} held-out people and voices (benchmarks/cases), no clip chosen by hand. `make benchmark` measures all; "
    "the last column says which run below measured a row. What each row measures: docs/evaluation.md."
)
SHOWN = {
    "true and generated": "results.png",
    "three ways, first, middle and last second": "cascade.png",
    "generic and own negative prompts": "negatives.png",
    "masks of the annotation": "annotation.png",
    "predicted masks": "scene_masks.png",
    "without gates, with boxes, with predicted masks": "gates.png",
}


def output(bench: Bench) -> list[Row]:
    """Sides of the low-resolution frames, where everything but detail is decided."""
    side = bench.stage.low_side
    return [judged("low-resolution half at 25 fps", f"{side}x{side}", "128x128", "256x256", side >= 128, side >= 256)]


def autoencoder(bench: Bench) -> list[Row]:
    """Reconstruction of held-out people: whole frame, and mouth and eye boxes; as small as the low-resolution half."""
    side, large = bench.stage.low_side, bench.stage.side
    whole, boxes = reconstruction(bench, side)
    figures = {"whole": whole, "boxes": boxes}
    bars = ("31 / 28 dB", "34 / 32 dB")
    passed, aimed = whole >= 31 and boxes >= 28, whole >= 34 and boxes >= 32
    name = f"autoencoder PSNR at {side}x{side}, whole frame / mouth and eye boxes"
    rows = [judged(name, f"{whole:.1f} / {boxes:.1f} dB", *bars, passed, aimed, **figures)]
    if large > side:
        whole, boxes = reconstruction(bench, large)
        figures = {"whole": whole, "boxes": boxes}
        rows.append(Row(f"  the same at {large}x{large}", f"{whole:.1f} / {boxes:.1f} dB", figures=figures))
    return rows


def reconstruction(bench: Bench, side: int) -> tuple[float, float]:
    """(whole frame, mouth and eye boxes) dB, mean over clips of 29 frames of the true videos at that size."""
    whole, detail = [], []
    for case in bench.cases:
        frames, marks = case.at(side), case.landmarks * (side / case.side)
        for start in range(0, len(frames) - 28, 28):
            clip = frames[start : start + 29]
            out = round_trip(bench.pipe.backbone, clip)
            whole.append(measures.psnr(out, clip))
            chosen = (case.index >= start) & (case.index < start + 29)
            if chosen.any():
                boxes = detail_boxes(marks[chosen], clip.shape[1:3])
                picked = case.index[chosen] - start
                detail.append(measures.psnr(out[picked], clip[picked], boxes))
    return float(np.mean(whole)), float(np.mean(detail))


def sync(bench: Bench) -> list[Row]:
    """Lip sync with the own voice, with another voice as control, and lips in silence."""
    truth = [case.opening for case in bench.cases]
    seen = [measures.openings(sights) for _, sights in bench.own()]
    result = measures.lip_sync(seen, truth)
    # The control: the same pictures filmed with another case's voice, against the curve of their own voice.
    foreign = []
    for place, case in enumerate(bench.cases):
        other = bench.cases[(place + 3) % len(bench.cases)]
        frames = bench.film(f"foreign-{place}", case.portrait, other.voice, "")
        foreign.append(measures.openings(measures.see(bench.eye, frames)))
    shuffled = measures.lip_sync(foreign, truth)
    silence = measures.silence_ratio(seen, truth)
    true_seen = [measures.openings(measures.see(bench.eye, case.frames)) for case in bench.cases]
    upper = measures.lip_sync(true_seen, truth)
    quiet = measures.silence_ratio(true_seen, truth)
    return [
        Row(
            "lip sync: r of mouth opening; best lag",
            f"{result.r:.2f}; {result.lag:+d} frames",
            "0.7; within 1",
            "0.9; 0",
            result.r >= 0.7 and abs(result.lag) <= 1,
            result.r >= 0.9 and result.lag == 0,
        ),
        Row("  the same filmed with another voice (control)", f"{shuffled.r:.2f}", "< 0.2", "", abs(shuffled.r) < 0.2),
        Row("  the same on true frames (what the measure itself can reach)", f"{upper.r:.2f}", "", "", None),
        Row(
            "silence: mouth opening in pauses over speech",
            f"{silence:.2f} (true frames: {quiet:.2f})",
            "< 0.3",
            "< 0.1",
            silence < 0.3,
            silence < 0.1,
        ),
    ]


def sharpness(bench: Bench) -> list[Row]:
    """Laplacian variance of the face, generated over true, at the size of the video."""
    ratios = []
    for case, (frames, sights) in zip(bench.cases, bench.own(), strict=True):
        truth = case.at(bench.stage.side)
        true = [laplacian_variance(f, s) for f, s in zip(truth, measures.see(bench.eye, truth), strict=True)]
        made = [laplacian_variance(f, s) for f, s in zip(frames, sights, strict=True)]
        ratios.append(np.mean(made) / np.mean(true))
    value = float(np.mean(ratios))
    return [
        judged(
            "sharpness: Laplacian variance of the face, generated over true",
            f"{value:.2f}",
            "0.5-1.5",
            "0.85-1.15",
            0.5 <= value <= 1.5,
            0.85 <= value <= 1.15,
            ratio=value,
        )
    ]


def perception(bench: Bench) -> list[Row]:
    """Landmarks and person mask on held-out people."""
    errors, ious = [], []
    for case in bench.cases:
        for sight, marks, person in zip(
            measures.see(bench.eye, case.frames[case.index]), case.landmarks, case.person, strict=True
        ):
            span = np.linalg.norm(marks[36] - marks[45])
            errors.append(np.linalg.norm(sight.landmarks - marks, axis=1).mean() / span)
            seen, true = sight.person > 0.5, person[::2, ::2]
            ious.append((seen & true).sum() / max((seen | true).sum(), 1))
    error, iou = float(np.mean(errors)), float(np.mean(ious))
    return [
        Row(
            "perception: landmark error / person mask IoU",
            f"{error:.3f} / {iou:.3f}",
            "0.05 / 0.9",
            "0.03 / 0.95",
            error <= 0.05 and iou >= 0.9,
            error <= 0.03 and iou >= 0.95,
        )
    ]


def cost(bench: Bench) -> list[Row]:
    """Time per second of video and peak memory, of whole processes started afresh."""
    made = {seconds: make(bench.stage, Way.CASCADE, seconds) for seconds in (10, 60)}
    figures = {seconds: (video.wall / seconds, video.peak) for seconds, video in made.items()}
    ratio = figures[60][1] / figures[10][1]
    pace = figures[10][0]
    return [
        Row(
            "time per second of video, whole process (10 s / 60 s long)",
            f"{pace:.1f} / {figures[60][0]:.1f} s",
            "15 s",
            "3 s",
            pace <= 15,
            pace <= 3,
        ),
        Row(
            "memory: peak at 60 s over peak at 10 s",
            f"{ratio:.2f} ({figures[10][1]:.0f} MB at 10 s)",
            "1.2",
            "1.05",
            ratio <= 1.2,
            ratio <= 1.05,
        ),
    ]


def real_faces(bench: Bench) -> list[Row]:
    """A photograph: is the face found, do the lips follow, does the face stay sharp? No bar; good or bad."""
    from skimage import data

    portrait = bench.work / "astronaut.png"
    Image.fromarray(data.astronaut()[0:300, 75:375]).save(portrait)
    case = bench.cases[0]
    frames = bench.film("astronaut", portrait, case.voice, "")
    sights = measures.see(bench.eye, frames)
    seen = measures.openings(sights)
    r = measures.lip_sync([seen], [case.opening])
    first = laplacian_variance(frames[0], sights[0])
    kept = np.mean([laplacian_variance(f, s) for f, s in zip(frames[25:], sights[25:], strict=True)]) / first
    save_strip(frames[:: max(1, len(frames) // 10)][:10], bench.pictures / "astronaut.png")
    return [
        Row(
            "real face (astronaut): r; face confidence; sharpness kept",
            f"{r.r:.2f}; {sights[0].face:.2f}; {kept:.2f}",
            "",
            "",
            None,
        )
    ]


def save_strip(frames: np.ndarray, path: Path) -> None:
    """Frames side by side, 256 pixels a side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = [Image.fromarray(f).resize((256, 256), Image.Resampling.BICUBIC) for f in frames]
    contact_sheet(large, columns=len(large)).save(path)


def picture(bench: Bench) -> None:
    """True and generated frames of four held-out people, at the widest and the most closed moments of their speech."""
    cells, labels = [], []
    for case, (frames, _) in list(zip(bench.cases, bench.own(), strict=True))[:4]:
        inner = np.arange(8, len(case.opening) - 4)
        spread = inner[np.argsort(case.opening[inner])][np.linspace(0, len(inner) - 1, 8).astype(int)]
        for name, source in (("true", case.frames), ("generated", frames)):
            for k in spread:
                cells.append(Image.fromarray(source[k]).resize((192, 192), Image.Resampling.BICUBIC))
                labels.append(f"{name} {k / 25:.2f} s, open {case.opening[k]:.2f}")
    bench.pictures.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, labels, columns=8).save(bench.pictures / "results.png")


@dataclass(frozen=True)
class Group:
    """Rows that are measured together, and the section of RESULTS.md that they stand in."""

    section: str
    measure: Callable[[Bench], list[Row]]


def of_stage(part: Callable[[Stage], list[Row]]) -> Callable[[Bench], list[Row]]:
    """A part of the cascade's or the director's benchmark as a group of this one."""
    return lambda bench: part(bench.stage)


FILMED = (output, autoencoder, sync, sharpness, perception, direction, cost, real_faces)
GROUPS: dict[str, Group] = {part.__name__: Group("The mini", part) for part in FILMED}
GROUPS |= {name: Group("Cascade", of_stage(part)) for name, part in PARTS.items()}
GROUPS |= {"director": Group("Director", of_stage(director_rows)), "negatives": Group("Director", negatives)}
GROUPS |= {"annotation": Group("Annotation", annotation), "characters": Group("Several characters", characters)}


def machine(dtype: torch.dtype) -> str:
    """Processor and cores, without names of anything else, and the arithmetic that the networks ran in."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    return f"{name}, {os.cpu_count()} cores, torch {torch.__version__}, {str(dtype).removeprefix('torch.')}"


def main(
    only: Annotated[list[str] | None, typer.Option(help="groups of rows to measure; default all")] = None,
    model: str = "mini",
    seconds: Annotated[list[int] | None, typer.Option(help="lengths to compare at; default 10, 60 and 300")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="leave a video out of the comparison: single-300")] = None,
    work: Annotated[Path | None, typer.Option(help="keep long videos here, and use those of an earlier run")] = None,
    save: Annotated[bool, typer.Option(help="write the results and pictures of this run into the repository")] = True,
) -> None:
    """Measure, print, and write each group's rows as soon as they are measured."""
    unknown = set(only or ()) - set(GROUPS)
    if unknown:
        raise typer.BadParameter(f"unknown groups {sorted(unknown)}; choose from {', '.join(GROUPS)}")
    backbone = open_backbone(model)
    run = Run(
        said(only, model, seconds, skip), str(date.today()), machine(backbone.dtype), backbone.identity["weights"][:8]
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        cases = load_cases()
        stage = Stage(backbone, cases, folder, PICTURES if save else folder, seconds or SECONDS, skip or ())
        bench = Bench(stage, load_model(PerceptionNet, backbone.folder / "perception"))
        for name in only or list(GROUPS):
            entries = [Entry(name, row, run) for row in GROUPS[name].measure(bench)]
            print(report.markdown(entries, [run]), flush=True)
            if save:
                write_results(entries, len(cases))
        if save and "sync" in (only or GROUPS):
            picture(bench)


def said(only: list[str] | None, model: str, seconds: list[int] | None, skip: list[str] | None = None) -> str:
    """The command that measures the same again."""
    words = [f"--only {name}" for name in only or ()] + [f"--seconds {count}" for count in seconds or ()]
    words += [f"--skip {video}" for video in skip or ()]
    if model != "mini":
        words.append(f"--model {Path(model).name}")
    return " ".join(["python benchmarks/run.py", *words]) if words else "make benchmark"


def write_results(new: list[Entry], cases: int) -> None:
    """RESULTS.md and results.json, with the new rows among those that are there."""
    entries = report.merge(report.load(HERE / "results.json"), new, list(GROUPS))
    report.save(entries, HERE / "results.json")
    runs = report.runs_of(entries)
    parts = ["# Results of the shipped mini", ABOUT.format(cases=cases)]
    for section in dict.fromkeys(group.section for group in GROUPS.values()):
        own = [entry for entry in entries if GROUPS[entry.group].section == section]
        parts += [f"## {section}", report.markdown(own, runs)]
    parts += ["## Runs", report.legend(runs)]
    parts += [f"![{text}](../docs/pictures/{name})" for text, name in SHOWN.items() if (PICTURES / name).exists()]
    (HERE / "RESULTS.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    typer.run(main)
