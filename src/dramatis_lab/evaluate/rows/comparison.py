"""Rows that compare the cascade with other ways to make a long video: drift, seams, lips, time, memory, FLOPs.

One held-out portrait speaks with all held-out voices, one after another. Every way films in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.cascade.plan import plan_cascade
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.story.values import FPS
from dramatis_lab.evaluate.bench import COMPARED_SECONDS, Bench
from dramatis_lab.evaluate.measures.steadiness import (
    frames_inside,
    growth,
    seam_ratio,
    share_of_drift,
    slope_per_minute,
)
from dramatis_lab.evaluate.measures.sync import long_lip_sync, sync_inside
from dramatis_lab.evaluate.measures.tracks import VideoTrack, track_video
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row
from dramatis_lab.evaluate.ways.operations import flops_of_plan, flops_per_frame
from dramatis_lab.evaluate.ways.processes import film_in_process
from dramatis_lab.evaluate.ways.record import FilmingRecord, FilmingWay

CELL = 144
"""Pixels of a side of a picture on the contact sheet."""


@dataclass(frozen=True)
class VideoFigures:
    """Everything that is measured of one video; slopes are per minute."""

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
        """All figures as the text of one cell of the table."""
        return (
            f"drift {self.drift:+.2f}/min; shape and colour x{self.identity:.2f}, x{self.colour:.2f}; "
            f"seams {self.seams:.2f}; r {self.sync:.2f}; sharpness {self.sharpness:.2f}; "
            f"{self.wall / seconds:.1f} s/s; {self.peak:.0f} MB; {self.flops / seconds / 1e12:.2f} TFLOP/s"
        )


_Results = Mapping[tuple[FilmingWay, int], VideoFigures]
"""By way and seconds."""


def video_figures(
    track: VideoTrack, record: FilmingRecord, true: np.ndarray, wall: float, peak: float, work: float
) -> VideoFigures:
    """All figures of one video. true: (F,) mouth opening that its sound asks for. work: its operations."""
    gaps = [range(*gap) for gap in record.gaps]
    edges = [frame for gap in gaps for frame in (gap.start, gap.stop - 1)]
    where = frames_inside(gaps, len(true))
    return VideoFigures(
        drift=slope_per_minute(track.person),
        identity=growth(track.shape),
        colour=growth(track.face),
        seams=seam_ratio(track.change, record.hand_overs),
        edges=seam_ratio(track.change, edges),
        inside=sync_inside([track.opening], [true], [where]),
        sync=long_lip_sync(track.opening, true),
        sharpness=float(track.sharpness.mean()),
        wall=wall,
        peak=peak,
        flops=work,
    )


def comparison_rows(bench: Bench) -> list[Row]:
    """Film in every way at every length, and read the rows off the videos."""
    reference = bench.reference(bench.cases[0])
    per_frame = flops_per_frame(bench)
    results: dict[tuple[FilmingWay, int], VideoFigures] = {}
    cells: dict[tuple[FilmingWay, int], list[Pictures]] = {}
    for seconds in bench.seconds:
        voice, true = bench.long_voice(seconds)
        plan = plan_cascade(bench.plan(bench.cases[0].portrait, voice).storyline)
        for way in FilmingWay:
            if f"{way}-{seconds}" in bench.skip:
                continue
            video = film_in_process(bench, way, seconds)
            track = track_video(bench.perception, video.video, reference)
            results[way, seconds] = video_figures(
                track, video.record, true, video.wall, video.peak, flops_of_plan(way, plan, per_frame)
            )
            cells[way, seconds] = three_moments(video.video, seconds)
            print(f"{way}, {seconds} s: {results[way, seconds].line(seconds)}", flush=True)
    save_comparison_sheet(cells, bench.pictures / "cascade.png")
    return rows_from_figures(results, per_frame)


def rows_from_figures(results: _Results, per_frame: Mapping[str, float]) -> list[Row]:
    """The rows with bars, then all figures of each way at each length, for the reader."""
    makers = [_drift_row, _identity_row, _seam_row, _transition_sync_row, _single_row, _pace_row, _memory_row]
    rows = [make_row(results) for make_row in makers]
    for seconds in COMPARED_SECONDS:
        for way in FilmingWay:
            figures, name = results.get((way, seconds)), f"  {way}, {seconds} s long"
            if figures is None:
                rows.append(unmeasured_row(name))
            else:
                rows.append(Row(name, figures.line(seconds), figures=asdict(figures)))
    value = "; ".join(f"{stage} {flops / 1e9:.1f}" for stage, flops in per_frame.items())
    return [*rows, Row("  GFLOP per frame of a stage (a picture for keyframes)", value, figures=dict(per_frame))]


def _drift_row(results: _Results) -> Row:
    name, bars = "drift over 60 s: slope of the person's LAB distance, cascade / chained", ("1/3", "1/10")
    cascade, chained = (results.get((way, 60)) for way in (FilmingWay.CASCADE, FilmingWay.CHAINED))
    if cascade is None or chained is None:
        return unmeasured_row(name, *bars)
    share = share_of_drift(cascade.drift, chained.drift)
    value = f"{share:.2f} ({cascade.drift:+.2f} / {chained.drift:+.2f} a minute)"
    return judged_row(
        name, value, *bars, share <= 1 / 3, share <= 0.1, {"cascade": cascade.drift, "chained": chained.drift}
    )


def _identity_row(results: _Results) -> Row:
    name, bars = "identity at 300 s over 5 s: shape; colour distance to the reference", ("1.3", "1.05")
    cascade = results.get((FilmingWay.CASCADE, 300))
    if cascade is None:
        return unmeasured_row(name, *bars)
    worst = max(cascade.identity, cascade.colour)
    value = f"{cascade.identity:.2f}; {cascade.colour:.2f}"
    return judged_row(
        name, value, *bars, worst <= 1.3, worst <= 1.05, {"shape": cascade.identity, "colour": cascade.colour}
    )


def _longest(results: _Results, way: FilmingWay) -> tuple[int, VideoFigures] | None:
    lengths = [seconds for filmed_way, seconds in results if filmed_way is way]
    return (max(lengths), results[way, max(lengths)]) if lengths else None


def _seam_row(results: _Results) -> Row:
    name, bars = "seams: frame-to-frame change at hand-overs over elsewhere", ("< 1.3", "< 1.05")
    longest = _longest(results, FilmingWay.CASCADE)
    if longest is None:
        return unmeasured_row(name, *bars)
    seconds, cascade = longest
    value = f"{cascade.seams:.2f} ({seconds} s; first and last frames of transitions: {cascade.edges:.2f})"
    # Where a transition was filmed, its own edges are the places that could show, so they must pass as well.
    worst = cascade.seams if np.isnan(cascade.edges) else max(cascade.seams, cascade.edges)
    return judged_row(
        name, value, *bars, worst < 1.3, worst < 1.05, {"hand_overs": cascade.seams, "edges": cascade.edges}
    )


def _transition_sync_row(results: _Results) -> Row:
    name, bars = "lip sync r in transitions over elsewhere", ("0.9", "1.0")
    longest = _longest(results, FilmingWay.CASCADE)
    if longest is None:
        return unmeasured_row(name, *bars)
    inside = longest[1].inside
    return judged_row(name, f"{inside:.2f} ({longest[0]} s)", *bars, inside >= 0.9, inside >= 1, {"ratio": inside})


def _single_row(results: _Results) -> Row:
    name, bars = "time of the cascade over single-stage high resolution, 10 s of video", ("1/2", "1/5")
    cascade, single = (results.get((way, 10)) for way in (FilmingWay.CASCADE, FilmingWay.SINGLE))
    if cascade is None or single is None:
        return unmeasured_row(name, *bars)
    ratio = cascade.wall / single.wall
    value = f"{ratio:.2f} ({cascade.wall:.0f} / {single.wall:.0f} s)"
    return judged_row(
        name, value, *bars, ratio <= 1 / 2, ratio <= 1 / 5, {"cascade": cascade.wall, "single": single.wall}
    )


def _pace_row(results: _Results) -> Row:
    name, bars = "time per second of final video, 2 workers, whole process", ("25 s", "10 s at 512x512")
    paces = {seconds: video.wall / seconds for (way, seconds), video in results.items() if way is FilmingWay.CASCADE}
    if not paces:
        return unmeasured_row(name, *bars)
    value = " / ".join(f"{pace:.1f}" for pace in paces.values()) + f" s ({', '.join(map(str, paces))} s long)"
    figures = {str(seconds): pace for seconds, pace in paces.items()}
    # The aim asks for 512x512, which the mini does not film.
    return judged_row(name, value, *bars, max(paces.values()) <= 25, aimed=False, figures=figures)


def _memory_row(results: _Results) -> Row:
    name, bars = "memory: peak at 300 s over peak at 10 s", ("1.2", "1.05")
    short, long = (results.get((FilmingWay.CASCADE, seconds)) for seconds in (10, 300))
    if short is None or long is None:
        return unmeasured_row(name, *bars)
    ratio = long.peak / short.peak
    value = f"{ratio:.2f} ({long.peak:.0f} / {short.peak:.0f} MB)"
    return judged_row(name, value, *bars, ratio <= 1.2, ratio <= 1.05, {"short": short.peak, "long": long.peak})


def three_moments(video: Path, seconds: int) -> list[Pictures]:
    """The middle frames of the first, the middle and the last second."""
    moments = [round((start + 0.5) * FPS) for start in (0, seconds / 2 - 0.5, seconds - 1)]
    return [frame for index, frame in enumerate(read_frames(video)) if index in moments]


def save_comparison_sheet(cells: dict[tuple[FilmingWay, int], list[Pictures]], path: Path) -> None:
    """Save a contact sheet: a row for each way, with the first, middle and last second of every length."""
    pictures, labels = [], []
    blank = [np.full((CELL, CELL, 3), 225, np.uint8)] * 3
    for way in FilmingWay:
        for seconds in dict.fromkeys(seconds for _, seconds in cells):
            frames = cells.get((way, seconds), blank)
            for moment, frame in zip(("first", "middle", "last"), frames, strict=True):
                pictures.append(Image.fromarray(frame).resize((CELL, CELL), Image.Resampling.LANCZOS))
                labels.append(f"{way} {seconds} s: {moment if frames is not blank else 'not filmed'}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # 256 colours, chosen for this sheet and dithered, keep the file at a few hundred kilobytes.
    contact_sheet(pictures, labels, columns=len(pictures) // len(FilmingWay)).quantize(256).save(path, optimize=True)
