"""The lexicon: all names have phrases, all sections are read, and it is compiled once, without torch."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml

from dramatis.director.language import lexicon as module
from dramatis.director.language.lexicon import lexicon
from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES


def test_every_name_has_phrases() -> None:
    names = {(kind, name) for kind, name, pattern in lexicon().cues if pattern.pattern != r"(?<![a-z])(?:)(?![a-z])"}
    assert names >= {("emotion", name) for name in EMOTIONS}
    assert names >= {("camera", name) for name in CAMERA_MOVES}
    assert names >= {("gesture", name) for name in GESTURES}


def test_it_is_compiled_once() -> None:
    assert lexicon() is lexicon()


def test_a_misspelt_section_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    load = yaml.safe_load

    def misspelt(text: str) -> Any:
        data = load(text)
        data["emotions"]["hapy"] = "hapy"
        return data

    monkeypatch.setattr(module.yaml, "safe_load", misspelt)
    with pytest.raises(ValueError, match="hapy"):
        lexicon.__wrapped__()


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys; from dramatis.director.language.parser import read_direction; read_direction('happy'); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
