"""The director: three experts and a negative director talk about what was heard, seen and written, and a storyline is
what they agree on (report, section 3.2).

The embedded experts need no language model: the same input gives the same storyline, in a fraction of a second. What
the words leave open is filled in, and what contradicts is settled; both are said in the storyline's `dialogue` and
`conflicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dramatis.director.chapters import chapters
from dramatis.director.dialogue import ROUNDS, Expert, Material, converse
from dramatis.director.experts import AudioExpert, NegativeDirector, TextExpert, VisualExpert
from dramatis.director.experts.asked import (
    AUDIO_PROMPT,
    VISUAL_PROMPT,
    AskedExpert,
    AskedNegativeDirector,
    AskedTextExpert,
)
from dramatis.director.group import Role
from dramatis.director.language.words import Direction, check_prompt
from dramatis.director.negative import global_negative
from dramatis.director.plan import SPEAKER, emotions_of, global_positive, subject_of
from dramatis.llm import LLM, Attachment
from dramatis.story.dialogue import ExpertName
from dramatis.story.observations import VOICES, Observations, Sighting
from dramatis.story.storyline import Character, Shot, Storyline

__all__ = ["Crew", "check_prompt", "direct"]


@dataclass(frozen=True)
class Crew:
    """Who plays which expert: a language model for those named, the rules for all others.

    picture: the reference as png, for the visual expert; sound: the voice as wav, for the audio expert. Only given
    where their models can look and listen.
    """

    models: Mapping[ExpertName, LLM] = field(default_factory=dict)
    picture: bytes | None = None
    sound: bytes | None = None

    def experts(self, seed: int, characters: Sequence[Character] = ()) -> tuple[TextExpert, list[Expert]]:
        """The textual expert, who holds the plan, and everybody in the order in which they speak."""
        models = self.models
        text = AskedTextExpert(seed, models["text"], characters) if "text" in models else TextExpert(seed, characters)
        audio: Expert = AudioExpert()
        if "audio" in models:
            sound = [Attachment("audio", self.sound)] if self.sound else []
            audio = AskedExpert(audio, models["audio"], AUDIO_PROMPT, sound)
        visual: Expert = VisualExpert()
        if "visual" in models:
            picture = [Attachment("image", self.picture)] if self.picture else []
            visual = AskedExpert(visual, models["visual"], VISUAL_PROMPT, picture)
        negative: Expert = NegativeDirector(text)
        if "negative" in models:
            negative = AskedNegativeDirector(negative, text, models["negative"])
        return text, [audio, visual, text, negative]


def direct(
    observations: Observations,
    prompt: str,
    seed: int = 0,
    *,
    image: str,
    audio: str,
    width: int = 128,
    height: int = 128,
    seen: Sighting | None = None,
    crew: Crew | None = None,
    rounds: int = ROUNDS,
    characters: Sequence[Character] = (),
) -> Storyline:
    """Plan the video of what was heard in `audio`, spoken by the person in `image`, as `prompt` directs.

    characters: whom the user names; several have faces, and events of the observations name them as speakers. A single
    one says everything. seen: what the picture shows, where somebody has looked. crew: language models that play some
    of the experts. rounds: of dialogue, at most. Raises UserError if the prompt is too long. Equal arguments, and equal
    answers of the models, give an equal storyline.
    """
    check_prompt(prompt)
    if len(characters) == 1:
        observations = _said_by(observations, characters[0].name)
    material = Material(observations, seen, prompt)
    text, experts = (crew or Crew()).experts(seed, characters)
    minutes = converse(experts, material, rounds)
    direction, shots = text.settled.direction, text.shots
    positive = global_positive(direction, shots)
    return Storyline(
        image=image,
        audio=audio,
        prompt=prompt,
        frames=observations.frames,
        width=width,
        height=height,
        seed=seed,
        characters=_described(characters, text.roles, direction)
        or _characters(shots, image, audio, subject_of(direction)),
        events=observations.events,
        positive=positive,
        negative=global_negative(positive, emotions_of(shots), direction.avoid),
        chapters=chapters(observations, direction, shots),
        dialogue=tuple(minutes.turns),
        conflicts=text.settled.conflicts,
        shots=shots,
    )


def _said_by(observations: Observations, name: str) -> Observations:
    """The observations with every voice that of one person."""
    events = (
        event.model_copy(update={"speaker": name if event.kind in VOICES else None, "also": ()})
        for event in observations.events
    )
    return observations.model_copy(update={"events": tuple(events)})


def _described(characters: Sequence[Character], roles: Sequence[Role], direction: Direction) -> tuple[Character, ...]:
    """The named characters with who they are, as far as the words tell: a woman, a man, a person."""
    own = {role.name: role.direction.subject for role in roles}
    return tuple(
        one.model_copy(update={"description": one.description or f"a {own.get(one.name, direction.subject)}"})
        for one in characters
    )


def _characters(shots: Sequence[Shot], image: str, audio: str, description: str) -> tuple[Character, ...]:
    """Everybody who speaks, in the order of their first shot; who is first is the person of the picture."""
    first, *others = dict.fromkeys(name for shot in shots for name in shot.speakers) or [SPEAKER]
    lead = Character(name=first, image=image, audio=audio, description=description)
    return (lead, *(Character(name=name) for name in others))
