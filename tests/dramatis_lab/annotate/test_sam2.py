from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis.story.values import Box
from dramatis_lab.annotate.sam2 import Sam2Segmenter, exclusive_masks, spread_points, to_pixels, to_points
from dramatis_lab.annotate.units import Pose, Prompt
from tests.dramatis_lab.annotate.networks import write_sam2
from tests.dramatis_lab.annotate.squares import walk


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sam2(tmp_path_factory.mktemp("sam2"))


def prompts() -> list[Prompt]:
    points = np.array([(30, 40), (20, 30), (40, 50), (30, 55), (22, 52), (28, 41)], np.float32)
    sure = np.array([1, 1, 1, 1, 1, 0.1], np.float32)
    return [
        Prompt(Box(10, 20, 50, 60), Pose(points, sure)),
        Prompt(Box(110, 30, 150, 70), Pose(points + np.float32(90), sure * 0)),
    ]


def test_people_are_followed_and_old_frames_forgotten(folder: Path) -> None:
    tracking = Sam2Segmenter(folder).begin(prompts())
    for number, frame in enumerate(walk(12)):
        masks = tracking.step(frame)
        assert masks.shape == (2, 96, 160)
        assert masks.dtype == bool
        assert not (masks[0] & masks[1]).any(), number
    session = tracking.session  # type: ignore[attr-defined]
    assert session.processed_frames == {}
    for outputs in session.output_dict_per_obj.values():
        assert list(outputs["cond_frame_outputs"]) == [0]
        assert len(outputs["non_cond_frame_outputs"]) <= 6


def test_forgetting_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = Sam2Segmenter(folder)
    frames = walk(10)
    forgetful = segmenter.begin(prompts())
    short = [forgetful.step(frame) for frame in frames]
    monkeypatch.setattr("dramatis_lab.annotate.sam2._Session._forget", lambda _: None)
    faithful = segmenter.begin(prompts())
    assert np.array_equal(short, [faithful.step(frame) for frame in frames])


def test_prompts_reach_the_network(folder: Path) -> None:
    segmenter = Sam2Segmenter(folder)
    frame = walk(1)[0]
    one, two = (segmenter.begin([prompt]).open_session((96, 160)) for prompt in prompts())  # type: ignore[attr-defined]
    points = one.point_inputs_per_obj[0][0]["point_coords"]
    assert points.shape == (1, 1, 6, 2)
    assert torch.allclose(points[0, 0, 1], torch.tensor([50 * 64 / 160, 60 * 64 / 96]))
    assert two.point_inputs_per_obj[0][0]["point_labels"].tolist() == [[[2, 3]]]
    assert to_pixels(frame, 64).shape == (3, 64, 64)


def test_the_box_comes_first_and_sure_keypoints_are_spread() -> None:
    points, labels = to_points(prompts()[0])
    assert points[:2].tolist() == [[10, 20], [50, 60]]
    assert labels.tolist() == [2, 3, 1, 1, 1, 1]
    line = np.stack([np.arange(11.0), np.zeros(11)], 1).astype(np.float32)
    assert sorted(spread_points(line, 3)[:, 0].tolist()) == [0, 5, 10]


def test_a_pixel_belongs_to_the_likelier_person() -> None:
    logits = np.array([[[1.0, 2.0, -1.0]], [[2.0, 1.0, -2.0]]], np.float32)
    assert exclusive_masks(logits).tolist() == [[[False, True, False]], [[True, False, False]]]


def broken(folder: Path, out: Path, fault: str) -> Path:
    shutil.copytree(folder, out)
    if fault == "another model":
        (out / "config.json").write_text(json.dumps({"model_type": "sam"}))
    elif fault == "no config":
        (out / "config.json").unlink()
    elif fault == "no weights":
        (out / "model.safetensors").unlink()
    elif fault == "cut short":
        weights = out / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        state = load_file(out / "model.safetensors")
        state.pop("no_memory_embedding")
        save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    return out


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("another model", "holds a sam model"),
        ("no config", "no config.json"),
        ("no weights", r"no \.safetensors"),
        ("cut short", r"model\.safetensors: the weight file is damaged or cut short; download it again"),
        ("one tensor less", r"do not fit their network \(no_memory_embedding: missing\)"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(
    folder: Path, tmp_path: Path, fault: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        Sam2Segmenter(broken(folder, tmp_path / "sam2", fault))
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == "", "the sentence is all that is said"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        Sam2Segmenter(tmp_path / "sam2")
