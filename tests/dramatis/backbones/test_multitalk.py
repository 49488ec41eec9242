"""Filming with public weights: tiny random networks of the real classes, in the layouts they are published in."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dramatis.app.job import job_folder
from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones import multitalk as public
from dramatis.backbones.base import ClipInputs
from dramatis.backbones.multitalk import MultiTalkBackbone
from dramatis.backbones.multitalk_profile import MultiTalkProfile, Sources
from dramatis.backbones.profile import Adapter, Profile
from dramatis.backbones.profile_files import PROFILES, load_profile, profile_for, read_profile, variants_of
from dramatis.backbones.registry import find_model, names_of, open_backbone
from dramatis.errors import UserError
from dramatis.media.video import probe_video
from dramatis.models.dit import AudioDiT
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.published.catalogue import OPEN_MODELS, published_model
from dramatis.models.published.clip_vision import clip_tokens, load_clip_vision
from dramatis.models.published.links import link_model
from dramatis.models.published.umt5 import opened_umt5
from dramatis.motion.face import ANCHOR_TEMPLATE
from dramatis.motion.performance import Performance
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.observations import AudioEvent, AudioObservations
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FPS, FrameSpan
from tests import ROOT
from tests.inputs import MakeAudio, MakeImage
from tests.open_weights import PROFILE, infinitetalk, merged, multitalk, skyreels, write_public_model
from tests.people import StageRecorder, a_pair, see_a_face_in_every_picture, two_faces

__all__ = ["two_faces"]  # a fixture
FRAMES = 150
POSITIVE, NEGATIVE = "a warm smile", "she nods"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_public_model(tmp_path_factory.mktemp("public"), infinitetalk)


@pytest.fixture(scope="module")
def backbone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> MultiTalkBackbone:
    """In a job whose prompts are read."""
    net = MultiTalkBackbone(folder, load_profile(folder), torch.float32)  # type: ignore[arg-type]
    return net.for_job([POSITIVE, NEGATIVE], ArtifactStore(tmp_path_factory.mktemp("store")), NullReporter())


def with_profile(backbone: MultiTalkBackbone, changes: Mapping[str, object]) -> MultiTalkBackbone:
    changed = copy(backbone)
    changed.profile = backbone.profile.changed(changes)
    return changed


def clip_inputs(frames: int = 9, tail: int = 1, people: int = 1) -> ClipInputs:
    """32x32 pixels; of two people one stands left, the other right."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (1 + tail, 32, 32, 3)).astype(np.uint8)
    return ClipInputs(
        head=pictures[:1],
        tail=pictures[1:] if tail else None,
        reference=pictures[0],
        audio=rng.normal(size=(people, frames, 5, 12, 768)).astype(np.float32),
        performances=(Performance.still(frames),) * people,
        anchors=np.zeros((people, frames, 9, 2), np.float32),
        faces=np.stack([12 * ANCHOR_TEMPLATE[:, :2] * (1, -1) + (8 + 16 * place, 16) for place in range(people)]),
        positive=POSITIVE,
        negative=NEGATIVE,
        seed=3,
    )


# Rows and columns of cells; the upper quarter is above both heads, then the first character left, the second right.
REGIONS = torch.tensor(
    [[[0, 0, 0, 0]] + 3 * [[1, 1, 0, 0]], [[0, 0, 0, 0]] + 3 * [[0, 0, 1, 1]], [[1, 1, 1, 1]] + 3 * [[0, 0, 0, 0]]]
)


@torch.no_grad()
@pytest.mark.parametrize("people", [1, 2])
def test_a_clip_equals_a_straight_line_reference(backbone: MultiTalkBackbone, folder: Path, people: int) -> None:
    """Nine frames between two pictures, the last one held for four more.

    Mask, grey, windows, schedule, guidance; two voices and the regions that they belong to.
    """
    inputs, dit, net = clip_inputs(people=people), backbone.dit, backbone.autoencoder
    at, bound = backbone.profile.sources, {"regions": REGIONS[None].float()} if people > 1 else {}
    assert inputs.tail is not None
    video = torch.zeros(1, 3, 13, 32, 32)
    video[:, :, 0] = to_tensor(inputs.head)[:, :, 0]
    video[:, :, 8:] = to_tensor(inputs.tail)
    mask = torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]]).T.float().view(1, 4, 4, 1, 1)
    condition = torch.cat([mask.expand(-1, -1, -1, 4, 4), net.normalise(net.encode(video))], 1)
    audio = torch.from_numpy(np.concatenate([inputs.audio, inputs.audio[:, -1:].repeat(4, 1)], 1))[None]
    with opened_umt5(folder / at.text_encoder, folder / at.tokenizer) as read:
        text, negative = read([POSITIVE, NEGATIVE], text_len=8).float().unsqueeze(1)
    image = clip_tokens(load_clip_vision(folder / at.image_encoder), inputs.reference)
    x = torch.randn(1, 16, 4, 4, 4, generator=torch.Generator().manual_seed(3))
    times = [7 * t / (1 + 6 * t) for t in (1.0, 0.001)]
    for now, then in zip(times, [times[1], 0.0], strict=True):
        t = torch.tensor([1000 * now])
        cond = dit(x, condition, t, text, image, audio, **bound)
        drop_text = dit(x, condition, t, negative, image, audio, **bound)
        uncond = dit(x, condition, t, negative, image, torch.zeros_like(audio), **bound)
        x = x + (then - now) * (uncond + 5 * (cond - drop_text) + 4 * (drop_text - uncond))
    expected = to_pictures(net.decode(net.denormalise(x)))[:9].astype(int)
    made = backbone.generate_clip(inputs).astype(int)
    assert made.shape == (9, 32, 32, 3)
    assert np.abs(made - expected).max() <= 1
    assert made.std() > 1, "a flat picture would equal anything"


def test_who_speaks_and_who_stands_where_are_told_apart(backbone: MultiTalkBackbone) -> None:
    """The first character is the first voice and the first region, whoever stands left."""
    inputs = clip_inputs(people=2)
    given = backbone._conditions(inputs, 0)
    assert given.regions is not None
    assert torch.equal(given.regions[0], REGIONS.float())
    voices = backbone._conditions(replace(inputs, audio=inputs.audio[::-1].copy()), 0)
    assert torch.equal(voices.audio, given.audio[:, [1, 0]])
    assert voices.regions is not None
    assert torch.equal(voices.regions, given.regions)
    places = backbone._conditions(replace(inputs, faces=inputs.faces[::-1].copy()), 0)
    assert places.regions is not None
    assert torch.equal(places.regions, given.regions[:, [1, 0, 2]])
    assert torch.equal(places.audio, given.audio)
    assert backbone._conditions(clip_inputs(), 0).regions is None, "one person owns the picture"
    swapped = backbone.generate_clip(replace(inputs, audio=inputs.audio[::-1].copy()))
    assert not np.array_equal(swapped, backbone.generate_clip(inputs))


def test_on_a_card_nothing_of_a_clip_stays_behind(
    backbone: MultiTalkBackbone, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks on another device than the processor meet no tensor from it.

    Torch's device without memory stands for a card, whose results nobody can read.
    """
    net = MultiTalkBackbone(folder, backbone.profile, torch.float32).in_job(backbone._job_store)
    net.dit.to("meta")
    net.autoencoder.to("meta")
    monkeypatch.setattr(public, "to_pictures", lambda video: np.zeros(video.shape[2:]) if video.is_meta else None)
    inputs, again = clip_inputs(5, people=2), np.zeros((5, 32, 32, 3), np.uint8)
    with pytest.raises((RuntimeError, NotImplementedError)):
        net.generate_clip(inputs, refine_from=again)
    net.device = torch.device("meta")
    assert net.generate_clip(inputs, refine_from=again).shape == (5, 32, 32)


def test_frames_at_both_sides_of_a_seam_are_given_as_they_are(backbone: MultiTalkBackbone) -> None:
    inputs = replace(clip_inputs(17, tail=4), head=np.zeros((5, 32, 32, 3), np.uint8))
    given = backbone._conditions(inputs, 0).condition
    assert given[0, :4, :, 0, 0].T.tolist() == [[1] * 4, [1] * 4, [0] * 4, [0] * 4, [1] * 4]
    assert backbone.generate_clip(inputs).shape == (17, 32, 32, 3)


def test_what_is_filmed_again_starts_from_what_it_shows(backbone: MultiTalkBackbone) -> None:
    inputs = clip_inputs()
    dark, light = (np.full((9, 32, 32, 3), level, np.uint8) for level in (40, 210))
    assert not np.array_equal(
        backbone.generate_clip(inputs, refine_from=dark), backbone.generate_clip(inputs, refine_from=light)
    )
    anew = with_profile(backbone, {"seam.strength": 1.0})
    assert np.array_equal(anew.generate_clip(inputs, refine_from=dark), backbone.generate_clip(inputs))


def test_an_enlarged_clip_shows_its_low_frames(backbone: MultiTalkBackbone) -> None:
    inputs, low = clip_inputs(), np.random.default_rng(1).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
    high = backbone.upscale_clip(inputs, low)
    assert high.shape == (9, 32, 32, 3)
    assert np.array_equal(backbone.upscale_clip(inputs, low), high)
    assert not np.array_equal(backbone.upscale_clip(inputs, 255 - low), high)
    anew = with_profile(backbone, {"high.strength": 1.0, "high.shift": 7.0})
    assert np.array_equal(anew.upscale_clip(inputs, low), backbone.generate_clip(inputs))


def test_an_enlarged_keyframe_looks_at_the_other_picture(backbone: MultiTalkBackbone) -> None:
    inputs, low = clip_inputs(2, tail=0), np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    high = backbone.upscale_frame(inputs, low)
    assert high.shape == (32, 32, 3)
    assert not np.array_equal(backbone.upscale_frame(replace(inputs, head=255 - inputs.head), low), high)
    assert not np.array_equal(backbone.upscale_frame(inputs, 255 - low), high)


def test_other_processes_find_the_prompts_that_were_read(backbone: MultiTalkBackbone) -> None:
    there = pickle.loads(pickle.dumps(backbone))
    assert there is pickle.loads(pickle.dumps(backbone)) is not backbone
    assert (there.identity, there.profile) == (backbone.identity, backbone.profile)
    assert torch.equal(there._prompt_states(POSITIVE), backbone._prompt_states(POSITIVE))
    with pytest.raises(OSError, match="run the job again"):
        there._prompt_states("nobody asked for this")


def test_other_weights_make_other_artifacts(folder: Path, backbone: MultiTalkBackbone, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy, copy_function=os.link)
    again = MultiTalkBackbone(copy, backbone.profile, torch.float32)
    assert again.identity == backbone.identity, "where they lie makes no difference"
    audio = copy / "video" / "infinitetalk.safetensors"
    changed = {key: value + 1 for key, value in load_file(audio).items()}
    audio.unlink()
    save_file(changed, audio)
    public._sampled_hash.cache_clear()
    assert MultiTalkBackbone(copy, backbone.profile, torch.float32).identity != backbone.identity


def test_a_lora_is_merged_and_makes_other_artifacts(folder: Path, backbone: MultiTalkBackbone) -> None:
    down, up = torch.randn(2, 48), torch.randn(48, 2)
    layer = "diffusion_model.blocks.0.self_attn.q"
    save_file({f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up}, folder / "few.safetensors")
    profile = backbone.profile.changed({"adapters": (Adapter(file="few.safetensors", scale=0.5),)})
    MultiTalkBackbone.check(folder, profile)
    few = MultiTalkBackbone(folder, profile, torch.float32)
    plain, merged = (net.dit.get_parameter("blocks.0.attn1.to_q.weight") for net in (backbone, few))
    assert torch.allclose(merged, plain + 0.5 * up @ down, atol=1e-5)
    assert few.identity != backbone.identity


@pytest.fixture
def a_face_in_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain pictures show no face; the canonical one stands in the middle."""
    see_a_face_in_every_picture(monkeypatch)


def observed() -> AudioObservations:
    flat = (0.5,) * FRAMES
    speech = (AudioEvent(kind="speech", span=FrameSpan(0, FRAMES), energy=0.5),)
    return AudioObservations(frames=FRAMES, seconds=FRAMES / FPS, events=speech, energy=flat, pitch=flat, voiced=flat)


def six_seconds(image: Path, audio: Path, side: int) -> Storyline:
    """One shot whose own keyframe parts it in two clips."""
    shot = Shot(index=0, span=FrameSpan(0, FRAMES), positive="a warm smile", negative="she nods", keyframes=(76,))
    return Storyline(image=str(image), audio=str(audio), frames=FRAMES, width=side, height=side, shots=(shot,))


PLAIN = PROFILE.replace("high: {scale: 2, strength: 0.5}\n", "")
DISTILLED = PLAIN.replace("text_scale: 5.0", "text_scale: 1.0").replace("audio_scale: 4.0", "audio_scale: 1.0")


@pytest.mark.usefixtures("a_face_in_every_picture")
@pytest.mark.parametrize(("layout", "profile"), [(multitalk, PLAIN), (skyreels, DISTILLED)])
def test_every_layout_films_two_clips(
    layout: Callable[[Path], Any], profile: str, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path
) -> None:
    pipe = AvatarPipeline.from_pretrained(write_public_model(tmp_path / "model", layout, profile))
    storyline = six_seconds(make_image("face.png", (64, 64)), make_audio("voice.wav", FRAMES / FPS), 32)
    film = pipe.render(storyline, tmp_path / "o.mp4", workers=1, observations=observed())
    info = probe_video(film.video)
    assert (info.frames, info.size, info.sound) == (FRAMES, (32, 32), FRAMES / FPS)
    assert film.keyframes == (0, 76, 152)


def test_two_people_are_filmed_each_with_their_own_voice(
    two_faces: None, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the whole cascade, on weights in one merged file."""
    pipe = AvatarPipeline.from_pretrained(write_public_model(tmp_path / "model", merged, PLAIN))
    storyline = a_pair(make_audio, make_image, "low", None)
    asked: list[tuple[torch.Tensor, torch.Tensor]] = []
    forward = AudioDiT.forward

    def seen(self: AudioDiT, latents: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
        asked.append((rest[4], named["regions"]))
        return forward(self, latents, *rest, **named)

    monkeypatch.setattr(AudioDiT, "forward", seen)
    film = pipe.render(storyline, tmp_path / "o.mp4")
    assert (probe_video(film.video).frames, probe_video(film.video).size) == (20, (128, 64))
    assert {regions.shape for _, regions in asked} == {(1, 3, 8, 16)}
    ann, bob, _ = asked[0][1][0]
    assert ann[:, :8].any()
    assert not ann[:, 8:].any()
    assert bob[:, 8:].any()
    assert not bob[:, :8].any()
    # Who says nothing hears silence; in the evaluation without sound nobody hears anything.
    speaking, quiet = asked[0][0][0]
    assert speaking.std() > 0
    assert not torch.equal(speaking, quiet)
    assert {bool(audio.any()) for audio, _ in asked} == {True, False}

    third = storyline.characters[1].model_copy(update={"name": "cid", "face": (0.4, 0.2, 0.6, 0.8)})
    monkeypatch.setattr(AudioDiT, "forward", None)
    more = storyline.model_copy(update={"characters": (*storyline.characters, third)})
    with pytest.raises(
        UserError, match=r"^[Tt]he storyline shows 3 people, but the model 'tiny' films two people at most"
    ):
        pipe.render(more, tmp_path / "3.mp4")
    single = AvatarPipeline(with_profile(pipe.backbone, {"voices": 1}), "tiny")  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"films one person at most; choose infinitetalk-multi, multitalk or the mini"):
        single.render(storyline, tmp_path / "2.mp4")
    assert not list(tmp_path.glob("[23].*"))


@pytest.mark.timeout(300)  # one of the longest tests: a loaded machine may need more than the usual two minutes
@pytest.mark.usefixtures("a_face_in_every_picture")
def test_two_clips_from_plan_to_video_and_resumed(
    folder: Path,
    make_audio: MakeAudio,
    make_image: MakeImage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    opened: list[Path] = []

    @contextmanager
    def counted(weights: Path, *rest: Any, **named: Any) -> Iterator[Any]:
        opened.append(weights)
        with opened_umt5(weights, *rest, **named) as read:
            yield read

    monkeypatch.setattr(public, "opened_umt5", counted)
    storyline = six_seconds(make_image("face.png", (64, 64)), make_audio("voice.wav", FRAMES / FPS), 64)
    output, store = tmp_path / "o.mp4", job_folder(tmp_path / "o.mp4") / "store"
    first, second = StageRecorder(), StageRecorder()
    film = AvatarPipeline.from_pretrained(folder).render(
        storyline, output, reporter=first, workers=1, observations=observed()
    )
    info = probe_video(film.video)
    assert (info.frames, info.size, info.sound) == (FRAMES, (64, 64), FRAMES / FPS)
    assert first.total("sub-clips") == first.total("super-resolution") == 2
    assert first.total("transitions") == first.total("anchors") == 1, "the clips are joined by frames of their own"
    assert len(opened) == 1, "all prompts are read at once"
    assert capfd.readouterr().err == "", "no library draws its own progress"

    whole = output.read_bytes()
    output.unlink()
    last = sorted(store.glob("??/*.safetensors"), key=lambda path: path.stat().st_mtime_ns)[-1]
    last.unlink()
    AvatarPipeline.from_pretrained(folder).render(
        storyline, output, reporter=second, workers=1, observations=observed()
    )
    assert output.read_bytes() == whole
    assert second.found("super-resolution") == 1
    assert len(opened) == 1, "what was read stays read"


def profiles() -> list[Profile]:
    return [
        read_profile(path, variant) for path in sorted(PROFILES.glob("*.yaml")) for variant in ["", *variants_of(path)]
    ]


def test_every_profile_can_be_read_and_films_what_the_weights_were_trained_at() -> None:
    found = {profile.name: profile for profile in profiles()}
    assert {"infinitetalk-480p", "infinitetalk-720p:few-steps", "skyreels-a2v"} <= found.keys()
    for profile in found.values():
        assert isinstance(profile, MultiTalkProfile)
        assert profile.geometry.clip_steps + 1 + profile.tail_repeats == 81
        assert profile.low.area % profile.low.size_multiple**2 == 0
    films = [name for profile in found.values() if ":" not in profile.name for name in profile.films]  # type: ignore[attr-defined]
    assert sorted(films) == sorted(OPEN_MODELS), "every model of the catalogue has one profile"
    few = found["infinitetalk-480p:few-steps"]
    assert (few.low.steps, few.low.shift, few.low.text_scale) == (8, 2.0, 1.0)


@pytest.mark.parametrize("name", OPEN_MODELS)
def test_what_variants_want_is_what_the_catalogue_lists_as_optional(name: str) -> None:
    path = profile_for(name)
    assert path is not None
    wanted = {lora.file for variant in variants_of(path) for lora in read_profile(path, variant).adapters}
    assert wanted == {file for file, _ in published_model(name).optional_files()}


def test_one_clip_at_a_time_fills_a_card_and_two_a_processor(backbone: MultiTalkBackbone) -> None:
    assert backbone.profile.execution.workers == 1
    assert load_profile(public.SMALL).execution.workers == 2


@pytest.fixture
def linked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model in the folders that downloads of InfiniteTalk make, linked by its name."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    model, root = published_model("infinitetalk"), tmp_path / "weights"
    shutil.copytree(folder, root, copy_function=os.link)  # tests may take files away, and replace none in place
    assert model.audio is not None
    (root / model.audio).parent.mkdir(parents=True)
    (root / "video" / "infinitetalk.safetensors").rename(root / model.audio)
    (root / "video").rename(root / model.weights)
    link_model(model, root, [])
    return root


def test_linked_weights_film_by_their_name(linked: Path) -> None:
    found = find_model("infinitetalk")
    assert (found.folder, found.profile.name) == (linked, "infinitetalk-480p")
    assert found.profile.voices == 1, "the branch was trained with one person"  # type: ignore[attr-defined]
    assert names_of("infinitetalk") == ["infinitetalk", "infinitetalk:few-steps"]
    with pytest.raises(UserError, match=r"no variant 'faster'; choose one of infinitetalk, infinitetalk:few-steps"):
        find_model("infinitetalk:faster")
    with pytest.raises(UserError, match=r"FusionX_LoRA\.safetensors: this weight file is missing"):
        find_model("infinitetalk:few-steps")


@pytest.mark.parametrize(
    ("piece", "sentence"),
    [
        ("Wan2.1-I2V-14B-480P/diffusion_pytorch_model-00003-of-00007.safetensors", "this weight file is missing"),
        ("InfiniteTalk/single/infinitetalk.safetensors", "this weight file is missing"),
        ("Wan2.1-I2V-14B-480P-Diffusers/tokenizer/tokenizer.json", r"tokenizer\.json is missing"),
        ("Wan2.1-I2V-14B-480P-Diffusers/text_encoder/model.safetensors", r"model\.safetensors is missing"),
        ("Wan2.1-I2V-14B-480P-Diffusers/image_encoder/config.json", r"config\.json is missing"),
        ("Wan2.1-I2V-14B-480P-Diffusers/vae/diffusion_pytorch_model.safetensors", "is missing"),
        ("chinese-wav2vec2-base/config.json", r"config\.json is missing"),
    ],
)
def test_a_missing_piece_is_named_before_anything_loads(
    linked: Path, piece: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (linked / piece).unlink()
    for load in ("load_official", "load_wan_autoencoder", "load_clip_vision", "load_wav2vec2", "opened_umt5"):
        monkeypatch.setattr(public, load, None)
    with pytest.raises(UserError, match=sentence) as refused:
        AvatarPipeline.from_pretrained("infinitetalk")
    assert "\n" not in str(refused.value)
    assert str(linked) in str(refused.value)


def test_an_encoder_of_another_width_is_refused(linked: Path) -> None:
    config = linked / "Wan2.1-I2V-14B-480P-Diffusers" / "text_encoder" / "config.json"
    wider = config.read_text().replace('"d_model": 24', '"d_model": 32')
    config.unlink()
    config.write_text(wider)
    with pytest.raises(UserError, match="its d_model is 32, and the video model reads 24"):
        find_model("infinitetalk")


def test_pickles_are_opened_only_if_the_profile_allows_it(tmp_path: Path) -> None:
    folder = write_public_model(tmp_path / "model", infinitetalk)
    heard = folder / Sources().speech_encoder
    torch.save(load_file(heard / "model.safetensors"), heard / "pytorch_model.bin")
    (heard / "model.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"pytorch_model\.bin: this file is a Python pickle.*`pickles: true`"
    ) as refused:
        find_model(folder)
    assert "\n" not in str(refused.value)
    profile = (folder / "profile.yaml").read_text()
    (folder / "profile.yaml").write_text(profile.replace('"audio": ', '"pickles": true, "audio": '))
    net = open_backbone(folder)
    features, _ = net.encode_speech(ROOT / "examples" / "speech.wav", 5)
    assert features.shape == (5, 12, 768)
    assert features.std() > 0
    before = net.identity
    torch.save(
        {key: value + 1 for key, value in torch.load(heard / "pytorch_model.bin").items()}, heard / "pytorch_model.bin"
    )
    public._sampled_hash.cache_clear()
    assert open_backbone(folder).identity != before


def test_a_folder_that_is_gone_is_named(linked: Path) -> None:
    linked.rename(linked.with_name("elsewhere"))
    with pytest.raises(UserError, match="is linked to is gone; run `dramatis models add infinitetalk"):
        find_model("infinitetalk")
