"""The refiner: adds what moved pictures show, and looks one frame to both sides."""

from __future__ import annotations

import torch

from dramatis.models.refiner import DetailRefiner
from tests.tiny import tiny_refiner


def clip(frames: int = 5, side: int = 16) -> torch.Tensor:
    return torch.rand(2, 3, frames, side, side, generator=torch.Generator().manual_seed(frames)) * 2 - 1


def test_untrained_it_changes_nothing() -> None:
    made = clip()
    assert torch.equal(DetailRefiner()(made, clip().flip(2)), made)


@torch.no_grad()
def test_it_reads_the_moved_picture_and_the_frames_beside() -> None:
    refiner, made, moved = tiny_refiner(), clip(), clip().flip(2)
    out = refiner(made, moved)
    assert out.shape == made.shape
    assert not torch.equal(out, made)
    for source in (made, moved):
        other = source.clone()
        other[:, :, 2] = 0
        changed = refiner(other, moved) if source is made else refiner(made, other)
        assert [not torch.equal(changed[:, :, t], out[:, :, t]) for t in range(5)] == [False, True, True, True, False]


@torch.no_grad()
def test_a_single_frame_is_its_own_neighbour() -> None:
    refiner, made = tiny_refiner(), clip(1)
    still = refiner(made.expand(-1, -1, 3, -1, -1), made.expand(-1, -1, 3, -1, -1))
    assert torch.allclose(refiner(made, made), still[:, :, 1:2], atol=1e-6)


@torch.no_grad()
def test_the_sum_keeps_the_precision_of_the_frames() -> None:
    made = clip()
    out = tiny_refiner().bfloat16()(made, made)
    assert out.dtype == torch.float32
    assert (out - made).abs().max() < 1


def test_a_few_frames_at_a_time_are_as_all_at_once() -> None:
    refiner, made, moved = tiny_refiner(), clip(11), clip(11).flip(2)
    whole = refiner(made, moved)
    with torch.no_grad():
        assert torch.equal(refiner(made, moved), whole)
