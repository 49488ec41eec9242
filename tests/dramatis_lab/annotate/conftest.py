from __future__ import annotations

import pytest

from dramatis.senses.seeing.eye import Eye
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.library_files import missing_for_library_eye


@pytest.fixture(scope="session", params=["own", "library"])
def eye(request: pytest.FixtureRequest) -> Eye:
    """Each eye in turn; the library's is skipped where its files are absent."""
    if request.param == "library" and (missing := missing_for_library_eye()) is not None:
        pytest.skip(f"the library's eye cannot be used: {missing}")
    return PersonFinder(request.param).eye
