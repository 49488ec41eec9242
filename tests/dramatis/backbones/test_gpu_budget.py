"""What filming needs of a card: less by every way of fitting, in an order that changes as little as it can."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.gpu_budget import (
    GPUS,
    READER,
    SHARE,
    Gpu,
    MemoryNeeds,
    choose_placement,
    gpu_named,
    memory_needs,
    placements,
    this_gpu,
)
from dramatis.backbones.multitalk import MultiTalkBackbone
from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.backbones.profile_files import PROFILES, load_profile, read_profile
from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import Placement
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from tests.dramatis.backbones.test_multitalk import NEGATIVE, POSITIVE, clip_inputs
from tests.open_weights import infinitetalk, write_public_model

WAYS = placements(None)
PUBLIC = {
    name: value.default for name, value in inspect.signature(AudioDiT.__init__).parameters.items() if name != "self"
}


def public(name: str, variant: str = "") -> MultiTalkProfile:
    profile = read_profile(PROFILES / f"{name}.yaml", variant)
    assert isinstance(profile, MultiTalkProfile)
    return profile


@pytest.fixture(scope="module")
def needs() -> MemoryNeeds:
    return memory_needs(public("infinitetalk-480p"), PUBLIC)


def test_each_way_needs_less_of_the_card_or_of_the_computer(needs: MemoryNeeds) -> None:
    whole, streamed, small, both = (needs.card[way] for way in WAYS)
    assert whole > small > streamed > both
    # 18.57 billion weights in the blocks, two bytes or one.
    assert whole - small == pytest.approx(18.57e9, rel=1e-3)
    assert needs.main[WAYS[1]] == 2 * needs.main[WAYS[3]] == pytest.approx(2 * 18.57e9, rel=1e-3)
    assert needs.main[WAYS[0]] == needs.main[WAYS[2]] == READER, "prompts are read in any case"
    assert len(needs.lines()) == 5
    assert "and 37 GB of main memory" in needs.lines()[1]


def test_few_steps_cost_what_they_take(needs: MemoryNeeds) -> None:
    few = memory_needs(public("infinitetalk-480p", "few-steps"), PUBLIC)
    # 40 steps of three evaluations; 8 steps of two.
    assert needs.operations[0] == pytest.approx(few.operations[0] * 40 * 3 / (8 * 2))
    assert few.card == needs.card
    # The LoRA file is merged in main memory, whatever the way.
    assert all(main == pytest.approx(2 * 18.88e9, rel=1e-3) for main in few.main.values())
    assert needs.work(100, 50) == pytest.approx(100 * needs.operations[0])


def test_the_way_that_changes_least_is_chosen(needs: MemoryNeeds) -> None:
    plenty = 1e12
    assert needs.choose(plenty, READER) == Placement()
    assert needs.choose(needs.card[WAYS[0]] - 1, plenty) == Placement(streamed=True)
    assert needs.choose(needs.card[WAYS[0]] - 1, READER) == Placement("int8")
    assert needs.choose(needs.card[WAYS[2]] - 1, 20e9) == Placement("int8", streamed=True)
    with pytest.raises(
        UserError, match=r"^The graphics card has 4 GB and the computer 16 GB .*int8, streamed.*smaller"
    ):
        needs.choose(4e9, 16e9)


def test_a_profile_may_want_a_format() -> None:
    small = memory_needs(public("infinitetalk-480p").changed({"arithmetic.weight_format": "float8"}), PUBLIC)
    assert list(small.card) == [Placement("float8"), Placement("float8", streamed=True)]
    assert Placement("float8") not in WAYS, "never taken unasked"


class Machine:
    """A computer with a card that torch finds, and so much main memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, card: float, main: float) -> None:
        self.name, self.total_memory = name, int(card)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: self)
        for module in ("backbones.gpu_budget", "cascade.estimate"):
            monkeypatch.setattr(f"dramatis.{module}.main_memory", lambda: main)


def test_what_fits_but_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, "NVIDIA H100", 30e9, 16e9)
    monkeypatch.setitem(sys.modules, "torchao", None)
    with pytest.raises(UserError, match="A network in int8 needs the package torchao"):
        choose_placement(public("infinitetalk-480p"), PUBLIC, torch.device("cuda"))


def test_too_little_memory_is_told_before_anything_is_planned_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_public_model(tmp_path / "public", infinitetalk)
    Machine(monkeypatch, "NVIDIA GeForce GTX 1050", 2e9, 8e9)
    pipe = AvatarPipeline.from_pretrained(folder)
    with pytest.raises(UserError, match=r"^The graphics card has 2 GB and the computer 8 GB of memory") as refused:
        pipe(tmp_path / "nobody.png", tmp_path / "nothing.wav", output=tmp_path / "out.mp4")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["public"]


@pytest.mark.parametrize(
    ("wanted", "card"),
    [
        ("rtx 4090", Gpu("RTX 4090", 24e9, 165e12)),
        ("NVIDIA H100 80GB HBM3", Gpu("H100", 80e9, 989e12)),
        ("NVIDIA A100-SXM4-80GB", Gpu("A100", 80e9, 312e12)),
        ("16 GB", Gpu("a card", 16e9)),
        ("12.5gb", Gpu("a card", 12.5e9)),
    ],
)
def test_cards_are_known_by_name_or_memory(wanted: str, card: Gpu) -> None:
    assert gpu_named(wanted) == card


@pytest.mark.parametrize("wanted", ["RTX 4070 Ti", "NVIDIA H100 PCIe", "a good one", "0x10", ""])
def test_a_card_that_computes_otherwise_is_not_taken_for_a_listed_one(wanted: str) -> None:
    with pytest.raises(UserError, match=r"is not listed here; give one of H200, .*or its memory: 16GB\.$"):
        gpu_named(wanted)


def test_this_computers_card_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch.cuda.is_available() or this_gpu() is None
    Machine(monkeypatch, "NVIDIA GeForce RTX 3090", 25.3e9, 64e9)
    assert this_gpu() == Gpu("NVIDIA GeForce RTX 3090", 25.3e9, 71e12)
    Machine(monkeypatch, "NVIDIA GeForce RTX 2080", 8e9, 64e9)
    assert this_gpu() == Gpu("NVIDIA GeForce RTX 2080", 8e9)


def test_time_is_foretold_from_what_others_measured(needs: MemoryNeeds) -> None:
    """A step of diffusers' stock transformer, two evaluations without the audio branch, takes 9.77 s on an H100."""
    h100, evaluation = GPUS[1], needs.operations[0] * 81 / (40 * 3)
    assert 2 * evaluation / (SHARE * h100.peak) == pytest.approx(9.77, rel=0.1)  # type: ignore[operator]
    lines = needs.estimate_lines(h100, 750, 0)
    assert lines[0] == "card   H100, 80 GB: weights whole, which ask for 46 GB and 11 GB of main memory"
    assert "about 1.5 h for the video network, at 37% of the card's peak" in lines[2]
    lines = needs.estimate_lines(Gpu("a card", 16e9), 750, 0)
    assert "whole, streamed, which ask for 10 GB and 37 GB of main memory" in lines[0]
    assert "not known" in lines[2]
    with pytest.raises(UserError, match=r"^The graphics card has 4 GB of memory, but even with weights int8, streamed"):
        needs.estimate_lines(Gpu("a card", 4e9), 750, 0)


def test_a_network_that_keeps_something_between_steps_serves_one_clip_at_a_time(tmp_path: Path) -> None:
    folder = write_public_model(tmp_path / "public", infinitetalk)
    store = ArtifactStore(tmp_path / "store")

    def opened(changes: Mapping[str, object] = {}) -> MultiTalkBackbone:
        profile = load_profile(folder).changed({"low.steps": 3, **changes})
        assert isinstance(profile, MultiTalkProfile)
        net = MultiTalkBackbone(folder, profile, torch.float32)
        return net.for_job([POSITIVE, NEGATIVE], store, NullReporter())

    plain, streamed, reused = opened(), opened(), opened({"arithmetic.first_block_cache": 1e9})
    streamed.__dict__["placement"] = Placement(streamed=True)
    wanted = plain.generate_clip(clip_inputs())
    assert np.array_equal(streamed.generate_clip(clip_inputs()), wanted)
    alone = reused.generate_clip(clip_inputs())
    assert not np.array_equal(alone, wanted)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(reused.generate_clip, [clip_inputs()] * 4))
    assert all(np.array_equal(frames, alone) for frames in both)
    assert reused.low_identity != plain.low_identity
    assert plain.identity["bits"] == "bf16"


def test_on_a_processor_nothing_is_changed() -> None:
    assert choose_placement(public("infinitetalk-480p"), {}, torch.device("cpu")) == Placement()
    with pytest.raises(UserError, match="float8"):
        choose_placement(
            public("infinitetalk-480p").changed({"arithmetic.weight_format": "float8"}), {}, torch.device("cpu")
        )
