"""Write the held-out voices that real pictures speak with: sound, and what every phone of it does to a mouth.

Needs the speech engines (docs/world.md). The voices are kept in the repository, so that the benchmark itself runs on
any machine:

    python -m dramatis_lab.evaluate.cases.make_voices
"""

from __future__ import annotations

import json

import numpy as np
import soundfile
import typer

from dramatis.motion.performance import Performance
from dramatis.story.values import AUDIO_RATE, FPS
from dramatis_lab.evaluate.cases.timed_voices import voices_folder
from dramatis_lab.evaluate.measures.mesh_lips import LABIALS
from dramatis_lab.world.voices.phones import PAUSE, TimedPhone
from dramatis_lab.world.voices.speech import Utterance, draw_utterance
from dramatis_lab.world.voices.visemes import expression_track, mean_opening

_SEED = 880_000
_FRAMES = 100
_COUNT = 8
_LEAST_LABIALS = 4
_LEAST_PAUSE_S = 0.3
_STYLE_SEED = 0
"""One and the same speaker's style for all voices: how far a mouth opens is the portrait's affair."""


def usable(utterance: Utterance) -> bool:
    """Whether it is speech with a pause inside it and with some m, b or p; nothing else decides."""
    spoken = [phone for phone in utterance.phonemes if phone[2] != PAUSE]
    labials = sum(phone in LABIALS for _, _, phone in spoken)
    return utterance.kind == "speech" and labials >= _LEAST_LABIALS and _has_pause(utterance.phonemes[1:-1])


def _has_pause(phonemes: tuple[TimedPhone, ...]) -> bool:
    return any(phone == PAUSE and end - start >= _LEAST_PAUSE_S for start, end, phone in phonemes)


def write_voice(number: int, utterance: Utterance, seed: int) -> None:
    """Write NN.flac and NN.json: seed, voice, language, text, phonemes [[start s, end s, phone]], opening (F,)."""
    folder = voices_folder()
    folder.mkdir(exist_ok=True)
    style = np.random.default_rng(_STYLE_SEED)
    still = Performance.still(_FRAMES)
    weights = expression_track(utterance.phonemes, _FRAMES, still, style, utterance.loudness)
    facts = {
        "seed": seed,
        "voice": utterance.voice,
        "language": utterance.language,
        "text": utterance.text,
        "phonemes": [[round(start, 4), round(end, 4), phone] for start, end, phone in utterance.phonemes],
        "opening": [round(float(value), 4) for value in np.maximum(mean_opening(weights), 0.0)],
    }
    soundfile.write(folder / f"{number:02d}.flac", utterance.audio, AUDIO_RATE)
    (folder / f"{number:02d}.json").write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Write all voices anew."""
    seconds, seed = _FRAMES / FPS, _SEED
    for number in range(_COUNT):
        while not usable(utterance := draw_utterance(seed, seconds, seconds, "test")):
            seed += 1
        write_voice(number, utterance, seed)
        seed += 1


if __name__ == "__main__":
    typer.run(main)
