"""The visual expert: who is where in the picture, and what can be seen of them; no claim without seeing it."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts.replies import replies
from dramatis.story.dialogue import Claim, Evidence, ExpertName, Turn
from dramatis.story.observations import ObservedPerson, PictureObservations, Trait

_CLEAR = 0.9
_CONFIDENT = 0.6
"""Confidence from which a trait is reported without being asked for."""


class VisualExpert:
    """Reports in the first round, and later answers what it is asked."""

    name: ExpertName = "visual"

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:
        seen = inputs.seen
        if round_ == 0:
            if seen is None:
                return Turn(expert=self.name, round=round_, thought="there is no picture to look at")
            return Turn(expert=self.name, round=round_, thought=_overview(seen), claims=_report(seen))
        asked = list(dict.fromkeys(question.about for _, question in transcript.questions_to(self.name)))
        claims = tuple(claim for about in asked for claim in _answer(seen, about)) if seen else ()
        unknown = [about for about in asked if about not in {claim.about for claim in claims}]
        thoughts = replies(transcript, self.name)
        if unknown:
            thoughts.insert(0, f"the picture does not tell about {' and '.join(unknown)}")
        if asked:
            thoughts.insert(0, f"asked about {' and '.join(asked)}")
        return Turn(expert=self.name, round=round_, thought="; ".join(thoughts), claims=claims) if thoughts else None


def _overview(seen: PictureObservations) -> str:
    """The picture in one sentence."""
    count = len(seen.people)
    who = "nobody can be seen" if not count else "one person" if count == 1 else f"{count} people"
    framing = f", {seen.people[0].framing}" if count else ""
    colours = f"; mostly {' and '.join(seen.colours[:2])}" if seen.colours else ""
    return f"{who}{framing}{colours}"


def _report(seen: PictureObservations) -> tuple[Claim, ...]:
    """What is reported without being asked for."""
    claims = [Claim(about="people", value=str(len(seen.people)), confidence=_CLEAR)]
    for person in seen.people:
        claims += _of_person(person)
    if seen.light_confidence:
        value = f"{seen.light}, from the {seen.light_from}"
        claims.append(Claim(about="light", value=value, confidence=seen.light_confidence))
    if seen.background_confidence:
        claims.append(Claim(about="background", value=seen.background, confidence=seen.background_confidence))
    if seen.colours:
        claims.append(Claim(about="colours", value=", ".join(seen.colours), confidence=_CONFIDENT))
    return tuple(claims)


def _answer(seen: PictureObservations, about: str) -> list[Claim]:
    """What the picture shows about a topic, if anything."""
    if about == "hands":
        # A head-and-shoulders picture shows no hands, so a video made from it cannot show what they do.
        return [
            Claim(
                about="hands",
                value="not in the picture" if person.framing in ("close-up", "head and shoulders") else "may be seen",
                confidence=_CLEAR if person.framing in ("close-up", "head and shoulders") else 0.4,
                evidence=(Evidence(region=person.box),),
            )
            for person in seen.people[:1]
        ]
    if about == "people":
        return [Claim(about="people", value=str(len(seen.people)), confidence=_CLEAR)]
    if about == "light" and seen.light_confidence:
        return [Claim(about="light", value=seen.light, confidence=seen.light_confidence)]
    return [_trait(trait) for person in seen.people[:1] for trait in person.traits if trait.name == about]


def _of_person(person: ObservedPerson) -> list[Claim]:
    face = (Evidence(region=person.face),)
    claims = [Claim(about="framing", value=person.framing, confidence=_CLEAR, evidence=(Evidence(region=person.box),))]
    if person.expression_confidence:
        value, sure = person.expression, person.expression_confidence
        claims.append(Claim(about="expression", value=value, confidence=sure, evidence=face))
    return claims + [_trait(trait) for trait in person.traits if trait.present and trait.confidence >= _CONFIDENT]


def _trait(trait: Trait) -> Claim:
    evidence = (Evidence(region=trait.region),) if trait.region else ()
    value = "seen" if trait.present else "not seen"
    return Claim(about=trait.name, value=value, confidence=trait.confidence, evidence=evidence)
