"""The cascade against other ways to make a long video, in one run: drift, seams, lips, sharpness, time, memory, FLOPs.

    python benchmarks/cascade.py --model mini --seconds 10 --seconds 60 --seconds 300

One held-out portrait speaks with all held-out voices, one after another. Every way films in a process of its own
(benchmarks/ways.py). With --work the videos are kept, and used again by a later call with the same model. Also here:
what joins clips, what the options against drift do, super-resolution against true frames, and what a second worker
brings. `benchmarks/run.py` writes the table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from dramatis.backbones.registry import open_backbone
from dramatis.cascade.pipeline import Film
from dramatis.cascade.plan import plan_cascade
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.runtime.executor import Workers
from dramatis.story.values import FPS
from dramatis_lab.evaluate import measures, steadiness
from dramatis_lab.evaluate.report import Row, judged, unmeasured
from enlarging import super_resolution
from filming import PICTURES, SECONDS, Stage, make
from held_out import load_cases
from kills import endure
from operations import plan_flops, unit_flops
from watch import Track, watch
from ways import Record, Way

PIECE = 113
"""Frames of a voice: lip sync is the mean of r over stretches of this length, as on the single cases."""
SEAM_CASES, OPTION_CASES, OPTION_SECONDS = 4, 2, 20
WORKER_SECONDS = 10
KILLS = 50
CELL = 144
"""Side of a picture on the sheet."""


@dataclass(frozen=True)
class Judged:
    """What one video measures to; slopes are per minute."""

    drift: float
    identity: float
    colour: float
    seams: float
    edges: float
    inside: float
    sync: float
    sharpness: float
    wall: float
    peak: float
    flops: float

    def line(self, seconds: int) -> str:
        """In one cell of the table."""
        return (
            f"drift {self.drift:+.2f}/min; shape and colour x{self.identity:.2f}, x{self.colour:.2f}; "
            f"seams {self.seams:.2f}; r {self.sync:.2f}; sharpness {self.sharpness:.2f}; "
            f"{self.wall / seconds:.1f} s/s; {self.peak:.0f} MB; {self.flops / seconds / 1e12:.2f} TFLOP/s"
        )


def judge(track: Track, record: Record, true: np.ndarray, wall: float, peak: float, work: float) -> Judged:
    """All figures of one video. true (F,): opening of the lips that its sound asks for."""
    gaps = [range(*gap) for gap in record.gaps]
    edges = [frame for some in gaps for frame in (some.start, some.stop - 1)]
    where = steadiness.inside(gaps, len(true))
    return Judged(
        drift=steadiness.slope_per_minute(track.person),
        identity=steadiness.growth(track.shape),
        colour=steadiness.growth(track.face),
        seams=steadiness.seam_ratio(track.change, record.hand_overs),
        edges=steadiness.seam_ratio(track.change, edges),
        inside=steadiness.sync_inside([track.opening], [true], [where]),
        sync=in_pieces(track.opening, true),
        sharpness=float(track.sharpness.mean()),
        wall=wall,
        peak=peak,
        flops=work,
    )


def comparison(stage: Stage) -> list[Row]:
    """The three ways at every length, and the rows that are read off them."""
    reference = stage.reference(stage.cases[0])
    unit = unit_flops(stage)
    results: dict[tuple[Way, int], Judged] = {}
    cells: dict[tuple[Way, int], list[Pictures]] = {}
    for seconds in stage.seconds:
        voice, true = stage.voice(seconds)
        plan = plan_cascade(stage.pipe.plan(stage.cases[0].portrait, voice)[0])
        for way in Way:
            if f"{way}-{seconds}" in stage.skip:
                continue
            made = make(stage, way, seconds)
            track = watch(stage.backbone.eye, made.video, reference)
            results[way, seconds] = judge(track, made.record, true, made.wall, made.peak, plan_flops(way, plan, unit))
            cells[way, seconds] = moments(made.video, seconds)
            print(f"{way}, {seconds} s: {results[way, seconds].line(seconds)}", flush=True)
    save_sheet(cells, stage.pictures / "cascade.png")
    return comparison_rows(results, unit)


def comparison_rows(results: dict[tuple[Way, int], Judged], unit: dict[str, float]) -> list[Row]:
    """The rows with bars, then what each way measures to at each length, for a person to read."""
    judgements = [_drift_row, _identity_row, _seam_row, _window_row, _single_row, _pace_row, _memory_row]
    rows = [make_row(results) for make_row in judgements]
    for seconds in SECONDS:
        for way in Way:
            found, name = results.get((way, seconds)), f"  {way}, {seconds} s long"
            line = None if found is None else found.line(seconds)
            rows.append(unmeasured(name) if line is None else Row(name, line, figures=asdict(results[way, seconds])))
    figures = "; ".join(f"{name} {value / 1e9:.1f}" for name, value in unit.items())
    return [*rows, Row("  GFLOP per frame of a stage (a picture for keyframes)", figures, figures=dict(unit))]


Results = dict[tuple[Way, int], Judged]


def _drift_row(results: Results) -> Row:
    name, bars = "drift over 60 s: slope of the person's LAB distance, cascade / chained", ("1/3", "1/10")
    cascade, chained = (results.get((way, 60)) for way in (Way.CASCADE, Way.CHAINED))
    if cascade is None or chained is None:
        return unmeasured(name, *bars)
    share = steadiness.share_of_drift(cascade.drift, chained.drift)
    value = f"{share:.2f} ({cascade.drift:+.2f} / {chained.drift:+.2f} a minute)"
    return judged(name, value, *bars, share <= 1 / 3, share <= 0.1, cascade=cascade.drift, chained=chained.drift)


def _identity_row(results: Results) -> Row:
    name, bars = "identity at 300 s over 5 s: shape; colour distance to the reference", ("1.3", "1.05")
    found = results.get((Way.CASCADE, 300))
    if found is None:
        return unmeasured(name, *bars)
    worst = max(found.identity, found.colour)
    value = f"{found.identity:.2f}; {found.colour:.2f}"
    return judged(name, value, *bars, worst <= 1.3, worst <= 1.05, shape=found.identity, colour=found.colour)


def _longest(results: Results, way: Way) -> tuple[int, Judged] | None:
    lengths = [seconds for made, seconds in results if made is way]
    return (max(lengths), results[way, max(lengths)]) if lengths else None


def _seam_row(results: Results) -> Row:
    name, bars = "seams: frame-to-frame change at hand-overs over elsewhere", ("< 1.3", "< 1.05")
    found = _longest(results, Way.CASCADE)
    if found is None:
        return unmeasured(name, *bars)
    seconds, cascade = found
    value = f"{cascade.seams:.2f} ({seconds} s; first and last frames of transitions: {cascade.edges:.2f})"
    # Where a transition was filmed, its own edges are the places that could show, so they must pass as well.
    worst = cascade.seams if np.isnan(cascade.edges) else max(cascade.seams, cascade.edges)
    return judged(name, value, *bars, worst < 1.3, worst < 1.05, hand_overs=cascade.seams, edges=cascade.edges)


def _window_row(results: Results) -> Row:
    name, bars = "lip sync r in transitions over elsewhere", ("0.9", "1.0")
    found = _longest(results, Way.CASCADE)
    if found is None:
        return unmeasured(name, *bars)
    inside = found[1].inside
    return judged(name, f"{inside:.2f} ({found[0]} s)", *bars, inside >= 0.9, inside >= 1, ratio=inside)


def _single_row(results: Results) -> Row:
    name, bars = "time of the cascade over single-stage high resolution, 10 s of video", ("1/2", "1/5")
    cascade, single = (results.get((way, 10)) for way in (Way.CASCADE, Way.SINGLE))
    if cascade is None or single is None:
        return unmeasured(name, *bars)
    ratio = cascade.wall / single.wall
    value = f"{ratio:.2f} ({cascade.wall:.0f} / {single.wall:.0f} s)"
    return judged(name, value, *bars, ratio <= 1 / 2, ratio <= 1 / 5, cascade=cascade.wall, single=single.wall)


def _pace_row(results: Results) -> Row:
    name, bars = "time per second of final video, 2 workers, whole process", ("25 s", "10 s at 512x512")
    paces = {seconds: found.wall / seconds for (way, seconds), found in results.items() if way is Way.CASCADE}
    if not paces:
        return unmeasured(name, *bars)
    value = " / ".join(f"{pace:.1f}" for pace in paces.values()) + f" s ({', '.join(map(str, paces))} s long)"
    figures = {str(seconds): pace for seconds, pace in paces.items()}
    # The aim asks for 512x512, which the mini does not film.
    return judged(name, value, *bars, max(paces.values()) <= 25, False, **figures)


def _memory_row(results: Results) -> Row:
    name, bars = "memory: peak at 300 s over peak at 10 s", ("1.2", "1.05")
    short, long = (results.get((Way.CASCADE, seconds)) for seconds in (10, 300))
    if short is None or long is None:
        return unmeasured(name, *bars)
    ratio = long.peak / short.peak
    value = f"{ratio:.2f} ({long.peak:.0f} / {short.peak:.0f} MB)"
    return judged(name, value, *bars, ratio <= 1.2, ratio <= 1.05, short=short.peak, long=long.peak)


def moments(video: Path, seconds: int) -> list[Pictures]:
    """The middle frames of the first, the middle and the last second."""
    wanted = [round((start + 0.5) * FPS) for start in (0, seconds / 2 - 0.5, seconds - 1)]
    return [frame for number, frame in enumerate(read_frames(video)) if number in wanted]


def save_sheet(cells: dict[tuple[Way, int], list[Pictures]], path: Path) -> None:
    """One row a way, first, middle and last second of every length."""
    pictures, labels = [], []
    blank = [np.full((CELL, CELL, 3), 225, np.uint8)] * 3
    for way in Way:
        for seconds in dict.fromkeys(seconds for _, seconds in cells):
            frames = cells.get((way, seconds), blank)
            for moment, frame in zip(("first", "middle", "last"), frames, strict=True):
                pictures.append(Image.fromarray(frame).resize((CELL, CELL), Image.Resampling.LANCZOS))
                labels.append(f"{way} {seconds} s: {moment if frames is not blank else 'not filmed'}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # 256 colours, chosen for this sheet and dithered, keep the file at a few hundred kilobytes.
    contact_sheet(pictures, labels, columns=len(pictures) // len(Way)).quantize(256).save(path, optimize=True)


# What joins clips, and what fights drift


def seams(stage: Stage) -> list[Row]:
    """The same clips joined by a filmed transition, a cross-fade and a plain cut. No bar: the reader compares."""
    rows = []
    for kind in ("film", "fade", "cut"):
        pipe = stage.varied(seam=kind)
        tracks, records = [], []
        for place, case in enumerate(stage.cases[:SEAM_CASES]):
            storyline, observations = pipe.plan(case.portrait, case.voice)
            out = stage.work / f"seam-{kind}-{place}.mp4"
            # One store for all three: blueprint and clips do not depend on what joins them.
            film = pipe.render(storyline, out, stage.work / f"seam-{place}.job", observations=observations)
            tracks.append(watch(stage.backbone.eye, film.video, stage.reference(case)))
            records.append(Record.of(film))
        rows.append(_joined_row(kind, tracks, records, [case.opening for case in stage.cases]))
        print(f"{rows[-1].name}: {rows[-1].value}", flush=True)
    return rows


def _joined_row(kind: str, tracks: list[Track], records: list[Record], truth: list[np.ndarray]) -> Row:
    gaps = [[range(*gap) for gap in record.gaps] for record in records]
    where = [steadiness.inside(some, len(track.opening)) for some, track in zip(gaps, tracks, strict=True)]
    hand_overs = [steadiness.seam_ratio(t.change, r.hand_overs) for t, r in zip(tracks, records, strict=True)]
    edges = [
        steadiness.seam_ratio(track.change, [frame for g in some for frame in (g.start, g.stop - 1)])
        for track, some in zip(tracks, gaps, strict=True)
    ]
    ratio = steadiness.sync_inside([track.opening for track in tracks], truth[: len(tracks)], where)
    a, b = (mean_of_known(ratios) for ratios in (hand_overs, edges))
    value = f"{a:.2f}; {b:.2f}; {ratio:.2f}"
    name = f"  seams joined by {kind}: change at hand-overs; at the window's edges; r in windows over elsewhere"
    return Row(name, value, figures={"hand_overs": a, "edges": b, "inside": ratio})


def mean_of_known(values: list[float]) -> float:
    """The mean of what is not nan; nan where nothing is left."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


OPTIONS: dict[str, dict[str, Any]] = {
    "no option": {"corrupted_reference": 0.0, "match_colours": False},
    "negative-frame guidance (corrupted_reference 0.5)": {"corrupted_reference": 0.5, "match_colours": False},
    "match_colours": {"corrupted_reference": 0.0, "match_colours": True},
}


def options(stage: Stage) -> list[Row]:
    """The options against drift, on and off. No bar: the reader compares."""
    voice, true = stage.voice(OPTION_SECONDS)
    rows = []
    for name, changes in OPTIONS.items():
        pipe = stage.varied(**changes)
        tracks = []
        for place, case in enumerate(stage.cases[:OPTION_CASES]):
            out = stage.work / f"option-{len(rows)}-{place}.mp4"
            film: Film = pipe(case.portrait, voice, output=out)
            tracks.append(watch(stage.backbone.eye, film.video, stage.reference(case)))
        rows.append(_option_row(name, tracks, true))
        print(f"{rows[-1].name}: {rows[-1].value}", flush=True)
    return rows


def _option_row(name: str, tracks: list[Track], true: np.ndarray) -> Row:
    drift = float(np.mean([steadiness.slope_per_minute(track.person) for track in tracks]))
    face = float(np.mean([track.face.mean() for track in tracks]))
    r = float(np.mean([in_pieces(track.opening, true) for track in tracks]))
    sharp = float(np.mean([track.sharpness.mean() for track in tracks]))
    value = f"{drift:+.2f}/min; {face:.2f}; {r:.2f}; {sharp:.2f}"
    name = f"  {name}, {OPTION_SECONDS} s: drift; colour distance of the face; r; sharpness"
    return Row(name, value, figures={"drift": drift, "face": face, "r": r, "sharpness": sharp})


def in_pieces(seen: np.ndarray, true: np.ndarray) -> float:
    """Lip sync r of a long video: the mean over its pieces."""
    return measures.lip_sync(*(steadiness.pieces(curve, PIECE) for curve in (seen, true))).r


# Workers and kills


def workers(stage: Stage) -> list[Row]:
    """Wall time of the stages that workers share, one computing thread each, with one worker and with two."""
    one = make(stage, Way.CASCADE, WORKER_SECONDS, 1).record.filming
    rows = []
    for kind in Workers:
        two = make(stage, Way.CASCADE, WORKER_SECONDS, 2, kind).record.filming
        name = f"2 workers over 1 ({kind}), sub-clip to super-resolution stages, one thread each"
        value = f"{one / two:.2f}x ({one:.0f} / {two:.0f} s)"
        rows.append(judged(name, value, "1.7x", "1.95x", one / two >= 1.7, one / two >= 1.95, one=one, two=two))
    return rows


def kills(stage: Stage) -> list[Row]:
    """A job that is killed again and again, and resumed."""
    with tempfile.TemporaryDirectory() as folder:
        result = endure(KILLS, Path(folder), str(stage.backbone.folder))
    value = f"{result.lost}; {'all bit-equal' if result.equal else 'not equal'}"
    name = f"{KILLS} kills at random moments: artifacts lost; results"
    passed = result.lost == 0 and result.equal
    return [judged(name, value, "0; bit-equal", "", passed, False, lost=result.lost, equal=result.equal)]


def size(stage: Stage) -> list[Row]:
    """What the profile asks for."""
    value = f"{stage.side}x{stage.side}"
    return [judged("output at 25 fps", value, "256x256", "512x512", stage.side >= 256, stage.side >= 512)]


PARTS: dict[str, Callable[[Stage], list[Row]]] = {
    "size": size,
    "comparison": comparison,
    "super_resolution": super_resolution,
    "workers": workers,
    "kills": kills,
    "seams": seams,
    "options": options,
}


def main(
    model: str = "mini",
    only: Annotated[list[str] | None, typer.Option(help="parts to measure; default the comparison")] = None,
    seconds: Annotated[list[int] | None, typer.Option(help="lengths to compare at; default 10, 60 and 300")] = None,
    work: Annotated[Path | None, typer.Option(help="keep the videos here, and use those of an earlier call")] = None,
    pictures: Annotated[Path, typer.Option(help="folder for the sheet of pictures")] = PICTURES,
    skip: Annotated[list[str] | None, typer.Option(help="leave a video out of the comparison: single-300")] = None,
    cases: Annotated[int | None, typer.Option(help="use only the first cases, to try things out")] = None,
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        stage = Stage(
            open_backbone(model),
            load_cases()[:cases],
            folder,
            pictures,
            seconds or SECONDS,
            skip or (),
        )
        for part in only or ["comparison"]:
            for row in PARTS[part](stage):
                print(f"{row.name}: {row.value} ({row.mark})", flush=True)


if __name__ == "__main__":
    typer.run(main)
