"""Counted operations of whole plans."""

from __future__ import annotations

import pytest

from dramatis.cascade.plan import plan_frames
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.ways.operations import flops_of_plan, flops_per_frame
from dramatis_lab.evaluate.ways.record import FilmingWay


def test_operations_grow_with_the_length_and_with_the_size(bench: Bench) -> None:
    unit = flops_per_frame(bench)
    assert all(value > 0 for value in unit.values())
    assert unit["single-stage clip"] > 3 * unit["sub-clip"]
    way = FilmingWay
    short, long = (flops_of_plan(way.CASCADE, plan_frames(n), unit) for n in (250, 2500))
    assert long == pytest.approx(10 * short, rel=0.1)
    for kind in (way.CHAINED, way.SINGLE):
        assert flops_of_plan(kind, plan_frames(250), unit) > 0
