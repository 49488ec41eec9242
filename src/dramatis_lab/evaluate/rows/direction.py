"""Rows about direction: does the video show what the words ask for, and more so than with the first director?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dramatis.app.storyline_files import with_paths
from dramatis.story.storyline import Storyline
from dramatis_lab.evaluate.bench import DIRECTED_CASES, Bench
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.measures.landmarks import face_readings, mean_smile, zoom_and_pan
from dramatis_lab.evaluate.report import Row, judged_row

EMOTION_PROMPTS = {"happy": "she is very happy and smiles broadly", "neutral": "neutral", "sad": "she is very sad"}
CAMERA_PROMPTS = {
    "push_in": "neutral, strong push-in",
    "static": "neutral, static camera",
    "pan": "neutral, strong pan left",
}
StorylineSource = Callable[[str, Path, Path, str], Storyline]
"""(name, portrait, voice, prompt) -> storyline."""


@dataclass
class DirectionFigures:
    """What landmarks tell of the videos of one director: one number a person, by the name of what was asked for."""

    smiles: dict[str, list[float]] = field(default_factory=dict)
    zooms: dict[str, list[float]] = field(default_factory=dict)
    pans: dict[str, list[float]] = field(default_factory=dict)

    @property
    def hits(self) -> list[bool]:
        """Whether each video shows what was asked for.

        Emotions: the smiles of a person are in the right order. Camera: half of what a strong move makes is enough.
        """
        hits: list[bool] = []
        for person in zip(*(self.smiles[name] for name in ("sad", "neutral", "happy")), strict=True):
            hits += [int(rank) == expected for expected, rank in enumerate(np.argsort(np.argsort(person)))]
        for name in CAMERA_PROMPTS:
            for zoom, pan in zip(self.zooms[name], self.pans[name], strict=True):
                hits.append(("push_in" if zoom > 0.06 else "pan" if abs(pan) > 0.03 else "static") == name)
        return hits

    @property
    def contrasts(self) -> tuple[float, float, float]:
        """Mean differences between directions that contradict each other.

        Happy and sad (smile, face widths), push-in and static (log zoom), pan and static (frame widths).
        """
        smiles, zooms, pans = (
            {name: np.array(values) for name, values in kind.items()} for kind in (self.smiles, self.zooms, self.pans)
        )
        return (
            float((smiles["happy"] - smiles["sad"]).mean()),
            float((zooms["push_in"] - zooms["static"]).mean()),
            float(np.abs(pans["pan"] - pans["static"]).mean()),
        )


def direction_rows(bench: Bench) -> list[Row]:
    """Do landmarks tell happy, neutral and sad apart, and push-in, static and pan?

    And did they in the videos of the first director, filmed in this run by the same model from its stored storylines?
    """
    now = film_directions(bench, "", _present_director_storylines(bench))
    first = film_directions(bench, "first-", first_director_storylines())
    share, before = (float(np.mean(figures.hits)) for figures in (now, first))
    contrasts, before_contrasts = (", ".join(f"{value:.3f}" for value in figures.contrasts) for figures in (now, first))
    ratio = float(np.mean(np.array(now.contrasts) / np.array(first.contrasts)))
    name = "direction: smile/neutral/sad and push-in/static/pan told apart"
    return [
        judged_row(name, f"{100 * share:.0f} % of {len(now.hits)}", "75 %", "95 %", share >= 0.75, share >= 0.95),
        Row("  the same from storylines of the first director", f"{100 * before:.0f} %", "fewer", "", before < share),
        Row(
            "direction: contrast of happy and sad, push-in and static, pan and static, over the first director's",
            f"{ratio:.3f} ({contrasts}; first {before_contrasts})",
            "> 1",
            "",
            ratio > 1,
            figures={"now": now.contrasts, "first": first.contrasts},
        ),
    ]


def _present_director_storylines(bench: Bench) -> StorylineSource:
    return lambda _name, image, voice, prompt: bench.plan(image, voice, prompt).storyline


def first_director_storylines() -> StorylineSource:
    """Those that the first director, which the present one replaced, left for the same words, voices and portraits."""
    stored = json.loads(checkout_path("benchmarks", "first_director.json").read_text())

    def read(name: str, image: Path, voice: Path, _prompt: str) -> Storyline:
        files = {"portrait": str(image), "voice": str(voice)}
        return with_paths(Storyline.model_validate(stored[name]), lambda kind: files[kind])

    return read


def film_directions(bench: Bench, prefix: str, plan: StorylineSource) -> DirectionFigures:
    """Film every prompt for every person, and measure. prefix: for the names of the videos."""
    figures = DirectionFigures()
    for case_index, case in enumerate(bench.cases[:DIRECTED_CASES]):
        voice = bench.short_voice(case_index)
        for name, prompt in (EMOTION_PROMPTS | CAMERA_PROMPTS).items():
            storyline = plan(f"{name}-{case_index}", case.portrait, voice, prompt)
            frames = bench.render(f"{prefix}{name}-{case_index}", storyline)
            faces = face_readings(bench.perception, frames)
            if name in EMOTION_PROMPTS:
                figures.smiles.setdefault(name, []).append(mean_smile(faces))
            else:
                zoom, pan = zoom_and_pan(faces, frames.shape[1:3])
                figures.zooms.setdefault(name, []).append(zoom)
                figures.pans.setdefault(name, []).append(pan)
    return figures
