from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from dramatis.models.loading import load_model, save_model
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.face import TEMPLATE_68
from dramatis_lab.train.speech import MOUTH_SHAPES, UTTERANCE_FRAMES, mouth_shapes, train_speech
from tests.dramatis_lab.train.conftest import logged, recipe


def test_mouth_shapes_of_known_faces() -> None:
    rest = TEMPLATE_68.astype(np.float32)
    faces = np.repeat(rest[None], 4, 0)
    span = np.linalg.norm(rest[36] - rest[45])
    faces[1, [66, 57, 8], 1] -= 0.1 * span  # jaw drops
    faces[2, 48, 0] -= 0.1 * span  # one corner outwards
    faces[3, [51, 57], 2] += 0.1 * span  # lips forward
    shapes = mouth_shapes(faces, rest)
    assert shapes.shape == (4, len(MOUTH_SHAPES))
    column = {name: shapes[:, place] for place, name in enumerate(MOUTH_SHAPES)}
    moved = {name: (values - values[0]).round(3).tolist() for name, values in column.items()}
    assert moved["jaw"] == pytest.approx([0, 0.1, 0, 0])
    assert moved["opening"][1] == pytest.approx(0.1, abs=0.02)
    assert moved["lip_height"][1] == pytest.approx(0.1, abs=0.02)
    assert moved["width"][2] == pytest.approx(0.1, abs=0.02)
    assert moved["protrusion"] == pytest.approx([0, 0, 0, 0.1])
    assert not column["press"].any()


def fake_voices(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    visemes = rng.dirichlet(np.full(16, 0.1), (4, UTTERANCE_FRAMES)).astype(np.float16)
    audio = rng.normal(0, 800, (4, UTTERANCE_FRAMES * 640)).astype(np.int16)
    shapes = rng.normal(0, 0.1, (4, UTTERANCE_FRAMES, len(MOUTH_SHAPES))).astype(np.float16)
    save_file({"audio": audio, "visemes": visemes, "shapes": shapes}, path)


def test_training_on_made_voices_resumes_and_writes_weights(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    fake_voices(tmp_path / "voices" / "train-00000.safetensors", 0)
    fake_voices(tmp_path / "voices" / "test-00000.safetensors", 1)
    save_model(SpeechEncoder(channels=12, blocks=(1, 1)), tmp_path / "init")
    for steps in (3, 6):
        train_speech(
            recipe("speech", steps=steps, utterances=100, held_out=100, batch_size=2),
            assets=tmp_path / "unused",
            cache=tmp_path / "voices",
            run=tmp_path / "run",
            out=tmp_path / "out",
            init=tmp_path / "init",
        )
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows] == [3, 6]
    assert set(rows[1]) >= {"viseme_accuracy", "r_opening"}
    assert load_model(SpeechEncoder, tmp_path / "out").config["channels"] == 12
