"""A language model server on loopback whose every answer a test decides."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from dramatis.llm import Message, OpenAIChat, Server

KEY = "sk-very-secret-0123456789"
Reply = dict[str, Any]
Script = Callable[[dict[str, Any], int], tuple[int, Any]]


class Number(BaseModel):
    number: int


class Fake:
    """A server that speaks the chat-completions protocol; `script(request, count)` decides on every answer."""

    def __init__(self) -> None:
        self.script: Script = lambda request, count: (200, said("{}"))
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    port: int


def said(content: str | None, **more: Any) -> Reply:
    """A completion with that content."""
    message = {"role": "assistant", "content": content} | more.pop("message", {})
    choice = {"index": 0, "finish_reason": more.pop("finish", "stop"), "message": message}
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": more.pop("tokens", 10)}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.setenv("DRAMATIS_LLM_API_KEY", KEY)
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.requests.append(body)
            fake.keys.append(self.headers["Authorization"])
            status, answer = fake.script(body, len(fake.requests))
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            with suppress(ConnectionError):  # a client that gave up waiting has hung up
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        fake.port = http.server_port
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield fake
        http.shutdown()
        thread.join()


def chat(server: Fake, **more: Any) -> OpenAIChat:
    budget = more.pop("budget", None)
    settings = {"timeout": 2.0, "retries": 0} | more
    return OpenAIChat(Server(server.url, "some-model", **settings), budget)


def ask(llm: OpenAIChat) -> Number:
    return llm.ask([Message("system", "be brief"), Message("user", "which?")], Number)


def _late(request: Any, count: int) -> tuple[int, Reply]:
    time.sleep(1.2)
    return 200, said("{}")


FAILURES: dict[str, tuple[Script, str]] = {
    "never fits": (lambda request, count: (200, said("[1, 2]")), "never fitted"),
    "malformed body": (lambda request, count: (200, b"<html>gateway</html>"), "cannot be read"),
    "truncated": (lambda request, count: (200, said('{"number": 1', finish="length")), "cut off"),
    "empty": (lambda request, count: (200, said("  ")), "empty"),
    "no choices": (lambda request, count: (200, said("x") | {"choices": []}), "no message"),
    "refusal": (lambda request, count: (200, said(None, message={"refusal": "I will not."})), "refuses"),
    "server error": (lambda request, count: (503, {"error": {"message": KEY}}), "HTTP 503"),
    "unauthorised": (lambda request, count: (401, {"error": {"message": f"bad key {KEY}"}}), "HTTP 401"),
    "slow": (_late, "no answer within"),
}
