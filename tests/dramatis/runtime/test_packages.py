from __future__ import annotations

import re
import sys
import tomllib

import pytest

from dramatis.errors import UserError
from dramatis.runtime.packages import EXTRAS, require_package
from tests import ROOT

PROJECT = ROOT / "pyproject.toml"


@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        ("onnxruntime", "needs the package onnxruntime, which is not installed; run `pip install dramatis[lab]`."),
        ("torchao", "needs the package torchao, which is not installed; run `pip install dramatis[quantised]`."),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(
    package: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f"^it {re.escape(sentence)}$"):
        require_package(package, "it")


def test_what_is_installed_is_not_missed() -> None:
    require_package("json", "it")


def test_every_extra_installs_what_it_is_named_for() -> None:
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for package, extra in EXTRAS.items():
        assert package in [re.split("[<>=]", wanted)[0] for wanted in extras[extra]]
