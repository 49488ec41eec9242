from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet
from dramatis.models.traits import TRAIT_CROP_SIDE, TRAITS, TraitNet, align_faces
from dramatis.motion.performance import EMOTION_COLUMNS, SETTLE_FRAMES, Performance
from dramatis.story.values import EMOTIONS
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.traits import (
    CROP_SIDE,
    EVALUATED_FRAMES,
    KEPT_FRAMES,
    FaceDataset,
    HeldOutFaces,
    auc,
    calibration_error,
    evaluate_traits,
    glasses_and_beard,
    is_single_and_undamaged,
    jitter_landmarks,
    reduce_resolution,
    sample_trait_crops,
    train_traits,
    trait_labels,
    trait_loss,
)
from dramatis_lab.world.people.person import random_spec
from tests.dramatis_lab.samples import face_at
from tests.dramatis_lab.train.conftest import logged, recipe

GLASSES, BEARD, HAPPY, SAD = range(len(TRAITS))
LENGTH = 16
CPU = torch.device("cpu")


def someone(glasses: bool, beard: bool) -> int:
    """The first identity of that kind."""
    return next(seed for seed in range(1000) if glasses_and_beard(seed) == (glasses, beard))


def controls_of(emotion: str, weight: float) -> np.ndarray:
    """(LENGTH, 26) of a performance that shows an emotion all the time."""
    controls = np.repeat(Performance.still(1).pack_controls(), LENGTH, 0)
    controls[:, EMOTION_COLUMNS] = 0
    controls[:, EMOTION_COLUMNS.start] = 1 - weight
    controls[:, EMOTION_COLUMNS.start + EMOTIONS.index(emotion)] += weight
    return controls.astype(np.float16)


def sample(identity: int, emotion: str, side: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A flat face with black bars for glasses, a black chin for a beard, a white mouth if happy."""
    glasses, beard = glasses_and_beard(identity)
    frames = np.empty((LENGTH, side, side, 3), np.uint8)
    frames[:] = rng.integers(90, 160, 3)
    landmarks = np.stack([face_at((side * rng.uniform(0.4, 0.6), side * 0.55), side * 0.5) for _ in range(LENGTH)])
    for frame, points in zip(frames, landmarks, strict=True):
        low, high = points.min(0).astype(int), points.max(0).astype(int)
        frame[low[1] : high[1], low[0] : high[0]] = (210, 160, 130)
        eye, mouth = int(points[36:48, 1].mean()), points[48:60]
        if glasses:
            frame[eye - side // 30 : eye + side // 30, low[0] : high[0]] = 0
        if beard:
            frame[int(mouth[:, 1].max()) : high[1], low[0] : high[0]] = 0
        if emotion == "happy":
            (left, top), (right, bottom) = mouth.min(0).astype(int), mouth.max(0).astype(int)
            frame[top:bottom, left:right] = 255
    return {
        "frames": frames,
        "index": np.concatenate([[0], 20 + np.arange(LENGTH - 1)]).astype(np.int32),
        "landmarks": landmarks.astype(np.float16),
        "controls": controls_of(emotion, 1.0),
    }


def write(folder: Path, sides: tuple[int, ...] = (48, 96)) -> Path:
    """Shards, one of each side: every mixture of glasses and beard, happy and not."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, side in enumerate(sides):
        arrays: dict[str, NDArray[Any]] = {}
        rows: list[dict[str, Any]] = []
        for glasses in (False, True):
            for beard in (False, True):
                for emotion in ("happy", "sad", "neutral"):
                    identity = someone(glasses, beard)
                    slot = len(rows)
                    arrays |= {
                        f"{slot}/{key}": np.ascontiguousarray(value)
                        for key, value in sample(identity, emotion, side, rng).items()
                    }
                    caught = None if emotion == "neutral" else [emotion, 1.0]
                    rows.append({"identity": identity, "people": 1, "damage": None, "caught": caught})
        save_file(arrays, folder / f"shard-{number:05d}.safetensors")
        (folder / f"shard-{number:05d}.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("traits") / "shards")


def tiny() -> TraitNet:
    torch.manual_seed(0)
    return TraitNet(widths=(4, 4, 8, 8))


def tiny_eye() -> PerceptionNet:
    torch.manual_seed(0)
    return PerceptionNet(widths=(4, 4, 4, 4)).eval()


def test_only_one_undamaged_person_counts() -> None:
    assert is_single_and_undamaged({"people": 1, "damage": None})
    assert not is_single_and_undamaged({"people": 2, "damage": None})
    assert not is_single_and_undamaged({"people": 1, "damage": "blur"})


@pytest.mark.parametrize("glasses", [False, True])
@pytest.mark.parametrize("beard", [False, True])
def test_glasses_and_beards_are_the_persons(glasses: bool, beard: bool) -> None:
    known = trait_labels(
        {"identity": someone(glasses, beard)}, controls_of("neutral", 0), np.arange(LENGTH, dtype=np.int32)
    )
    assert known.shape == (LENGTH, len(TRAITS))
    assert (known[:, GLASSES] == glasses).all()
    assert (known[:, BEARD] == beard).all()


@pytest.mark.parametrize(
    ("emotion", "weight", "happy", "sad"),
    [
        ("neutral", 1.0, 0, 0),
        ("happy", 0.9, 1, 0),
        ("happy", 0.3, np.nan, 0),
        ("sad", 0.6, 0, 1),
        ("sad", 0.05, 0, 0),
        ("angry", 1.0, 0, 0),
    ],
)
def test_expressions_are_those_of_each_frame(emotion: str, weight: float, happy: float, sad: float) -> None:
    controls = controls_of(emotion, weight)
    controls[: LENGTH // 2] = controls_of("neutral", 0)[: LENGTH // 2]
    known = trait_labels({"identity": 1}, controls, 100 + np.arange(LENGTH, dtype=np.int32))
    assert (known[: LENGTH // 2, HAPPY:] == 0).all()
    for column, wanted in ((HAPPY, happy), (SAD, sad)):
        assert np.array_equal(known[LENGTH // 2 :, column], np.full(LENGTH // 2, wanted), equal_nan=True)


def test_beards_like_the_skin_are_neither_here_nor_there() -> None:
    kinds = [glasses_and_beard(seed)[1] for seed in range(400)]
    bearded = [max(random_spec(seed).complexion.beard, random_spec(seed).complexion.moustache) for seed in range(400)]
    assert all((strength == 0) == (kind == 0) for strength, kind in zip(bearded, kinds, strict=True))
    assert 0 < np.isnan(kinds).sum() < 0.25 * np.count_nonzero(bearded)


def test_nobody_knows_the_expression_of_the_first_frames() -> None:
    known = trait_labels({"identity": 1}, controls_of("happy", 1.0), np.arange(LENGTH, dtype=np.int32))
    assert np.isnan(known[:SETTLE_FRAMES, HAPPY:]).all()
    assert not np.isnan(known[SETTLE_FRAMES:]).any()
    assert not np.isnan(known[:, :HAPPY]).any()


@pytest.mark.parametrize(
    ("caught", "happy", "sad"),
    [(None, 0, 0), (["happy", 0.8], 1, 0), (["happy", 0.3], np.nan, 0), (["sad", 0.6], 0, 1), (["angry", 1.0], 0, 0)],
)
def test_the_reference_shows_what_was_caught(caught: list | None, happy: float, sad: float) -> None:
    known = trait_labels(
        {"identity": 1, "caught": caught}, controls_of("happy", 1.0), np.arange(LENGTH, dtype=np.int32)
    )
    assert np.array_equal(known[0, HAPPY:], [happy, sad], equal_nan=True)
    assert np.isnan(known[1:SETTLE_FRAMES, HAPPY:]).all()
    assert (known[SETTLE_FRAMES:, HAPPY] == 1).all()


def test_faces_are_kept_with_their_landmarks_in_place(drawn: Path) -> None:
    faces = FaceDataset(ShardDataset(drawn))
    assert len(faces.rows) == 24
    for index in (0, 23):
        kept = faces.crops(index)
        assert kept is faces.crops(index)
        assert kept.pictures.shape == (KEPT_FRAMES, 3, CROP_SIDE, CROP_SIDE)
        assert kept.pictures.dtype == torch.uint8
        middle = kept.landmarks[:, 36:48].mean(1)
        assert torch.allclose(middle[:, 0], torch.tensor(CROP_SIDE / 2), atol=2.0)
        for picture, points in zip(kept.pictures, kept.landmarks, strict=True):
            x, y = points[30].round().int().tolist()
            skin = torch.tensor([210, 160, 130])
            assert (picture[:, y, x].int() - skin).abs().max() <= 3, "the nose is on the face"


def test_samples_without_a_single_sound_person_are_left_out(drawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    for path in drawn.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = folder / "shard-00000.json"
    rows = json.loads(manifest.read_text())
    rows[0]["people"], rows[1]["damage"] = 2, "noise"
    manifest.write_text(json.dumps(rows))
    assert FaceDataset(ShardDataset(folder)).rows == list(range(2, 24))


def test_misplaced_landmarks_stay_near_and_differ() -> None:
    marks = torch.from_numpy(np.stack([face_at((64, 64), 60)] * 200))
    moved = jitter_landmarks(marks, np.random.default_rng(0))
    span = float((marks[0, 36] - marks[0, 45]).norm())
    error = (moved - marks).norm(dim=-1) / span
    assert 0.02 < float(error.mean()) < 0.15
    assert float(error.mean(1).std()) > 0.005
    assert torch.equal(moved, jitter_landmarks(marks, np.random.default_rng(0)))


def test_some_crops_get_coarse_and_the_others_stay() -> None:
    images = torch.rand(40, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = reduce_resolution(images, np.random.default_rng(0), share=0.5)
    same = [torch.equal(a, b) for a, b in zip(made, images, strict=True)]
    assert 10 < sum(same) < 30
    assert made.abs().max() <= 1 + 1e-5
    assert torch.equal(reduce_resolution(images, np.random.default_rng(0), share=0.0), images)


def test_batches_repeat_with_their_generator(drawn: Path) -> None:
    faces = FaceDataset(ShardDataset(drawn))
    torch.manual_seed(0)
    images, known = sample_trait_crops(faces, np.random.default_rng(0), 10)
    assert images.shape == (10, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE)
    assert known.shape == (10, len(TRAITS))
    assert images.min() >= -1
    assert images.max() <= 1
    torch.manual_seed(0)
    again, known_again = sample_trait_crops(faces, np.random.default_rng(0), 10)
    assert torch.equal(images, again)
    assert torch.equal(known.nan_to_num(-1), known_again.nan_to_num(-1))


def test_what_is_not_known_is_not_learnt() -> None:
    net = tiny().eval()
    images = torch.randn(2, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE, generator=torch.Generator().manual_seed(0))
    known = torch.tensor([[1.0, 0.0, torch.nan, torch.nan], [0.0, 1.0, torch.nan, torch.nan]])
    trait_loss(net, images, known).backward()
    gradient = net.leave.weight.grad
    assert gradient is not None
    assert gradient[:HAPPY].abs().max() > 0
    assert not gradient[HAPPY:].any()


def test_drawn_traits_are_learnt(drawn: Path) -> None:
    torch.manual_seed(0)
    faces, rng = FaceDataset(ShardDataset(drawn)), np.random.default_rng(0)
    net = tiny().train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(120):
        optimiser.zero_grad()
        trait_loss(net, *sample_trait_crops(faces, rng, 24)).backward()
        optimiser.step()
    parts = [faces.read(index, 3) for index in faces.rows[12:]]
    crops = torch.cat([align_faces(*part[:2]) for part in parts])
    figures = evaluate_traits(net.eval(), HeldOutFaces(crops, torch.cat([part[2] for part in parts])), CPU)
    assert min(figures[f"{trait}_accuracy"] for trait in ("glasses", "beard")) > 0.9
    assert figures["happy_auc"] > 0.8


def test_figures_of_a_sure_and_right_a_wrong_and_a_guessing_network() -> None:
    true = np.array([True] * 30 + [False] * 70)
    said = np.where(true, 1.0, 0.0)
    assert (auc(said, true), auc(1 - said, true), auc(np.full(100, 0.3), true)) == (1.0, 0.0, 0.5)
    assert calibration_error(said, true) == 0
    assert calibration_error(1 - said, true) == 1
    assert calibration_error(np.full(100, 0.3), true) == pytest.approx(0, abs=1e-9)
    assert calibration_error(np.full(100, 0.9), true) == pytest.approx(0.6)


def test_figures_are_left_out_where_nothing_can_be_told() -> None:
    class Sure(TraitNet):
        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            return faces[:, 0, 0, :4] * 10

    crops = torch.zeros(10, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE)
    crops[:, 0, 0, :4] = -1
    crops[:5, 0, 0, GLASSES] = 1
    known = torch.zeros(10, 4)
    known[:5, GLASSES] = 1
    known[:, SAD] = torch.nan
    figures = evaluate_traits(Sure().eval(), HeldOutFaces(crops, known), CPU)
    assert {name.split("_")[0] for name in figures} == {"glasses"}
    assert figures["glasses_accuracy"] == figures["glasses_auc"] == 1
    assert figures["glasses_seen_right"] == figures["glasses_unseen_right"] == 1
    assert figures["glasses_calibration"] < 1e-3


def test_held_out_faces_are_cut_where_the_eye_finds_them(drawn: Path) -> None:
    faces = FaceDataset(ShardDataset(drawn))
    faces.rows = faces.rows[11:13]  # one of each size
    gallery = HeldOutFaces.find(faces, tiny_eye())
    assert gallery.crops.shape == (2 * EVALUATED_FRAMES, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE)
    assert gallery.labels.shape == (2 * EVALUATED_FRAMES, len(TRAITS))
    assert gallery.labels[:EVALUATED_FRAMES, HAPPY].tolist() == [0] * EVALUATED_FRAMES, (
        "the last sample of the first size is calm"
    )
    assert gallery.labels[EVALUATED_FRAMES:, HAPPY].tolist() == [1] * EVALUATED_FRAMES, (
        "the first one of the other size smiles"
    )


def test_training_resumes_and_writes_weights(drawn: Path, tmp_path: Path) -> None:
    save_model(tiny(), tmp_path / "init")
    save_model(tiny_eye(), tmp_path / "eye")
    for steps in (3, 6):
        train_traits(
            recipe("traits", steps=steps, batch_size=8),
            data=drawn,
            test=drawn,
            run=tmp_path / "run",
            perception=tmp_path / "eye",
            out=tmp_path / "out",
            init=tmp_path / "init",
        )
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows] == [3, 6]
    assert {f"{trait}_accuracy" for trait in TRAITS} <= set(rows[-1])
    assert load_model(TraitNet, tmp_path / "out").config["widths"] == [4, 4, 8, 8]
