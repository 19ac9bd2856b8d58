"""The order of messages in a turn, for every kind of step, answer, interruption and failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from app_server_client import ServerProcess, shapes
from attrs import field, frozen

from codex_testkit.servers.responses import ResponsesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]

Message = dict[str, Any]
COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"
BEGIN = [
    "answer",
    "thread/status/changed active",
    "turn/started inProgress",
    "item/started userMessage",
    "item/completed userMessage",
]
SAID = ["item/started agentMessage", "item/agentMessage/delta", "item/completed agentMessage"]
LIMITS = "account/rateLimits/updated"
USAGE = "thread/tokenUsage/updated"
END = ["thread/status/changed idle", "turn/completed completed"]
INTERRUPTED = ["thread/status/changed idle", "turn/completed interrupted"]
FAILED = ["thread/status/changed systemError", "error", "turn/completed failed"]
PATCH_STARTED = "item/started fileChange inProgress"
PATCHED = ["item/fileChange/outputDelta", "item/completed fileChange completed", "turn/diff/updated"]
RUN = [
    "item/started commandExecution inProgress",
    "item/commandExecution/outputDelta",
    "item/completed commandExecution completed",
]
RESOLVED = ["serverRequest/resolved", "thread/status/changed active"]


def asked(method: str) -> list[str]:
    return ["thread/status/changed active waitingOnApproval", method]


def patch(name: str) -> dict[str, Any]:
    return {"patch": f"*** Begin Patch\n*** Add File: {name}\n+one\n*** End Patch", "call_id": name}


def escalated(name: str = "c") -> dict[str, Any]:
    line = "python3 -c 'print(40+2)'"
    reasons = {"sandbox_permissions": "require_escalated", "justification": "because"}
    return {"sh": {"cmd": line, "login": False, **reasons}, "call_id": name}


@frozen
class Case:
    """A turn and the kinds of its messages.

    :param rounds: what the model does.
    :param seen: kinds of messages after :data:`BEGIN`.
    :param answers: the client's answers by method.
    :param params: of ``thread/start``.
    """

    rounds: list[list[dict[str, Any]]]
    seen: list[str]
    answers: dict[str, Any] = field(factory=dict)
    params: dict[str, Any] = field(factory=dict)


ASK = {"approvalPolicy": "on-request", "sandbox": "workspace-write"}
ASK_PATCH = {"approvalPolicy": "untrusted", "sandbox": "workspace-write"}


def decision(method: str, value: Any) -> dict[str, Any]:
    return {method: {"result": {"decision": value}}}


def answered(method: str, value: Any) -> dict[str, Any]:
    return {method: value}


CASES = {
    "text": Case([[{"say": "hi"}]], [*SAID, USAGE, *END]),
    "reasoning and text": Case(
        [[{"reason": "hm"}, {"say": "hi"}]],
        [
            "item/started reasoning",
            "item/reasoning/summaryPartAdded",
            "item/reasoning/summaryTextDelta",
            "item/completed reasoning",
            *SAID,
            USAGE,
            *END,
        ],
    ),
    "a plan": Case(
        [[{"plan": [["a", "completed"]]}], [{"say": "ok"}]], [USAGE, "turn/plan/updated", *SAID, USAGE, *END]
    ),
    "a patch": Case(
        [[patch("a")], [{"say": "ok"}]], [USAGE, PATCH_STARTED, *PATCHED, *SAID, USAGE, "turn/diff/updated", *END]
    ),
    "a command": Case(
        [[{"sh": {"cmd": "echo hi", "login": False}}], [{"say": "ok"}]], [USAGE, *RUN, *SAID, USAGE, *END]
    ),
    "a command that is accepted": Case(
        [[escalated()], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, *RUN, *SAID, USAGE, *END],
        decision(COMMAND, "accept"),
        ASK,
    ),
    "a command that is accepted for the session": Case(
        [[escalated()], [escalated("d")], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, *RUN, USAGE, *RUN, *SAID, USAGE, *END],
        decision(COMMAND, "acceptForSession"),
        ASK,
    ),
    "a command that is accepted with a rule": Case(
        [[escalated()], [escalated("d")], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, *RUN, USAGE, *RUN, *SAID, USAGE, *END],
        decision(COMMAND, {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["python3", "-c"]}}),
        ASK,
    ),
    "a command that is declined": Case(
        [[escalated()], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, "item/completed commandExecution declined", *SAID, USAGE, *END],
        decision(COMMAND, "decline"),
        ASK,
    ),
    "a command whose turn is cancelled": Case(
        [[escalated()], [{"say": "never"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, "item/completed commandExecution declined", *INTERRUPTED],
        decision(COMMAND, "cancel"),
        ASK,
    ),
    "a command with an error as answer": Case(
        [[escalated()], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, "item/completed commandExecution failed", "warning", *SAID, USAGE, *END],
        answered(COMMAND, {"error": {"code": -1, "message": "no"}}),
        ASK,
    ),
    "a command with an answer that is not valid": Case(
        [[escalated()], [{"say": "ok"}]],
        [USAGE, *asked(COMMAND), *RESOLVED, "item/completed commandExecution declined", *SAID, USAGE, *END],
        answered(COMMAND, {"result": {"decision": {"perhaps": True}}}),
        ASK,
    ),
    "a patch that is accepted": Case(
        [[patch("b")], [{"say": "ok"}]],
        [USAGE, PATCH_STARTED, *asked(PATCH), *RESOLVED, *PATCHED, *SAID, USAGE, "turn/diff/updated", *END],
        decision(PATCH, "accept"),
        ASK_PATCH,
    ),
    "a patch that is declined": Case(
        [[patch("b")], [{"say": "ok"}]],
        [USAGE, PATCH_STARTED, *asked(PATCH), *RESOLVED, "item/completed fileChange declined", *SAID, USAGE, *END],
        decision(PATCH, "decline"),
        ASK_PATCH,
    ),
    "a patch whose turn is cancelled": Case(
        [[patch("b")], [{"say": "never"}]],
        [USAGE, PATCH_STARTED, *asked(PATCH), *RESOLVED, "item/completed fileChange declined", *INTERRUPTED],
        decision(PATCH, "cancel"),
        ASK_PATCH,
    ),
}
FAILURES = {
    "HTTP 500": ({"fail": 500}, "internalServerError"),
    "a usage limit": ({"fail": {"status": 429, "type": "usage_limit_reached"}}, "usageLimitExceeded"),
    "no quota": ({"failed": ["insufficient_quota", "pay"]}, "usageLimitExceeded"),
    "a full context": ({"failed": ["context_length_exceeded", "long"]}, "contextWindowExceeded"),
    "overload": ({"failed": ["server_is_overloaded", "busy"]}, "serverOverloaded"),
    "HTTP 400": ({"fail": 400}, "other"),
    "an invalid prompt": ({"failed": ["invalid_prompt", "bad"]}, "other"),
    "a cut stream": ({"fail": {"cut": "before_completed"}}, None),
}


@pytest.fixture
def model() -> Iterator[ResponsesServer]:
    with ResponsesServer() as server:
        yield server


def kinds_of(messages: list[Message]) -> list[str]:
    """Return the kinds of messages without those about limits, which come with each response of the model."""
    return shapes([message for message in messages if message.get("method") != LIMITS])


def check(messages: list[Message]) -> None:
    """Check what holds for every turn: items begin and end once, nothing is about one that has ended."""
    started: set[str] = set()
    ended: set[str] = set()
    for message in messages:
        params = message.get("params") or {}
        item = params["item"]["id"] if "item" in params else params.get("itemId")
        if item is None:
            continue
        assert item not in ended, message
        if message["method"] == "item/started":
            assert item not in started, message
            started.add(item)
        elif message["method"] == "item/completed":
            ended.add(item)
        elif "delta" in params:
            assert item in started, message
    assert started <= ended


@pytest.mark.parametrize("name", CASES)
async def test_the_messages_of_a_turn_are_in_order(tmp_path: Path, model: ResponsesServer, name: str) -> None:
    case = CASES[name]
    model.play(case.rounds)
    async with ServerProcess(tmp_path, model.url) as client:
        client.answers.update(case.answers)
        thread_id = await client.thread(**case.params)
        messages = await client.turn(thread_id)

    check(messages)
    assert kinds_of(messages) == [*BEGIN, *case.seen]


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_told_as_an_error_and_at_the_end_of_the_turn(
    tmp_path: Path, model: ResponsesServer, name: str
) -> None:
    step, info = FAILURES[name]
    model.play([[step], [{"say": "fine"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        failed = await client.turn(thread_id)
        fine = await client.turn(thread_id)

    assert kinds_of(failed) == [*BEGIN, *FAILED]
    error, completed = failed[-2]["params"], failed[-1]["params"]
    assert error["error"] == completed["turn"]["error"]
    assert (error["willRetry"], error["turnId"]) == (False, completed["turn"]["id"])
    if info is not None:
        assert error["error"]["codexErrorInfo"] == info
    assert fine[-1]["params"]["turn"]["status"] == "completed"


async def test_a_retry_is_told_before_the_answer_that_succeeds(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([[{"fail": {"cut": "before_completed"}}], [{"say": "fine"}]])
    server = ServerProcess(tmp_path, model.url)
    config = server.home / "config.toml"
    config.write_text(config.read_text().replace("stream_max_retries = 0", "stream_max_retries = 2"))
    async with server as client:
        thread_id = await client.thread()
        messages = await client.turn(thread_id)

    assert kinds_of(messages) == [*BEGIN, "error", *SAID, USAGE, *END]
    assert next(each for each in messages if each.get("method") == "error")["params"]["willRetry"] is True


PHASES = {
    "while the model speaks": ([{"say": "one"}, {"delay": 60}], "item/completed agentMessage", {}),
    "while a command runs": (
        [{"sh": {"cmd": "echo hi; exec sleep 60", "login": False}}],
        "item/commandExecution/outputDelta",
        {},
    ),
    "while a command waits for approval": ([escalated()], COMMAND, ASK),
    "while a patch waits for approval": ([patch("b")], PATCH, ASK_PATCH),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_an_interruption_ends_items_then_the_turn_then_requests(
    tmp_path: Path, model: ResponsesServer, phase: str
) -> None:
    steps, at, params = PHASES[phase]
    model.play([steps, [{"say": "after"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread(**params)
        turn_id = await client.begin(thread_id)
        while kinds_of(client.messages)[-1] != at:
            await client.next()
        before = len(client.messages)
        assert await client.ask("turn/interrupt", {"threadId": thread_id, "turnId": turn_id}) == {}
        await client.until("turn/completed")
        if params:
            await client.until("serverRequest/resolved")
        messages = client.messages[:]
        later = await client.turn(thread_id)

    kinds = kinds_of(messages[before:])
    assert kinds[0] == "answer"
    rest = [kind for kind in kinds[1:] if kind != "warning"]
    end = [*INTERRUPTED, *(["serverRequest/resolved"] if params else [])]
    assert rest[-len(end) :] == end
    assert rest[: -len(end)] in ([], ["item/completed commandExecution failed"], ["item/completed fileChange declined"])
    if phase == "while a command runs":
        check(messages)
    assert later[-1]["params"]["turn"]["status"] == "completed"


async def test_a_message_during_a_turn_joins_it_and_has_its_own_id(tmp_path: Path, model: ResponsesServer) -> None:
    model.play([[{"say": "one"}, {"delay": 1}], [{"say": "two"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        first = await client.begin(thread_id)
        await client.until("item/agentMessage/delta")
        second = await client.begin(thread_id, "and this")
        steered = await client.ask(
            "turn/steer",
            {"threadId": thread_id, "expectedTurnId": first, "input": [{"type": "text", "text": "and that"}]},
        )
        await client.until("turn/completed")
        messages = client.messages[:]

    check(messages)
    assert first != second
    assert steered == {"turnId": first}
    turns = [message["params"]["turn"]["id"] for message in messages if message.get("method", "").startswith("turn/")]
    assert turns == [first, first]
    kinds = kinds_of([message for message in messages if "method" in message])
    joined = ["item/started userMessage", "item/completed userMessage"]
    assert kinds[kinds.index(USAGE) :] == [USAGE, *joined, *joined, *SAID, USAGE, *END]


async def test_a_command_that_outlives_its_turn_is_completed_when_it_ends(
    tmp_path: Path, model: ResponsesServer
) -> None:
    line = "while [ ! -e go ]; do sleep 0.05; done; echo gone"
    model.play([[{"sh": {"cmd": line, "login": False, "yield_time_ms": 250}}], [{"say": "left"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        during = await client.turn(thread_id)
        client.messages.clear()
        (client.ws / "go").touch()
        await client.until("item/completed")
        after = client.messages[:]

    assert "item/completed commandExecution completed" not in kinds_of(during)
    assert kinds_of(after) == ["item/commandExecution/outputDelta", "item/completed commandExecution completed"]
    assert after[-1]["params"]["turnId"] == during[-1]["params"]["turn"]["id"]


async def test_limits_are_told_with_each_response_and_its_usage(tmp_path: Path, model: ResponsesServer) -> None:
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        messages = await client.turn(thread_id)

    kinds = [kind for kind in shapes(messages) if kind in (LIMITS, USAGE, SAID[0])]
    assert kinds == [LIMITS, SAID[0], USAGE, LIMITS]


async def test_many_commands_end_before_their_turn(tmp_path: Path, model: ResponsesServer) -> None:
    calls = [{"sh": {"cmd": f"echo {number}; exit {number % 2}", "login": False}} for number in range(12)]
    model.play([calls, [{"say": "ok"}]])
    async with ServerProcess(tmp_path, model.url) as client:
        thread_id = await client.thread()
        messages = await client.turn(thread_id)

    check(messages)
    assert sum(message.get("method") == "item/completed" for message in messages) == 12 + 2
