"""The audio expert: what is said or sung and when, how it sounds, and how certain that is from sound alone."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts.replies import replies
from dramatis.director.language.cues import emotions_said
from dramatis.story.dialogue import Claim, Evidence, ExpertName, Turn
from dramatis.story.observations import AudioEvent, AudioObservations
from dramatis.story.values import FPS

_CLEAR = 0.9
"""Confidence in what is measured: that there is sound, how long it lasts, where it pauses."""
HEARD_KIND = 0.6
"""Confidence in the kind of a sound, about which melody can mislead."""
SLOW, FAST = 3.0, 5.5
"""Syllables a second below which speech is slow, and above which it is fast."""
SAID_ONCE, SAID_OFTEN = 0.45, 0.6
"""Confidence in an emotion that the spoken words name: once may be in passing ("I am afraid not")."""
LONG_PAUSE = 0.6
"""Seconds from which a pause is reported."""
QUOTED_WORDS = 12


class AudioExpert:
    """Reports in the first round, and later answers what it is asked."""

    name: ExpertName = "audio"

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:
        heard = inputs.heard
        if round_ == 0:
            return Turn(expert=self.name, round=round_, thought=_overview(heard), claims=_report(heard))
        asked = list(dict.fromkeys(question.about for _, question in transcript.questions_to(self.name)))
        claims = tuple(claim for about in asked for claim in _answer(heard, about))
        thoughts = replies(transcript, self.name)
        if asked:
            outcome = "here is what the sound shows" if claims else "the sound does not tell"
            thoughts.insert(0, f"asked about {' and '.join(asked)}: {outcome}")
        return Turn(expert=self.name, round=round_, thought="; ".join(thoughts), claims=claims) if thoughts else None


def _overview(heard: AudioObservations) -> str:
    """The recording in one sentence."""
    counts = {kind: len(heard.of_kind(kind)) for kind in ("speech", "singing", "noise", "pause")}
    parts = ", ".join(f"{number} of {kind}" for kind, number in counts.items() if number)
    words = f", {len(heard.words)} words" if heard.words else ", words unknown"
    return f"{heard.seconds:.2f} s of sound; stretches: {parts}{words}"


def _report(heard: AudioObservations) -> tuple[Claim, ...]:
    """What is reported without being asked for."""
    claims = [_sound(event) for event in heard.events if event.kind != "pause"]
    pauses = [event for event in heard.of_kind("pause") if event.span.seconds >= LONG_PAUSE]
    claims += [
        Claim(
            about="pause",
            value=f"{event.span.seconds:.1f} s of silence",
            confidence=_CLEAR,
            span=event.span,
            evidence=(Evidence(span=event.span),),
        )
        for event in pauses
    ]
    if heard.rate:
        pace = "slow" if heard.rate < SLOW else "fast" if heard.rate > FAST else "ordinary"
        value = f"{pace}: {heard.rate:.1f} syllables a second"
        claims.append(Claim(about="pace", value=value, confidence=HEARD_KIND))
    if heard.beats:
        shown = ", ".join(f"{frame / FPS:.2f}" for frame in heard.beats[:4])
        value = f"{len(heard.beats)} beats, the first at {shown} s"
        claims.append(Claim(about="beats", value=value, confidence=HEARD_KIND))
    if heard.language:
        claims.append(Claim(about="language", value=heard.language, confidence=HEARD_KIND))
    if heard.words:
        text = " ".join(word.text for word in heard.words[:QUOTED_WORDS])
        sure = sum(word.confidence for word in heard.words) / len(heard.words)
        claims.append(
            Claim(about="words", value=f"begins: {text}", confidence=round(sure, 2), evidence=(Evidence(words=text),))
        )
    return (*claims, *_emotions(heard))


def _emotions(heard: AudioObservations) -> list[Claim]:
    """What each stretch of the voice shows: the emotion that its words name, else a guess from its tone."""
    claims = []
    for mood in heard.moods:
        text = " ".join(word.text for word in heard.words if word.span.overlaps(mood.span))
        named = emotions_said(text)
        evidence = [Evidence(span=mood.span, words=f"arousal {mood.arousal:.2f}, intent: {mood.intent}")]
        value, sure = mood.emotion, mood.confidence
        if named is not None:
            value, sure = named[0], SAID_ONCE if named[1] == 1 else SAID_OFTEN  # type: ignore[assignment]
            evidence.append(Evidence(words=text[:400]))
        claims.append(Claim(about="emotion", value=value, confidence=sure, span=mood.span, evidence=tuple(evidence)))
    return claims


def _answer(heard: AudioObservations, about: str) -> list[Claim]:
    """What the sound shows about a topic, if anything."""
    if about == "intent":
        return [
            Claim(
                about="intent",
                value=mood.intent,
                confidence=HEARD_KIND,
                span=mood.span,
                evidence=(Evidence(span=mood.span),),
            )
            for mood in heard.moods
        ]
    if about == "length":
        value = f"{heard.seconds:.2f} s"
        return [Claim(about="length", value=value, confidence=1.0)]
    return []


def _sound(event: AudioEvent) -> Claim:
    # That there is sound is certain; whether it is speech or song is judged from melody.
    evidence = (Evidence(span=event.span, words=event.text),) if event.text else (Evidence(span=event.span),)
    return Claim(about="sound", value=event.kind, confidence=HEARD_KIND, span=event.span, evidence=evidence)
