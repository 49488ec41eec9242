"""Optional packages: asked for before they are used, and answered in one sentence where they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from dramatis.errors import UserError

EXTRAS = {"numba": "lab", "onnxruntime": "lab", "torchao": "quantised"}
"""Packages, and the extra of this one that installs each."""


def need(package: str, what: str) -> None:
    """Whether an optional package is installed; `what` needs it ("a LoRA file"). Imports nothing. Raises UserError."""
    if find_spec(package) is None:
        raise UserError(
            f"{what} needs the package {package}, which is not installed; "
            f"run `pip install dramatis[{EXTRAS[package]}]`."
        )
