"""The benchmark of public weights on a graphics card, at a tiny size on the processor."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

import pytest
import torch
import typer


@pytest.fixture
def on_card(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("on_card")


def test_rows_for_the_table_are_printed(
    on_card: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_card, "find_spec", lambda name: None)
    on_card.main(tiny_scale=True, compiled=False, attention=None, bits="bf16", repeats=1)
    head, _, speed, memory, *_ = capsys.readouterr().out.splitlines()
    assert head == "| | measured | at least | aim | | run |"
    name = "seconds an evaluation, 48x32, 9 frames: ours with sound (bf16) / diffusers' stock Wan"
    assert re.match(rf"\| {re.escape(name)} \| [\d.]+ / [\d.]+ s \|", speed)
    # The real autoencoder and a small transformer of the real class: within a tenth of what a dry run foretells.
    assert re.match(
        r"\| peak memory, infinitetalk-480p, weights whole \| 0\.\d\d GB, foretold 0\.\d\d .* passes \|", memory
    )


def test_without_a_card_it_says_so(
    on_card: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(typer.Exit) as stop:
        on_card.main(tiny_scale=False, compiled=False, attention=None, bits="bf16", repeats=1)
    assert stop.value.exit_code == 2
    assert "--tiny" in capsys.readouterr().err


def test_a_peak_far_from_what_was_foretold_fails(on_card: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_card, "timing", lambda *how: on_card.Row("speed", "1 / 1 s"))
    monkeypatch.setattr(on_card, "find_spec", lambda name: None)
    monkeypatch.setattr(on_card, "peak", lambda call, resident, device: 2.0 * resident)
    with pytest.raises(typer.Exit) as stop:
        on_card.main(tiny_scale=True, compiled=False, attention=None, bits="bf16", repeats=1)
    assert stop.value.exit_code == 1
