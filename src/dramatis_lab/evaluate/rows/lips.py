"""Rows about lip sync, and the picture of true and generated frames."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dramatis.media.sheet import contact_sheet
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.measures.landmarks import face_readings, mouth_openings
from dramatis_lab.evaluate.measures.sync import lip_sync, silence_ratio
from dramatis_lab.evaluate.report import Row


def sync_rows(bench: Bench) -> list[Row]:
    """Lip sync with each case's voice, with another voice as control, and mouths in silence."""
    truth = [case.opening for case in bench.cases]
    measured = [mouth_openings(faces) for _, faces in bench.own_voice_videos]
    result = lip_sync(measured, truth)
    # The control: the same pictures filmed with another case's voice, against the curve of their own voice.
    with_other_voice = []
    for index, case in enumerate(bench.cases):
        other = bench.cases[(index + 3) % len(bench.cases)]
        frames = bench.generate(f"foreign-{index}", case.portrait, other.voice, "")
        with_other_voice.append(mouth_openings(face_readings(bench.perception, frames)))
    control = lip_sync(with_other_voice, truth)
    silence = silence_ratio(measured, truth)
    on_true_frames = [mouth_openings(face_readings(bench.perception, case.frames)) for case in bench.cases]
    best_possible = lip_sync(on_true_frames, truth)
    quiet = silence_ratio(on_true_frames, truth)
    return [
        Row(
            "lip sync: r of mouth opening; best lag",
            f"{result.r:.2f}; {result.lag:+d} frames",
            "0.7; within 1",
            "0.9; 0",
            result.r >= 0.7 and abs(result.lag) <= 1,
            result.r >= 0.9 and result.lag == 0,
        ),
        Row("  the same filmed with another voice (control)", f"{control.r:.2f}", "< 0.2", "", abs(control.r) < 0.2),
        Row("  the same on true frames (what the measure itself can reach)", f"{best_possible.r:.2f}", "", "", None),
        Row(
            "silence: mouth opening in pauses over speech",
            f"{silence:.2f} (true frames: {quiet:.2f})",
            "< 0.3",
            "< 0.1",
            silence < 0.3,
            silence < 0.1,
        ),
    ]


def draw_true_and_generated(bench: Bench) -> None:
    """Draw true and generated frames of four cases, from the most closed to the widest moment of their speech."""
    cells, labels = [], []
    for case, (frames, _) in list(zip(bench.cases, bench.own_voice_videos, strict=True))[:4]:
        inner = np.arange(8, len(case.opening) - 4)
        spread = inner[np.argsort(case.opening[inner])][np.linspace(0, len(inner) - 1, 8).astype(int)]
        for name, source in (("true", case.frames), ("generated", frames)):
            for frame_index in spread:
                cells.append(Image.fromarray(source[frame_index]).resize((192, 192), Image.Resampling.BICUBIC))
                labels.append(f"{name} {frame_index / 25:.2f} s, open {case.opening[frame_index]:.2f}")
    bench.pictures.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, labels, columns=8).save(bench.pictures / "results.png")
