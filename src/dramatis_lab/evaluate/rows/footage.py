"""Rows about annotating films of real portraits: agreement with the segmenter, and time.

Nobody's footage comes with this project, so portraits are filmed by the cascade first. ../shared/portraits is not part
of a checkout: without it these rows are not measured.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.media.video import VideoWriter
from dramatis.runtime.progress import NullReporter
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis.story.values import FPS
from dramatis_lab.annotate.folder import annotate_folder
from dramatis_lab.annotate.overlay import tint_masks
from dramatis_lab.annotate.parts import PartChoice
from dramatis_lab.annotate.records import read_annotations
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import mask_iou
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row

_AGREEMENT = "  the same on films of ../shared/portraits, against the segmenter"
_TIME = "  seconds for a second of 960x540 video, two workers"
_FILMED = ("p050", "p060", "p077", "p080", "h05")
"""Portraits that are filmed: glasses and beard, cap and long hair, dreadlocks, an afro, half-body with a bottle."""
_SECONDS = 1.4
_TIMED_SIZE, _TIMED_SECONDS, _TIMED_VIDEOS = (960, 540), 4, 2


def footage_rows(bench: Bench) -> list[Row]:
    """Agreement on films of real portraits, and the time for video of a common size."""
    portraits = checkout_path().parent / "shared" / "portraits"
    if not portraits.is_dir():
        return [unmeasured_row(f"{_AGREEMENT} (absent)", "0.9", "0.95"), time_row(bench)]
    if (missing := missing_for_library_eye()) is not None:
        return [unmeasured_row(f"{_AGREEMENT} ({missing})", "0.9", "0.95"), time_row(bench)]
    return [agreement_row(bench, portraits), time_row(bench)]


def agreement_row(bench: Bench, portraits: Path) -> Row:
    """Mean IoU of kept masks with what the segmenter says of each whole frame at its full size."""
    folder = bench.work / "portrait-films"
    folder.mkdir(exist_ok=True)
    voice = _short_voice(bench)
    films = {name: bench.generate(f"{folder.name}/{name}", portraits / f"{name}.jpg", voice, "") for name in _FILMED}
    annotate_folder(folder, bench.work / "portrait-masks", PartChoice(), AnnotationSettings(), 1, NullReporter())
    overlaps, eye, sheets = [], person_finder().eye, []
    for annotation in read_annotations(bench.work / "portrait-masks"):
        frames = films[Path(annotation.video).stem]
        for segment in (segment for segment in annotation.segments if segment.kept):
            for number, mask in zip(range(segment.span.start, segment.span.stop), segment.pixels(), strict=True):
                outlines = eye.outlines(frames[number], eye.find(frames[number])) > 0.5
                overlaps.append(max((mask_iou(mask, outline) for outline in outlines), default=0.0))
            sheets.append(tint_masks(frames[segment.span.start], mask[None], {0}))
    for number, sheet in enumerate(sheets):
        Image.fromarray(sheet).save(bench.work / f"portrait-mask-{number}.png")
    kept = len(overlaps) / sum(len(frames) for frames in films.values())
    value = float(np.mean(overlaps)) if overlaps else 0.0
    text = f"{value:.3f}; {kept:.0%} of the frames kept"
    return judged_row(_AGREEMENT, text, "0.9", "0.95", value >= 0.9, value >= 0.95, {"iou": value, "kept": kept})


def time_row(bench: Bench) -> Row:
    """Wall time of a whole run with two workers, over the length of all videos."""
    folder = bench.work / "timed-videos"
    folder.mkdir(exist_ok=True)
    for number in range(_TIMED_VIDEOS):
        write_timed_video(folder / f"{number}.mp4", bench.cases[number % len(bench.cases)].frames)
    begun = time.perf_counter()
    annotate_folder(folder, bench.work / "timed-masks", PartChoice(), AnnotationSettings(), 2, NullReporter())
    seconds = (time.perf_counter() - begun) / (_TIMED_SECONDS * _TIMED_VIDEOS)
    return judged_row(_TIME, f"{seconds:.1f}", "4", "1", seconds <= 4, seconds <= 1, {"seconds": seconds})


def write_timed_video(path: Path, frames: Pictures) -> None:
    """Some seconds of one person before a grey wall, at a common size; frames are played there and back."""
    width, height = _TIMED_SIZE
    with VideoWriter(path, (width, height)) as writer:
        for number in range(_TIMED_SECONDS * FPS):
            turn = number % (2 * len(frames) - 1)
            frame = frames[min(turn, 2 * len(frames) - 2 - turn)]
            person = np.asarray(Image.fromarray(frame).resize((height, height), Image.Resampling.BILINEAR))
            wide = np.full((height, width, 3), 110, np.uint8)
            wide[:, (width - height) // 2 : (width + height) // 2] = person
            writer.write(wide)


def _short_voice(bench: Bench) -> Path:
    path = bench.work / "film-voice.wav"
    samples, rate = soundfile.read(bench.cases[0].voice)
    soundfile.write(path, samples[: round(_SECONDS * rate)], rate)
    return path
