"""What clients bring into turns: tools, answers, items of the history, settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from app_server_client import ServerProcess, shapes

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
LOOK_UP = {
    "name": "look_up",
    "description": "Look something up",
    "inputSchema": {"type": "object", "properties": {"x": {"type": "string"}}},
}
CALL = "item/tool/call"
INPUT = "item/tool/requestUserInput"
QUESTION = {"id": "q1", "header": "Head", "question": "Which?", "options": [{"label": "A", "description": "a"}]}


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def outputs(model: ResponsesServer) -> dict[str, Any]:
    """Return the outputs of calls in the last request, by call."""
    items = model.turns[-1].body["input"]
    return {item["call_id"]: item["output"] for item in items if item["type"].endswith("_output")}


def look_up(name: str, arguments: Any) -> list[dict[str, Any]]:
    return [{"call": "look_up", "args": arguments, "call_id": name}]


def completed(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    items = [message["params"]["item"] for message in messages if message.get("method") == "item/completed"]
    return [item for item in items if item["type"] == kind]


def mode(name: str, instructions: str | None = None, effort: str | None = None, model: str = "m") -> dict[str, Any]:
    settings = {"model": model, "reasoning_effort": effort, "developer_instructions": instructions}
    return {"mode": name, "settings": settings}


async def test_a_tool_of_the_client_is_called_by_the_model(tmp_path: Path, model: ResponsesServer) -> None:
    model.play(
        [
            look_up("good", {"x": "1"}),
            look_up("no json", "x"),
            look_up("error", {"x": "3"}),
            look_up("nonsense", {"x": "4"}),
            look_up("failed", {"x": "5"}),
            [{"say": "end"}],
        ]
    )
    image = {"type": "inputImage", "imageUrl": "data:image/png;base64,iVBORw0KGgo="}
    answers: list[dict[str, Any]] = [
        {"result": {"contentItems": [{"type": "inputText", "text": "hello"}, image], "success": True}},
        {"error": {"code": -5, "message": "broken"}},
        {"result": {"nonsense": 1}},
        {"result": {"contentItems": [{"type": "inputText", "text": "not found"}], "success": False}},
    ]
    asked: list[dict[str, Any]] = []

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        asked.append(params)
        return answers.pop(0)

    async with ServerProcess(tmp_path, model.url) as client:
        client.answers[CALL] = answer
        thread_id = await client.thread(dynamicTools=[LOOK_UP])
        messages = await client.turn(thread_id)
        log = client.log()

    spec = next(tool for tool in model.turns[0].body["tools"] if tool.get("name") == "look_up")
    assert spec == {
        "type": "function",
        "name": "look_up",
        "description": "Look something up",
        "strict": False,
        "parameters": LOOK_UP["inputSchema"],
    }
    assert [params["callId"] for params in asked] == ["good", "error", "nonsense", "failed"]
    assert (asked[0]["tool"], asked[0]["arguments"], asked[0]["threadId"]) == ("look_up", {"x": "1"}, thread_id)
    found = outputs(model)
    assert found["good"] == [
        {"type": "input_text", "text": "hello"},
        {"type": "input_image", "image_url": image["imageUrl"]},
    ]
    assert found["no json"].startswith("failed to parse function arguments: ")
    assert (found["error"], found["nonsense"]) == ("dynamic tool request failed", "dynamic tool response was invalid")
    assert found["failed"] == "not found"
    items = {item["id"]: item for item in completed(messages, "dynamicToolCall")}
    assert {name: item["status"] for name, item in items.items()} == {
        "good": "completed",
        "error": "failed",
        "nonsense": "failed",
        "failed": "failed",
    }
    assert items["good"]["contentItems"] == [{"type": "inputText", "text": "hello"}, image]
    assert items["error"]["contentItems"] == [{"type": "inputText", "text": "dynamic tool request failed"}]
    around = shapes(messages)
    start = around.index("item/started dynamicToolCall inProgress")
    assert around[start + 1 : start + 3] == [CALL, "item/completed dynamicToolCall completed"]
    assert f"the client's answer to {CALL} is not valid" in log


async def test_tools_of_the_client_are_kept_with_the_thread(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread(dynamicTools=[LOOK_UP])
        await client.turn(thread_id)
    model.play([look_up("again", {}), [{"say": "end"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        client.answers[CALL] = {"result": {"contentItems": [{"type": "inputText", "text": "here"}], "success": True}}
        await client.ask("thread/resume", {"threadId": thread_id})
        await client.turn(thread_id)

    assert outputs(model)["again"] == [{"type": "input_text", "text": "here"}]


async def test_a_tool_with_the_name_of_a_built_in_one_is_left_out(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([[{"sh": {"cmd": "echo built in"}, "call_id": "c"}], [{"say": "end"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread(dynamicTools=[{**LOOK_UP, "name": "exec_command"}, LOOK_UP])
        await client.thread()
        messages = await client.turn(thread_id)
        warnings = [message["params"] for message in messages if message.get("method") == "warning"]

    told = "the client's tool exec_command is left out: plugin tool-exec offers one of that name"
    assert [(warning["threadId"], warning["message"]) for warning in warnings] == [(thread_id, told)]
    names = [tool.get("name") for tool in model.turns[0].body["tools"]]
    assert (names.count("exec_command"), names.count("look_up")) == (1, 1)
    assert "built in" in outputs(model)["c"]


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ([LOOK_UP, LOOK_UP], "duplicate dynamic tool name: look_up"),
        ([{**LOOK_UP, "name": ""}], "dynamic tool name must not be empty"),
        ([{**LOOK_UP, "name": "mcp__x"}], "dynamic tool name is reserved: mcp__x"),
        ([{**LOOK_UP, "name": " a"}], "dynamic tool name has leading/trailing whitespace:  a"),
        (
            [{**LOOK_UP, "name": "a b"}],
            "dynamic tool name must match ^[a-zA-Z0-9_-]+$ to match Responses API: a b",
        ),
        (
            [{"type": "namespace", "name": "ns", "description": "d", "tools": [LOOK_UP]}],
            "Invalid request: missing field `inputSchema`",
        ),
        ([{"name": "x", "description": "d"}], "Invalid request: missing field `inputSchema`"),
    ],
)
async def test_tools_that_can_not_be_offered_are_refused(
    tmp_path: Path, model: ResponsesServer, tools: list[Any], message: str
) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        refusal = await client.ask("thread/start", {"dynamicTools": tools})
        accepted = await client.ask("thread/start", {"dynamicTools": []})

    assert refusal == {"code": -32600, "message": message}
    assert "thread" in accepted


async def test_an_interrupted_call_of_a_clients_tool_ends_its_item(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([look_up("long", {})])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread(dynamicTools=[LOOK_UP])
        turn_id = await client.begin(thread_id)
        await client.until(CALL)
        assert await client.ask("turn/interrupt", {"threadId": thread_id, "turnId": turn_id}) == {}
        await client.until("turn/completed")
        [item] = completed(client.messages, "dynamicToolCall")

    assert (item["status"], item["contentItems"]) == ("failed", [])


async def test_questions_are_put_to_the_user_in_plan_mode_only(tmp_path: Path, model: ResponsesServer) -> None:
    ask = [{"call": "request_user_input", "args": {"questions": [QUESTION]}, "call_id": "c"}]
    model.play(
        [
            [{**ask[0], "call_id": name}] if name else [{"say": "end"}]
            for name in ("default", "", "plan", "", "kept", "")
        ]
    )
    async with ServerProcess(tmp_path, model.url) as client:
        client.answers[INPUT] = {"result": {"answers": {"q1": {"answers": ["A"]}}}}
        thread_id = await client.thread()
        await client.turn(thread_id)
        messages = await client.turn(thread_id, collaborationMode=mode("plan"))
        client.answers[INPUT] = {"error": {"code": 1, "message": "no"}}
        await client.turn(thread_id)

    assert outputs(model) == {
        "default": "request_user_input is unavailable in Default mode",
        "plan": '{"answers":{"q1":{"answers":["A"]}}}',
        "kept": '{"answers":{}}',
    }
    around = shapes(messages)
    at = around.index(INPUT)
    assert around[at - 1 : at + 3] == [
        "thread/status/changed active waitingOnUserInput",
        INPUT,
        "serverRequest/resolved",
        "thread/status/changed active",
    ]
    params = next(message["params"] for message in messages if message.get("method") == INPUT)
    assert params["itemId"] == "plan"
    assert params["questions"] == [{**QUESTION, "isOther": True, "isSecret": False}]
    assert params["isBlocking"] is True


def modes(model: ResponsesServer, number: int) -> list[str]:
    """Return the texts about modes in a request."""
    items = model.turns[number].body["input"]
    texts = [part["text"] for item in items if item.get("role") == "developer" for part in item["content"]]
    return [text for text in texts if text.startswith("<collaboration_mode>")]


async def test_a_mode_reaches_the_model_when_it_changes_and_its_settings_win(
    tmp_path: Path, model: ResponsesServer
) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        await client.turn(thread_id, collaborationMode=mode("plan"))
        await client.turn(thread_id)
        own = mode("default", "MY OWN", effort="low", model="other")
        await client.turn(thread_id, collaborationMode=own, model="gpt-5.2-codex", effort="high")
        await client.turn(thread_id, collaborationMode=mode("default", model="other"))
        bad = await client.ask(
            "turn/start", {"threadId": thread_id, "input": [], "collaborationMode": {"mode": "plan"}}
        )

    assert [len(modes(model, number)) for number in range(4)] == [1, 1, 2, 3]
    assert "plan mode" in modes(model, 0)[0]
    assert modes(model, 2)[1] == "<collaboration_mode>MY OWN</collaboration_mode>"
    assert "default mode" in modes(model, 3)[2]
    bodies = [turn.body for turn in model.turns]
    assert (bodies[2]["model"], bodies[2]["reasoning"]["effort"]) == ("other", "low")
    assert (bodies[3].get("reasoning") or {}).get("effort") != "low"
    assert "turn" in bad or bad["code"] == -32600


async def test_items_of_a_client_join_the_history(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([[{"say": "one"}], [{"delay": 1}, {"say": "two"}], [{"say": "three"}]])

    def text(role: str, content: str) -> dict[str, Any]:
        kind = "output_text" if role == "assistant" else "input_text"
        return {"type": "message", "role": role, "content": [{"type": kind, "text": content}]}

    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()

        async def inject(*items: Any) -> Any:
            return await client.ask("thread/inject_items", {"threadId": thread_id, "items": list(items)})

        empty = await inject()
        broken = await inject(text("assistant", "x"), {"type": "message"})
        words = await inject("x")
        unknown = await inject({"type": "zork"})
        assert await inject(text("assistant", "before")) == {}
        await client.turn(thread_id)
        await client.begin(thread_id)
        model.wait_for_turns(2)
        assert await inject(text("user", "meanwhile")) == {}
        await client.until("turn/completed")
        shown = json.dumps(client.messages)

    assert empty == {"code": -32600, "message": "items must not be empty"}
    assert broken["message"].startswith("items[1] is not a valid response item: missing field `")
    assert words["message"] == (
        'items[0] is not a valid response item: invalid type: string "x", expected internally tagged enum ResponseItem'
    )
    assert unknown == {}
    history = [part["text"] for item in model.turns[-1].body["input"] for part in item.get("content") or []]
    order = [text for text in history if text in ("before", "one", "two", "meanwhile", "x")]
    assert order == ["before", "one", "two", "meanwhile"]
    assert len(model.turns) == 3
    assert "before" not in shown
    assert "meanwhile" not in shown


async def test_overrides_hold_for_later_turns_and_a_schema_for_one(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        (client.ws / "sub").mkdir()
        schema = {"type": "object"}
        overrides: dict[str, Any] = {
            "cwd": "sub",
            "approvalPolicy": "on-request",
            "approvalsReviewer": "auto_review",
            "sandboxPolicy": {"type": "workspaceWrite", "writableRoots": ["/opt"], "networkAccess": True},
            "model": "gpt-5.1",
            "effort": "low",
            "summary": "concise",
            "serviceTier": "flex",
            "personality": "friendly",
            "outputSchema": schema,
        }
        await client.turn(thread_id, **overrides)
        await client.turn(thread_id)
        resumed = await client.ask("thread/resume", {"threadId": thread_id})
        refused = {}
        for name, value in {
            "sandboxPolicy": {"type": "bogus"},
            "approvalPolicy": "sometimes",
            "approvalsReviewer": "me",
            "summary": "bogus",
            "personality": "bogus",
        }.items():
            content = [{"type": "text", "text": "x"}]
            answer = await client.ask("turn/start", {"threadId": thread_id, "input": content, name: value})
            refused[name] = answer.get("message", "")

    first, second = (turn.body for turn in model.turns)
    for body in (first, second):
        assert (body["model"], body["service_tier"]) == ("gpt-5.1", "flex")
        assert body["reasoning"] == {"effort": "low", "summary": "concise"}
    assert first["text"]["format"]["schema"] == schema
    assert "format" not in (second.get("text") or {})
    assert resumed["cwd"] == str(client.ws / "sub")
    assert (resumed["approvalPolicy"], resumed["approvalsReviewer"]) == ("on-request", "auto_review")
    assert resumed["sandbox"]["writableRoots"] == ["/opt"]
    assert {name: message.partition("unknown variant")[1] != "" for name, message in refused.items()} == dict.fromkeys(
        refused, True
    )
