"""Threads and turns as a client on the wire sees them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codex_hookspecs import Tool, hookimpl

pytestmark = pytest.mark.anyio
MISSING = "No such file or directory"


def shape(messages: list[dict[str, Any]]) -> list[str]:
    """Return method, and kind of item or status, of each message."""
    seen = []
    for message in messages:
        params = message["params"]
        detail = params.get("item", params.get("status", {})).get("type", "")
        detail = params["turn"]["status"] if "turn" in params else detail
        seen.append(f"{message['method']} {detail}".strip())
    return seen


async def test_the_answer_comes_before_the_turns_messages(connect, model) -> None:
    client = await connect(model=model("hello"))
    thread_id = await client.thread()

    messages = await client.turn(thread_id)

    assert client.last == []
    assert shape(messages) == [
        "thread/status/changed active",
        "turn/started inProgress",
        "item/started userMessage",
        "item/completed userMessage",
        "item/started agentMessage",
        "item/agentMessage/delta",
        "item/completed agentMessage",
        "thread/tokenUsage/updated",
        "thread/status/changed idle",
        "turn/completed completed",
    ]


async def test_thread_start_tells_the_settings_in_force(connect) -> None:
    client = await connect()

    opened = await client.result("thread/start", {"approvalPolicy": "never", "sandbox": "read-only", "model": "m"})

    assert opened["thread"]["source"] == "vscode"
    assert opened["thread"]["sessionId"] == opened["thread"]["id"]
    assert opened["thread"]["turns"] == []
    assert opened["model"] == "m"
    assert opened["approvalPolicy"] == "never"
    assert opened["sandbox"] == {"type": "readOnly", "access": {"type": "fullAccess"}, "networkAccess": False}


async def test_a_turn_can_change_the_settings_and_a_schema_holds_for_one_turn(connect, model) -> None:
    agent = model("one", "two")
    client = await connect(model=agent)
    thread_id = await client.thread()
    schema = {"type": "object"}

    await client.turn(thread_id, outputSchema=schema, model="other", effort="high")
    await client.turn(thread_id)

    first, second = agent.requests
    assert (first.model, first.output_schema) == ("other", schema)
    assert (second.model, second.output_schema) == ("other", None)


async def test_null_clears_the_service_tier_and_an_absent_one_stays(connect, model) -> None:
    agent = model("one", "two", "three", "four")
    client = await connect(model=agent)
    thread_id = await client.thread(serviceTier="fast")

    await client.turn(thread_id)
    await client.turn(thread_id, serviceTier=None)
    await client.turn(thread_id)
    unchanged = await client.result("thread/fork", {"threadId": thread_id, "serviceTier": "flex"})
    cleared = await client.result("thread/fork", {"threadId": unchanged["thread"]["id"], "serviceTier": None})

    assert [request.service_tier for request in agent.requests] == ["fast", None, None]
    assert (unchanged["serviceTier"], cleared["serviceTier"]) == ("flex", None)


async def test_a_turn_can_not_move_to_a_directory_that_is_not_there(connect, model) -> None:
    client = await connect(model=model("fine"))
    thread_id = await client.thread()
    params = {"threadId": thread_id, "input": [{"type": "text", "text": "x"}], "cwd": "/nope"}

    refusal = await client.refusal("turn/start", params)
    messages = await client.turn(thread_id)

    assert refusal == (-32600, "working directory /nope does not exist or is not a directory")
    assert shape(messages)[-1] == "turn/completed completed"


async def test_a_turn_can_not_restrict_what_is_read(connect) -> None:
    client = await connect()
    thread_id = await client.thread()
    text = {"type": "text", "text": "go"}
    policy = {"type": "readOnly", "access": {"type": "restricted", "readableRoots": ["/a"]}}

    refusal = await client.refusal("turn/start", {"threadId": thread_id, "input": [text], "sandboxPolicy": policy})

    assert refusal == (-32600, "sandboxPolicy: restricted read access is not supported; use `fullAccess`")


async def test_only_subscribers_see_items_but_all_see_the_status(connect, model) -> None:
    client = await connect(model=model("hello"))
    thread_id = await client.thread()
    other = await connect()

    await client.turn(thread_id)
    await other.result("thread/loaded/list", {})

    assert {message["method"] for message in other.last} == {"thread/status/changed"}


async def test_a_failed_turn_ends_with_the_same_error_twice_and_the_thread_stays_usable(connect, model) -> None:
    client = await connect(model=model([{"failed": ["invalid_prompt", "nope"]}], "fine"))
    thread_id = await client.thread()

    failed = await client.turn(thread_id)
    fine = await client.turn(thread_id)

    assert shape(failed)[-3:] == ["thread/status/changed systemError", "error", "turn/completed failed"]
    assert failed[-2]["params"]["error"] == failed[-1]["params"]["turn"]["error"]
    assert fine[-1]["params"]["turn"]["status"] == "completed"


async def test_an_interrupted_turn_says_so_after_the_answer(connect, model) -> None:
    client = await connect(model=model([{"say": "begin"}, {"sleep": 60}]))
    thread_id = await client.thread()
    begun = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    await client.until("item/completed")

    assert await client.result("turn/interrupt", {"threadId": thread_id, "turnId": begun["turn"]["id"]}) == {}
    messages = await client.until("turn/completed")

    assert shape(messages)[-2:] == ["thread/status/changed idle", "turn/completed interrupted"]


async def test_interrupting_nothing_or_another_turn_is_refused(connect, model) -> None:
    client = await connect(model=model([{"sleep": 60}]))
    thread_id = await client.thread()
    target = {"threadId": thread_id, "turnId": "x"}

    assert await client.refusal("turn/interrupt", target) == (-32600, "no active turn to interrupt")
    begun = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    turn_id = begun["turn"]["id"]
    assert await client.refusal("turn/interrupt", target) == (
        -32600,
        f"expected active turn id `x` but found `{turn_id}`",
    )


async def test_steering_joins_the_running_turn(connect, model) -> None:
    client = await connect(model=model([{"say": "one"}, {"sleep": 0.2}], "two"))
    thread_id = await client.thread()
    text = [{"type": "text", "text": "also"}]
    begun = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    turn_id = begun["turn"]["id"]

    wrong = await client.refusal("turn/steer", {"threadId": thread_id, "input": text, "expectedTurnId": "x"})
    empty = await client.refusal("turn/steer", {"threadId": thread_id, "input": [], "expectedTurnId": turn_id})
    right = await client.result("turn/steer", {"threadId": thread_id, "input": text, "expectedTurnId": turn_id})
    messages = await client.until("turn/completed")
    late = await client.refusal("turn/steer", {"threadId": thread_id, "input": text, "expectedTurnId": turn_id})

    assert wrong == (-32600, f"expected active turn id `x` but found `{turn_id}`")
    assert empty == (-32600, "input must not be empty")
    assert right == {"turnId": turn_id}
    assert "item/completed userMessage" in shape(messages)
    assert late == (-32600, "no active turn to steer")


async def test_a_turn_without_input_fails_after_its_answer_and_never_completes(connect) -> None:
    client = await connect()
    thread_id = await client.thread()

    begun = await client.result("turn/start", {"threadId": thread_id, "input": []})
    status, notice = await client.next(), await client.next()

    assert begun["turn"]["status"] == "inProgress"
    assert status["params"]["status"] == {"type": "systemError"}
    assert notice["method"] == "error"
    assert notice["params"]["error"]["codexErrorInfo"] == "badRequest"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({}, "Invalid request: missing field `type`"),
        ({"type": "text"}, "Invalid request: missing field `text`"),
        ({"type": "text", "text": 5}, "Invalid request: invalid type: integer `5`, expected a string"),
        (
            {"type": "smell"},
            "Invalid request: unknown variant `smell`, expected one of "
            "`text`, `image`, `localImage`, `skill`, `mention`",
        ),
    ],
)
async def test_inputs_are_checked(connect, part: dict[str, Any], message: str) -> None:
    client = await connect()
    thread_id = await client.thread()

    assert await client.refusal("turn/start", {"threadId": thread_id, "input": [part]}) == (-32600, message)


async def test_a_message_with_an_image_that_is_not_there_is_kept(connect, model) -> None:
    client = await connect(model=(script := model("I see none")))
    thread_id = await client.thread()
    image = {"type": "localImage", "path": "/nope.png"}
    await client.result("turn/start", {"threadId": thread_id, "input": [image]})

    messages = await client.until("turn/completed")

    assert "item/completed userMessage" in shape(messages)
    assert shape(messages)[-1] == "turn/completed completed"
    read = await client.result("thread/read", {"threadId": thread_id, "includeTurns": True})
    assert read["thread"]["turns"][0]["items"][0]["content"] == [image]
    told = script.requests[0].input[-1]["content"]
    assert told == [{"type": "input_text", "text": f"Codex could not read the local image at `/nope.png`: {MISSING}"}]


async def test_a_turn_is_interrupted_by_the_id_of_an_input_that_joined_it(connect, model) -> None:
    client = await connect(model=model([{"say": "begin"}, {"sleep": 60}]))
    thread_id = await client.thread()
    text = [{"type": "text", "text": "go"}]
    first = (await client.result("turn/start", {"threadId": thread_id, "input": text}))["turn"]["id"]
    await client.until("item/completed")
    joined = (await client.result("turn/start", {"threadId": thread_id, "input": text}))["turn"]["id"]

    other = await client.refusal("turn/interrupt", {"threadId": thread_id, "turnId": "x"})
    assert await client.result("turn/interrupt", {"threadId": thread_id, "turnId": joined}) == {}
    ended = (await client.until("turn/completed"))[-1]["params"]["turn"]

    assert joined != first
    assert other == (-32600, f"expected active turn id `x` but found `{first}`")
    assert (ended["id"], ended["status"]) == (first, "interrupted")


async def test_the_texts_of_an_input_are_limited_together(connect) -> None:
    client = await connect()
    thread_id = await client.thread()
    most = {"type": "text", "text": "é" * (1 << 20)}
    picture = {"type": "localImage", "path": "/a/picture"}
    more = {"threadId": thread_id, "input": [most, picture, {"type": "text", "text": "ab"}]}
    refusal = {
        "code": -32602,
        "message": "Input exceeds the maximum length of 1048576 characters.",
        "data": {"input_error_code": "input_too_large", "max_chars": 1048576, "actual_chars": 1048578},
    }

    assert (await client.ask("turn/start", more))["error"] == refusal
    assert (await client.ask("turn/start", {**more, "threadId": "x"}))["error"] == refusal
    assert (await client.ask("turn/steer", {**more, "expectedTurnId": "x"}))["error"] == refusal
    assert await client.refusal("turn/steer", {**more, "expectedTurnId": ""}) == (
        -32600,
        "expectedTurnId must not be empty",
    )
    assert await client.refusal("turn/steer", {**more, "input": [most], "expectedTurnId": "x"}) == (
        -32600,
        "no active turn to steer",
    )
    assert (await client.turn(thread_id, most["text"]))[-1]["params"]["turn"]["status"] == "completed"


async def test_compaction_is_answered_and_its_turn_says_that_there_is_none(connect, model) -> None:
    agent = model("one", "two")
    client = await connect(model=agent)
    thread_id = await client.thread()
    await client.turn(thread_id, "first")

    assert await client.result("thread/compact/start", {"threadId": thread_id}) == {}
    messages = await client.until("turn/completed")
    await client.turn(thread_id, "second")

    reason = {"message": "compaction is not part of this version", "codexErrorInfo": "other", "additionalDetails": None}
    assert shape(messages) == [
        "thread/status/changed active",
        "turn/started inProgress",
        "thread/status/changed systemError",
        "error",
        "turn/completed failed",
    ]
    assert messages[3]["params"]["error"] == messages[4]["params"]["turn"]["error"] == reason
    assert messages[3]["params"]["willRetry"] is False
    assert {message["params"]["turn"]["id"] for message in (messages[1], messages[4])} == {
        messages[3]["params"]["turnId"]
    }
    assert agent.requests[1].input[: len(agent.requests[0].input)] == agent.requests[0].input
    assert len(agent.requests[1].input) == len(agent.requests[0].input) + 2
    unknown = "00000000-0000-7000-8000-000000000000"
    assert await client.refusal("thread/compact/start", {"threadId": unknown}) == (
        -32600,
        f"thread not found: {unknown}",
    )


async def test_compaction_during_a_turn_leaves_its_status_alone(connect, model) -> None:
    client = await connect(model=model([{"say": "begin"}, {"sleep": 60}]))
    thread_id = await client.thread()
    begun = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    await client.until("item/completed")
    await client.until("item/completed")

    assert await client.result("thread/compact/start", {"threadId": thread_id}) == {}
    messages = await client.until("turn/completed")
    read = await client.result("thread/read", {"threadId": thread_id})

    assert [part for part in shape(messages) if "status" in part] == []
    assert messages[-1]["params"]["turn"]["id"] != begun["turn"]["id"]
    assert read["thread"]["status"]["type"] == "active"


async def test_unknown_threads_are_told_in_the_words_of_each_method(connect) -> None:
    client = await connect()
    unknown = "00000000-0000-7000-8000-000000000000"
    text = [{"type": "text", "text": "x"}]

    assert await client.refusal("turn/start", {"threadId": unknown, "input": text}) == (
        -32600,
        f"thread not found: {unknown}",
    )
    assert await client.refusal("thread/resume", {"threadId": unknown}) == (
        -32600,
        f"no rollout found for thread id {unknown}",
    )
    assert await client.refusal("thread/read", {"threadId": unknown}) == (-32600, f"thread not loaded: {unknown}")
    assert (await client.refusal("thread/read", {"threadId": "x"}))[1].startswith("invalid thread id: ")


async def test_the_last_subscriber_leaving_unloads_the_thread(connect) -> None:
    client = await connect()
    thread_id = await client.thread()

    left = await client.result("thread/unsubscribe", {"threadId": thread_id})
    messages = await client.until("thread/closed")
    again = await client.result("thread/unsubscribe", {"threadId": thread_id})

    assert left == {"status": "unsubscribed"}
    assert shape(messages) == ["thread/status/changed notLoaded", "thread/closed"]
    assert again == {"status": "notLoaded"}


async def test_a_client_that_goes_away_takes_its_idle_threads_along(connect) -> None:
    client = await connect()
    staying = await connect()
    thread_id = await client.thread()

    await client.leave()
    messages = await staying.until("thread/closed")

    assert shape(messages)[-2:] == ["thread/status/changed notLoaded", "thread/closed"]
    assert messages[-1]["params"] == {"threadId": thread_id}
    assert (await staying.result("thread/loaded/list", {}))["data"] == []
    client.transport.to_server.put_nowait(None)


async def test_history_comes_back_with_the_ids_it_had_live(connect, model) -> None:
    client = await connect(model=model("one"))
    thread_id = await client.thread()
    messages = await client.turn(thread_id, "remember")
    live = [message["params"]["item"] for message in messages if message["method"] == "item/completed"]

    read = await client.result("thread/read", {"threadId": thread_id, "includeTurns": True})
    await client.result("thread/unsubscribe", {"threadId": thread_id})
    await client.until("thread/closed")
    resumed = await client.result("thread/resume", {"threadId": thread_id})

    assert read["thread"]["turns"][0]["items"] == live
    assert resumed["thread"]["turns"][0]["items"] == live
    assert resumed["thread"]["preview"] == "remember"


async def test_threads_can_be_listed_named_and_put_away(connect) -> None:
    client = await connect()
    thread_id = await client.thread()
    await client.turn(thread_id, "first")

    named = await client.result("thread/name/set", {"threadId": thread_id, "name": " My work "})
    told = await client.next()
    listed = await client.result("thread/list", {})
    nothing = await client.refusal("thread/name/set", {"threadId": thread_id, "name": "  "})
    await client.result("thread/archive", {"threadId": thread_id})
    archived = await client.until("thread/archived")
    empty = await client.result("thread/list", {})
    back = await client.result("thread/unarchive", {"threadId": thread_id})

    assert named == {}
    assert (told["method"], told["params"]["threadName"]) == ("thread/name/updated", "My work")
    assert [thread["name"] for thread in listed["data"]] == ["My work"]
    assert nothing == (-32600, "thread name must not be empty")
    assert archived[-1]["params"] == {"threadId": thread_id}
    assert empty == {"data": [], "nextCursor": None}
    assert back["thread"]["id"] == thread_id


async def test_a_thread_that_can_not_be_put_away_stays_loaded(connect) -> None:
    client = await connect()
    thread_id = await client.thread()

    refusal = await client.refusal("thread/archive", {"threadId": thread_id})

    assert refusal == (-32600, f"no rollout found for thread id {thread_id}")
    assert (await client.turn(thread_id))[-1]["params"]["turn"]["status"] == "completed"


async def test_two_requests_are_worked_on_at_once(connect, model) -> None:
    client = await connect(model=model([{"sleep": 60}]))
    first, second = await client.thread(), await client.thread()
    await client.result("turn/start", {"threadId": first, "input": [{"type": "text", "text": "long"}]})

    async with asyncio.timeout(5):
        listed = await client.result("thread/loaded/list", {"limit": 1})

    assert listed == {"data": [min(first, second)], "nextCursor": min(first, second)}


class Asking:
    """A plugin whose tool needs consent."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    @hookimpl
    def tools(self, thread: Any) -> list[Tool]:
        async def ask() -> str:
            """Ask."""
            params = {"threadId": thread.id, "turnId": thread.active_turn_id, "itemId": "i"}
            self.answers.append(await thread.clients.request_handler("item/commandExecution/requestApproval", params))
            return "asked"

        return [Tool.from_function(ask)]


async def test_a_question_is_put_between_status_changes_and_then_resolved(connect, model) -> None:
    asking = Asking()
    client = await connect(plugins=[asking], model=model([{"call": "ask", "args": {}}], "end"))
    thread_id = await client.thread()
    await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})

    before = await client.until("item/commandExecution/requestApproval")
    meanwhile = await client.result("thread/read", {"threadId": thread_id})
    number = before[-1]["id"]
    client.send(f'{{"id":{number},"result":{{"decision":"accept"}}}}')
    after = await client.until("turn/completed")

    assert number == 0
    assert meanwhile["thread"]["status"] == before[-2]["params"]["status"]
    assert before[-2]["params"]["status"] == {"type": "active", "activeFlags": ["waitingOnApproval"]}
    assert after[0]["params"] == {"threadId": thread_id, "requestId": 0}
    assert after[1]["params"]["status"] == {"type": "active", "activeFlags": []}
    assert asking.answers == [{"decision": "accept"}]


async def test_an_interrupted_question_is_resolved_after_the_turn(connect, model) -> None:
    client = await connect(plugins=[Asking()], model=model([{"call": "ask", "args": {}}], "end"))
    thread_id = await client.thread()
    begun = await client.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})
    await client.until("item/commandExecution/requestApproval")

    await client.result("turn/interrupt", {"threadId": thread_id, "turnId": begun["turn"]["id"]})
    messages = await client.until("serverRequest/resolved")

    assert shape(messages)[-2] == "turn/completed interrupted"


async def test_the_first_of_several_clients_decides(connect, model) -> None:
    asking = Asking()
    first = await connect(plugins=[asking], model=model([{"say": "hi"}], [{"call": "ask", "args": {}}], "end"))
    thread_id = await first.thread()
    await first.turn(thread_id)
    second = await connect()
    await second.result("thread/resume", {"threadId": thread_id})
    await first.result("turn/start", {"threadId": thread_id, "input": [{"type": "text", "text": "go"}]})

    await first.until("item/commandExecution/requestApproval")
    question = (await second.until("item/commandExecution/requestApproval"))[-1]
    second.send(f'{{"id":{question["id"]},"result":{{"decision":"decline"}}}}')

    assert (await first.until("serverRequest/resolved"))[-1]["params"]["requestId"] == question["id"]
    await first.until("turn/completed")
    assert asking.answers == [{"decision": "decline"}]


async def test_a_review_can_not_be_steered(connect, model) -> None:
    client = await connect(model=model([{"say": "looking"}, {"sleep": 60}]))
    thread_id = await client.thread()
    target = {"type": "custom", "instructions": "look"}
    begun = await client.result("review/start", {"threadId": thread_id, "target": target})
    await client.until("turn/started")
    text = [{"type": "text", "text": "also"}]

    answer = await client.ask(
        "turn/steer", {"threadId": thread_id, "input": text, "expectedTurnId": begun["turn"]["id"]}
    )

    assert answer["error"] == {
        "code": -32600,
        "message": "cannot steer a review turn",
        "data": {"codexErrorInfo": {"activeTurnNotSteerable": {"turnKind": "review"}}},
    }
