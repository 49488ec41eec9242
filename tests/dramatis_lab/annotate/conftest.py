from __future__ import annotations

import pytest

from dramatis.senses.seeing.people import FaceDetector


@pytest.fixture(scope="session")
def eye() -> FaceDetector:
    """The perception network with the shipped weights."""
    return FaceDetector.shipped()
