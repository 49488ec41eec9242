"""Rows about the perception network on held-out people, and about a photograph of a real face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.media.sheet import contact_sheet
from dramatis.story.values import FPS
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.measures.landmarks import face_readings, face_sharpness, mouth_openings
from dramatis_lab.evaluate.measures.sync import lip_sync
from dramatis_lab.evaluate.report import Row


def perception_rows(bench: Bench) -> list[Row]:
    """Errors of landmarks and person mask on the true frames."""
    errors, ious = [], []
    for case in bench.cases:
        for face, landmarks, person in zip(
            face_readings(bench.perception, case.frames[case.index]), case.landmarks, case.person, strict=True
        ):
            span = np.linalg.norm(landmarks[36] - landmarks[45])
            errors.append(np.linalg.norm(face.landmarks - landmarks, axis=1).mean() / span)
            mask, true = face.person > 0.5, person[::2, ::2]
            ious.append((mask & true).sum() / max((mask | true).sum(), 1))
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


def real_face_rows(bench: Bench) -> list[Row]:
    """A photograph: is the face found, do the lips follow, does the face stay sharp? No bar."""
    from skimage import data

    portrait = bench.work / "astronaut.png"
    Image.fromarray(data.astronaut()[0:300, 75:375]).save(portrait)
    case = bench.cases[0]
    frames = bench.generate("astronaut", portrait, case.voice, "")
    faces = face_readings(bench.perception, frames)
    sync = lip_sync([mouth_openings(faces)], [case.opening])
    sharpness = face_sharpness(frames, faces)
    sharpness_kept = np.mean(sharpness[FPS:]) / sharpness[0]
    save_strip(frames[:: max(1, len(frames) // 10)][:10], bench.pictures / "astronaut.png")
    return [
        Row(
            "real face (astronaut): r; face confidence; sharpness kept",
            f"{sync.r:.2f}; {faces[0].face:.2f}; {sharpness_kept:.2f}",
            "",
            "",
            None,
        )
    ]


def save_strip(frames: np.ndarray, path: Path) -> None:
    """Save frames side by side, each 256x256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = [Image.fromarray(frame).resize((256, 256), Image.Resampling.BICUBIC) for frame in frames]
    contact_sheet(large, columns=len(large)).save(path)
