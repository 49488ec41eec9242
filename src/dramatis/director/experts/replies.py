"""How an expert answers objections: by giving way, or by insisting on what is beyond doubt."""

from __future__ import annotations

from dramatis.director.dialogue import Minutes
from dramatis.director.settle import CERTAIN
from dramatis.story.dialogue import ExpertName


def replies(minutes: Minutes, own: ExpertName) -> list[str]:
    """One clause for every topic that somebody objected about since the expert's last turn."""
    out = []
    for about in dict.fromkeys(objection.about for _, objection in minutes.objected(own)):
        sure = max((claim.confidence for _, claim in minutes.claims(about, own)), default=0.0)
        if sure >= CERTAIN:
            out.append(f"on {about}, that is beyond doubt ({sure:.1f})")
        else:
            out.append(f"on {about}, that was only a guess ({sure:.1f}): let the words decide")
    return out
