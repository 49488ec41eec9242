"""Recorded exchanges: what a model once answered can be replayed byte for byte, without a server."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from dramatis.llm.protocol import LLM, Answer, LLMError, Message, parse, question_fingerprint


class ExchangeRecording(BaseModel):
    """Answers as JSON, or the reason why there was none, by the fingerprint of the question. No key and no address."""

    model_config = ConfigDict(extra="forbid")
    model: str
    answers: dict[str, str] = Field(default_factory=dict)
    failures: dict[str, str] = Field(default_factory=dict)


class Recorder:
    """Asks a model and records what it answers."""

    def __init__(self, llm: LLM, recording: ExchangeRecording) -> None:
        self._llm = llm
        self.recording = recording

    def ask(self, messages: Sequence[Message], wanted: type[Answer]) -> Answer:
        """The model's answer. Raises LLMError as the model does."""
        key = question_fingerprint(self.recording.model, messages, wanted)
        try:
            answer = self._llm.ask(messages, wanted)
        except LLMError as error:
            self.recording.failures[key] = str(error)
            raise
        self.recording.answers[key] = answer.model_dump_json()
        return answer


class Replay:
    """Answers from a recording."""

    def __init__(self, recording: ExchangeRecording) -> None:
        self._recording = recording

    def ask(self, messages: Sequence[Message], wanted: type[Answer]) -> Answer:
        """The recorded answer. Raises LLMError for what failed then, and for what was never asked."""
        key = question_fingerprint(self._recording.model, messages, wanted)
        if key in self._recording.failures:
            raise LLMError(self._recording.failures[key])
        if key not in self._recording.answers:
            raise LLMError("this was not asked when the exchange was recorded")
        try:
            return parse(self._recording.answers[key], wanted)
        except ValueError as error:
            raise LLMError(f"the recording does not fit: {error}") from error
