"""Words and when they are said: from subtitles, and from a recogniser that hears one stretch at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.words import Pocketsphinx, recognised_words, speech_stretches, words_of_cues
from dramatis.story.observations import AudioEvent, Word
from dramatis.story.values import FrameSpan

RATE = 16_000


def event(kind: str, start: float, stop: float) -> AudioEvent:
    return AudioEvent(kind=kind, span=FrameSpan(round(25 * start), round(25 * stop)))


def test_words_of_a_cue_share_its_time_by_length() -> None:
    words = words_of_cues([Cue(1.0, 3.0, "a longerword b"), Cue(9.0, 11.0, "late"), Cue(50.0, 51.0, "gone")], 250)
    assert [word.text for word in words] == ["a", "longerword", "b", "late"]
    assert words[0].span.start == 25
    assert words[2].span.stop == 75
    assert len(words[1].span) > 3 * len(words[0].span)
    assert words[-1].span.stop == 250, "no word outlasts the sound"


def test_stretches_are_cut_out_of_any_blocks() -> None:
    sound = np.arange(80 * RATE, dtype=np.float32)
    events = [event("pause", 0, 1), event("speech", 1, 2), event("noise", 2, 3), event("speech", 3, 70)]
    for blocks in ([sound], np.array_split(sound, 61)):
        found = list(speech_stretches(blocks, events))
        assert [start for start, _ in found] == [1.0, 3.0, 33.0, 63.0]
        assert [len(part) // RATE for _, part in found] == [1, 30, 30, 7]
        assert all(part[0] == start * RATE and (np.diff(part) == 1).all() for start, part in found)


def test_recognised_words_lie_on_the_timeline() -> None:
    class Counts:
        def __call__(self, samples: NDArray[np.float32]) -> list[tuple[str, float, float, float]]:
            return [("one", 0.0, 0.4, 0.9), ("two", 0.4, len(samples) / RATE, 1.4)]

        def language(self, words: Sequence[Word]) -> str | None:
            return None

    words = recognised_words([np.zeros(4 * RATE)], [event("speech", 1, 2), event("speech", 3, 4)], 100, Counts())
    assert [(word.text, word.span.start, word.span.stop) for word in words] == [
        ("one", 25, 35), ("two", 35, 50), ("one", 75, 85), ("two", 85, 100),
    ]  # fmt: skip
    assert max(word.confidence for word in words) == 1.0


def test_a_language_is_named_only_where_the_recogniser_was_sure() -> None:
    def heard(confidence: float, count: int = 4) -> str | None:
        cues = [Cue(0.0, 4.0, " ".join(["word"] * count))]
        words = [word.model_copy(update={"confidence": confidence}) for word in words_of_cues(cues, 100)]
        return Pocketsphinx().language(words)

    assert heard(0.8) == "English"
    assert heard(0.4) is None
    assert heard(0.9, 2) is None
