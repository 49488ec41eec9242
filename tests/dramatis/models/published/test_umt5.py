from __future__ import annotations

import gc
import math
import weakref
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import UMT5Config, UMT5EncoderModel

from dramatis.errors import UserError
from dramatis.models.published.umt5 import check_umt5, clean_prompt, opened_umt5
from tests.open_weights import WORDS, write_tokenizer

HEADS, WIDTH, BUCKETS = 2, 8, 32


def tiny_config() -> UMT5Config:
    return UMT5Config(
        vocab_size=len(WORDS), d_model=WIDTH, d_kv=4, d_ff=12, num_layers=2, num_heads=HEADS, dropout_rate=0.1
    )


def official_state() -> dict[str, Tensor]:
    """A random encoder under the names of Wan's file."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"token_embedding.weight": (len(WORDS), WIDTH), "norm.weight": (WIDTH,)}
    for block in range(2):
        shapes |= {f"blocks.{block}.{norm}.weight": (WIDTH,) for norm in ("norm1", "norm2")}
        shapes |= {f"blocks.{block}.attn.{name}.weight": (HEADS * 4, WIDTH) for name in "qkv"}
        shapes |= {
            f"blocks.{block}.attn.o.weight": (WIDTH, HEADS * 4),
            f"blocks.{block}.ffn.gate.0.weight": (12, WIDTH),
            f"blocks.{block}.ffn.fc1.weight": (12, WIDTH),
            f"blocks.{block}.ffn.fc2.weight": (WIDTH, 12),
            f"blocks.{block}.pos_embedding.embedding.weight": (BUCKETS, HEADS),
        }
    return {key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def reference(state: dict[str, Tensor], ids: Tensor) -> Tensor:
    """T5's encoder on official names, written out: (n,) ids -> (n, WIDTH)."""

    def norm(x: Tensor, name: str) -> Tensor:
        return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * state[name + ".weight"]

    distance = torch.arange(len(ids)) - torch.arange(len(ids)).unsqueeze(1)
    far = 8 + (distance.abs().clamp(min=1).float() / 8).log().div(math.log(128 / 8)).mul(8).long()
    buckets = torch.where(distance.abs() < 8, distance.abs(), far.clamp(max=15)) + 16 * (distance > 0)
    x = state["token_embedding.weight"][ids]
    for block in range(2):
        at = f"blocks.{block}."
        y = norm(x, at + "norm1")
        q, k, v = ((y @ state[f"{at}attn.{name}.weight"].T).view(-1, HEADS, 4) for name in "qkv")
        bias = state[at + "pos_embedding.embedding.weight"][buckets].permute(2, 0, 1)
        scores = torch.einsum("ihc,jhc->hij", q, k) + bias
        heard = torch.einsum("hij,jhc->ihc", scores.softmax(-1), v).flatten(1)
        x = x + heard @ state[at + "attn.o.weight"].T
        y = norm(x, at + "norm2")
        gate = torch.nn.functional.gelu(y @ state[at + "ffn.gate.0.weight"].T, approximate="tanh")
        x = x + (gate * (y @ state[at + "ffn.fc1.weight"].T)) @ state[at + "ffn.fc2.weight"].T
    return norm(x, "norm")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path / "tokenizer", WORDS)
    return tmp_path / "tokenizer"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(official_state(), tmp_path / "models_t5.pth")
    return tmp_path / "models_t5.pth"


def encoders() -> list[UMT5EncoderModel]:
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is UMT5EncoderModel]


@torch.no_grad()
def test_the_official_file_equals_a_straight_line_reference(weights: Path, tokenizer: Path) -> None:
    with opened_umt5(weights, tokenizer, pickles=True, dtype=torch.float32, config=tiny_config()) as read:
        out = read(["she nods ,  a warm\nsmile", "smile"], text_len=20)
    assert out.shape == (2, 20, WIDTH)
    for row, ids in zip(out, ([7, 8, 6, 3, 4, 5, 1], [5, 1]), strict=True):
        assert torch.allclose(row[: len(ids)], reference(official_state(), torch.tensor(ids)), atol=1e-4)
        assert not row[len(ids) :].any()


def test_both_layouts_read_alike(weights: Path, tokenizer: Path, tmp_path: Path) -> None:
    with opened_umt5(weights, tokenizer, pickles=True, dtype=torch.float32, config=tiny_config()) as read:
        expected = read(["a warm smile"])
        encoders()[0].save_pretrained(tmp_path / "text_encoder")
    with opened_umt5(tmp_path / "text_encoder", tokenizer, dtype=torch.float32) as read:
        assert torch.equal(read(["a warm smile"]), expected)
    assert expected.shape == (1, 512, WIDTH)


def test_long_prompts_are_cut(weights: Path, tokenizer: Path) -> None:
    with opened_umt5(weights, tokenizer, pickles=True, config=tiny_config()) as read:
        out = read(["smile " * 40], text_len=16)
    assert out.shape == (1, 16, WIDTH)
    assert out.dtype == torch.bfloat16
    assert out[0, -1].any()


def test_memory_is_free_after_the_context(weights: Path, tokenizer: Path) -> None:
    with opened_umt5(weights, tokenizer, pickles=True, config=tiny_config()) as read:
        (net,) = encoders()
        held = weakref.ref(net.shared.weight)
        del net
    assert not encoders()
    assert held() is None
    with pytest.raises(AssertionError, match="within its context"):
        read(["smile"])


def test_what_does_not_fit_is_refused_before_it_is_read(weights: Path, tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allow pickles"):
        check_umt5(weights, tokenizer)
    with pytest.raises(UserError, match=r"encoder\.block\.\d+\.\S+: missing"):
        check_umt5(weights, tokenizer, pickles=True)  # two layers are not XXL
    torch.save({"other": torch.ones(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="do not fit"):
        check_umt5(tmp_path / "other.pth", tokenizer, pickles=True, config=tiny_config())
    (tokenizer / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json is missing"):
        check_umt5(weights, tokenizer, pickles=True, config=tiny_config())


def test_a_broken_tokenizer_is_refused(weights: Path, tokenizer: Path) -> None:
    (tokenizer / "tokenizer.json").write_text("{")
    with (
        pytest.raises(UserError, match="tokenizer cannot be loaded"),
        opened_umt5(weights, tokenizer, pickles=True, config=tiny_config()),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" a  warm\n\tsmile ", "a warm smile"),
        ("fish &amp;amp; chips", "fish & chips"),
        ("“it’s”", '"it\'s"'),
        ("她笑了，Ａ１", "她笑了,A1"),
        ("cafe\u0301", "café"),
    ],
)
def test_prompts_are_cleaned(text: str, cleaned: str) -> None:
    assert clean_prompt(text) == cleaned
