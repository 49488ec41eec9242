"""Optional packages: checked before they are used, with one sentence where they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from dramatis.errors import UserError

EXTRAS = {"numba": "lab", "onnxruntime": "lab", "torchao": "quantised"}
"""Packages, and the extra of this project that installs each."""


def require_package(package: str, what: str) -> None:
    """Check that an optional package is installed, without importing it.

    what: what needs it, as the beginning of a sentence ("A network in int8"). Raises UserError.
    """
    if find_spec(package) is None:
        raise UserError(
            f"{what} needs the package {package}, which is not installed; "
            f"run `pip install dramatis[{EXTRAS[package]}]`."
        )
