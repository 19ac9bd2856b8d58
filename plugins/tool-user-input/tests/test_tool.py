"""Questions to clients, and their answers for the model."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs.errors import RpcError, ToolError
from codex_hookspecs.tools import ToolCall
from codex_tool_user_input.plugin import tools

pytestmark = pytest.mark.anyio

HOST = SimpleNamespace(logger=logging.getLogger)
QUESTION = {"id": "q", "header": "Head", "question": "Which?", "options": [{"label": "A", "description": "a"}]}


class Context:
    """The part of a tool context that the tool uses, with the client's answer."""

    turn_id = "turn-1"
    thread = SimpleNamespace(id="thread-1")

    def __init__(self, answer: Any = None, mode: str | None = "plan") -> None:
        self.settings = SimpleNamespace(collaboration_mode=None if mode is None else {"mode": mode})
        self.asked: list[tuple[str, Any]] = []
        self._answer = answer

    async def ask_client(self, method: str, params: Any) -> Any:
        self.asked.append((method, params))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def call(context: Context, arguments: Any) -> str:
    (tool,) = tools(HOST)
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return (await tool.run(ToolCall(call_id="c", name="request_user_input", arguments=text), context)).text


async def test_questions_go_to_the_client_and_answers_to_the_model():
    context = Context({"answers": {"q": {"answers": ["A", "more"]}}})

    output = await call(context, {"questions": [QUESTION]})

    assert output == '{"answers":{"q":{"answers":["A","more"]}}}'
    [(method, params)] = context.asked
    assert method == "item/tool/requestUserInput"
    assert params == {
        "threadId": "thread-1",
        "turnId": "turn-1",
        "itemId": "c",
        "questions": [{**QUESTION, "isOther": True, "isSecret": False}],
        "isBlocking": True,
    }


@pytest.mark.parametrize("answer", [RpcError("no"), None, [], {"answers": []}, {"answers": {"q": "A"}}])
async def test_an_error_and_an_invalid_answer_count_as_no_answer(answer: Any):
    assert await call(Context(answer), {"questions": [QUESTION]}) == '{"answers":{}}'


@pytest.mark.parametrize("mode", [None, "default"])
async def test_outside_of_plan_mode_nobody_is_asked(mode: str | None):
    context = Context(mode=mode)

    with pytest.raises(ToolError, match=r"^request_user_input is unavailable in Default mode$"):
        await call(context, {"questions": [QUESTION]})

    assert context.asked == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"questions": [{**QUESTION, "options": []}]}, "requires non-empty options for every question"),
        ({"questions": [{"id": "q", "header": "h", "question": "?"}]}, "requires non-empty options"),
        ({}, "field `questions`"),
        ({"questions": [{**QUESTION, "id": 5}]}, "field `id`"),
        ({"questions": [{**QUESTION, "options": [{"label": "A"}]}]}, "field `description`"),
        ("no json", "failed to parse function arguments"),
        ("[]", "failed to parse function arguments"),
    ],
)
async def test_invalid_questions_are_refused_without_asking(arguments: Any, reason: str):
    context = Context()

    with pytest.raises(ToolError, match=reason):
        await call(context, arguments)

    assert context.asked == []
