from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.published.lora import Lora, check_loras, merge_loras
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit

LAYERS = {
    "blocks.0.self_attn.q": "blocks.0.attn1.to_q",
    "blocks.1.self_attn.o": "blocks.1.attn1.to_out.0",
    "blocks.0.cross_attn.k_img": "blocks.0.attn2.add_k_proj",
    "blocks.1.ffn.0": "blocks.1.ffn.net.0.proj",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "patch_embedding": "patch_embedding",
    "head.head": "proj_out",
}
"""Official names and ours."""


def matrices(layers: dict[str, int], names: tuple[str, str], seed: int = 0) -> dict[str, Tensor]:
    """A and B of each layer under official names: {layer: rank}."""
    generator = torch.Generator().manual_seed(seed)
    weights = {name: value for name, value in tiny_dit().state_dict().items() if name.endswith("weight")}
    out = {}
    for layer, rank in layers.items():
        weight = weights[LAYERS[layer] + ".weight"]
        shapes = (rank, *weight.shape[1:]), (len(weight), rank, *[1] * (weight.ndim - 2))
        for name, shape in zip(names, shapes, strict=True):
            out[f"diffusion_model.{layer}.{name}.weight"] = torch.randn(shape, generator=generator)
    return out


def write(path: Path, tensors: dict[str, Tensor]) -> Path:
    save_file(tensors, path)
    return path


def product(a: Tensor, b: Tensor) -> Tensor:
    """B A, as a kernel where A is one."""
    return (b.flatten(1) @ a.flatten(1)).view(len(b), *a.shape[1:])


def test_merged_weights_equal_the_formula(tmp_path: Path) -> None:
    """Two files in both spellings, each with a scale, ranks and alphas of their own: W + scale * alpha / rank * B A."""
    first = matrices({layer: 4 if "ffn" in layer else 3 for layer in LAYERS}, ("lora_down", "lora_up"))
    alphas = {"blocks.0.self_attn.q": 6.0, "blocks.1.ffn.0": 1.0}
    given = {f"diffusion_model.{layer}.alpha": torch.tensor(value) for layer, value in alphas.items()}
    second = matrices({"blocks.0.self_attn.q": 2, "head.head": 2}, ("lora_A", "lora_B"), seed=1)
    loras = [
        Lora(write(tmp_path / "a.safetensors", first | given), 0.7),
        Lora(write(tmp_path / "b.safetensors", second)),
    ]
    dit, before = tiny_dit(), tiny_dit().state_dict()
    merge_loras(dit, loras)
    after = dit.state_dict()
    assert after.keys() == before.keys()
    for layer, name in LAYERS.items():
        a, b = (first[f"diffusion_model.{layer}.{part}.weight"] for part in ("lora_down", "lora_up"))
        expected = before[name + ".weight"] + 0.7 * alphas.get(layer, len(a)) / len(a) * product(a, b)
        if layer in ("blocks.0.self_attn.q", "head.head"):
            a, b = (second[f"diffusion_model.{layer}.{part}.weight"] for part in ("lora_A", "lora_B"))
            expected = expected + product(a, b)
        assert torch.allclose(after[name + ".weight"], expected, atol=1e-5), layer
    others = before.keys() - {name + ".weight" for name in LAYERS.values()}
    assert all(torch.equal(after[key], before[key]) for key in others)


def test_differences_are_added_with_the_scale(tmp_path: Path) -> None:
    dit, before = tiny_dit(), tiny_dit().state_dict()
    names = {
        "blocks.0.norm3.diff": "blocks.0.norm2.weight",
        "blocks.0.self_attn.norm_k.diff": "blocks.0.attn1.norm_k.weight",
        "blocks.1.self_attn.q.diff_b": "blocks.1.attn1.to_q.bias",
        "blocks.1.diff_m": "blocks.1.scale_shift_table",
        "head.diff_m": "scale_shift_table",
    }
    tensors = {f"diffusion_model.{key}": torch.randn_like(before[name]) for key, name in names.items()}
    merge_loras(dit, [Lora(write(tmp_path / "a.safetensors", tensors), 0.5)])
    after = dit.state_dict()
    for key, name in names.items():
        assert torch.allclose(after[name], before[name] + 0.5 * tensors[f"diffusion_model.{key}"], atol=1e-6), key
    assert all(torch.equal(after[key], before[key]) for key in before.keys() - set(names.values()))


@torch.no_grad()
def test_a_merged_network_films_and_a_scale_of_zero_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", matrices({"blocks.0.self_attn.q": 2}, ("lora_down", "lora_up")))
    given = inputs()
    off, on = tiny_dit(), tiny_dit()
    merge_loras(off, [Lora(path, 0.0)])
    merge_loras(on, [Lora(path, 1.0)])
    assert torch.equal(off(**given), tiny_dit()(**given))
    assert not torch.allclose(on(**given), tiny_dit()(**given), atol=1e-4)


def test_half_precision_weights_are_rounded_once(tmp_path: Path) -> None:
    tensors = matrices({"blocks.0.self_attn.q": 2}, ("lora_down", "lora_up"))
    dit = tiny_dit().to(torch.bfloat16)
    before = dit.state_dict()["blocks.0.attn1.to_q.weight"].clone()
    merge_loras(dit, [Lora(write(tmp_path / "a.safetensors", tensors))])
    a, b = (tensors[f"diffusion_model.blocks.0.self_attn.q.{part}.weight"] for part in ("lora_down", "lora_up"))
    after = dit.state_dict()["blocks.0.attn1.to_q.weight"]
    assert after.dtype == torch.bfloat16
    assert torch.allclose(after.float(), before.float() + b @ a, atol=0.08)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"diffusion_model.blocks.9.self_attn.q.lora_down.weight": torch.ones(2, 32)}, r"blocks\.9\S+: unknown"),
        ({"lora_unet_blocks_0_self_attn_q.lora_down.weight": torch.ones(2, 32)}, "unknown"),
        ({"diffusion_model.blocks.0.self_attn.q.dora_scale": torch.ones(32)}, r"dora_scale: unknown"),
        ({"diffusion_model.blocks.0.self_attn.q.lora_down.weight": torch.ones(2, 31)}, r"shape \(2, 31\) for a weight"),
        (
            {"diffusion_model.blocks.0.self_attn.q.lora_down.weight": torch.ones(5, 32)},
            r"of rank 2 beside a half of shape \(5, 32\)",
        ),
        ({"diffusion_model.blocks.0.self_attn.k.lora_down.weight": torch.ones(2, 32)}, "without its other half"),
        ({"diffusion_model.blocks.0.self_attn.k.alpha": torch.ones(())}, "without its matrices"),
        ({"diffusion_model.blocks.0.norm3.diff": torch.ones(31)}, r"shape \(31,\) for a weight of \(32,\)"),
    ],
)
def test_what_does_not_fit_is_listed_before_anything_changes(
    tmp_path: Path, change: dict[str, Tensor], message: str
) -> None:
    good = matrices({"blocks.0.self_attn.q": 2}, ("lora_down", "lora_up"))
    loras = [
        Lora(write(tmp_path / "good.safetensors", good)),
        Lora(write(tmp_path / "bad.safetensors", good | change)),
    ]
    dit, before = tiny_dit(), tiny_dit().state_dict()
    check_loras(dit, loras[:1])
    with pytest.raises(UserError, match=message):
        merge_loras(dit, loras)
    assert all(torch.equal(value, before[key]) for key, value in dit.state_dict().items())


def test_missing_cut_and_pickled_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(UserError, match="missing"):
        check_loras(tiny_dit(), [Lora(path)])
    path.write_bytes(b"\x10\x00")
    with pytest.raises(UserError, match="cut short"):
        check_loras(tiny_dit(), [Lora(path)])
    with pytest.raises(UserError, match="safetensors only"):
        check_loras(tiny_dit(), [Lora(tmp_path / "a.pt")])
