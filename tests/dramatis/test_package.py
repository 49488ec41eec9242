"""Importing the package is light, and leaves the user's own settings alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TOLD = "import dramatis, os, sys; print(os.environ['THP_MEM_ALLOC_ENABLE'], 'torch' in sys.modules)"


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("0", "0")])
def test_large_pages_are_asked_for_unless_the_user_says_otherwise(given: str | None, found: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}
    environment |= {} if given is None else {"THP_MEM_ALLOC_ENABLE": given}
    told = subprocess.run([sys.executable, "-c", TOLD], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == [found, "False"]
