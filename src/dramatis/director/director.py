"""The director: experts discuss what was heard, seen and written until they agree on a storyline.

Report, section 3.2: three experts and a negative director. The embedded experts need no language model: the
same input gives the same storyline, in a fraction of a second. What the words leave open is filled in, and
contradictions are resolved; the storyline's `dialogue` and `conflicts` say how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dramatis.director.chapters import plan_chapters
from dramatis.director.dialogue import MAX_ROUNDS, Expert, PlanningInputs, converse
from dramatis.director.experts import AudioExpert, NegativeDirector, TextExpert, VisualExpert
from dramatis.director.experts.llm import AUDIO_PROMPT, VISUAL_PROMPT, LLMExpert, LLMNegativeDirector, LLMReader
from dramatis.director.group import CharacterPlan
from dramatis.director.language.direction import Direction
from dramatis.director.language.parser import check_prompt
from dramatis.director.negative import global_negative
from dramatis.director.plan import SPEAKER
from dramatis.director.wording import emotions_of, global_positive, subject_of
from dramatis.llm import LLM, Attachment
from dramatis.story.dialogue import ExpertName
from dramatis.story.observations import VOICE_KINDS, AudioObservations, PictureObservations
from dramatis.story.storyline import Character, Shot, Storyline

__all__ = ["LLMExperts", "check_prompt", "direct"]


@dataclass(frozen=True)
class LLMExperts:
    """Which experts are played by language models; the rules play all others.

    picture: the reference image as PNG, for the visual expert; sound: the voice as WAV, for the audio expert. Leave
    them out for models that cannot look or listen.
    """

    models: Mapping[ExpertName, LLM] = field(default_factory=dict)
    picture: bytes | None = None
    sound: bytes | None = None

    def experts(self, seed: int, characters: Sequence[Character] = ()) -> tuple[TextExpert, list[Expert]]:
        """The textual expert, who holds the plan, and all experts in the order in which they speak."""
        models = self.models
        text = TextExpert(seed, characters, LLMReader(models["text"]) if "text" in models else None)
        audio: Expert = AudioExpert()
        if "audio" in models:
            sound = [Attachment("audio", self.sound)] if self.sound else []
            audio = LLMExpert(audio, models["audio"], AUDIO_PROMPT, sound)
        visual: Expert = VisualExpert()
        if "visual" in models:
            picture = [Attachment("image", self.picture)] if self.picture else []
            visual = LLMExpert(visual, models["visual"], VISUAL_PROMPT, picture)
        negative: Expert = NegativeDirector(text)
        if "negative" in models:
            negative = LLMNegativeDirector(negative, text, models["negative"])
        return text, [audio, visual, text, negative]


def direct(  # noqa: PLR0913 - its keywords are fields of the storyline
    observations: AudioObservations,
    prompt: str,
    seed: int = 0,
    *,
    image: str,
    audio: str,
    width: int = 128,
    height: int = 128,
    seen: PictureObservations | None = None,
    llm_experts: LLMExperts | None = None,
    rounds: int = MAX_ROUNDS,
    characters: Sequence[Character] = (),
) -> Storyline:
    """Plan a video in which the person in `image` speaks what was heard in `audio`, as `prompt` directs.

    characters: the people whom the user named. One character says everything; several have faces, and the events of the
    observations name them as speakers. seen: what the picture shows, if it was examined. llm_experts: the experts that
    language models play. rounds: of dialogue, at most. Raises UserError if the prompt is too long. Equal arguments, and
    equal answers of the models, give an equal storyline.
    """
    check_prompt(prompt)
    if len(characters) == 1:
        observations = _said_by(observations, characters[0].name)
    text, experts = (llm_experts or LLMExperts()).experts(seed, characters)
    transcript = converse(experts, PlanningInputs(observations, seen, prompt), rounds)
    direction, shots = text.resolved.direction, text.shots
    positive = global_positive(direction, shots)
    return Storyline(
        image=image,
        audio=audio,
        prompt=prompt,
        frames=observations.frames,
        width=width,
        height=height,
        seed=seed,
        characters=_described(characters, text.character_plans, direction)
        or _characters(shots, image, audio, subject_of(direction)),
        events=observations.events,
        positive=positive,
        negative=global_negative(positive, emotions_of(shots), direction.avoid),
        chapters=plan_chapters(observations, direction, shots),
        dialogue=tuple(transcript.turns),
        conflicts=text.resolved.conflicts,
        shots=shots,
    )


def _said_by(observations: AudioObservations, name: str) -> AudioObservations:
    """The observations, with every voice attributed to one person."""
    events = (
        event.model_copy(update={"speaker": name if event.kind in VOICE_KINDS else None, "also": ()})
        for event in observations.events
    )
    return observations.model_copy(update={"events": tuple(events)})


def _described(
    characters: Sequence[Character], plans: Sequence[CharacterPlan], direction: Direction
) -> tuple[Character, ...]:
    """The named characters with a description as far as the words give one: a woman, a man, a person."""
    subjects = {plan.name: plan.direction.subject for plan in plans}
    return tuple(
        character.model_copy(
            update={"description": character.description or f"a {subjects.get(character.name, direction.subject)}"}
        )
        for character in characters
    )


def _characters(shots: Sequence[Shot], image: str, audio: str, description: str) -> tuple[Character, ...]:
    """Everybody who speaks, in the order of their first shot; the first of them is the person in the picture."""
    first, *others = dict.fromkeys(name for shot in shots for name in shot.speakers) or [SPEAKER]
    lead = Character(name=first, image=image, audio=audio, description=description)
    return (lead, *(Character(name=name) for name in others))
