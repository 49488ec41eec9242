"""Rows about annotating films of real portraits: agreement with the segmenter, and time.

Nobody's footage comes with this project, so portraits are filmed by the cascade first. ../shared/portraits is not part
of a checkout: without it these rows are not measured.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.media.video import VideoWriter
from dramatis.runtime.progress import NullReporter
from dramatis.senses.seeing.eye import Eye
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis.story.values import FPS
from dramatis_lab.annotate.folder import annotate_folder
from dramatis_lab.annotate.parts import PartChoice
from dramatis_lab.annotate.records import read_annotations
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import mask_iou
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row

_AGREEMENT = "  the same on films of ../shared/portraits, against the segmenter alone"
_OWN_AGREEMENT = "    against our own network; frames kept"
_TIME = "  seconds for a second of 960x540 video, two workers"
_FILMED = ("p050", "p060", "p077", "p080", "h05")
"""Portraits that are filmed: glasses and beard, cap and long hair, dreadlocks, an afro, half-body with a bottle."""
_SECONDS = 1.4
_OWN_LOOKS = 5
"""Frames from one look of our own network to the next."""
_TIMED_SIZE, _TIMED_SECONDS, _TIMED_VIDEOS = (960, 540), 4, 2


def footage_rows(bench: Bench) -> list[Row]:
    """Agreement on films of real portraits, and the time for video of a common size."""
    portraits = checkout_path().parent / "shared" / "portraits"
    if not portraits.is_dir():
        return [unmeasured_row(f"{_AGREEMENT} (absent)", "0.9", "0.95"), time_row(bench)]
    if (missing := missing_for_library_eye()) is not None:
        return [unmeasured_row(f"{_AGREEMENT} ({missing})", "0.9", "0.95"), time_row(bench)]
    return [*agreement_rows(bench, portraits), time_row(bench)]


def agreement_rows(bench: Bench, portraits: Path) -> list[Row]:
    """Mean IoU of kept masks with what the segmenter says of each frame without any refinement, and with our network.

    The segmenter's is the same network's answer as the masks are made from: the row says that nothing is lost on the
    way, not that the network is right.
    """
    folder = bench.work / "portrait-films"
    folder.mkdir(exist_ok=True)
    voice = _short_voice(bench)
    films = {name: bench.generate(f"{folder.name}/{name}", portraits / f"{name}.jpg", voice, "") for name in _FILMED}
    annotate_folder(folder, bench.work / "portrait-masks", PartChoice(), AnnotationSettings(), 1, NullReporter())
    from dramatis.senses.seeing.library_eye import LibraryEye

    finder = person_finder()
    eye = finder.eye
    assert isinstance(eye, LibraryEye)
    overlaps: list[float] = []
    own: list[float] = []
    for annotation in read_annotations(bench.work / "portrait-masks"):
        frames = films[Path(annotation.video).stem]
        for segment in (segment for segment in annotation.segments if segment.kept):
            for number, mask in zip(range(segment.span.start, segment.span.stop), segment.pixels(), strict=True):
                faces = eye.find(frames[number])
                overlaps.append(mask_iou(mask, eye.coarse_outline(frames[number], faces) > 0.5))
                own += [_best_overlap(finder.own_eye, frames[number], mask)] if number % _OWN_LOOKS == 0 else []
    kept = len(overlaps) / sum(len(frames) for frames in films.values())
    value = float(np.mean(overlaps)) if overlaps else 0.0
    figures = {"iou": value, "kept": kept}
    row = judged_row(_AGREEMENT, f"{value:.3f}", "0.9", "0.95", value >= 0.9, value >= 0.95, figures)
    return [row, Row(_OWN_AGREEMENT, f"{np.mean(own) if own else 0.0:.3f}; {kept:.0%}")]


def _best_overlap(eye: Eye, frame: Pictures, mask: NDArray[np.bool_]) -> float:
    outlines = eye.outlines(frame, eye.find(frame)) > 0.5
    return max((mask_iou(mask, outline) for outline in outlines), default=0.0)


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
