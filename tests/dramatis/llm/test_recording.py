"""Recorded exchanges are found by their question, and failures are replayed as failures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dramatis.llm import Attachment, ExchangeRecording, LLMError, Message, Recorder, Replay
from dramatis.llm.protocol import Answer, question_fingerprint
from tests.dramatis.llm.server import Number

QUESTION = [Message("user", "which?")]


class Three:
    """Answers three, but only to one question."""

    def ask(self, messages: Sequence[Message], wanted: type[Answer]) -> Answer:
        if messages != QUESTION:
            raise LLMError("what?")
        return wanted.model_validate({"number": 3})


def test_answers_and_failures_are_replayed() -> None:
    recording = ExchangeRecording(model="m")
    recorder = Recorder(Three(), recording)
    other = [Message("user", "why?")]
    assert recorder.ask(QUESTION, Number).number == 3
    with pytest.raises(LLMError, match="what"):
        recorder.ask(other, Number)
    replay = Replay(ExchangeRecording.model_validate_json(recording.model_dump_json()))
    assert replay.ask(QUESTION, Number).number == 3
    with pytest.raises(LLMError, match="what"):
        replay.ask(other, Number)
    with pytest.raises(LLMError, match="not asked"):
        replay.ask([Message("user", "new")], Number)


def test_everything_that_is_asked_is_in_the_fingerprint() -> None:
    questions = [
        ("m", QUESTION),
        ("n", QUESTION),
        ("m", [Message("system", "which?")]),
        ("m", [Message("user", "which?", (Attachment("image", b"png"),))]),
        ("m", [Message("user", "which?", (Attachment("image", b"jpg"),))]),
    ]
    assert len({question_fingerprint(model, messages, Number) for model, messages in questions}) == len(questions)
