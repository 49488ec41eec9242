"""The voices that real pictures speak with: held-out synthetic ones with exact phone times, and recordings.

The synthetic ones lie in benchmarks/voices (`make_voices`). Recordings of real people are no part of a checkout.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.world.voices.phones import TimedPhone


@dataclass(frozen=True, eq=False)
class TimedVoice:
    """A voice with its truth, F frames.

    path: of the sound.  phonemes: as `phones.TimedPhone`.  opening: (F,) of a mouth that says them, over the distance
    of the outer eye corners.
    """

    path: Path
    phonemes: tuple[TimedPhone, ...]
    opening: NDArray[np.float64]

    @classmethod
    def load(cls, path: Path) -> TimedVoice:
        """A voice by the path of its sound; its facts lie beside it."""
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        phonemes = tuple((float(start), float(end), str(phone)) for start, end, phone in facts["phonemes"])
        return cls(path, phonemes, np.array(facts["opening"]))


def voices_folder() -> Path:
    """Where the voices with exact phone times lie in the checkout."""
    return checkout_path("benchmarks", "voices")


def load_voices() -> list[TimedVoice]:
    """All of them, in order."""
    return [TimedVoice.load(path) for path in sorted(voices_folder().glob("*.flac"))]
