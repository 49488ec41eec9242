"""Memory and operations counted in a dry run: against the allocator, and at the size of the public networks."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from dramatis.models.dit import AudioDiT
from dramatis.models.placement.footprint import LiveBytes, autoencoder_peak, measure_footprint
from tests.dramatis.models.test_dit import inputs
from tests.tiny import DIT

PUBLIC = {
    name: value.default for name, value in inspect.signature(AudioDiT.__init__).parameters.items() if name != "self"
}


def allocated(dit: AudioDiT, given: dict[str, torch.Tensor]) -> int:
    """Greatest number of bytes that the allocator had given out in a forward call."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler, torch.no_grad():
        dit(**given)
    now = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return peak


@pytest.mark.parametrize(("layers", "side"), [(2, 16), (5, 24)])
def test_what_is_alive_is_what_the_allocator_gave_out(layers: int, side: int) -> None:
    config = {**DIT, "num_layers": layers, "num_attention_heads": 4, "ffn_dim": 256}
    torch.manual_seed(0)
    dit, given = AudioDiT(**config).eval(), inputs(frames=3, side=side)
    found = measure_footprint(config, 9, 8 * side, 8 * side, torch.float32)
    measured = allocated(dit, given) + sum(tensor.nbytes for tensor in given.values())
    assert found.activations == pytest.approx(measured, rel=0.1)


def test_views_count_once_and_what_is_gone_does_not() -> None:
    before = torch.ones(1000)
    with LiveBytes([before]) as live:
        before.view(10, 100)
        kept = torch.ones(100)
        view = kept.view(10, 10).t()
        kept.mul_(2)
        assert live.now == live.peak == 400
        gone = view + 1
        del gone
        assert (live.now, live.peak) == (400, 800)


def test_a_network_is_counted_by_its_weights_and_every_layer_costs_the_same() -> None:
    config = {**DIT, "num_layers": 5}
    five, seven = (measure_footprint({**DIT, "num_layers": n}, 9, 64, 64, torch.float32) for n in (5, 7))
    assert five.block_weights + five.other_weights == sum(w.numel() for w in AudioDiT(**config).parameters())
    assert five.activations == seven.activations
    three = measure_footprint({**DIT, "num_layers": 3}, 9, 64, 64, torch.float32)
    assert seven.operations - five.operations == five.operations - three.operations > 0


def test_public_networks_are_counted_without_their_memory() -> None:
    found = measure_footprint(PUBLIC, 81, 480, 832)
    assert found.block_weights + found.other_weights == pytest.approx(18.88e9, rel=1e-3)
    tokens = 21 * 30 * 52
    # Two numbers a weight and token at least, and attention of all tokens to all.
    attention = 40 * 4 * tokens**2 * 5120
    assert found.operations > 2 * 14.05e9 * tokens + attention
    # The feed-forward's inner tokens are there twice, before and after its activation.
    assert found.activations > 2 * 2 * tokens * 13824
    assert found.activations < 5e9


def test_the_autoencoder_needs_memory_for_whole_pictures_when_encoding_and_for_tiles_when_decoding() -> None:
    weights, small = autoencoder_peak(81, 256, 256, 128)
    assert weights == pytest.approx(4 * 127e6, rel=0.01)
    assert autoencoder_peak(81, 512, 512, 128)[1] == pytest.approx(4 * small, rel=0.1)
    # Small pictures leave the tile as what counts.
    assert autoencoder_peak(5, 64, 64, 256)[1] > 3 * autoencoder_peak(5, 64, 64, 128)[1]
