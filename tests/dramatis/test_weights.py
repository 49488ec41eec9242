"""The weights that ship: complete, within their size, and really loadable."""

from __future__ import annotations

import torch

from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.mini_networks import GATING_NETWORKS, HIGH_NETWORKS, NETWORKS, SEEING_NETWORKS
from dramatis.backbones.registry import find_model, shipped_models
from dramatis.models.loading import SHARD_BYTES, load_model
from dramatis.models.perception import PerceptionNet
from dramatis.motion.maps import MAP_CHANNELS
from dramatis.motion.performance import CONTROL_DIM


def test_the_mini_ships_whole_and_small() -> None:
    folder = shipped_models()["mini"]
    assert find_model("mini").folder == folder
    files = list(folder.rglob("*.safetensors"))
    at_root = [path for path in files if path.parent == folder]
    assert {path.name for path in at_root} == {adapter.file for adapter in find_model("mini").profile.adapters}
    networks = {*NETWORKS, *GATING_NETWORKS, *HIGH_NETWORKS, *SEEING_NETWORKS}
    assert {path.parent.name for path in files if path not in at_root} == networks
    assert sum(path.stat().st_size for path in files) <= 64_000_000
    assert all(path.stat().st_size <= SHARD_BYTES + 100_000 for path in files)
    assert (folder / "README.md").is_file()


def test_the_networks_fit_the_inputs_that_the_cascade_makes() -> None:
    backbone = MiniBackbone(find_model("mini").folder)
    assert backbone.dit.config.control_dim == CONTROL_DIM
    assert backbone.dit.config.control_channels == MAP_CHANNELS
    assert backbone.dit.config.audio_channels == backbone.speech.config.channels
    assert backbone.dit.config.text_dim == backbone.text.config.dim
    assert len(backbone.autoencoder.config.latents_mean) == backbone.dit.config.out_channels
    assert any(backbone.autoencoder.config.latents_mean), "the autoencoder was shipped without its statistics"
    assert backbone.upscaler.config.in_channels == backbone.dit.config.in_channels + 16
    load_model(PerceptionNet, backbone.folder / "perception")


def test_the_adapter_for_groups_fits_and_leaves_what_the_mask_head_looks_through() -> None:
    backbone = MiniBackbone(find_model("mini").folder)
    alone, groups = backbone.dit.state_dict(), backbone.group_dit.state_dict()
    changed = {name for name, value in alone.items() if not torch.equal(value, groups[name])}
    assert changed
    assert not any(name.startswith("patch_embedding") for name in changed), "identities go through it"
