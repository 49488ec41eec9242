"""When a clause says that something happens."""

from __future__ import annotations

import pytest

from dramatis.director.language.times import ends_with_time, start_time, without_times


@pytest.mark.parametrize(
    ("clause", "begins"),
    [
        ("after 2.5 seconds she laughs", (2.5, True)),
        ("after half a minute", (30.0, True)),
        ("in 3s", (3.0, True)),
        ("from second 4", (4.0, True)),
        ("at 1:05 he nods", (65.0, True)),
        ("三秒后", (3.0, True)),
        ("2分钟后", (120.0, True)),
        ("at the end", (0.75, False)),
        ("最后", (0.75, False)),
        ("at the end of her tether", None),
        ("in the second half", (0.5, False)),
        ("halfway", (0.4, False)),
        ("closing: a smile", (0.75, False)),
        ("she nods", None),
    ],
)
def test_start_time(clause: str, begins: tuple[float, bool] | None) -> None:
    assert start_time(clause) == begins


def test_without_times() -> None:
    assert without_times("at the end he turns left after 3 seconds") == "he turns left"


def test_ends_with_time() -> None:
    assert ends_with_time("nods at the end", 4)
    assert not ends_with_time("at the end nods", 15)
