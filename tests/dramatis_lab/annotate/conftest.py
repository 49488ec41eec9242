from __future__ import annotations

import pytest

from dramatis.senses.seeing.people import Eye


@pytest.fixture(scope="session")
def eye() -> Eye:
    """The perception network with the shipped weights."""
    return Eye.shipped()
