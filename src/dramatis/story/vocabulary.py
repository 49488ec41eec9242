"""Words for everything that can be directed: one vocabulary, shared by the director and training captions.

Data, keyed by the names in `dramatis.story.values`. The text encoder learns these phrases from the captions of the
synthetic world, so a prompt that the director writes from them is one that the model was trained to follow. In each
tuple the first phrase is the plainest one.
"""

from __future__ import annotations

import re
from typing import Final

PhrasesByName = dict[str, tuple[str, ...]]

EMOTION_WORDS: Final[PhrasesByName] = {
    "neutral": ("neutral", "calm", "composed", "expressionless", "matter-of-fact", "relaxed", "serious"),
    "happy": ("happy", "smiling", "cheerful", "joyful", "delighted", "laughing", "amused", "enthusiastic"),
    "sad": ("sad", "sorrowful", "unhappy", "melancholic", "gloomy", "grieving", "tearful", "dejected"),
    "angry": ("angry", "furious", "annoyed", "irritated", "scowling", "outraged", "mad", "hostile"),
    "surprised": ("surprised", "astonished", "amazed", "startled", "shocked", "stunned"),
    "afraid": ("afraid", "scared", "fearful", "frightened", "anxious", "worried", "nervous", "terrified"),
    "disgusted": ("disgusted", "repulsed", "revolted", "contemptuous", "sneering", "grimacing"),
    "tender": ("tender", "warm", "gentle", "affectionate", "loving", "kind", "soft", "friendly"),
}
"""Adjectives: "a happy woman", "she looks happy"."""

EMOTION_PHRASES: Final[PhrasesByName] = {
    "neutral": ("a neutral expression", "a calm face", "an even, composed look"),
    "happy": ("a happy smile", "a cheerful expression", "a bright smile"),
    "sad": ("a sad expression", "a sorrowful look", "downturned lips"),
    "angry": ("an angry expression", "a furious scowl", "lowered brows"),
    "surprised": ("a surprised expression", "raised brows and wide eyes", "an astonished look"),
    "afraid": ("a fearful expression", "an anxious look", "frightened wide eyes"),
    "disgusted": ("a disgusted expression", "a wrinkled nose", "a contemptuous sneer"),
    "tender": ("a tender expression", "a warm, gentle look", "a soft smile"),
}
"""Noun phrases: "with a happy smile"."""

OPPOSITE_EMOTIONS: Final[PhrasesByName] = {
    "neutral": ("happy", "angry", "surprised"),
    "happy": ("sad", "angry", "disgusted"),
    "sad": ("happy", "surprised"),
    "angry": ("happy", "tender"),
    "surprised": ("neutral", "sad"),
    "afraid": ("happy", "neutral"),
    "disgusted": ("happy", "tender"),
    "tender": ("angry", "disgusted"),
}
"""The emotions that contradict each one: what a negative prompt names first."""

INTENSITY_WORDS: Final[tuple[tuple[float, tuple[str, ...]], ...]] = (
    (0.3, ("slightly", "a little", "a bit", "faintly", "subtly", "mildly", "somewhat")),
    (0.6, ("", "quite", "clearly")),
    (0.9, ("very", "extremely", "intensely", "deeply", "really", "strongly")),
)
"""Intensities and the adverbs that say so, from weak to strong."""

CAMERA_WORDS: Final[PhrasesByName] = {
    "static": ("static camera", "fixed camera", "locked-off shot", "still camera"),
    "push_in": ("push in", "zoom in", "dolly in", "the camera moves closer"),
    "pull_out": ("pull out", "zoom out", "dolly out", "the camera moves back"),
    "pan_left": ("pan left", "the camera pans to the left", "the camera moves left"),
    "pan_right": ("pan right", "the camera pans to the right", "the camera moves right"),
    "tilt_up": ("camera tilts up", "the camera tilts upwards", "tilt-up shot"),
    "tilt_down": ("camera tilts down", "the camera tilts downwards", "tilt-down shot"),
    "orbit_left": ("orbit left", "the camera circles to the left", "arc shot to the left"),
    "orbit_right": ("orbit right", "the camera circles to the right", "arc shot to the right"),
    "handheld": ("handheld camera", "shaky hand-held shot", "documentary camera"),
}
"""Camera moves as they appear in a prompt: "..., slow push in"."""

OPPOSITE_CAMERAS: Final[PhrasesByName] = {
    "static": ("handheld", "push_in"),
    "push_in": ("pull_out", "static"),
    "pull_out": ("push_in", "static"),
    "pan_left": ("pan_right", "static"),
    "pan_right": ("pan_left", "static"),
    "tilt_up": ("tilt_down", "static"),
    "tilt_down": ("tilt_up", "static"),
    "orbit_left": ("orbit_right", "static"),
    "orbit_right": ("orbit_left", "static"),
    "handheld": ("static",),
}

GESTURE_WORDS: Final[PhrasesByName] = {
    "nod": ("nods", "nods the head", "nodding"),
    "shake": ("shakes the head", "shaking the head", "a shake of the head"),
    "tilt_left": ("tilts the head to the left", "head tilted left"),
    "tilt_right": ("tilts the head to the right", "head tilted right"),
    "turn_left": ("turns the head to the left", "turning left"),
    "turn_right": ("turns the head to the right", "turning right"),
    "lean_in": ("leans in", "leans forward", "leaning in"),
    "lean_back": ("leans back", "leans away", "leaning back"),
    "look_up": ("looks up", "glances up", "eyes raised"),
    "look_down": ("looks down", "glances down", "eyes lowered"),
    "look_left": ("looks to the left", "glances left"),
    "look_right": ("looks to the right", "glances right"),
    "raise_brows": ("raises the eyebrows", "raised eyebrows", "lifts the brows"),
}
"""Gestures as predicates: "she nods"."""

OPPOSITE_GESTURES: Final[PhrasesByName] = {
    "nod": ("shake",),
    "shake": ("nod",),
    "tilt_left": ("tilt_right",),
    "tilt_right": ("tilt_left",),
    "turn_left": ("turn_right",),
    "turn_right": ("turn_left",),
    "lean_in": ("lean_back",),
    "lean_back": ("lean_in",),
    "look_up": ("look_down",),
    "look_down": ("look_up",),
    "look_left": ("look_right",),
    "look_right": ("look_left",),
    "raise_brows": (),
}

SOUND_WORDS: Final[PhrasesByName] = {
    "speech": ("speaks", "is talking", "says something"),
    "singing": ("sings", "is singing", "sings a song"),
    "pause": ("keeps quiet", "pauses with closed lips", "is silent"),
    "noise": ("listens", "keeps quiet"),
}

COMPANY_WORDS: Final = (" beside one other person", " beside two other people", " beside other people")
"""Follows the person whom a clip is about, by the number of others in the picture: one, two, more."""

DAMAGE_WORDS: Final[PhrasesByName] = {
    "blur": ("blurry", "out of focus", "smeared details"),
    "jitter": ("jittery motion", "flickering", "trembling frames"),
    "overexposed": ("overexposed", "blown-out highlights", "too bright"),
    "underexposed": ("underexposed", "too dark", "murky shadows"),
    "noise": ("grainy noise", "noisy image", "heavy grain"),
    "compression": ("compression artifacts", "blocky", "low quality"),
    "color_shift": ("colour cast", "wrong colours", "tinted skin"),
    "frozen": ("frozen face", "motionless expression", "stiff as a statue"),
    "frozen_lips": ("lips out of sync", "mouth does not move", "wrong lip movements"),
    "wrong_emotion": ("wrong emotion", "mismatched expression"),
    "distorted": ("distorted face", "deformed features", "warped texture"),
}
"""Faults, by kind of damage: what captions of damaged clips name, and negative prompts avoid."""

QUALITY_WORDS: Final[PhrasesByName] = {
    "sharp": ("sharp", "in focus", "crisp details"),
    "steady": ("steady motion", "smooth motion", "stable frames"),
    "exposure": ("well exposed", "balanced light", "natural light"),
    "clean": ("clean image", "high quality", "noise-free"),
    "lifelike": ("natural expression", "lifelike motion", "expressive face"),
    "sync": ("lips in sync", "accurate lip movements"),
}
"""The opposite of damage: what captions of undamaged clips may say."""

_EMOTION_OF = {word: name for words in (EMOTION_WORDS, EMOTION_PHRASES) for name in words for word in words[name]}


def without_company(prompt: str) -> str:
    """A prompt without its words for the company of the person it is about, for a pass over one person alone."""
    for words in COMPANY_WORDS:
        prompt = prompt.replace(words, "")
    return prompt


def named_emotions(prompt: str) -> tuple[str, ...]:
    """The emotions that the tags of a prompt name, in order, once each; words within longer tags do not count."""
    tags = (tag.strip() for tag in re.split(r"[,.;]", prompt.casefold()))
    return tuple(dict.fromkeys(_EMOTION_OF[tag] for tag in tags if tag in _EMOTION_OF))
