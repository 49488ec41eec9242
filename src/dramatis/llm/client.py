"""Any OpenAI-compatible server: vLLM, SGLang, Ollama or a hosted one, through the `openai` package.

Servers differ in how they can be held to a schema. The strictest way is tried first: a JSON schema for the reply, then
a tool whose arguments have that schema, then plain words. What a server refuses is not tried again. An answer that does
not fit is sent back, once or twice, with an account of what is wrong.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from dramatis.errors import UserError
from dramatis.llm.protocol import Answer, LLMError, Message, parse

SchemaMode = Literal["schema", "tool", "prompt"]
SCHEMA_MODES: tuple[SchemaMode, ...] = ("schema", "tool", "prompt")
"""How a reply is held to a schema, the strictest first."""
KEY_VARIABLES = ("DRAMATIS_LLM_API_KEY", "OPENAI_API_KEY")
REPAIRS = 2
"""How often an answer that does not fit is sent back."""
MAX_ANSWER_TOKENS = 4096
_NO_KEY = "none"
"""Sent where no key is set: a local server asks for none, but the package requires one."""


@dataclass(frozen=True)
class Server:
    """Where a model is served. The key is not part of it: it is read from the environment when a chat is opened."""

    base_url: str
    model: str
    timeout: float = 30.0
    retries: int = 2

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise UserError(
                f"The language model's address {self.base_url!r} is not a URL; begin it with http:// or https://."
            )


@dataclass
class Budget:
    """What a whole dialogue may spend; the seconds count from the first call."""

    calls: int = 24
    seconds: float = 180.0
    tokens: int = 100_000
    _started: float | None = None

    def take(self) -> None:
        """Count one call. Raises LLMError if nothing is left."""
        if self._started is None:
            self._started = time.monotonic()
        left = self.seconds - (time.monotonic() - self._started)
        for name, value in (("calls", self.calls), ("seconds", left), ("tokens", self.tokens)):
            if value <= 0:
                raise LLMError(f"the budget of {name} is spent")
        self.calls -= 1


class OpenAIChat:
    """A model on an OpenAI-compatible server."""

    def __init__(self, server: Server, budget: Budget | None = None) -> None:
        """Raises UserError if the `openai` package is missing."""
        try:
            import openai
        except ImportError as error:
            raise UserError(
                "A language model needs the package openai; install it with `pip install dramatis[llm]`."
            ) from error
        self._openai = openai
        self.server = server
        self.budget = budget or Budget()
        self._modes = list(SCHEMA_MODES)
        key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), _NO_KEY)
        client = openai.OpenAI(
            base_url=server.base_url, api_key=key, timeout=server.timeout, max_retries=server.retries
        )
        self._create: Any = client.chat.completions.create

    def ask(self, messages: Sequence[Message], wanted: type[Answer]) -> Answer:
        """An answer of the wanted type. Raises LLMError if the server gives no answer, refuses, or never fits it."""
        chat = [_as_dict(message) for message in messages]
        fault = ""
        for _ in range(1 + REPAIRS):
            text = self._reply(chat, wanted)
            try:
                return parse(text, wanted)
            except ValueError as error:
                fault = str(error)
            chat += [
                {"role": "assistant", "content": text[:8000]},
                {"role": "user", "content": f"That cannot be used: {fault}. Answer again with one JSON object only."},
            ]
        raise LLMError(f"the answer never fitted: {fault}")

    def _reply(self, chat: list[dict[str, Any]], wanted: type[BaseModel]) -> str:
        while True:
            mode = self._modes[0]
            self.budget.take()
            try:
                completion = self._create(
                    model=self.server.model,
                    messages=[*chat[:1], *_plain_schema(wanted), *chat[1:]] if mode == "prompt" else chat,
                    temperature=0.0,
                    max_tokens=MAX_ANSWER_TOKENS,
                    **_held_to(mode, wanted),
                )
            except self._openai.APITimeoutError as error:
                raise LLMError(f"no answer within {self.server.timeout:g} s") from error
            except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
                if len(self._modes) == 1:
                    raise LLMError(f"the server refuses the request (HTTP {error.status_code})") from error
                self._modes.pop(0)
                continue
            except self._openai.APIStatusError as error:
                raise LLMError(f"the server answers with HTTP {error.status_code}") from error
            except self._openai.APIConnectionError as error:
                raise LLMError("the server cannot be reached") from error
            except (self._openai.OpenAIError, ValueError, TypeError) as error:
                raise LLMError(f"the reply cannot be read ({type(error).__name__})") from error
            return self._text_of(completion)

    def _text_of(self, completion: Any) -> str:
        usage = getattr(completion, "usage", None)
        self.budget.tokens -= int(getattr(usage, "total_tokens", 0) or 0)
        choices = getattr(completion, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise LLMError("the reply holds no message")
        choice, message = choices[0], choices[0].message
        if getattr(message, "refusal", None):
            raise LLMError("the model refuses")
        if choice.finish_reason == "length":
            raise LLMError("the answer was cut off")
        calls = getattr(message, "tool_calls", None)
        text = calls[0].function.arguments if calls else message.content
        if not isinstance(text, str) or not text.strip():
            raise LLMError("the answer is empty")
        return text


def _as_dict(message: Message) -> dict[str, Any]:
    if not message.attachments:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}]
    for part in message.attachments:
        if part.kind == "image":
            parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{part.base64}"}})
        else:
            parts.append({"type": "input_audio", "input_audio": {"data": part.base64, "format": "wav"}})
    return {"role": message.role, "content": parts}


def _held_to(mode: SchemaMode, wanted: type[BaseModel]) -> dict[str, Any]:
    """The arguments of a request that hold the reply to the schema."""
    name, schema = wanted.__name__, wanted.model_json_schema()
    if mode == "schema":
        return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}}
    if mode == "tool":
        tool = {"type": "function", "function": {"name": name, "parameters": schema}}
        return {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": name}}}
    return {}


def _plain_schema(wanted: type[BaseModel]) -> list[dict[str, Any]]:
    schema = json.dumps(wanted.model_json_schema(), separators=(",", ":"))
    return [
        {"role": "system", "content": f"Answer with one JSON object that fits this schema, and nothing else: {schema}"}
    ]
