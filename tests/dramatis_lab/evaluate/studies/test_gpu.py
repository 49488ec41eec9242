"""The measurement of public weights on a GPU, at a tiny size on the processor."""

from __future__ import annotations

import re

import pytest
import torch
import typer

from dramatis_lab.evaluate.report import Row
from dramatis_lab.evaluate.studies import gpu


def test_rows_for_the_table_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "find_spec", lambda name: None)
    gpu.main(tiny=True, compiled=False, attention=None, bits="bf16", repeats=1)
    head, _, speed, memory, *_ = capsys.readouterr().out.splitlines()
    assert head == "| | measured | at least | aim | | run |"
    name = "seconds an evaluation, 48x32, 9 frames: ours with sound (bf16) / diffusers' stock Wan"
    assert re.match(rf"\| {re.escape(name)} \| [\d.]+ / [\d.]+ s \|", speed)
    # The real autoencoder and a small transformer of the real class: within a tenth of what a dry run foretells.
    assert re.match(
        r"\| peak memory, infinitetalk-480p, weights whole \| 0\.\d\d GB, foretold 0\.\d\d .* passes \|", memory
    )


def test_without_a_card_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(typer.Exit) as stop:
        gpu.main(tiny=False, compiled=False, attention=None, bits="bf16", repeats=1)
    assert stop.value.exit_code == 2
    assert "--tiny" in capsys.readouterr().err


def test_a_peak_far_from_what_was_foretold_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "timing_row", lambda *_, **__: Row("speed", "1 / 1 s"))
    monkeypatch.setattr(gpu, "find_spec", lambda name: None)
    monkeypatch.setattr(gpu, "peak_bytes", lambda call, resident, device: 2.0 * resident)
    with pytest.raises(typer.Exit) as stop:
        gpu.main(tiny=True, compiled=False, attention=None, bits="bf16", repeats=1)
    assert stop.value.exit_code == 1
