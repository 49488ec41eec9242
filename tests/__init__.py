"""Tests mirror the source tree: `tests/dramatis` and `tests/dramatis_lab`."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository."""
