"""How an expert answers objections: it gives way, or insists on what is beyond doubt."""

from __future__ import annotations

from dramatis.director.dialogue import Transcript
from dramatis.director.settle import CERTAIN
from dramatis.story.dialogue import ExpertName


def replies(transcript: Transcript, expert: ExpertName) -> list[str]:
    """One clause for every topic on which somebody has objected since the expert's last turn."""
    answers = []
    for about in dict.fromkeys(objection.about for _, objection in transcript.objections_to(expert)):
        confidence = max((claim.confidence for _, claim in transcript.claims(about, expert)), default=0.0)
        if confidence >= CERTAIN:
            answers.append(f"on {about}, that is beyond doubt ({confidence:.1f})")
        else:
            answers.append(f"on {about}, that was only a guess ({confidence:.1f}): let the words decide")
    return answers
