"""What makes a large network fit: fewer bits, streamed blocks, reused steps. Close to the plain one, or equal to it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from torch import Tensor, nn

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import (
    Placement,
    check_attention,
    check_weight_format,
    place_on_device,
    reuse_steps,
)
from dramatis.sampling.denoise import Conditions, denoise
from dramatis.sampling.guidance import JointGuidance
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit

STEPS = 4


def conditions() -> Conditions:
    given = inputs()
    return Conditions(
        condition=given["condition"],
        text=given["text"],
        negative=-given["text"],
        image=given["image"],
        audio=given["audio"],
        silence=torch.zeros_like(given["audio"]),
        controls=given["controls"],
        maps=given["maps"],
    )


def film(dit: AudioDiT, seed: int = 0) -> Tensor:
    noise = torch.randn(1, 16, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return denoise(dit, noise, conditions(), shifted_sigmas(STEPS, 2.0), JointGuidance(1.5), Euler())


@pytest.mark.skipif(find_spec("torchao") is None, reason="torchao is not installed (dramatis[quantised])")
@torch.no_grad()
@pytest.mark.parametrize("streamed", [False, True])
def test_weights_in_eight_bits_change_little(*, streamed: bool) -> None:
    dit, given = tiny_dit(), inputs()
    plain = dit(**given)
    place_on_device(dit, Placement("int8", streamed), torch.device("cpu"), torch.float32)
    for _ in range(2):  # blocks come and go
        assert 0 < (dit(**given) - plain).norm() < 0.01 * plain.norm()
    for name, module in dit.named_modules():
        if isinstance(module, nn.Linear):
            assert (type(module.weight) is nn.Parameter) != name.startswith("blocks."), name


def test_without_torchao_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchao", None)
    with pytest.raises(UserError, match=r"^A network in int8 needs the package torchao"):
        place_on_device(tiny_dit(), Placement("int8"), torch.device("cpu"), torch.float32)
    check_weight_format("bf16", torch.device("cpu"))


@pytest.mark.parametrize("capability", [None, (8, 6)])
def test_float8_is_for_cards_that_multiply_it(
    capability: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatis.models.placement.device.require_package", lambda *_: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    device = torch.device("cpu" if capability is None else "cuda")
    with pytest.raises(UserError, match=r"needs a graphics card that multiplies it .*`weight_format: int8`"):
        check_weight_format("float8", device)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    check_weight_format("float8", torch.device("cuda"))


def test_attention_is_computed_by_the_backend_of_choice() -> None:
    plain, chosen, given = tiny_dit(), tiny_dit(), inputs()
    place_on_device(chosen, Placement(), torch.device("cpu"), torch.float32, attention="_native_math")
    asked: list[object] = []

    def counted(*tensors: Tensor, backend: object = None, **rest: Any) -> Tensor:
        asked.append(backend)
        return dispatch_attention_fn(*tensors, backend=backend, **rest)

    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("dramatis.models.attention.dispatch_attention_fn", counted)
        out = chosen(**given)
        assert torch.allclose(out, plain(**given), atol=1e-5)
    # Two blocks: video tokens, words, picture; the audio branch has torch's own.
    half = len(asked) // 2
    assert asked[:half].count(AttentionBackendName("_native_math")) == 6
    assert set(asked[half:]) == {None}
    assert None in asked[:half]


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("lightning", r"no attention backend 'lightning'; choose one of .*flash"),
        ("xformers", r"cannot be used \(.*xformers"),
    ],
)
def test_a_backend_that_cannot_be_used_is_named(backend: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffusers.models.attention_dispatch._CAN_USE_XFORMERS_ATTN", False)
    with pytest.raises(UserError, match=sentence) as refused:
        check_attention(backend)
    assert "\n" not in str(refused.value)


def test_streamed_blocks_give_the_same_video() -> None:
    plain = tiny_dit()
    streamed = place_on_device(tiny_dit(), Placement(streamed=True), torch.device("cpu"), torch.float32)
    assert torch.equal(film(streamed), film(plain))
    assert str(Placement("int8", streamed=True)) == "int8, streamed"
    assert str(Placement()) == "whole"


def counted(dit: AudioDiT) -> list[int]:
    """Grows by one entry with every call of the second block's feed-forward."""
    calls: list[int] = []
    dit.get_submodule("blocks.1.ffn").register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_steps_that_change_are_taken_in_full() -> None:
    plain, dit = tiny_dit(), tiny_dit()
    reuse_steps(dit, 0.0)
    calls = counted(dit)
    assert torch.equal(film(dit), film(plain))
    assert len(calls) == 2 * STEPS


def test_steps_are_reused_within_a_branch_and_never_across_clips() -> None:
    plain, dit = (
        tiny_dit(),
        place_on_device(tiny_dit(), Placement(), torch.device("cpu"), torch.float32, first_block_cache=1e9),
    )
    calls = counted(dit)
    first = film(dit)
    assert len(calls) == 2, "each branch takes its first step in full"
    film(dit, seed=1)
    assert len(calls) == 4
    assert torch.equal(film(dit), first)
    assert not torch.equal(first, film(plain))


def test_only_blocks_are_compiled() -> None:
    dit = place_on_device(tiny_dit(), Placement(), torch.device("cpu"), torch.float32, compiled=True)
    # Where torch keeps a compiled call; an upgrade that moves it fails here.
    compiled = {name for name, module in dit.named_modules() if module._compiled_call_impl is not None}
    assert compiled == {"blocks.0", "blocks.1"}


@pytest.mark.parametrize("streamed", [False, True])
def test_everything_gets_the_format(*, streamed: bool) -> None:
    dit = place_on_device(tiny_dit(), Placement(streamed=streamed), torch.device("cpu"), torch.bfloat16)
    assert {weight.dtype for weight in dit.parameters()} == {torch.bfloat16}
