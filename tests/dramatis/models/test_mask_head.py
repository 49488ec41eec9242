"""The mask head: any number of people, no order among them, and the same code on the small and the public layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.mask_head import Identities, MaskHead, identity_square, identity_tokens, token_centres
from dramatis.motion.face import ANCHOR_TEMPLATE
from tests.tiny import DIT, tiny_dit

GRID = (2, 3)
FRAMES = 2


def tiny_head(**config: int) -> MaskHead:
    torch.manual_seed(0)
    return MaskHead(**{"dim": 32, "block": 1, "width": 8, "heads": 2} | config).eval()


def inputs(people: int, seed: int = 0) -> tuple[torch.Tensor, Identities]:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(2, FRAMES, GRID[0] * GRID[1], 32, generator=generator)
    squares = torch.rand(2, people, 3, generator=generator) + 0.2
    return tokens, Identities(torch.randn(2, people, 16, 32, generator=generator), squares)


@pytest.mark.parametrize("people", [1, 2, 5])
def test_one_head_serves_any_number_of_people(people: int) -> None:
    logits = tiny_head()(*inputs(people), GRID)
    assert logits.shape == (2, people + 1, FRAMES, 2 * GRID[0], 2 * GRID[1])
    assert logits.isfinite().all()


def test_a_head_in_bfloat16_says_the_same() -> None:
    """Where its tokens lie is known in float32, whatever format the network computes in."""
    head, (tokens, identities) = tiny_head(), inputs(2)
    expected = head(tokens, identities, GRID)
    short = Identities(identities.tokens.bfloat16(), identities.squares)
    logits = head.bfloat16()(tokens.bfloat16(), short, GRID)
    assert logits.dtype == torch.bfloat16
    assert torch.allclose(logits.float(), expected, atol=0.05)


def test_people_have_no_order() -> None:
    head = tiny_head()
    tokens, identities = inputs(3)
    order = [2, 0, 1]
    logits = head(tokens, identities, GRID)
    turned = head(tokens, Identities(identities.tokens[:, order], identities.squares[:, order]), GRID)
    assert torch.allclose(turned[:, 0], logits[:, 0], atol=1e-5)
    assert torch.allclose(turned[:, 1:], logits[:, 1:][:, order], atol=1e-5)
    assert not torch.allclose(logits[:, 1], logits[:, 2], atol=1e-3)


def test_cells_lie_where_their_tokens_do() -> None:
    head = tiny_head()
    tokens, identities = inputs(2)
    changed = tokens.clone()
    changed[:, 1, GRID[1] + 2] *= -1  # of the second frame: second row, third column
    moved = (head(changed, identities, GRID) - head(tokens, identities, GRID)).abs().sum((0, 1)) > 1e-6
    expected = torch.zeros(FRAMES, 4, 6, dtype=torch.bool)
    expected[1, 2:4, 4:6] = True
    assert torch.equal(moved, expected)


def test_people_who_look_alike_are_told_apart_by_where_they_stood() -> None:
    head = tiny_head()
    tokens, identities = inputs(2)
    identities.tokens[:, 1] = identities.tokens[:, 0]
    identities.squares[:, 1] = identities.squares[:, 0]
    logits = head(tokens, identities, GRID)
    assert torch.equal(logits[:, 1], logits[:, 2])
    identities.squares[:, 1, 0] += 0.5
    logits = head(tokens, identities, GRID)
    assert not torch.allclose(logits[:, 1], logits[:, 2], atol=1e-3)


def test_tokens_are_judged_by_themselves_as_in_the_whole_clip() -> None:
    head = tiny_head()
    tokens, identities = inputs(2)
    whole = head(tokens, identities, GRID)
    at = token_centres(GRID, tokens.device)
    assert torch.allclose(at[GRID[1] + 2], torch.tensor([2.5 / 2, 1.5 / 2]))
    picked = [4, 1]
    some = head.token_logits(tokens[:, 1, picked], at[picked].expand(2, -1, -1), identities)
    for place, token in enumerate(picked):
        row, column = divmod(token, GRID[1])
        cells = whole[:, :, 1, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten(2)
        assert torch.allclose(some[:, :, place], cells, atol=1e-5)


def test_identities_are_what_the_patch_embedding_makes_of_given_pictures() -> None:
    dit = tiny_dit()
    crops = torch.randn(1, 2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    tokens = identity_tokens(dit, crops)
    assert tokens.shape == (1, 2, 4, 32)
    window = crops[0, 1, :, 2:4, 0:2]  # the third token of the second person
    kernel = dit.get_parameter("patch_embedding.weight")[:, :, 0]
    stacked = torch.cat([window, torch.ones(4, 2, 2), window])
    expected = (kernel * stacked).sum((1, 2, 3)) + dit.get_parameter("patch_embedding.bias")
    assert torch.allclose(tokens[0, 1, 2], expected, atol=1e-5)


def test_the_head_reads_the_block_of_its_config_in_the_public_layout() -> None:
    torch.manual_seed(0)
    names = ("num_attention_heads", "attention_head_dim", "text_dim", "text_len", "freq_dim", "ffn_dim", "num_layers")
    dit = AudioDiT(
        **{name: DIT[name] for name in names}, image_dim=8, audio_channels=6, audio_layers=2, audio_output_dim=8
    ).eval()
    seen: dict[int, torch.Tensor] = {}
    crops = torch.randn(1, 2, 16, 4, 4)
    with torch.no_grad():
        out = dit(
            torch.randn(1, 16, FRAMES, 4, 6),
            torch.randn(1, 20, FRAMES, 4, 6),
            torch.tensor([500.0]),
            torch.randn(1, 3, 16),
            torch.randn(1, 257, 8),
            torch.randn(1, 2, 5, 5, 2, 6),
            masks=torch.full((1, 2, FRAMES, *GRID), 0.5),
            on_block=seen.__setitem__,
        )
        head = tiny_head(block=1)
        logits = head(seen[head.config.block], Identities(identity_tokens(dit, crops), torch.ones(1, 2, 3)), GRID)
    assert sorted(seen) == [0, 1]
    assert out.shape == (1, 16, FRAMES, 4, 6)
    assert logits.shape == (1, 3, FRAMES, 4, 6)


def test_a_head_is_written_and_read_with_its_block(tmp_path: Path) -> None:
    head = tiny_head(block=3)
    save_model(head, tmp_path, dtype=torch.float32)
    again = load_model(MaskHead, tmp_path)
    assert again.config.block == 3
    assert torch.equal(again(*inputs(2), GRID), head(*inputs(2), GRID))


def test_the_square_holds_head_and_shoulders() -> None:
    scale, centre = 60.0, torch.tensor([100.0, 70.0]).numpy()
    anchors = centre + ANCHOR_TEMPLATE[:, :2] * (scale, -scale)
    left, top, side = identity_square(anchors, (160, 300))
    assert side == pytest.approx(1.7 * scale, rel=0.01)
    assert left + side / 2 == pytest.approx(100, abs=1)
    assert top < anchors[:, 1].min() - 0.3 * scale
    assert top + side > anchors[:, 1].max() + 0.4 * scale
    turned = anchors.copy()
    turned[:, 0] = 100 + 0.7 * (anchors[:, 0] - 100)
    assert identity_square(turned, (160, 300))[2] == pytest.approx(side, rel=0.01)


def test_the_square_is_no_higher_than_the_picture() -> None:
    anchors = torch.tensor([50.0, 40.0]).numpy() + ANCHOR_TEMPLATE[:, :2] * (90, -90)
    _, top, side = identity_square(anchors, (96, 200))
    assert side == 96
    assert top == 0
