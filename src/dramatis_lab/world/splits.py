"""Which people, backdrops and voices a data set may show: those of training, or those held out for testing.

People and backdrops are drawn from seeds, and the seed itself tells the split. Voices are listed in
`dramatis_lab.world.voices.speech.HELD_OUT_VOICES`.
"""

from __future__ import annotations

SPLITS = ("train", "test")
HELD_OUT_REMAINDER = 9
"""Seeds with this remainder modulo 10 are held out of training."""


def seed_in_split(seed: int, split: str) -> int:
    """The seed of a person or backdrop near `seed` that belongs to the split ("train" or "test")."""
    tens = seed // 10 * 10
    return tens + (HELD_OUT_REMAINDER if split == "test" else seed // 10 % HELD_OUT_REMAINDER)
