"""Answers are parsed, or the error says what is wrong with them."""

from __future__ import annotations

import pytest

from dramatis.llm.protocol import parse
from tests.dramatis.llm.server import Number


@pytest.mark.parametrize("text", ["", "{", "nothing", '{"number": []}', "{" * 5000, '{"a": 1} {"number": 1}'])
def test_parse_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse(text, Number)
