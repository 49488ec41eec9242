from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.cascade.backbone import (
    NETWORKS,
    Backbone,
    ClipInputs,
    Profile,
    find_model,
    joined,
    load_profile,
    shipped_models,
    to_pictures,
    to_tensor,
)
from dramatis.motion.face import ANCHOR_TEMPLATE
from dramatis.story import UserError
from tests.tiny import write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize(
    "text", ["", "name: [", "steps: 3", "name: a\nsteps: 0", "name: a\nfill: mirror", "name: a\nstep: 3"]
)
def test_a_wrong_profile_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile.yaml").write_text(text)
    with pytest.raises(UserError, match=r"profile\.yaml") as caught:
        load_profile(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_profile_needs_a_name_only(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text("name: small\n")
    assert load_profile(tmp_path) == Profile(name="small")
    with pytest.raises(UserError, match="missing"):
        load_profile(tmp_path / "nowhere")


def test_models_are_found_by_folder_and_by_name(model: Path) -> None:
    assert find_model(model) == model
    assert find_model(str(model)) == model
    for name, folder in shipped_models().items():
        assert find_model(name) == folder
    with pytest.raises(UserError, match="'gigantic' is unknown"):
        find_model("gigantic")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("fault", ["missing", "cut short", "no config", "foreign"])
def test_damaged_weights_are_refused_before_loading(model: Path, tmp_path: Path, network: str, fault: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    weights = next((folder / network).glob("*.safetensors"))
    if fault == "missing":
        weights.unlink()
    elif fault == "cut short":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif fault == "foreign":
        config = folder / network / "config.json"
        config.write_text(config.read_text().replace('"_class_name": "', '"_class_name": "Other'))
    else:
        (folder / network / "config.json").unlink()
    with pytest.raises(UserError, match=network):
        find_model(folder)


def test_prompts_join_without_repeats_or_double_stops() -> None:
    assert joined(["She smiles.", " slow push-in", "", "She smiles", "."]) == "She smiles. slow push-in"
    assert joined([]) == ""


def test_pictures_survive_the_way_to_tensors_and_back() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 16, 3)).astype(np.uint8)
    tensor = to_tensor(pictures)
    assert tensor.shape == (1, 3, 5, 8, 16)
    assert tensor.min() >= -1 and tensor.max() <= 1
    assert np.array_equal(to_pictures(tensor), pictures)
    beyond = torch.full((1, 3, 1, 2, 2), 7.0)
    assert (to_pictures(beyond) == 255).all() and (to_pictures(-beyond) == 0).all()


def clip_inputs(seed: int, tail: bool) -> ClipInputs:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 32, 48, 3)).astype(np.uint8)
    return ClipInputs(
        head=pictures[:1],
        tail=pictures[1:] if tail else None,
        reference=pictures[0],
        audio=rng.normal(size=(9, 12)).astype(np.float32),
        controls=rng.normal(size=(9, 26)).astype(np.float32),
        anchors=24 + 12 * ANCHOR_TEMPLATE[None, :, :2].repeat(9, 0),
        positive="she smiles",
        negative="blurred",
        seed=seed,
    )


@pytest.mark.parametrize("tail", [False, True])
def test_a_clip_depends_on_its_inputs_alone(model: Path, tail: bool) -> None:
    first = Backbone(model, torch.float32).film(clip_inputs(1, tail))
    assert first.shape == (9, 32, 48, 3)
    assert first.dtype == np.uint8
    steps: list[tuple[int, int]] = []
    again = Backbone(model, torch.float32).film(clip_inputs(1, tail), lambda *step: steps.append(step))
    assert np.array_equal(first, again)
    assert steps == [(1, 2), (2, 2)]
    assert not np.array_equal(first, Backbone(model, torch.float32).film(clip_inputs(2, tail)))
