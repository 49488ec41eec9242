"""The eyes, opened once; tests of the library's eye skip where its files are absent."""

from __future__ import annotations

import pytest

from dramatis.senses.seeing.finder import PersonFinder, person_finder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis.senses.seeing.own_eye import OwnEye

EYES = ("own", "library")


def skip_without_library() -> None:
    """Skip a test where the library's eye cannot be used."""
    if (missing := missing_for_library_eye()) is not None:
        pytest.skip(f"the library's eye cannot be used: {missing}")


@pytest.fixture(scope="package")
def own_eye() -> OwnEye:
    """Our own eye, with the shipped weights."""
    return person_finder().own_eye


@pytest.fixture(scope="package", params=EYES)
def any_finder(request: pytest.FixtureRequest) -> PersonFinder:
    """A finder that sees with each eye in turn."""
    if request.param == "library":
        skip_without_library()
    return PersonFinder(request.param)
