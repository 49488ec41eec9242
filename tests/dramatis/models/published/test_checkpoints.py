from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5EncoderModel

from dramatis.errors import UserError
from dramatis.models.published.checkpoints import (
    check_fit,
    check_published,
    check_weight_file,
    load_published,
    open_weights,
    rename_key,
    weight_files,
)

TENSORS = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}


class Foreign:
    """Anything that is no tensor."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    CLIPVisionModel(config).save_pretrained(tmp_path / "clip")
    return tmp_path / "clip"


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_tensors_come_back_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("pth"):
        torch.save(TENSORS, path)
    else:
        save_file(TENSORS, path)
    found = open_weights(path, pickles=True)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], value) for key, value in TENSORS.items())


def test_a_pickle_is_opened_on_request_only(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "w.pth")
    with pytest.raises(UserError, match="allow pickles"):
        open_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("content", [{"weight": Foreign()}, [torch.ones(2)], {"weight": {"inner": torch.ones(2)}}])
def test_a_pickle_of_anything_but_named_tensors_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(UserError, match="tensors"):
        open_weights(tmp_path / "w.pth", pickles=True)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_file_cut_short_or_missing_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(UserError, match="missing"):
        check_weight_file(path, pickles=True)
    if name.endswith("pth"):
        torch.save(TENSORS, path)
    else:
        save_file(TENSORS, path)
    check_weight_file(path, pickles=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="cut short"):
        check_weight_file(path, pickles=True)


def test_misfits_are_listed_and_the_rest_counted() -> None:
    net = torch.nn.Linear(3, 2)
    check_fit(Path("w"), TENSORS, net)
    with pytest.raises(UserError, match=r"bias: missing; other: unexpected; weight: wrong shape \(2,\), not \(2, 3\)"):
        check_fit(Path("w"), {"weight": torch.ones(2), "other": torch.ones(1)}, net)
    check_fit(Path("w"), {"weight": TENSORS["weight"]}, net, without={"bias"})
    with pytest.raises(UserError, match="4 more"):
        check_fit(Path("w"), {**TENSORS, **{f"x{i}": torch.ones(1) for i in range(10)}}, net)


def test_the_first_rule_that_fits_renames() -> None:
    rules = ((r"^a\.", "b."), (r"^b\.", "c."))
    assert [rename_key(key, rules) for key in ("a.x", "b.x", "d.a.x")] == ["b.x", "c.x", "d.a.x"]


def test_a_published_folder_loads(folder: Path) -> None:
    net = load_published(CLIPVisionModel, folder, torch.bfloat16)
    assert net.dtype == torch.bfloat16
    assert not net.training
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert weight_files(folder, "model") == [folder / "model.safetensors"]


def test_a_folder_of_another_network_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="model_type 'clip_vision_model', not 'umt5'"):
        check_published(folder, UMT5EncoderModel)


def test_a_folder_without_weights_or_config_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model\.safetensors is missing"):
        check_published(folder, CLIPVisionModel)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(UserError, match="cannot be read"):
        check_published(folder, CLIPVisionModel)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"config\.json is missing"):
        check_published(folder, CLIPVisionModel)


def test_every_shard_of_an_index_is_checked(folder: Path) -> None:
    whole = folder / "model.safetensors"
    shard = whole.rename(folder / "model-00001-of-00002.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shard.name, "b": "model-00002-of-00002.safetensors"}}))
    with pytest.raises(UserError, match=r"00002-of-00002\S*: this weight file is missing"):
        check_published(folder, CLIPVisionModel)
    index.write_text("{}")
    with pytest.raises(UserError, match="names no weight files"):
        check_published(folder, CLIPVisionModel)


def test_a_published_pickle_is_opened_on_request_only(folder: Path) -> None:
    state = CLIPVisionModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="allow pickles"):
        load_published(CLIPVisionModel, folder, torch.float32)
    net = load_published(CLIPVisionModel, folder, torch.float32, pickles=True)
    assert all(torch.equal(net.state_dict()[key], value) for key, value in state.items())


def test_missing_and_misshapen_tensors_are_refused(folder: Path) -> None:
    state = {key: value.clone() for key, value in CLIPVisionModel.from_pretrained(folder).state_dict().items()}
    (key,) = [key for key in state if key.endswith("post_layernorm.weight")]
    bias = state.pop(key)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"post_layernorm\.weight: missing"):
        load_published(CLIPVisionModel, folder, torch.float32)
    save_file({**state, key: torch.cat([bias, bias])}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="cannot be loaded"):
        load_published(CLIPVisionModel, folder, torch.float32)
