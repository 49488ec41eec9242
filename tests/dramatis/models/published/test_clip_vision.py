from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPVisionConfig

from dramatis.errors import UserError
from dramatis.models.published.clip_vision import (
    MEAN,
    STD,
    check_clip_vision,
    clip_tokens,
    load_clip_vision,
    preprocess,
)

WIDTH, HEADS, LAYERS, PATCH, SIDE = 12, 2, 3, 14, 28
TOKENS = (SIDE // PATCH) ** 2 + 1


def tiny_config() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=20,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        hidden_act="gelu",
    )


def official_state() -> dict[str, Tensor]:
    """A random vision tower, and something of the rest, under the names of Wan's file."""
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "log_scale": (),
        "textual.token_embedding.weight": (5, 4),
        "visual.head": (WIDTH, 7),
        "visual.patch_embedding.weight": (WIDTH, 3, PATCH, PATCH),
        "visual.cls_embedding": (1, 1, WIDTH),
        "visual.pos_embedding": (1, TOKENS, WIDTH),
    }
    norms = ["pre_norm", "post_norm", *(f"transformer.{i}.norm{n}" for i in range(LAYERS) for n in (1, 2))]
    shapes |= {f"visual.{norm}.{kind}": (WIDTH,) for norm in norms for kind in ("weight", "bias")}
    for layer in range(LAYERS):
        for name, out, into in (
            ("attn.to_qkv", 3 * WIDTH, WIDTH),
            ("attn.proj", WIDTH, WIDTH),
            ("mlp.0", 20, WIDTH),
            ("mlp.2", WIDTH, 20),
        ):
            shapes[f"visual.transformer.{layer}.{name}.weight"] = (out, into)
            shapes[f"visual.transformer.{layer}.{name}.bias"] = (out,)
    return {key: 0.3 * torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def reference(state: dict[str, Tensor], pixels: Tensor) -> Tensor:
    """The tower on official names, all layers but the last, written out: (3, SIDE, SIDE) -> (TOKENS, WIDTH)."""

    def at(name: str) -> tuple[Tensor, Tensor]:
        return state[f"visual.{name}.weight"], state[f"visual.{name}.bias"]

    patches = F.conv2d(pixels[None], state["visual.patch_embedding.weight"], stride=PATCH)[0].flatten(1).T
    x = torch.cat([state["visual.cls_embedding"][0], patches]) + state["visual.pos_embedding"][0]
    x = F.layer_norm(x, (WIDTH,), *at("pre_norm"))
    for layer in range(LAYERS - 1):
        name = f"transformer.{layer}."
        y = F.linear(F.layer_norm(x, (WIDTH,), *at(name + "norm1")), *at(name + "attn.to_qkv"))
        q, k, v = y.view(TOKENS, 3, HEADS, WIDTH // HEADS).unbind(1)
        scores = torch.einsum("ihc,jhc->hij", q, k) * (WIDTH // HEADS) ** -0.5
        seen = torch.einsum("hij,jhc->ihc", scores.softmax(-1), v).flatten(1)
        x = x + F.linear(seen, *at(name + "attn.proj"))
        y = F.gelu(F.linear(F.layer_norm(x, (WIDTH,), *at(name + "norm2")), *at(name + "mlp.0")))
        x = x + F.linear(y, *at(name + "mlp.2"))
    return x


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(official_state(), tmp_path / "models_clip.pth")
    return tmp_path / "models_clip.pth"


def test_pictures_are_prepared_as_wan_does_it() -> None:
    out = preprocess(picture(), SIDE)
    video = torch.from_numpy(picture()).permute(2, 0, 1)[None] / 127.5 - 1
    resized = F.interpolate(video, (SIDE, SIDE), mode="bicubic", align_corners=False)
    for channel in range(3):
        expected = (resized[:, channel] * 0.5 + 0.5 - MEAN[channel]) / STD[channel]
        assert torch.allclose(out[:, channel], expected, atol=1e-6)
    assert preprocess(picture()).shape == (1, 3, 224, 224)


def test_the_official_file_equals_a_straight_line_reference(weights: Path) -> None:
    net = load_clip_vision(weights, pickles=True, config=tiny_config())
    out = clip_tokens(net, picture())
    assert out.shape == (1, TOKENS, WIDTH)
    assert torch.allclose(out[0], reference(official_state(), preprocess(picture(), SIDE)[0]), atol=1e-4)


def test_both_layouts_see_alike(weights: Path, tmp_path: Path) -> None:
    net = load_clip_vision(weights, pickles=True, config=tiny_config())
    net.save_pretrained(tmp_path / "image_encoder")
    again = load_clip_vision(tmp_path / "image_encoder")
    assert torch.equal(clip_tokens(again, picture()), clip_tokens(net, picture()))


def test_what_does_not_fit_is_refused_before_it_is_read(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allow pickles"):
        check_clip_vision(weights)
    with pytest.raises(UserError, match="do not fit"):
        check_clip_vision(weights, pickles=True)  # three layers are not ViT-H
    torch.save({"textual.norm.weight": torch.ones(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="no CLIP vision tower"):
        check_clip_vision(tmp_path / "other.pth", pickles=True, config=tiny_config())
