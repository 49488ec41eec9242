"""Where the files lie that belong to a checkout: held-out cases, results, examples, pictures of the documentation."""

from __future__ import annotations

from pathlib import Path

from dramatis.errors import UserError

_ROOT = Path(__file__).parents[3]


def checkout_path(*parts: str) -> Path:
    """A path below the checkout that this package runs from.

    Raises UserError where the package was installed without one.
    """
    if not (_ROOT / "benchmarks" / "cases").is_dir():
        raise UserError(f"{_ROOT}: There is no folder benchmarks/cases; install with `pip install -e` from a checkout.")
    return _ROOT.joinpath(*parts)
