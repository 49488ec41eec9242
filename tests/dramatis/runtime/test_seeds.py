"""Seeds: fixed for ever, different for every difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dramatis.runtime.seeds import derive_seed

Part = str | int | bool | None
_PART = st.text(max_size=6) | st.integers() | st.booleans() | st.none()


def test_seeds_never_change() -> None:
    assert derive_seed(0, "sub-clips", 3) == 5856148170000136801


@given(st.lists(_PART, max_size=4), st.lists(_PART, max_size=4))
def test_equal_only_for_equal_parts(first: list[Part], second: list[Part]) -> None:
    same = [(type(part), part) for part in first] == [(type(part), part) for part in second]
    assert (derive_seed(*first) == derive_seed(*second)) == same
    assert 0 <= derive_seed(*first) < 2**63
