"""Language models over real HTTP on loopback: whatever a server does, there is an answer or one clear error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dramatis.errors import UserError
from dramatis.llm import Attachment, Budget, LLMError, Message, OpenAIChat, Server
from tests.dramatis.llm.server import FAILURES, KEY, Fake, Number, ask, chat, said


def test_a_schema_is_asked_for_first_and_the_key_travels_in_the_header_alone(server: Fake) -> None:
    server.script = lambda request, count: (200, said('{"number": 7}'))
    assert ask(chat(server)).number == 7
    [request] = server.requests
    assert request["response_format"]["json_schema"]["schema"] == Number.model_json_schema()
    assert request["model"] == "some-model"
    assert request["temperature"] == 0.0
    assert server.keys == [f"Bearer {KEY}"]
    assert KEY not in json.dumps(request)


def test_what_a_server_cannot_do_is_tried_once(server: Fake) -> None:
    def script(request: dict[str, Any], count: int) -> tuple[int, Any]:
        if "response_format" in request:
            return 400, {"error": {"message": "response_format is not supported"}}
        if "tools" in request:
            return 422, {"error": {"message": "no tools"}}
        return 200, said('Sure! Here it is:\n```json\n{"number": 3}\n```')

    server.script = script
    llm = chat(server)
    assert [ask(llm).number, ask(llm).number] == [3, 3]
    assert len(server.requests) == 4, "the third way is remembered"
    assert "schema" in json.dumps(server.requests[-1]["messages"])


def test_a_tool_call_is_an_answer(server: Fake) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "Number", "arguments": '{"number": 5}'}}
    server.script = lambda request, count: (
        (200, said(None, message={"tool_calls": [call]}, finish="tool_calls"))
        if "tools" in request
        else (400, {"error": {"message": "no"}})
    )
    assert ask(chat(server)).number == 5


def test_a_wrong_answer_is_sent_back_with_what_is_wrong(server: Fake) -> None:
    answers = iter(['{"number": "many"}', "no json at all", '{"number": 2}'])
    server.script = lambda request, count: (200, said(next(answers)))
    assert ask(chat(server)).number == 2
    complaints = [request["messages"][-1]["content"] for request in server.requests[1:]]
    assert "number" in complaints[0]
    assert "no JSON object" in complaints[1]


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_one_error_without_the_key(server: Fake, name: str) -> None:
    server.script, words = FAILURES[name]
    with pytest.raises(LLMError, match=words) as caught:
        ask(chat(server, timeout=0.4 if name == "slow" else 2.0))
    assert KEY not in str(caught.value)


def test_a_server_that_is_not_there(server: Fake) -> None:
    gone = OpenAIChat(Server("http://127.0.0.1:9/v1", "m", timeout=1.0, retries=0))
    with pytest.raises(LLMError, match="cannot be reached"):
        ask(gone)
    with pytest.raises(UserError, match="http://"):
        Server("localhost:8000", "m")


@pytest.mark.parametrize(
    ("limits", "spent"), [({"calls": 2}, "calls"), ({"tokens": 15}, "tokens"), ({"seconds": 0}, "seconds")]
)
def test_a_budget_ends_the_talk(server: Fake, limits: dict[str, int], spent: str) -> None:
    budget = Budget(**limits)
    server.script = lambda request, count: (200, said('{"number": 1}'))
    llm = chat(server, budget=budget)
    with pytest.raises(LLMError, match=f"budget of {spent}"):  # noqa: PT012 - which call fails is not told beforehand
        for _ in range(5):
            ask(llm)
    assert len(server.requests) <= 2


def test_time_before_the_first_call_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("dramatis.llm.client.time.monotonic", lambda: now)
    budget = Budget(seconds=10)
    now = 1000.0  # a long recording was heard meanwhile
    budget.take()
    now = 1009.0
    budget.take()
    now = 1011.0
    with pytest.raises(LLMError, match="budget of seconds"):
        budget.take()


def test_pictures_and_sounds_travel_as_parts(server: Fake) -> None:
    server.script = lambda request, count: (200, said('{"number": 1}'))
    parts = (Attachment("image", b"png"), Attachment("audio", b"wav"))
    chat(server).ask([Message("user", "look", parts)], Number)
    kinds = [part["type"] for part in server.requests[0]["messages"][0]["content"]]
    assert kinds == ["text", "image_url", "input_audio"]
