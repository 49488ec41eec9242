"""Goldens: what a folder holds, and how a difference is measured."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis_lab.evaluate.studies.goldens import largest_difference, read_goldens
from tests import ROOT

GOLDENS = ROOT / "tests" / "goldens"


def test_goldens_come_by_name_and_know_whether_we_have_their_network() -> None:
    goldens = read_goldens(GOLDENS)
    assert [golden.name for golden in goldens] == ["multitalk_one_person", "multitalk_two_people"]
    assert all(golden.supported for golden in goldens)
    assert not replace(goldens[0], spec={**goldens[0].spec, "model": "wan_s2v"}).supported
    assert ["regions" in golden.inputs for golden in goldens] == [False, True]


def test_the_greatest_difference_is_found_and_no_number_is_infinitely_far() -> None:
    golden = read_goldens(GOLDENS)[0]
    output = golden.stored["output"].copy()
    output[0, 3, 2, 1, 0] += 0.5
    changed = largest_difference(replace(golden, stored={**golden.stored, "output": output}))
    assert changed == pytest.approx(0.5, abs=1e-3)
    output[0, 0, 0, 0, 0] = np.nan
    assert largest_difference(replace(golden, stored={**golden.stored, "output": output})) == float("inf")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There are no goldens"):
        read_goldens(tmp_path)
    shutil.copy(GOLDENS / "multitalk_one_person.json", tmp_path)
    with pytest.raises(UserError, match=r"multitalk_one_person\.safetensors: This half of the golden is missing"):
        read_goldens(tmp_path)
