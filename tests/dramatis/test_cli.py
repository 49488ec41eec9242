"""The command line: what it offers, and one sentence with exit code 2 for everything a user can get wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from dramatis import cli
from dramatis.app.storyline_files import read_storyline, write_storyline
from dramatis.backbones.mini import MiniBackbone
from dramatis.media.audio import probe as sound_info
from dramatis.media.subtitles import read_subtitles
from dramatis.models.loading import shard_files
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.storyline_yaml import to_yaml
from dramatis.story.values import FrameSpan
from tests import ROOT
from tests.inputs import MakeAudio
from tests.open_weights import infinitetalk, tiny_open_model, write_public_model
from tests.people import see_a_face_in_every_picture

EXAMPLES = ROOT / "examples"
COMMANDS = {"generate", "characters", "plan", "validate", "preview", "render", "resume", "estimate", "models"}


def test_the_surface_changes_on_purpose_only() -> None:
    commands = [command for command in cli.app.registered_commands if command.callback]
    names = {command.name or command.callback.__name__ for command in commands if command.callback}
    assert names | {group.name for group in cli.app.registered_groups} == COMMANDS
    assert {command.name for command in cli.models.registered_commands} == {"add", "install-eyes"}


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["dramatis", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0), capsys.readouterr().err


def noise(path: Path, seconds: float) -> Path:
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)
    soundfile.write(path, samples, 16_000)
    return path


def text(path: Path) -> Path:
    path.write_text("not what it says")
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def picture(path: Path, size: tuple[int, int]) -> Path:
    Image.new("RGB", size, (90, 120, 150)).save(path)
    return path


def silent(path: Path) -> Path:
    soundfile.write(path, np.zeros(16_000, np.float32), 16_000)
    return path


def not_numbers(path: Path) -> Path:
    samples = np.full(16_000, 0.1, np.float32)
    samples[500] = np.nan
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    return path


BAD_IMAGES: dict[str, Callable[[Path], Path]] = {
    "missing": lambda d: d / "none.png",
    "empty": lambda d: empty(d / "e.png"),
    "text": lambda d: text(d / "t.png"),
    "one pixel": lambda d: picture(d / "one.png", (1, 1)),
    "20,000 pixels": lambda d: picture(d / "huge.png", (20_000, 8)),
}
BAD_SOUNDS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda d: d / "none.wav",
    "empty": lambda d: empty(d / "e.wav"),
    "text": lambda d: text(d / "t.wav"),
    "0.05 s": lambda d: noise(d / "s.wav", 0.05),
    "no samples": lambda d: noise(d / "z.wav", 0.0),
    "silence": lambda d: silent(d / "q.wav"),
    "NaN": lambda d: not_numbers(d / "n.wav"),
}


@pytest.mark.parametrize("fault", BAD_IMAGES)
def test_bad_images(
    fault: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(
        ["-i", BAD_IMAGES[fault](tmp_path), "-a", noise(tmp_path / "ok.wav", 1)], model, tmp_path, monkeypatch, capsys
    )


@pytest.mark.parametrize("fault", BAD_SOUNDS)
def test_bad_sounds(
    fault: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(
        ["-i", picture(tmp_path / "ok.png", (99, 99)), "-a", BAD_SOUNDS[fault](tmp_path)],
        model,
        tmp_path,
        monkeypatch,
        capsys,
    )


def test_a_long_prompt(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ["-i", picture(tmp_path / "ok.png", (99, 99)), "-a", noise(tmp_path / "ok.wav", 1)]
    refused([*good, "-p", "word " * 10_000], model, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("name", ["other", "nowhere/at/all"])
def test_an_unknown_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ["-i", picture(tmp_path / "ok.png", (99, 99)), "-a", noise(tmp_path / "ok.wav", 1)]
    refused(good, Path(name), tmp_path, monkeypatch, capsys)


def test_weights_cut_short(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    shard = shard_files(broken / "transformer")[0]
    shard.write_bytes(shard.read_bytes()[:1000])
    good = ["-i", picture(tmp_path / "ok.png", (99, 99)), "-a", noise(tmp_path / "ok.wav", 1)]
    refused(good, broken, tmp_path, monkeypatch, capsys)


def test_an_output_that_cannot_be_written(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    good = ["-i", picture(tmp_path / "ok.png", (99, 99)), "-a", noise(tmp_path / "ok.wav", 1)]
    refused(good, model, tmp_path / "file", monkeypatch, capsys)


def test_no_job_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = run(["resume", str(tmp_path)], monkeypatch, capsys)
    assert code == 2
    assert "no job" in message


def refused(
    arguments: list, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence, nothing written, and no large network loaded."""
    monkeypatch.setattr("dramatis.backbones.mini.MiniBackbone._network", lambda *a: pytest.fail("a network was loaded"))
    before = set(folder.rglob("*")) if folder.is_dir() else set()
    output = folder / "made" / "out.mp4"
    given = [str(argument) for argument in arguments]
    code, message = run(["generate", *given, "-m", str(model), "-o", str(output), "-q"], monkeypatch, capsys)
    assert code == 2, message
    assert message.startswith("dramatis: ")
    assert message.count("\n") == 1, message
    assert "Traceback" not in message
    after = set(folder.rglob("*")) if folder.is_dir() else set()
    assert before == after


def test_a_picture_without_a_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the finder, before any network of the model loads or anything is written."""
    monkeypatch.setattr(MiniBackbone, "_network", lambda self, name, *rest: pytest.fail(name))
    image, audio = picture(tmp_path / "plain.png", (200, 200)), noise(tmp_path / "ok.wav", 1)
    before = set(tmp_path.rglob("*"))
    code, message = run(
        ["generate", "-i", str(image), "-a", str(audio), "-o", str(tmp_path / "o.mp4"), "-q"], monkeypatch, capsys
    )
    assert code == 2
    assert "no face" in message
    assert set(tmp_path.rglob("*")) == before


def see_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test pictures show no face; the canonical one stands in the middle."""
    see_a_face_in_every_picture(monkeypatch)


def test_emoji_and_no_prompt_are_fine(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    see_faces(monkeypatch)
    good = ["-i", str(picture(tmp_path / "ok.png", (99, 99))), "-a", str(noise(tmp_path / "ok.wav", 1))]
    for name, prompt in (("a", ""), ("b", "🙂🎬")):
        out = tmp_path / f"{name}.yaml"
        result = CliRunner().invoke(cli.app, ["plan", *good, "-p", prompt, "-m", str(model), "-o", str(out)])
        assert result.exit_code == 0, result.output
        assert out.exists()
        assert out.with_suffix(".html").read_text(encoding="utf-8").startswith("<!doctype html>")
        estimate = CliRunner().invoke(cli.app, ["estimate", str(out), "-m", str(model)])
        assert estimate.exit_code == 0
        assert "sub-clips" in estimate.output


def planned(model: Path, folder: Path, *options: str) -> tuple[int, str, Path]:
    """Plan one second of noise: exit code, what was printed, and the storyline's path."""
    good = ["-i", str(picture(folder / "ok.png", (99, 99))), "-a", str(noise(folder / "ok.wav", 1))]
    out = folder / "plan.yaml"
    result = CliRunner().invoke(cli.app, ["plan", *good, "-m", str(model), "-o", str(out), *options])
    return result.exit_code, result.output, out


def test_subtitles_become_captions_beside_the_plan(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_faces(monkeypatch)
    (tmp_path / "said.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nGood evening\n", encoding="utf-8")
    code, said, out = planned(model, tmp_path, "--subtitles", str(tmp_path / "said.srt"))
    assert code == 0, said
    assert "Good evening" in out.with_suffix(".srt").read_text(encoding="utf-8")
    assert out.with_suffix(".vtt").read_text(encoding="utf-8").startswith("WEBVTT")


def test_an_edited_storyline_is_validated_by_line_and_field(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    see_faces(monkeypatch)
    code, said, out = planned(model, tmp_path, "-p", "happy")
    assert code == 0, said
    assert CliRunner().invoke(cli.app, ["validate", str(out)]).exit_code == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if "name: happy" in line)
    lines[place] = lines[place].replace("happy", "hapy")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, message = run(["validate", str(out)], monkeypatch, capsys)
    assert code == 2
    assert f"line {place + 1}" in message
    assert "shots[0].emotion.name" in message
    assert "choose one of" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--llm", "http://127.0.0.1:9/v1"], "--llm-model"),
        (["--llm-model", "any"], "--llm"),
        (["--llm", "http://127.0.0.1:9/v1", "--llm-expert", "cook=any"], "cook=any"),
        (["--recogniser", "nowhere"], "no Whisper model"),
        (["--subtitles", "nowhere.srt"], "nowhere.srt"),
    ],
)
def test_plan_options_that_do_not_fit(
    options: list[str],
    words: str,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    see_faces(monkeypatch)
    good = ["-i", str(picture(tmp_path / "ok.png", (99, 99))), "-a", str(noise(tmp_path / "ok.wav", 1))]
    before = set(tmp_path.rglob("*"))
    arguments = ["plan", *good, "-m", str(model), "-o", str(tmp_path / "p.yaml"), *options]
    code, message = run(arguments, monkeypatch, capsys)
    assert code == 2, message
    assert words in message, message
    assert message.count("\n") == 1, message
    assert set(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two people in one picture, two voices one after the other, and both in one sound."""
    folder = tmp_path_factory.mktemp("pair")
    portrait = Image.open(EXAMPLES / "portrait.png").convert("RGB").resize((160, 160))
    both = Image.new("RGB", (320, 160))
    both.paste(portrait, (0, 0))
    both.paste(portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (160, 0))
    both.save(folder / "both.png")
    voice, rate = soundfile.read(EXAMPLES / "speech.wav", dtype="float32")
    said, rest = voice[: int(1.2 * rate)], np.zeros(rate, np.float32)
    soundfile.write(folder / "ann.wav", said, rate)
    soundfile.write(folder / "bob.wav", np.concatenate([rest, said]), rate)
    soundfile.write(folder / "mixed.wav", np.concatenate([said, said]), rate)
    lines = "00:00:00,000 --> 00:00:01,200\nann: Good evening\n\n00:00:01,200 --> 00:00:02,400\nBob: Good night\n"
    (folder / "turns.srt").write_text(lines, encoding="utf-8")
    return folder


def test_the_preview_shows_who_is_who_before_anything_is_planned(pair: Path, tmp_path: Path) -> None:
    shown = tmp_path / "numbered.png"
    result = CliRunner().invoke(
        cli.app, ["characters", str(pair / "both.png"), "-c", "name=bob,at=right", "-o", str(shown)]
    )
    assert result.exit_code == 0, result.output
    first, second, path = result.output.splitlines()
    assert first.startswith("1  left    box=")
    assert second.startswith("2  right   box=")
    assert second.endswith("  bob")
    assert path == str(shown)
    assert shown.exists()


TURNS = ["-a", "mixed.wav", "--subtitles", "turns.srt"]


@pytest.mark.parametrize("voices", ["tracks", "subtitles"])
def test_several_characters_are_planned(voices: str, pair: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    ann, bob = ("name=ann", "name=bob,at=right")
    if voices == "tracks":
        ann, bob = f"{ann},audio={pair / 'ann.wav'}", f"{bob},audio={pair / 'bob.wav'}"
    sound = [str(pair / one) if "." in one else one for one in TURNS] if voices == "subtitles" else []
    arguments = ["plan", "-i", str(pair / "both.png"), "-c", ann, "-c", bob, "-p", "ann is sad", "-o", str(out)]
    result = CliRunner().invoke(cli.app, [*arguments, *sound, "--no-transcribe"])
    assert result.exit_code == 0, result.output
    story = read_storyline(out)
    assert [one.name for one in story.cast] == ["ann", "bob"]
    assert list(dict.fromkeys(event.speaker for event in story.events if event.speaker)) == ["ann", "bob"]
    assert {shot.emotion.name for shot in story.shots_of("ann")} == {"sad"}
    own = [story.voice_of(name).path for name in ("ann", "bob")]
    wanted = [pair / "ann.wav", pair / "bob.wav"] if voices == "tracks" else [pair / "mixed.wav"] * 2
    assert [Path(path).resolve() for path in own] == wanted
    assert Path(story.audio).resolve() == (tmp_path / "plan.voices.wav" if voices == "tracks" else pair / "mixed.wav")
    assert sound_info(story.audio).frames == story.frames
    said = [cue.speaker for cue in read_subtitles(out.with_suffix(".srt"), ["ann", "bob"])] if sound else []
    assert said == (["ann", "bob"] if sound else [])


@pytest.mark.parametrize(
    ("options", "words", "numbered"),
    [
        (["-c", "name=ann,at=1,audio=ann.wav", "-c", "name=bob,at=left"], "both mean person 1", True),
        (
            ["-c", "name=a", "-c", "name=b", "-c", "name=c", *TURNS[:2], "--subtitles", "a.srt"],
            "2 people can be",
            True,
        ),
        (["-c", "name=ann,at=1", "-c", "name=bob", "-a", "mixed.wav"], "Nothing says who speaks when", False),
        (["-c", "ann"], "has no 'ann' to set", False),
        (["-a", "mixed.wav"], "2 people can be seen; say who is who", False),
        ([], "There is no voice", False),
    ],
)
def test_characters_that_are_not_clear(
    options: list[str],
    words: str,
    numbered: bool,
    pair: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(pair, tmp_path, dirs_exist_ok=True)
    (tmp_path / "a.srt").write_text("00:00:00,000 --> 00:00:02,000\na: hi\n")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    code, message = run(["generate", "-i", "both.png", "-o", "o.mp4", "-q", *options], monkeypatch, capsys)
    assert code == 2, message
    assert words in message, message
    assert message.count("\n") == 1, message
    made = set(tmp_path.rglob("*")) - before
    assert made == ({tmp_path / "o.people.png"} if numbered else set())
    assert ("o.people.png" in message) == numbered


@pytest.mark.parametrize(
    ("track", "words"),
    [
        ("gone.wav", "gone.wav does not exist"),
        ("mixed.wav", "lasts 2.40 s but the storyline only 1.00 s"),
    ],
)
def test_tracks_of_an_edited_storyline_are_checked(
    track: str,
    words: str,
    model: Path,
    pair: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = (
        Character(name="ann", audio=str(pair / track), face=(0.1, 0.2, 0.4, 0.7)),
        Character(name="bob", face=(0.6, 0.2, 0.9, 0.7)),
    )
    sound = noise(tmp_path / "whole.wav", 1)
    story = Storyline(
        image=str(pair / "both.png"),
        audio=str(sound),
        frames=25,
        width=128,
        height=64,
        characters=people,
        shots=(Shot(index=0, span=FrameSpan(0, 25)),),
    )
    write_storyline(story, tmp_path / "edited.yaml")
    arguments = ["render", str(tmp_path / "edited.yaml"), "-m", str(model), "-q"]
    code, message = run(arguments, monkeypatch, capsys)
    assert code == 2, message
    assert words in message, message
    assert message.count("\n") == 1, message


def test_the_cost_of_public_weights_is_foretold_for_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_public_model(tmp_path / "weights", infinitetalk)
    story = Storyline(
        image="a.png", audio="a.wav", frames=50, width=64, height=64, shots=(Shot(index=0, span=FrameSpan(0, 50)),)
    )
    (tmp_path / "s.yaml").write_text(to_yaml(story))
    command = ["estimate", str(tmp_path / "s.yaml"), "--model", str(folder)]
    said = CliRunner().invoke(cli.app, [*command, "--gpu", "RTX 4090"])
    assert said.exit_code == 0, said.output
    assert "card   RTX 4090, 24 GB: weights whole, which ask for" in said.output
    assert "time   about 0 min for the video network" in said.output
    assert "disk   about" in said.output
    code, message = run(["estimate", str(tmp_path / "s.yaml"), "--gpu", "H100"], monkeypatch, capsys)
    assert code == 2
    assert "films on the processor; leave --gpu out" in message


def test_models_lists_what_ships() -> None:
    result = CliRunner().invoke(cli.app, ["models"])
    assert result.exit_code == 0


def test_public_weights_are_described_checked_and_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "weights"
    monkeypatch.setattr("dramatis.models.published.catalogue.OPEN_MODELS", {"tiny": tiny_open_model(folder)})
    said = CliRunner().invoke(cli.app, ["models", "add", "tiny"])
    assert said.exit_code == 0
    assert "hf download any/Base config.json" in said.output
    said = CliRunner().invoke(cli.app, ["models", "add", "tiny", "--folder", str(folder), "--checksums", "-q"])
    assert said.exit_code == 0
    assert "Branch/infinitetalk.safetensors  checksum right" in said.output
    listed = CliRunner().invoke(cli.app, ["models"]).output
    assert f"tiny  {folder}  (linked)" in listed
    assert "mini  " in listed
    folder.rename(tmp_path / "elsewhere")
    assert f"tiny  {folder}  (linked, but gone)" in CliRunner().invoke(cli.app, ["models"]).output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "no public weights 'nobody'"),
        (["tiny", "-f", "nowhere", "-q"], "nowhere: 3 files are not as published"),
    ],
)
def test_public_weights_that_cannot_be_added(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(
        "dramatis.models.published.catalogue.OPEN_MODELS", {"tiny": tiny_open_model(tmp_path / "weights")}
    )
    code, message = run(["models", "add", *arguments], monkeypatch, capsys)
    assert code == 2
    assert words in message
    assert message.count("\n") == 1
    assert not (tmp_path / "config").exists()


def test_a_plan_can_be_watched_before_it_is_filmed(make_audio: MakeAudio, tmp_path: Path) -> None:
    voice, portrait = make_audio("voice.wav", 0.4), ROOT / "examples" / "portrait.png"
    given = ["-i", str(portrait), "-a", str(voice), "-o"]
    whole = CliRunner().invoke(cli.app, ["generate", *given, str(tmp_path / "p.mp4"), "-q", "--preview"])
    assert whole.exit_code == 0, whole.output
    assert "a preview of" in whole.output
    assert (tmp_path / "p.mp4").is_file()
    story = tmp_path / "p.storyline.yaml"
    again = CliRunner().invoke(cli.app, ["preview", str(story), "-q", "--side", "64"])
    assert again.exit_code == 0, again.output
    assert (tmp_path / "p.storyline.preview.mp4").is_file()
    assert not list(tmp_path.glob("*.job")), "nothing is filmed"
