"""Tracks, mixed sound and subtitles: who is heard where, and every way in which that is not clear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dramatis.app.requests import CharacterRequest
from dramatis.app.voices import check_voices, mix_tracks, observe_voices
from dramatis.errors import UserError
from dramatis.story.observations import VOICE_KINDS
from tests import ROOT

RATE = 16_000
VOICE = ROOT / "benchmarks" / "cases" / "00" / "voice.flac"


def wav(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, samples, RATE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    voice, rate = soundfile.read(VOICE, dtype="float32")
    assert rate == RATE
    quiet = np.zeros(RATE, np.float32)
    wav(tmp_path / "ann.wav", voice[:RATE])
    wav(tmp_path / "bob.wav", np.concatenate([quiet, 0.5 * voice[:RATE]]))
    wav(tmp_path / "silent.wav", quiet)
    wav(tmp_path / "none.wav", quiet[:0])
    wav(tmp_path / "mixed.wav", np.concatenate([voice[:RATE], 0.5 * voice[:RATE]]))
    wav(tmp_path / "short.wav", voice[: RATE // 2])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "turns.srt").write_text(srt("ann: Hello there", "Bob: good evening"))
    (tmp_path / "other.srt").write_text(srt("ann: Hello there", "Cat: good evening"))
    (tmp_path / "nameless.srt").write_text(srt("ann: Hello there", "good evening"))
    (tmp_path / "both.srt").write_text(srt("- ann: Hello there\n- bob: hi", "bob: good evening"))
    return tmp_path


def srt(first: str, second: str) -> str:
    return f"1\n00:00:00,000 --> 00:00:01,000\n{first}\n\n2\n00:00:01,000 --> 00:00:02,000\n{second}\n"


def cast(folder: Path, *tracks: str | None) -> list[CharacterRequest]:
    return [
        CharacterRequest(name, audio=folder / track if track else None)
        for name, track in zip(("ann", "bob"), tracks, strict=False)
    ]


def speakers(
    folder: Path, wanted: list[CharacterRequest], audio: str | None = None, said: str | None = None
) -> list[str]:
    """Who is heard, in order; also checks that the mix lasts as long as what was heard."""
    voices = check_voices(wanted, folder / audio if audio else None, folder / said if said else None)
    whole = mix_tracks(voices, folder / "mix.wav")
    heard = observe_voices(voices, whole, "never")
    assert heard.frames == whole.frames
    order = [event.speaker or "?" for event in heard.events if event.kind in VOICE_KINDS]
    return list(dict.fromkeys(order))


def test_own_tracks_are_mixed_and_the_shorter_ends_in_silence(folder: Path) -> None:
    wanted = cast(folder, "ann.wav", "bob.wav")
    assert speakers(folder, wanted) == ["ann", "bob"]
    mix, _ = soundfile.read(folder / "mix.wav")
    assert np.abs(mix - soundfile.read(folder / "mixed.wav")[0]).max() < 1e-3


def test_own_tracks_beside_the_users_own_mix(folder: Path) -> None:
    assert speakers(folder, cast(folder, "ann.wav", "bob.wav"), "mixed.wav") == ["ann", "bob"]
    assert not (folder / "mix.wav").exists()


@pytest.mark.parametrize("nothing", ["silent.wav", "none.wav", None])
def test_who_has_no_voice_listens(folder: Path, nothing: str | None) -> None:
    assert speakers(folder, cast(folder, "ann.wav", nothing)) == ["ann"]
    assert not (folder / "mix.wav").exists(), "one voice needs no mix"


def test_subtitles_name_the_speakers_of_one_sound(folder: Path) -> None:
    assert speakers(folder, cast(folder, None, None), "mixed.wav", "turns.srt") == ["ann", "bob"]


def test_a_single_character_says_it_all(folder: Path) -> None:
    assert speakers(folder, cast(folder, None), "mixed.wav") == ["ann"]


@pytest.mark.parametrize(
    ("tracks", "audio", "said", "words"),
    [
        (("silent.wav", "silent.wav"), None, None, "Nobody speaks: .*silent.wav hold no voice"),
        (("empty.wav", "ann.wav"), None, None, "empty.wav is empty"),
        (("nowhere.wav",), None, None, "nowhere.wav does not exist"),
        ((None, None), None, None, "There is no voice; give --audio"),
        ((None, None), "mixed.wav", None, "Nothing says who speaks when in .*mixed.wav; give each --character"),
        (("ann.wav", "bob.wav"), "short.wav", None, "'bob' lasts 2.00 s but .*short.wav only 0.50 s"),
        ((None, None), "mixed.wav", "other.srt", "said by 'Cat', but the characters are ann, bob; correct the name"),
        ((None, None), "mixed.wav", "nameless.srt", "'good evening', names nobody; begin it with a character's name"),
        ((None, None), "mixed.wav", "both.srt", "holds the words of two characters"),
        (("ann.wav", None), None, "turns.srt", "subtitles give 'bob' words at 1.00 s but no track has that voice"),
        (("ann.wav", "silent.wav"), None, "turns.srt", "subtitles give 'bob' words"),
        ((None, None), "silent.wav", "turns.srt", "silent throughout"),
    ],
)
def test_who_speaks_must_be_clear(
    folder: Path, tracks: tuple[str | None, ...], audio: str | None, said: str | None, words: str
) -> None:
    with pytest.raises(UserError, match=words) as refused:
        check_voices(cast(folder, *tracks), folder / audio if audio else None, folder / said if said else None)
    assert "\n" not in str(refused.value)
