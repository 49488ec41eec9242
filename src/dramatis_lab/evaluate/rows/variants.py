"""Rows that compare variants of the cascade: what joins clips, and the options against drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from dramatis.cascade.pipeline import RenderedVideo
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.measures.steadiness import frames_inside, mean_of_known, seam_ratio, slope_per_minute
from dramatis_lab.evaluate.measures.sync import long_lip_sync, sync_inside
from dramatis_lab.evaluate.measures.tracks import VideoTrack, track_video
from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.ways.record import FilmingRecord

SEAM_CASES, OPTION_CASES, OPTION_SECONDS = 4, 2, 20
DRIFT_OPTIONS: dict[str, dict[str, Any]] = {
    "no option": {"low.corrupted_reference": 0.0, "low.match_colours": False},
    "negative-frame guidance (corrupted_reference 0.5)": {"low.corrupted_reference": 0.5, "low.match_colours": False},
    "match_colours": {"low.corrupted_reference": 0.0, "low.match_colours": True},
}


def seam_rows(bench: Bench) -> list[Row]:
    """The same clips joined by a filmed transition, a cross-fade and a plain cut. No bar: the reader compares."""
    rows: list[Row] = []
    for kind in ("film", "fade", "cut"):
        pipe = bench.with_profile({"seam.kind": kind})
        tracks, records = [], []
        for case_index, case in enumerate(bench.cases[:SEAM_CASES]):
            plan = bench.plan(case.portrait, case.voice)
            out = bench.work / f"seam-{kind}-{case_index}.mp4"
            # One store for all three: blueprint and clips do not depend on what joins them.
            video = pipe.render(plan.storyline, out, bench.work / f"seam-{case_index}.job", plan.observations)
            tracks.append(track_video(bench.perception, video.video, bench.reference(case)))
            records.append(FilmingRecord.of(video))
        rows.append(_joined_row(kind, tracks, records, [case.opening for case in bench.cases]))
        print(f"{rows[-1].name}: {rows[-1].value}", flush=True)
    return rows


def _joined_row(kind: str, tracks: list[VideoTrack], records: list[FilmingRecord], truth: list[np.ndarray]) -> Row:
    gaps = [[range(*gap) for gap in record.gaps] for record in records]
    where = [frames_inside(ranges, len(track.opening)) for ranges, track in zip(gaps, tracks, strict=True)]
    hand_overs = [seam_ratio(track.change, record.hand_overs) for track, record in zip(tracks, records, strict=True)]
    edges = [
        seam_ratio(track.change, [frame for gap in ranges for frame in (gap.start, gap.stop - 1)])
        for track, ranges in zip(tracks, gaps, strict=True)
    ]
    ratio = sync_inside([track.opening for track in tracks], truth[: len(tracks)], where)
    at_hand_overs, at_edges = mean_of_known(hand_overs), mean_of_known(edges)
    value = f"{at_hand_overs:.2f}; {at_edges:.2f}; {ratio:.2f}"
    name = f"  seams joined by {kind}: change at hand-overs; at the window's edges; r in windows over elsewhere"
    return Row(name, value, figures={"hand_overs": at_hand_overs, "edges": at_edges, "inside": ratio})


def option_rows(bench: Bench) -> list[Row]:
    """The options against drift, on and off. No bar: the reader compares."""
    voice, true = bench.long_voice(OPTION_SECONDS)
    rows: list[Row] = []
    for name, changes in DRIFT_OPTIONS.items():
        pipe = bench.with_profile(changes)
        tracks = []
        for case_index, case in enumerate(bench.cases[:OPTION_CASES]):
            out = bench.work / f"option-{len(rows)}-{case_index}.mp4"
            video: RenderedVideo = pipe(case.portrait, voice, output=out)
            tracks.append(track_video(bench.perception, video.video, bench.reference(case)))
        rows.append(_option_row(name, tracks, true))
        print(f"{rows[-1].name}: {rows[-1].value}", flush=True)
    return rows


def _option_row(name: str, tracks: list[VideoTrack], true: np.ndarray) -> Row:
    drift = float(np.mean([slope_per_minute(track.person) for track in tracks]))
    face = float(np.mean([track.face.mean() for track in tracks]))
    r = float(np.mean([long_lip_sync(track.opening, true) for track in tracks]))
    sharp = float(np.mean([track.sharpness.mean() for track in tracks]))
    value = f"{drift:+.2f}/min; {face:.2f}; {r:.2f}; {sharp:.2f}"
    name = f"  {name}, {OPTION_SECONDS} s: drift; colour distance of the face; r; sharpness"
    return Row(name, value, figures={"drift": drift, "face": face, "r": r, "sharpness": sharp})
