"""Objections are answered by giving way, unless a claim is beyond doubt."""

from __future__ import annotations

import pytest

from dramatis.director.dialogue import Transcript
from dramatis.director.experts.replies import replies
from dramatis.story.dialogue import Claim, Objection, Turn


@pytest.mark.parametrize(("confidence", "answer"), [(0.9, "beyond doubt (0.9)"), (0.5, "only a guess (0.5)")])
def test_replies(confidence: float, answer: str) -> None:
    claim = Claim(about="emotion", value="sad", confidence=confidence)
    objections = (Objection(to="audio", about="emotion", text="no"), Objection(to="audio", about="emotion", text="no!"))
    transcript = Transcript(
        [
            Turn(expert="audio", thought="sad", claims=(claim,)),
            Turn(expert="text", round=1, thought="no", objections=objections),
        ]
    )
    [reply] = replies(transcript, "audio")
    assert answer in reply
    assert replies(transcript, "visual") == []
