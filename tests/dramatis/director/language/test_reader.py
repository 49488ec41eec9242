"""Readers of prompts: the rules are one."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.language.parser import read_direction
from dramatis.director.language.reader import PromptReader, PromptReading, ReadingContext, RuleReader
from tests.dramatis.director.planning import observe


def test_the_rules_read_without_a_note() -> None:
    reader: PromptReader = RuleReader()
    context = ReadingContext(PlanningInputs(observe(100), None, "something else"), Transcript())
    assert reader.read("happy, nods", context) == PromptReading(read_direction("happy, nods"), "")
