"""How the benchmark tells what was directed, on made figures."""

from __future__ import annotations

from pathlib import Path

from dramatis.story.storyline import Storyline
from dramatis_lab.evaluate.bench import DIRECTED_CASES, DIRECTED_FRAMES
from dramatis_lab.evaluate.rows.direction import (
    CAMERA_PROMPTS,
    EMOTION_PROMPTS,
    DirectionFigures,
    first_director_storylines,
)


def test_hits_and_contrasts() -> None:
    figures = DirectionFigures(
        smiles={"happy": [0.10, 0.02], "neutral": [0.05, 0.03], "sad": [0.01, 0.01]},
        zooms={"push_in": [0.10, 0.05], "static": [0.0, 0.0], "pan": [0.0, 0.01]},
        pans={"push_in": [0.0, 0.0], "static": [0.0, 0.01], "pan": [0.06, -0.05]},
    )
    # The second person smiles most when neutral; her push-in is too small to be told.
    assert figures.hits == [True, True, True, True, False, False, True, False, True, True, True, True]
    smile, zoom, pan = figures.contrasts
    assert (round(smile, 3), round(zoom, 3), round(pan, 3)) == (0.05, 0.075, 0.06)


def test_storylines_of_the_first_director_can_be_filmed() -> None:
    read_storyline = first_director_storylines()
    for case_index in range(DIRECTED_CASES):
        for name, prompt in (EMOTION_PROMPTS | CAMERA_PROMPTS).items():
            storyline = read_storyline(f"{name}-{case_index}", Path("p.png"), Path("v.wav"), prompt)
            assert isinstance(storyline, Storyline)
            assert storyline.prompt == prompt
            assert (storyline.image, storyline.audio, storyline.frames) == ("p.png", "v.wav", DIRECTED_FRAMES)
            assert (storyline.width, storyline.height) == (256, 256)
