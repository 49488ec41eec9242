"""The visual expert: who is where in the picture and what can be seen of them. It never says what it cannot see."""

from __future__ import annotations

from dramatis.director.dialogue import Material, Minutes
from dramatis.director.experts.replies import replies
from dramatis.story.dialogue import Claim, Evidence, ExpertName, Turn
from dramatis.story.observations import Person, Sighting, Trait

CLEAR = 0.9
SURE = 0.6
"""Confidence from which a trait is reported without being asked for."""


class VisualExpert:
    """Reports in the first round; later answers what it is asked."""

    name: ExpertName = "visual"

    def speak(self, material: Material, minutes: Minutes, round_: int) -> Turn | None:
        seen = material.seen
        if round_ == 0:
            if seen is None:
                return Turn(expert=self.name, round=round_, thought="there is no picture to look at")
            return Turn(expert=self.name, round=round_, thought=overview(seen), claims=report(seen))
        asked = list(dict.fromkeys(question.about for _, question in minutes.asked(self.name)))
        claims = tuple(claim for about in asked for claim in answer(seen, about)) if seen else ()
        unknown = [about for about in asked if about not in {claim.about for claim in claims}]
        thoughts = replies(minutes, self.name)
        if unknown:
            thoughts.insert(0, f"the picture does not tell about {' and '.join(unknown)}")
        if asked:
            thoughts.insert(0, f"asked about {' and '.join(asked)}")
        return Turn(expert=self.name, round=round_, thought="; ".join(thoughts), claims=claims) if thoughts else None


def overview(seen: Sighting) -> str:
    """The picture in one sentence."""
    count = len(seen.people)
    who = "nobody can be seen" if not count else "one person" if count == 1 else f"{count} people"
    framing = f", {seen.people[0].framing}" if count else ""
    colours = f"; mostly {' and '.join(seen.colours[:2])}" if seen.colours else ""
    return f"{who}{framing}{colours}"


def report(seen: Sighting) -> tuple[Claim, ...]:
    """What can be said without being asked."""
    claims = [Claim(about="people", value=str(len(seen.people)), confidence=CLEAR)]
    for person in seen.people:
        claims += _of_person(person)
    if seen.light_confidence:
        value = f"{seen.light}, from the {seen.light_from}"
        claims.append(Claim(about="light", value=value, confidence=seen.light_confidence))
    if seen.background_confidence:
        claims.append(Claim(about="background", value=seen.background, confidence=seen.background_confidence))
    if seen.colours:
        claims.append(Claim(about="colours", value=", ".join(seen.colours), confidence=SURE))
    return tuple(claims)


def answer(seen: Sighting, about: str) -> list[Claim]:
    """What the picture shows of a topic; nothing where it shows nothing."""
    if about == "hands":
        # A head-and-shoulders picture holds no hands, so a film of it cannot show what they do.
        return [
            Claim(
                about="hands",
                value="not in the picture" if person.framing in ("close-up", "head and shoulders") else "may be seen",
                confidence=CLEAR if person.framing in ("close-up", "head and shoulders") else 0.4,
                evidence=(Evidence(region=person.box),),
            )
            for person in seen.people[:1]
        ]
    if about == "people":
        return [Claim(about="people", value=str(len(seen.people)), confidence=CLEAR)]
    if about == "light" and seen.light_confidence:
        return [Claim(about="light", value=seen.light, confidence=seen.light_confidence)]
    return [_trait(trait) for person in seen.people[:1] for trait in person.traits if trait.name == about]


def _of_person(person: Person) -> list[Claim]:
    face = (Evidence(region=person.face),)
    claims = [Claim(about="framing", value=person.framing, confidence=CLEAR, evidence=(Evidence(region=person.box),))]
    if person.expression_confidence:
        value, sure = person.expression, person.expression_confidence
        claims.append(Claim(about="expression", value=value, confidence=sure, evidence=face))
    return claims + [_trait(trait) for trait in person.traits if trait.present and trait.confidence >= SURE]


def _trait(trait: Trait) -> Claim:
    evidence = (Evidence(region=trait.region),) if trait.region else ()
    value = "seen" if trait.present else "not seen"
    return Claim(about=trait.name, value=value, confidence=trait.confidence, evidence=evidence)
