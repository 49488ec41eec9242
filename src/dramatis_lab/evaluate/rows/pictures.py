"""Rows about the pictures themselves: their sizes, the autoencoder, sharpness."""

from __future__ import annotations

import numpy as np

from dramatis_lab.data.face_regions import detail_boxes
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.measures.fidelity import frames_psnr
from dramatis_lab.evaluate.measures.landmarks import face_readings, face_sharpness
from dramatis_lab.evaluate.report import Row, judged_row


def low_resolution_rows(bench: Bench) -> list[Row]:
    """The size of the low-resolution frames, where everything but detail is decided."""
    side = bench.low_side
    return [
        judged_row("low-resolution half at 25 fps", f"{side}x{side}", "128x128", "256x256", side >= 128, side >= 256)
    ]


def autoencoder_rows(bench: Bench) -> list[Row]:
    """Reconstruction of held-out people at the size of the low-resolution half: whole frame, mouth and eye boxes."""
    side, large = bench.low_side, bench.side
    whole, boxes = reconstruction_psnr(bench, side)
    figures = {"whole": whole, "boxes": boxes}
    bars = ("31 / 28 dB", "34 / 32 dB")
    passed, aimed = whole >= 31 and boxes >= 28, whole >= 34 and boxes >= 32
    name = f"autoencoder PSNR at {side}x{side}, whole frame / mouth and eye boxes"
    rows = [judged_row(name, f"{whole:.1f} / {boxes:.1f} dB", *bars, passed, aimed, figures)]
    if large > side:
        whole, boxes = reconstruction_psnr(bench, large)
        figures = {"whole": whole, "boxes": boxes}
        rows.append(Row(f"  the same at {large}x{large}", f"{whole:.1f} / {boxes:.1f} dB", figures=figures))
    return rows


def reconstruction_psnr(bench: Bench, side: int) -> tuple[float, float]:
    """(whole frame, mouth and eye boxes) dB: mean over clips of 29 frames of the true videos at that size."""
    whole, in_boxes = [], []
    for case in bench.cases:
        frames, landmarks = case.at(side), case.landmarks * (side / case.side)
        for start in range(0, len(frames) - 28, 28):
            clip = frames[start : start + 29]
            reconstructed = bench.round_trip(clip)
            whole.append(frames_psnr(reconstructed, clip))
            known = (case.index >= start) & (case.index < start + 29)
            if known.any():
                boxes = detail_boxes(landmarks[known], clip.shape[1:3])
                index = case.index[known] - start
                in_boxes.append(frames_psnr(reconstructed[index], clip[index], boxes))
    return float(np.mean(whole)), float(np.mean(in_boxes))


def sharpness_rows(bench: Bench) -> list[Row]:
    """Laplacian variance of the face, generated over true, at the size of the video."""
    ratios = []
    for case, (frames, faces) in zip(bench.cases, bench.own_voice_videos, strict=True):
        truth = case.at(bench.side)
        true = face_sharpness(truth, face_readings(bench.perception, truth))
        ratios.append(np.mean(face_sharpness(frames, faces)) / np.mean(true))
    value = float(np.mean(ratios))
    return [
        judged_row(
            "sharpness: Laplacian variance of the face, generated over true",
            f"{value:.2f}",
            "0.5-1.5",
            "0.85-1.15",
            0.5 <= value <= 1.5,
            0.85 <= value <= 1.15,
            {"ratio": value},
        )
    ]


def resolution_rows(bench: Bench) -> list[Row]:
    """The size of the video that the profile asks for."""
    value = f"{bench.side}x{bench.side}"
    return [judged_row("output at 25 fps", value, "256x256", "512x512", bench.side >= 256, bench.side >= 512)]
