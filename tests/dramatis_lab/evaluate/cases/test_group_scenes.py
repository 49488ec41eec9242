"""The bundled scenes of several people hold together: what is written of them fits their pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import ROOT

SCENES = sorted((ROOT / "benchmarks" / "scenes").iterdir())


def test_there_are_two_and_three_people_apart_and_close() -> None:
    about = [json.loads((folder / "scene.json").read_text()) for folder in SCENES]
    kinds = {(len(facts["names"]), facts["close"]) for facts in about}
    assert kinds == {(2, False), (2, True), (3, False), (3, True)}


@pytest.mark.parametrize("folder", SCENES, ids=lambda folder: folder.name)
def test_facts_fit_the_picture(folder: Path) -> None:
    facts = json.loads((folder / "scene.json").read_text())
    truth = np.load(folder / "truth.npz")
    people, frames = truth["opening"].shape
    with Image.open(folder / "portrait.png") as picture:
        width, height = picture.size
    assert people == len(facts["names"]) == len(facts["faces"])
    assert truth["controls"].shape == (people, frames, 26)
    assert truth["anchors"].shape == (people, frames, 9, 2)
    masks = np.unpackbits(truth["masks"], axis=-1).astype(bool)
    assert masks.shape == (len(truth["index"]), people, height // 2, width // 2)
    assert not (masks.sum(1) > 1).any(), "nobody is where another is"
    by_place = [facts["names"][place] for place in np.argsort([box[0] for box in facts["faces"]])]
    assert by_place == [name for name in ("left", "middle", "right") if name in by_place]
    grid = np.array([width, height, width, height]) // 2
    for person, face in enumerate(facts["faces"]):
        left, top, right, bottom = np.round(face * grid).astype(int)
        assert masks[0, person, top:bottom, left:right].mean() > 0.8
        assert (folder / f"{facts['names'][person]}.flac").is_file()
