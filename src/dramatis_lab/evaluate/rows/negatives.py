"""Rows about negative prompts: those of each shot against one for all, with the same storylines and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

from dramatis.director.negative import FAULTS
from dramatis.media.sheet import contact_sheet
from dramatis.story.storyline import Storyline
from dramatis.story.vocabulary import DAMAGE_WORDS
from dramatis_lab.evaluate.bench import DIRECTED_CASES, Bench
from dramatis_lab.evaluate.measures.landmarks import (
    SETTLING_FRAMES,
    face_readings,
    face_sharpness,
    head_jitter,
    mean_smile,
)
from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.rows.direction import EMOTION_PROMPTS

GENERIC_NEGATIVE = ", ".join(DAMAGE_WORDS[fault][0] for fault in FAULTS)
"""A negative prompt that fits every video."""


def with_negatives(storyline: Storyline, negative: str) -> Storyline:
    """The storyline with the same negative prompt for every shot, chapter and moment."""
    shots = tuple(
        shot.model_copy(
            update={
                "negative": negative,
                "moments": tuple(moment.model_copy(update={"negative": ""}) for moment in shot.moments),
            }
        )
        for shot in storyline.shots
    )
    chapters = tuple(chapter.model_copy(update={"negative": negative}) for chapter in storyline.chapters)
    return storyline.model_copy(update={"negative": negative, "shots": shots, "chapters": chapters})


def negatives_rows(bench: Bench) -> list[Row]:
    """The same storylines and seeds with a generic negative prompt and with those of the negative director."""
    figures: dict[str, list[dict[str, float]]] = {"generic": [], "own": []}
    cells: list[Image.Image] = []
    labels: list[str] = []
    for case_index, case in enumerate(bench.cases[:DIRECTED_CASES]):
        for name in ("happy", "sad"):
            plan = bench.plan(case.portrait, bench.short_voice(case_index), EMOTION_PROMPTS[name])
            # With its own negatives it is the video that `direction` has filmed, if that ran here.
            for kind, value in (("generic", with_negatives(plan.storyline, GENERIC_NEGATIVE)), ("own", plan.storyline)):
                frames = bench.render(f"{'generic-' if kind == 'generic' else ''}{name}-{case_index}", value)
                figures[kind].append(_figures(bench, frames, case.portrait))
                if case_index < 3:
                    for frame_index in np.linspace(SETTLING_FRAMES, len(frames) - 1, 4).astype(int):
                        cells.append(Image.fromarray(frames[frame_index]).resize((144, 144), Image.Resampling.BICUBIC))
                        labels.append(f"{name}, {kind}, {frame_index / 25:.1f} s")
    bench.pictures.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, labels, columns=8).save(bench.pictures / "negatives.png")
    return [negatives_row({kind: _summary(values) for kind, values in figures.items()})]


def _figures(bench: Bench, frames: np.ndarray, portrait: Path) -> dict[str, float]:
    faces = face_readings(bench.perception, frames)
    side = frames.shape[1]
    with Image.open(portrait) as picture:
        reference = np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    light = [rgb2lab(frame)[..., 0].mean() for frame in frames[SETTLING_FRAMES::4]]
    return {
        "smile": mean_smile(faces),
        "jitter": head_jitter(faces),
        "exposure": float(np.abs(np.array(light) - rgb2lab(reference)[..., 0].mean()).mean()),
        "sharpness": float(np.mean(face_sharpness(frames, faces))),
    }


def _summary(values: list[dict[str, float]]) -> dict[str, float]:
    """Means of the figures; of smiles the mean contrast of happy and sad, which alternate."""
    smiles = np.array([value["smile"] for value in values])
    means = {name: float(np.mean([value[name] for value in values])) for name in values[0] if name != "smile"}
    return {"contrast": float((smiles[::2] - smiles[1::2]).mean()), **means}


def negatives_row(figures: Mapping[str, Mapping[str, float]]) -> Row:
    """Own negatives must raise the contrast and make nothing else worse; the ratios are own over generic."""
    ratios = {name: figures["own"][name] / figures["generic"][name] for name in figures["own"]}
    good = ratios["contrast"] > 1 and ratios["sharpness"] >= 0.95
    good = good and ratios["jitter"] <= 1.05 and ratios["exposure"] <= 1.05
    return Row(
        "own negatives of each shot over generic ones, same seeds: emotion contrast; jitter; exposure error; sharpness",
        "; ".join(f"{ratio:.2f}" for ratio in ratios.values()),
        "> 1; none worse by 5 %",
        "",
        good,
        figures={kind: dict(values) for kind, values in figures.items()},
    )
