"""What a language model is to this program: messages in, and a value of the wanted type out, or an error."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)


class LLMError(Exception):
    """A language model gave no usable answer. The message says why, and never contains the key."""


@dataclass(frozen=True)
class Attachment:
    """A picture (png) or a sound (wav) that a message carries."""

    kind: Literal["image", "audio"]
    data: bytes

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    text: str
    attachments: tuple[Attachment, ...] = ()


class LLM(Protocol):
    """A language model."""

    def ask(self, messages: Sequence[Message], wanted: type[Answer]) -> Answer:
        """An answer of the wanted type. Raises LLMError if there is none."""
        ...


def question_fingerprint(model: str, messages: Sequence[Message], wanted: type[BaseModel]) -> str:
    """Hash of a question, by which recorded answers are found."""
    parts = [
        [message.role, message.text, [hashlib.sha256(part.data).hexdigest() for part in message.attachments]]
        for message in messages
    ]
    text = json.dumps([model, parts, wanted.model_json_schema()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def parse(text: str, wanted: type[Answer]) -> Answer:
    """The first JSON object in a text, as a value, whatever surrounds it. Raises ValueError that says what is wrong."""
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in the answer")
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the JSON is broken: {str(error)[:200]}") from error
    try:
        return wanted.model_validate(value)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)[:5]
        )
        raise ValueError(f"the JSON does not fit the schema: {faults}") from error
