"""What filming needs of a card: less by every way of fitting, in an order that changes as little as it can."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.cascade.card import WAYS, Needs, fit_for, needs_of
from dramatis.cascade.profile import PROFILES, PublicProfile, load_profile, read_profile
from dramatis.cascade.public import PublicBackbone
from dramatis.models.dit import AudioDiT
from dramatis.models.fit import Fit
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.values import UserError
from tests.cascade.test_public import NEGATIVE, POSITIVE, clip_inputs
from tests.open_weights import infinitetalk, write_public_model

PUBLIC = {
    name: value.default for name, value in inspect.signature(AudioDiT.__init__).parameters.items() if name != "self"
}


def public(name: str, variant: str = "") -> PublicProfile:
    profile = read_profile(PROFILES / f"{name}.yaml", variant)
    assert isinstance(profile, PublicProfile)
    return profile


@pytest.fixture(scope="module")
def needs() -> Needs:
    return needs_of(public("infinitetalk-480p"), PUBLIC)


def test_each_way_needs_less_of_the_card_or_of_the_computer(needs: Needs) -> None:
    whole, streamed, small, both = (needs.card[way] for way in WAYS)
    assert whole > small > streamed > both
    # 18.57 billion weights in the blocks, two bytes or one.
    assert whole - small == pytest.approx(18.57e9, rel=1e-3)
    assert needs.main[WAYS[1]] == 2 * needs.main[WAYS[3]] == pytest.approx(2 * 18.57e9, rel=1e-3)
    assert needs.main[WAYS[0]] == needs.main[WAYS[2]] == 0
    assert len(needs.lines()) == 4 and "and 37 GB of main memory" in needs.lines()[1]


def test_few_steps_cost_what_they_take(needs: Needs) -> None:
    few = needs_of(public("infinitetalk-480p", "few-steps"), PUBLIC)
    # 40 steps of three evaluations; 8 steps of two.
    assert needs.operations[0] == pytest.approx(few.operations[0] * 40 * 3 / (8 * 2))
    assert few.card == needs.card
    assert needs.work(100, 50) == pytest.approx(100 * needs.operations[0])


def test_the_way_that_changes_least_is_chosen(needs: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dramatis.models.fit.find_spec", lambda name: object())
    plenty = 1e12
    assert needs.choose(plenty, 0) == Fit()
    assert needs.choose(needs.card[WAYS[0]] - 1, plenty) == Fit(streamed=True)
    assert needs.choose(needs.card[WAYS[0]] - 1, 0) == Fit("int8")
    assert needs.choose(needs.card[WAYS[2]] - 1, 20e9) == Fit("int8", streamed=True)
    with pytest.raises(
        UserError, match=r"^the graphics card has 4 GB and the computer 16 GB .*int8, streamed.*smaller"
    ):
        needs.choose(4e9, 16e9)


def test_what_fits_but_is_not_installed_is_named(needs: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dramatis.models.fit.find_spec", lambda name: None)
    with pytest.raises(UserError, match="torchao"):
        needs.choose(needs.card[WAYS[0]] - 1, 0)


def test_a_network_that_keeps_something_between_steps_serves_one_clip_at_a_time(tmp_path: Path) -> None:
    folder = write_public_model(tmp_path / "public", infinitetalk)
    store = ArtifactStore(tmp_path / "store")

    def opened(**changes: object) -> PublicBackbone:
        profile = load_profile(folder).model_copy(update={"steps": 3, **changes})
        assert isinstance(profile, PublicProfile)
        net = PublicBackbone(folder, profile, torch.float32)
        return net.for_job([POSITIVE, NEGATIVE], store, NullReporter())

    plain, streamed, reused = opened(), opened(), opened(reuse=1e9)
    streamed.__dict__["fit"] = Fit(streamed=True)
    wanted = plain.film(clip_inputs())
    assert np.array_equal(streamed.film(clip_inputs()), wanted)
    alone = reused.film(clip_inputs())
    assert not np.array_equal(alone, wanted)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(reused.film, [clip_inputs()] * 4))
    assert all(np.array_equal(frames, alone) for frames in both)
    assert reused.low_identity != plain.low_identity
    assert plain.identity["bits"] == "bf16"


def test_on_a_processor_nothing_is_changed() -> None:
    assert fit_for(public("infinitetalk-480p"), {}, torch.device("cpu")) == Fit()
