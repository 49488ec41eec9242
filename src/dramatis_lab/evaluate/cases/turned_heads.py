"""Rendered people who look to one side and speak: a portrait, and what the mouth truly does.

Needs the raw assets (docs/world.md), which are no part of a checkout.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.motion.performance import Performance
from dramatis_lab.evaluate.cases.timed_voices import TimedVoice
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import make_person
from dramatis_lab.world.renderer.scene import PersonPlacement, Scene, SceneRanges, random_setup
from dramatis_lab.world.splits import seed_in_split
from dramatis_lab.world.takes.take import lip_openings
from dramatis_lab.world.voices.acoustics import loudness
from dramatis_lab.world.voices.visemes import expression_track

_SEED = 990_000
_SIDE = 512
_FACE = (0.4, 0.5)
"""Least and greatest height of the face, as a share of the picture's."""
TRUE_EVERY = 5
"""Every how many frames the truth is rendered."""


@dataclass(frozen=True, eq=False)
class TurnedCase:
    """A person whose head is turned, F frames of a voice.

    portrait: a file, lips at rest.  truth: K pictures (H, W, 3) of the person saying it without moving the head, at
    frames 0, TRUE_EVERY, ...  opening: (F,) gap of the inner lips over the distance of the outer eye corners.
    """

    portrait: Path
    voice: TimedVoice
    truth: list[Pictures]
    opening: NDArray[np.float32]


def render_turned_head(number: int, degrees: int, voice: TimedVoice, assets: Path, folder: Path) -> TurnedCase:
    """A held-out person in a random light, turned to the right where `number` is even and to the left where it is odd.

    The portrait is written into `folder`. Raises UserError if `assets` lacks the raw material.
    """
    seed = _SEED + 1000 * degrees + 10 * number
    person = make_person(seed_in_split(seed, "test"), assets)
    frames = len(voice.opening)
    sound, _ = soundfile.read(voice.path, dtype="float32")
    style = np.random.default_rng(seed)
    spoken = expression_track(voice.phonemes, frames, Performance.still(frames), style, loudness(sound))
    head = (float(np.radians(degrees)) * (-1) ** number, 0.0, 0.0, 0.0, 0.0, 0.0)
    rest = person.pose(np.zeros(len(EXPRESSIONS)), head)
    placements = [PersonPlacement()]
    setup = random_setup([rest], placements, seed, seed_in_split(seed + 500, "test"), SceneRanges(face=_FACE))
    scene = Scene([person], [rest], placements, setup, (_SIDE, _SIDE))
    portrait = folder / f"turned-{degrees}-{number}.png"
    Image.fromarray(scene.render([rest]).rgb).save(portrait)
    truth = [scene.render([person.pose(spoken[t], head)]).rgb for t in range(0, frames, TRUE_EVERY)]
    still = np.zeros((frames, 6), np.float32)
    return TurnedCase(portrait, voice, truth, lip_openings(person.landmarks(spoken, still)))
