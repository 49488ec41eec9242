from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dramatis.backbones import mini
from dramatis.backbones.base import ClipInputs, resolve_dtype
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.mini_networks import HIGH_NETWORKS, NETWORKS
from dramatis.backbones.mini_profile import MiniProfile
from dramatis.backbones.profile import Adapter
from dramatis.backbones.profile_files import load_profile
from dramatis.backbones.registry import find_model, shipped_models
from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.mask_head import MaskHead
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.motion.face import ANCHOR_TEMPLATE
from dramatis.motion.group import face_shares
from dramatis.motion.performance import EMOTION_COLUMNS, Performance
from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.windows import PersonWindows
from dramatis.story.values import EMOTIONS, NumberFormat


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: [",
        "low: {steps: 3}",
        "name: a\nlow: {steps: 0}",
        "name: a\nsteps: 3",
        "name: a\nlow: {step: 3}",
        "name: a\nhigh: {tile: 8, tile_overlap: 8}",
        "name: a\nhigh: {tile_overlap: 3}",
    ],
)
def test_a_wrong_profile_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile.yaml").write_text(text)
    with pytest.raises(UserError, match=r"profile\.yaml") as caught:
        load_profile(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_profile_needs_a_name_only(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text("name: small\n")
    assert load_profile(tmp_path) == MiniProfile(name="small")
    with pytest.raises(UserError, match="missing"):
        load_profile(tmp_path / "nowhere")


def test_a_field_of_a_former_profile_is_named(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text("name: small\nsteps: 3\n")
    with pytest.raises(UserError, match=r"profile\.yaml: the field steps is unknown "):
        load_profile(tmp_path)


def test_models_are_found_by_folder_and_by_name(model: Path) -> None:
    assert find_model(model).folder == model
    assert find_model(str(model)).folder == model
    for name, folder in shipped_models().items():
        assert find_model(name).folder == folder
    with pytest.raises(UserError, match="'gigantic' is unknown"):
        find_model("gigantic")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("fault", ["missing", "cut short", "no config", "foreign"])
def test_damaged_weights_are_refused_before_loading(model: Path, tmp_path: Path, network: str, fault: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    weights = next((folder / network).glob("*.safetensors"))
    if fault == "missing":
        weights.unlink()
    elif fault == "cut short":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif fault == "foreign":
        config = folder / network / "config.json"
        config.write_text(config.read_text().replace('"_class_name": "', '"_class_name": "Other'))
    else:
        (folder / network / "config.json").unlink()
    with pytest.raises(UserError, match=network):
        find_model(folder)


@pytest.mark.parametrize("network", HIGH_NETWORKS)
def test_a_model_that_enlarges_needs_more_networks(
    model: Path, model_twice: Path, tmp_path: Path, network: str
) -> None:
    assert find_model(model).folder == model, "the small one does without"
    assert find_model(model_twice).folder == model_twice
    folder = tmp_path / "model"
    shutil.copytree(model_twice, folder)
    next((folder / network).glob("*.safetensors")).unlink()
    with pytest.raises(UserError, match=rf"{network}.*missing"):
        find_model(folder)
    shutil.rmtree(folder / network)
    with pytest.raises(UserError, match=rf"{network}: config\.json is missing"):
        find_model(folder)


def test_a_profile_can_do_without_the_refiner(model_twice: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_twice, folder)
    shutil.rmtree(folder / "refiner")
    profile = folder / "profile.yaml"
    profile.write_text(profile.read_text().replace("refine: true", "refine: false"))
    assert find_model(folder).folder == folder
    low = np.random.default_rng(1).integers(0, 256, (9, 16, 24, 3)).astype(np.uint8)
    plain = MiniBackbone(folder, dtype=torch.float32).upscale_clip(clip_inputs(1, tail=True), low)
    refined = MiniBackbone(model_twice, dtype=torch.float32).upscale_clip(clip_inputs(1, tail=True), low)
    assert plain.shape == refined.shape
    assert not np.array_equal(plain, refined)


HIGH_CHANGES = {
    "seam.kind": "cut",
    "seam.strength": 0.5,
    "high.steps": 5,
    "high.keyframe_steps": 5,
    "high.shift": 3.0,
    "high.tile": 16,
    "high.tile_overlap": 4,
    "high.refine": False,
    "high.scale": 3,
}
LOW_CHANGES = {
    "low.steps": 4,
    "low.shift": 3.0,
    "low.audio_scale": 3.0,
    "low.centred_guidance": True,
    "low.match_colours": True,
}


def backbones_with(folder: Path, field: str, value: object) -> tuple[MiniBackbone, MiniBackbone]:
    """One with its own profile, one with another value in it."""
    before = MiniBackbone(folder, dtype=torch.float32)
    return before, MiniBackbone(folder, before.profile.changed({field: value}), torch.float32)


@pytest.mark.parametrize(("field", "value"), HIGH_CHANGES.items())
def test_what_comes_after_sub_clips_changes_high_resolution_artifacts_alone(
    model_twice: Path, field: str, value: object
) -> None:
    before, after = backbones_with(model_twice, field, value)
    assert before.low_identity == after.low_identity
    assert before.high_identity != after.high_identity


@pytest.mark.parametrize(("field", "value"), LOW_CHANGES.items())
def test_how_low_resolution_clips_are_denoised_changes_their_artifacts(
    model_twice: Path, field: str, value: object
) -> None:
    before, after = backbones_with(model_twice, field, value)
    assert before.low_identity != after.low_identity
    assert before.high_identity == after.high_identity, "these depend on the low-resolution pictures themselves"


@pytest.mark.parametrize(("field", "value"), [("groups.gates", "none"), ("audio_context", 1)])
def test_what_says_nothing_of_its_effect_changes_all_artifacts(model_twice: Path, field: str, value: object) -> None:
    before, after = backbones_with(model_twice, field, value)
    assert before.low_identity != after.low_identity
    assert before.high_identity != after.high_identity


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("costs.frame_seconds", 9.0),
        ("costs.memory_gb", 9.0),
        ("execution.workers", 9),
        ("framing.face_tone", 0.5),
        ("framing.target_interocular_px", 9.0),
    ],
)
def test_costs_and_framing_are_no_part_of_an_artifact(model_twice: Path, field: str, value: object) -> None:
    before, after = backbones_with(model_twice, field, value)
    assert (before.low_identity, before.high_identity) == (after.low_identity, after.high_identity)


def test_pictures_survive_the_way_to_tensors_and_back() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 16, 3)).astype(np.uint8)
    tensor = to_tensor(pictures)
    assert tensor.shape == (1, 3, 5, 8, 16)
    assert tensor.min() >= -1
    assert tensor.max() <= 1
    assert np.array_equal(to_pictures(tensor), pictures)
    beyond = torch.full((1, 3, 1, 2, 2), 7.0)
    assert (to_pictures(beyond) == 255).all()
    assert (to_pictures(-beyond) == 0).all()


def clip_inputs(seed: int, tail: bool) -> ClipInputs:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 32, 48, 3)).astype(np.uint8)
    return ClipInputs(
        head=pictures[:1],
        tail=pictures[1:] if tail else None,
        reference=pictures[0],
        audio=rng.normal(size=(1, 9, 12)).astype(np.float32),
        performances=(Performance.from_controls(rng.normal(size=(9, 26))),),
        anchors=24 + 12 * ANCHOR_TEMPLATE[None, None, :, :2].repeat(9, 1),
        faces=24 + 12 * ANCHOR_TEMPLATE[None, :, :2],
        positive="she smiles",
        negative="blurred",
        seed=seed,
    )


@pytest.mark.parametrize("tail", [False, True])
def test_a_clip_depends_on_its_inputs_alone(model: Path, tail: bool, dtype: NumberFormat) -> None:
    first = MiniBackbone(model, dtype=resolve_dtype(dtype)).generate_clip(clip_inputs(1, tail))
    assert first.shape == (9, 32, 48, 3)
    assert first.dtype == np.uint8
    steps: list[tuple[int, int]] = []
    again = MiniBackbone(model, dtype=resolve_dtype(dtype)).generate_clip(
        clip_inputs(1, tail), lambda *step: steps.append(step)
    )
    assert np.array_equal(first, again)
    assert steps == [(1, 2), (2, 2)]
    assert not np.array_equal(
        first, MiniBackbone(model, dtype=resolve_dtype(dtype)).generate_clip(clip_inputs(2, tail))
    )


def test_the_negative_branch_is_shown_the_emotion_that_its_prompt_names(model: Path, dtype: NumberFormat) -> None:
    backbone = MiniBackbone(model, dtype=resolve_dtype(dtype))
    inputs = clip_inputs(1, tail=True)
    inputs.performances[0].emotion[:] = np.eye(8, dtype=np.float32)[EMOTIONS.index("happy")]
    inputs.anchors[..., 0] += np.arange(9)[:, None]
    plain = replace(inputs, negative="sad, blurred")
    without = backbone.generate_clip(plain)
    backbone.profile = backbone.profile.changed({"low.contrary_expression": True})
    assert not np.array_equal(backbone.generate_clip(plain), without)
    assert np.array_equal(
        backbone.generate_clip(inputs), MiniBackbone(model, dtype=resolve_dtype(dtype)).generate_clip(inputs)
    ), "it names no emotion"
    same = replace(inputs, negative="happy, blurred")
    assert np.array_equal(
        backbone.generate_clip(same), MiniBackbone(model, dtype=resolve_dtype(dtype)).generate_clip(same)
    ), "nothing to lead away from"

    shown = backbone._with_contrary_emotion(plain, backbone._conditions(plain, backbone._given(plain)[1]))
    assert shown.negative_condition is not None
    assert shown.negative_controls is not None
    kept = shown.negative_condition[:, :4] == shown.condition[:, :4]
    assert kept.all(), "the same frames are given"
    told = shown.negative_controls[0, 0, :, EMOTION_COLUMNS]
    assert told[[0, -1]].argmax(1).tolist() == [EMOTIONS.index("happy")] * 2
    assert (told[1:-1].argmax(1) == EMOTIONS.index("sad")).all()


def test_a_clip_filmed_again_keeps_what_the_strength_leaves(model: Path, dtype: NumberFormat) -> None:
    backbone = MiniBackbone(model, dtype=resolve_dtype(dtype))
    inputs = clip_inputs(3, tail=True)
    first, other = (np.full((9, 32, 48, 3), level, np.uint8) for level in (60, 190))
    backbone.profile = backbone.profile.changed({"seam.strength": 0.7})
    assert not np.array_equal(
        backbone.generate_clip(inputs, refine_from=first), backbone.generate_clip(inputs, refine_from=other)
    )
    backbone.profile = backbone.profile.changed({"seam.strength": 1.0})
    assert np.array_equal(backbone.generate_clip(inputs, refine_from=first), backbone.generate_clip(inputs))


def two_people(seed: int = 1) -> ClipInputs:
    """One on the left who moves and one on the right who does not."""
    one = clip_inputs(seed, tail=True)
    anchors = np.concatenate([one.anchors - np.array([14, 0]), one.anchors + np.array([10, 0])]).astype(np.float32)
    rng = np.random.default_rng(7)
    second = Performance.from_controls(rng.normal(size=(9, 26)))
    second = replace(second, camera=one.performances[0].camera)
    return replace(
        one,
        audio=np.concatenate([one.audio, rng.normal(size=one.audio.shape).astype(np.float32)]),
        performances=(*one.performances, second),
        anchors=anchors,
        faces=anchors[:, 0],
    )


@pytest.fixture
def gated(model: Path, tmp_path: Path, dtype: NumberFormat) -> MiniBackbone:
    """A model whose mask head looks at its second block."""
    torch.manual_seed(0)
    folder = Path(shutil.copytree(model, tmp_path / "gated"))
    save_model(MaskHead(dim=32, block=1, width=8, heads=2), folder / "mask_head")
    backbone = MiniBackbone(folder, dtype=resolve_dtype(dtype))
    backbone.profile = backbone.profile.changed({"groups.gates": "predicted"})
    return backbone


def test_several_people_are_told_apart_by_what_the_mask_head_sees(gated: MiniBackbone) -> None:
    pair = two_people()
    made = gated.generate_clip(pair)
    swapped = replace(pair, audio=pair.audio[::-1].copy())
    assert not np.array_equal(gated.generate_clip(swapped), made), "whose voice is whose matters"
    order = [1, 0]
    other_order = replace(
        pair,
        **{n: getattr(pair, n)[order] for n in ("audio", "anchors", "faces")},
        performances=pair.performances[::-1],
    )
    assert np.abs(gated.generate_clip(other_order).astype(int) - made).max() <= 1, (
        "in which order they are named does not"
    )
    for gates in ("heads", "none"):
        gated.profile = gated.profile.changed({"groups.gates": gates})
        assert not np.array_equal(gated.generate_clip(pair), made)


def test_everybody_is_seen_in_a_window_of_their_own(gated: MiniBackbone) -> None:
    """One person, and several whom nothing tells apart, have none."""
    pair, one = two_people(), clip_inputs(1, tail=True)
    gated.profile = gated.profile.changed({"groups.gates": "heads", "low.area": 32 * 32})
    seen = gated._denoiser(pair)
    assert isinstance(seen, PersonWindows)
    assert seen.spans[0][0] == 0
    assert seen.spans[1][1] == pair.size[1] // 8
    assert seen.maps.shape[0] == 2
    assert not torch.equal(seen.maps[0], seen.maps[1])
    assert gated._denoiser(one) is gated.dit
    gated.profile = gated.profile.changed({"groups.gates": "none"})
    assert gated._denoiser(pair) is gated.dit


def test_words_for_company_are_for_whoever_sees_it(gated: MiniBackbone) -> None:
    pair, one = replace(two_people(), positive="A man speaks."), replace(clip_inputs(1, True), positive="A man speaks.")
    company = "A man beside one other person speaks."
    assert np.array_equal(gated.generate_clip(replace(pair, positive=company)), gated.generate_clip(pair))
    assert not np.array_equal(gated.generate_clip(replace(one, positive=company)), gated.generate_clip(one))


def test_groups_have_a_guidance_scale_of_their_own(gated: MiniBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """In faces, down to a noise level; where everything is face, like a stronger scale everywhere."""
    pair, one, usual = two_people(), clip_inputs(1, tail=True), gated.profile

    def clip(inputs: ClipInputs, changes: Mapping[str, float] = {}) -> np.ndarray:
        gated.profile = usual.changed(changes)
        return gated.generate_clip(inputs)

    last = float(shifted_sigmas(usual.low.steps, usual.low.shift)[-2])
    strong = {"groups.guidance_scale": 3.0}
    assert np.array_equal(clip(one, strong), clip(one)), "one person is filmed as before"
    made = [clip(pair), clip(pair, strong), clip(pair, strong | {"groups.min_sigma": last})]
    everywhere = clip(pair, {"low.text_scale": 3.0, "low.audio_scale": 3.0})
    for video, other in combinations([*made, everywhere], 2):
        assert not np.array_equal(video, other)
    monkeypatch.setattr(mini, "face_shares", lambda *given: 0 * face_shares(*given) + 1)
    assert np.array_equal(clip(pair, strong), everywhere)


def lora_for(backbone: MiniBackbone) -> dict[str, torch.Tensor]:
    """A LoRA that changes something in one layer, which files of rank 2 hold."""
    generator = torch.Generator().manual_seed(3)
    out, width = backbone.dit.get_parameter("blocks.0.attn1.to_v.weight").shape
    shapes = {"lora_A": (2, width), "lora_B": (out, 2)}
    return {
        f"blocks.0.attn1.to_v.{half}.weight": torch.randn(shape, generator=generator) for half, shape in shapes.items()
    }


def test_what_was_learnt_for_groups_counts_for_groups_alone(gated: MiniBackbone, tmp_path: Path) -> None:
    pair, one = two_people(), clip_inputs(1, tail=True)
    plain = [gated.generate_clip(inputs) for inputs in (one, pair)]
    folder = tmp_path / "adapted"
    shutil.copytree(gated.folder, folder)
    adapter = Adapter(file="group_adapter.safetensors", when="groups")
    profile = gated.profile.changed({"adapters": (adapter,)})
    with pytest.raises(UserError, match=r"group_adapter\.safetensors: this weight file is missing"):
        MiniBackbone.check(folder, profile)
    lora = lora_for(gated)
    save_file(lora, folder / "group_adapter.safetensors")
    MiniBackbone.check(folder, profile)
    adapted = MiniBackbone(folder, profile, gated.dtype)
    assert np.array_equal(adapted.generate_clip(one), plain[0]), "one person is filmed as before"
    pictures = adapted.generate_clip(pair)
    assert not np.array_equal(pictures, plain[1])
    a, b = lora.values()
    changed, kept = (adapted.group_dit.get_parameter(f"blocks.{number}.attn1.to_v.weight") for number in (0, 1))
    expected = load_model(AudioDiT, folder / "transformer").get_parameter("blocks.0.attn1.to_v.weight") + b @ a
    assert torch.equal(changed, expected.to(changed.dtype)), "merged before it is rounded"
    assert torch.equal(kept, adapted.dit.get_parameter("blocks.1.attn1.to_v.weight"))
    assert not changed.requires_grad
    assert adapted.group_dit is adapted.group_dit
    assert gated.group_dit is gated.dit
    assert adapted.low_identity != gated.low_identity
    gates = adapted.profile.changed({"groups.gates": "none"})
    without = MiniBackbone(folder, gates, torch.float32).generate_clip(pair)
    assert np.array_equal(without, MiniBackbone(gated.folder, gates, torch.float32).generate_clip(pair)), (
        "the picture as one"
    )


def test_who_is_who_is_looked_up_in_the_reference(gated: MiniBackbone) -> None:
    pair = two_people()
    gating = gated.gating(pair)
    assert gating is not None
    assert gating.identities is not None
    assert gating.identities.tokens.shape[:2] == gating.identities.squares.shape[:2] == (1, 2)
    elsewhere = gated.gating(replace(pair, faces=pair.faces[::-1].copy()))
    assert elsewhere is not None
    assert elsewhere.identities is not None
    for name in ("tokens", "squares"):
        assert torch.equal(getattr(elsewhere.identities, name), getattr(gating.identities, name).flip(1))
    assert gated.gating(clip_inputs(1, tail=False)) is None, "one person owns the picture"


def test_a_model_without_the_head_that_its_profile_wants_is_refused(model: Path) -> None:
    profile = load_profile(model).changed({"groups.gates": "predicted"})
    assert isinstance(profile, MiniProfile)
    with pytest.raises(UserError, match="mask_head"):
        MiniBackbone.check(model, profile)


@pytest.mark.parametrize("tail", [False, True])
def test_an_enlarged_clip_depends_on_its_inputs_and_its_low_frames(
    model_twice: Path, tail: bool, dtype: NumberFormat
) -> None:
    backbone = MiniBackbone(model_twice, dtype=resolve_dtype(dtype))
    low = np.random.default_rng(1).integers(0, 256, (9, 16, 24, 3)).astype(np.uint8)
    high = backbone.upscale_clip(clip_inputs(1, tail), low)
    assert high.shape == (9, 32, 48, 3)
    assert high.dtype == np.uint8
    assert np.array_equal(
        MiniBackbone(model_twice, dtype=resolve_dtype(dtype)).upscale_clip(clip_inputs(1, tail), low), high
    )
    assert not np.array_equal(backbone.upscale_clip(clip_inputs(2, tail), low), high)
    assert not np.array_equal(backbone.upscale_clip(clip_inputs(1, tail), 255 - low), high)


def test_enlarging_tells_people_apart_by_their_heads(model_twice: Path, dtype: NumberFormat) -> None:
    backbone = MiniBackbone(model_twice, dtype=resolve_dtype(dtype))
    low = np.random.default_rng(1).integers(0, 256, (9, 16, 24, 3)).astype(np.uint8)
    pair = two_people()
    high = backbone.upscale_clip(pair, low)
    assert high.shape == (9, 32, 48, 3)
    assert not np.array_equal(backbone.upscale_clip(replace(pair, audio=pair.audio[::-1].copy()), low), high)
    assert backbone.upscale_frame(pair.at([0, 1]), low[0]).shape == (32, 48, 3)


def test_an_enlarged_keyframe_looks_at_the_other_picture(model_twice: Path, dtype: NumberFormat) -> None:
    backbone = MiniBackbone(model_twice, dtype=resolve_dtype(dtype))
    inputs = clip_inputs(1, tail=False)
    inputs = inputs.at([0, 1])
    low = inputs.reference[::2, ::2]
    high = backbone.upscale_frame(inputs, low)
    assert high.shape == (32, 48, 3)
    assert np.array_equal(backbone.upscale_frame(inputs, low), high)
    assert not np.array_equal(backbone.upscale_frame(replace(inputs, head=255 - inputs.head), low), high)
    assert not np.array_equal(backbone.upscale_frame(inputs, 255 - low), high)
