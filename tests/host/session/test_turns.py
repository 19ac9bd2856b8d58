"""One turn: which hooks run when, what the model is sent, what clients are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs import Fragment, SessionStartVerdict, StopVerdict, UserPromptVerdict
from codex_hookspecs.errors import StorageError
from codex_hookspecs.ports.models import ModelProvider
from codex_hookspecs.types.items import AgentMessage, Reasoning, UserMessage
from codex_hookspecs.types.models import Completed, ItemAdded, ItemDone, Retrying, TextDelta
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.types.threads import TokenUsage
from codex_testkit import MemoryThreadStore

MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
CALL = {"type": "function_call", "name": "echo", "call_id": "c1", "arguments": "{}"}


class Provider(ModelProvider):
    """A model provider that streams the given events, one list for each request; exceptions are raised."""

    default_model = "gpt-test"

    def __init__(self, *rounds: list[Any]) -> None:
        self.rounds = list(rounds)
        self.requests: list[Any] = []

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        for event in self.rounds.pop(0):
            if isinstance(event, BaseException):
                raise event
            yield event

    async def aclose(self) -> None: ...


# --- hooks and their place


async def test_hooks_run_in_their_order_around_a_turn_with_a_call(host: Any, model: Any, kit: Any) -> None:
    order: list[str] = []

    def noting(name: str) -> Any:
        async def implementation(event: Any) -> None:
            order.append(name)

        return implementation

    hooks = (
        "session_start", "user_prompt_submit", "pre_model_request", "post_model_request", "pre_tool_use",
        "post_tool_use", "stop", "session_end",
    )  # fmt: skip
    run = host(
        plugins=[kit.plugin("all", **{hook: noting(hook) for hook in hooks}), kit.toolbox(kit.saying("echo", "e"))],
        model=model([{"call": "echo"}], "done"),
    )

    await run.turn("go")
    await (await run.opened()).application.threads.aclose()

    assert order == [
        "session_start", "user_prompt_submit", "pre_model_request", "post_model_request", "pre_tool_use",
        "post_tool_use", "pre_model_request", "post_model_request", "stop", "session_end",
    ]  # fmt: skip


async def test_session_start_is_told_once_for_each_loaded_thread(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []
    run = host(plugins=[kit.plugin("p", session_start=kit.answering(None, seen))], model=model("a", "b"))

    await run.turn("one")
    await run.turn("two")

    assert [event.source for event in seen] == ["startup"]


async def test_events_tell_where_they_happen(host: Any, model: Any, kit: Any, tmp_path: Path) -> None:
    seen: list[Any] = []
    run = host(
        plugins=[kit.plugin("p", user_prompt_submit=kit.answering(None, seen))], model=model("a"), config={"model": "m"}
    )

    outcome = await run.turn("the prompt")

    [event] = seen
    assert (event.session_id, event.turn_id) == (outcome.thread.id, outcome.turn.id)
    assert (event.prompt, event.cwd, event.model) == ("the prompt", str(tmp_path / "project"), "m")
    assert event.permission_mode == "bypassPermissions"


async def test_contexts_surround_the_prompt(host: Any, model: Any, kit: Any) -> None:
    plugins = [
        kit.plugin("a", session_start=kit.answering(SessionStartVerdict(contexts=("start 1", "start 2")))),
        kit.plugin("b", user_prompt_submit=kit.answering(UserPromptVerdict(contexts=("prompt 1", "prompt 2")))),
    ]
    scripted = model("done")

    await host(plugins=plugins, model=scripted).turn("go")

    assert kit.texts(scripted.requests[0].input) == [
        ("developer", "start 1"),
        ("developer", "start 2"),
        ("user", "go"),
        ("developer", "prompt 1"),
        ("developer", "prompt 2"),
    ]


async def test_a_blocked_prompt_reaches_neither_model_nor_history(host: Any, model: Any, kit: Any) -> None:
    verdict = UserPromptVerdict(block_reason="no secrets", contexts=("kept",))
    scripted, stops = model("done"), []
    run = host(
        plugins=[kit.plugin("p", user_prompt_submit=kit.answering(verdict), stop=kit.answering(None, stops))],
        model=scripted,
    )

    outcome = await run.turn("the secret")

    assert outcome.turn.status == "completed"
    assert scripted.requests == []
    assert kit.texts(outcome.thread.history) == [("developer", "kept")]
    assert outcome.items == []
    assert stops == []
    assert outcome.hooks("user_prompt_submit")[0].blocked_with == "no secrets"


async def test_a_session_start_that_stops_ends_the_turn_before_any_request(host: Any, model: Any, kit: Any) -> None:
    verdict = SessionStartVerdict(stop_reason="not today", contexts=("kept",))
    scripted = model("second time")
    run = host(plugins=[kit.plugin("p", session_start=kit.answering(verdict))], model=scripted)

    stopped = await run.turn("one")
    requests_before = len(scripted.requests)
    second = await run.turn("two")

    assert (stopped.turn.status, requests_before) == ("completed", 0)
    assert stopped.hooks("session_start")[0].status == "stopped"
    assert second.final_message == "second time"
    assert kit.texts(scripted.requests[0].input) == [("developer", "kept"), ("user", "two")]


# --- what the model is sent


async def test_standing_texts_precede_the_prompt_and_are_sent_again_only_when_they_change(
    host: Any, model: Any, kit: Any
) -> None:
    texts = {"a": "first", "rules": "the rules"}

    async def instruction_fragments() -> list[Fragment]:
        return [
            Fragment(key="base", place="base", text="be good", order=1),
            Fragment(key="late", place="developer", text="late", order=90),
            Fragment(key="a", place="developer", text=texts["a"], order=10),
            Fragment(key="rules", place="user", text=texts["rules"], order=10),
            Fragment(key="empty", place="user", text=""),
        ]

    scripted = model("one", "two", "three")
    run = host(plugins=[kit.plugin("p", instruction_fragments=instruction_fragments)], model=scripted)

    await run.turn("p1")
    await run.turn("p2")
    texts["a"] = "changed"
    await run.turn("p3")

    assert [request.instructions for request in scripted.requests] == ["be good"] * 3
    assert [item for item in kit.texts(scripted.requests[2].input) if item[0] != "assistant"] == [
        ("developer", "first", "late"),
        ("user", "the rules"),
        ("user", "p1"),
        ("user", "p2"),
        ("developer", "changed"),
        ("user", "p3"),
    ]


async def test_standing_texts_of_the_wrong_shape_are_left_out(host: Any, model: Any, kit: Any) -> None:
    async def instruction_fragments() -> Any:
        return "be good"

    outcome = await host(
        plugins=[kit.plugin("p", instruction_fragments=instruction_fragments)], model=model("done")
    ).turn("go")

    assert outcome.final_message == "done"
    assert "instruction_fragments returned str where a Fragment belongs" in outcome.warnings[0]


async def test_a_request_carries_the_threads_settings(host: Any, model: Any, kit: Any) -> None:
    scripted = model("done")
    config = {"model": "m1", "model_reasoning_effort": "high", "model_verbosity": "low", "service_tier": "flex"}
    run = host(plugins=[kit.toolbox(kit.saying("echo", "e"))], model=scripted, config=config)

    outcome = await run.turn("go")

    [request] = scripted.requests
    assert (request.model, request.reasoning_effort, request.verbosity, request.service_tier) == (
        "m1", "high", "low", "flex",
    )  # fmt: skip
    assert request.thread_id == outcome.thread.id
    assert request.turn_id == outcome.turn.id
    assert [tool["name"] for tool in request.tools] == ["echo"]
    assert request.metadata == {"session_id": outcome.thread.id, "turn_id": outcome.turn.id, "sandbox": "none"}


async def test_all_requests_of_a_turn_share_what_the_provider_keeps(host: Any, model: Any, kit: Any) -> None:
    scripted = model([{"call": "echo"}], "done", "next turn")
    run = host(plugins=[kit.toolbox(kit.saying("echo", "e"))], model=scripted)

    await run.turn("one")
    await run.turn("two")

    first, second, other = (request.turn_state for request in scripted.requests)
    assert first is second
    assert other is not first


# --- what clients are told


async def test_a_plain_turn_tells_its_story_in_order(host: Any, model: Any) -> None:
    outcome = await host(model=model([{"reason": "thinking"}, {"say": "hi"}])).turn("go")

    story = [each.METHOD for each in outcome.notifications if "elta" not in each.METHOD]
    assert story == [
        "thread/status/changed",
        "turn/started",
        "item/started", "item/completed",
        "item/started", "item/reasoning/summaryPartAdded", "item/completed",
        "item/started", "item/completed",
        "thread/tokenUsage/updated",
        "thread/status/changed",
        "turn/completed",
    ]  # fmt: skip
    assert [type(item) for item in outcome.items] == [UserMessage, Reasoning, AgentMessage]


async def test_pieces_of_an_answer_carry_its_id(host: Any, model: Any) -> None:
    outcome = await host(model=model("a rather long answer that comes in pieces")).turn("go")

    deltas = [each for each in outcome.notifications if each.METHOD == "item/agentMessage/delta"]
    assert "".join(each.delta for each in deltas) == "a rather long answer that comes in pieces"
    assert {each.item_id for each in deltas} == {outcome.items[-1].id}


async def test_an_item_that_the_provider_did_not_name_keeps_one_id(host: Any) -> None:
    events = [ItemAdded({**MESSAGE, "content": []}), TextDelta("", "hello"), ItemDone(MESSAGE), Completed("r")]
    outcome = await host(model=Provider(events)).turn("go")

    ids = {each.item.id for each in outcome.notifications if each.METHOD in ("item/started", "item/completed")}
    delta = next(each for each in outcome.notifications if each.METHOD == "item/agentMessage/delta")
    user = outcome.items[0].id
    assert ids == {user, delta.item_id}
    assert outcome.thread.history[-1]["id"] == delta.item_id


async def test_an_item_that_was_never_announced_is_started_before_it_is_completed(host: Any) -> None:
    outcome = await host(model=Provider([ItemDone({**MESSAGE, "id": "m"}), Completed("r")])).turn("go")

    about = [each.METHOD for each in outcome.notifications if each.METHOD.startswith("item/") and each.item.id == "m"]
    assert about == ["item/started", "item/completed"]


async def test_tokens_of_all_requests_are_added(host: Any, model: Any, kit: Any) -> None:
    scripted = model(
        [{"call": "echo"}, {"usage": {"input": 100, "cached": 10, "output": 5, "reasoning": 1}}],
        [{"say": "done"}, {"usage": {"input": 200, "cached": 20, "output": 7, "reasoning": 2}}],
    )
    run = host(plugins=[kit.toolbox(kit.saying("echo", "e"))], model=scripted, config={"model_context_window": 1000})

    outcome = await run.turn("go")

    usage = outcome.thread.usage
    assert (usage.total.input_tokens, usage.total.cached_input_tokens, usage.total.output_tokens) == (300, 30, 12)
    assert usage.last.input_tokens == 200
    assert usage.model_context_window == 1000


async def test_an_empty_input_is_an_error_without_a_turn(host: Any, model: Any, kit: Any) -> None:
    scripted = model("done")
    thread = await (await host(model=scripted).opened()).thread()
    watching = kit.Watching(thread)

    await thread.submit([])
    await thread.wait_idle()

    status, notice = watching.seen
    assert status.status == {"type": "systemError"}
    assert (notice.METHOD, notice.error.message, notice.error.codex_error_info) == (
        "error", "input must not be empty", "badRequest",
    )  # fmt: skip
    assert scripted.requests == []
    assert (await thread.turns()) == ()


async def test_a_listener_that_raises_disturbs_neither_turn_nor_other_listeners(host: Any, model: Any) -> None:
    run = host(model=model("done"))
    thread = await (await run.opened()).thread()

    async def failing(notification: Notification) -> None:
        raise ValueError("deaf")

    thread.listen(failing)

    outcome = await run.turn("go")

    assert outcome.final_message == "done"
    assert thread.active_turn_id is None


async def test_startup_warnings_are_told_once(host: Any, model: Any) -> None:
    run = host(model=model("one", "two"), config={"features.code_mode": True})

    first, second = await run.turn("go"), await run.turn("go")

    assert "Under-development features enabled: code_mode." in first.warnings[0]
    assert second.warnings == []


# --- models that fail


async def test_a_failing_request_fails_the_turn_and_the_next_one_works(host: Any, model: Any, kit: Any) -> None:
    stops: list[Any] = []
    run = host(
        plugins=[kit.plugin("p", stop=kit.answering(None, stops))],
        model=model([{"fail": {"status": 400, "message": "bad"}}], "better"),
    )

    failed, better = await run.turn("one"), await run.turn("two")

    assert failed.turn.status == "failed"
    assert failed.turn.error is not None
    assert "bad" in failed.turn.error.message
    assert failed.error == failed.turn.error.message
    assert failed.notifications[-2].METHOD == "error"
    assert not failed.notifications[-2].will_retry
    assert failed.notifications[-3].status == {"type": "systemError"}
    assert (better.turn.status, better.final_message) == ("completed", "better")
    assert len(stops) == 1


async def test_a_stream_that_breaks_is_told_and_tried_again(host: Any, model: Any) -> None:
    outcome = await host(model=model([{"say": "half"}, {"cut": True}], "whole")).turn("go")

    retries = [each for each in outcome.notifications if each.METHOD == "error"]
    assert [each.will_retry for each in retries] == [True]
    assert outcome.turn.status == "completed"
    assert outcome.final_message == "whole"


async def test_calls_of_a_broken_stream_are_not_run(host: Any, kit: Any) -> None:
    ran: list[str] = []

    async def echo(call: Any, context: Any) -> Any:
        from codex_hookspecs import ToolOutput

        ran.append(call.call_id)
        return ToolOutput("echoed")

    retrying = Retrying(message="Reconnecting... 1/5", info="other")
    again = {**CALL, "call_id": "c2"}
    provider = Provider(
        [ItemDone(CALL), retrying, ItemDone(again), Completed("r1")], [ItemDone(MESSAGE), Completed("r2")]
    )
    run = host(plugins=[kit.toolbox(kit.tool("echo", echo))], model=provider)

    outcome = await run.turn("go")

    assert outcome.final_message == "hello"
    assert ran == ["c2"]
    assert [(item["call_id"], item["output"]) for item in provider.requests[1].input if "output" in item] == [
        ("c1", "aborted"),
        ("c2", "echoed"),
    ]


async def test_a_stream_that_ends_without_completion_fails_the_turn(host: Any) -> None:
    told = "plugin test-kit (test-kit 0): the model provider ended the stream without completing the response"
    outcome = await host(model=Provider([ItemDone(MESSAGE)]), failures=[told]).turn("go")

    assert outcome.error is not None
    assert outcome.error.startswith(told)
    assert outcome.final_message == "hello"


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([ValueError("broken")], "plugin test-kit (test-kit 0): the model provider raised ValueError: broken"),
        ([SystemExit(3)], "plugin test-kit (test-kit 0): the model provider raised SystemExit: 3"),
        (["nonsense"], "plugin test-kit (test-kit 0): the model provider sent str, which is no model event"),
    ],
)
async def test_a_provider_that_misbehaves_fails_the_turn_only(host: Any, events: list[Any], told: str) -> None:
    run = host(model=Provider(events, [ItemDone(MESSAGE), Completed("r")]))

    failed, better = await run.turn("one"), await run.turn("two")

    assert failed.turn.status == "failed"
    assert failed.error.partition(f" ({__file__}")[0] == told
    assert better.final_message == "hello"


async def test_observers_of_requests_learn_how_they_ended(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []
    run = host(
        plugins=[kit.plugin("p", post_model_request=kit.answering(None, seen))],
        model=model([{"fail": {"status": 400, "message": "bad"}}], "fine"),
    )

    await run.turn("one")
    await run.turn("two")

    assert [event.status for event in seen] == ["failed", "completed"]
    assert "bad" in seen[0].error
    assert isinstance(seen[1].token_usage, TokenUsage)


# --- stores that fail


class FailingStore(MemoryThreadStore):
    """A store whose disk is full after some records."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        self.room = room
        self.error = error

    def _append(self, thread_id: str, records: Any) -> None:
        self.room -= 1
        if self.room < 0:
            raise self.error
        super()._append(thread_id, records)


@pytest.mark.parametrize("room", range(8))
@pytest.mark.parametrize("error", [StorageError("disk is full"), OSError(28, "No space left on device")])
async def test_a_store_that_fails_fails_the_turn_and_the_thread_goes_on(
    host: Any, model: Any, room: int, error: Exception
) -> None:
    store = FailingStore(room, error)
    run = host(model=model("one", "two"), store=store)

    failed = await run.turn("go")
    store.room = 1000
    better = await run.turn("again")

    if room < 7:
        assert failed.turn.status == "failed"
        assert failed.turn.error is not None
        assert str(error) in failed.turn.error.message
    assert better.turn.status == "completed"


async def test_what_a_stop_hook_sees_of_the_last_message(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []

    async def stop(event: Any) -> StopVerdict | None:
        seen.append((event.stop_hook_active, event.last_assistant_message))
        return None if event.stop_hook_active else StopVerdict.block("more")

    await host(plugins=[kit.plugin("p", stop=stop)], model=model("first", "second")).turn("go")

    assert seen == [(False, "first"), (True, "second")]


async def test_a_call_without_an_id_gets_its_result(host: Any, kit: Any) -> None:
    nameless = {"type": "function_call", "name": "echo", "arguments": "{}"}
    provider = Provider(
        [ItemDone(nameless), ItemDone({**nameless, "call_id": ["c"]}), Completed("r1")],
        [ItemDone(MESSAGE), Completed("r2")],
    )

    await host(plugins=[kit.toolbox(kit.saying("echo", "heard"))], model=provider).turn("go")

    sent = [item for item in provider.requests[1].input if item["type"].startswith("function_call")]
    assert [item.get("output") for item in sent] == [None, None, "heard", "heard"]
    assert [item["call_id"] for item in sent[:2]] == [item["call_id"] for item in sent[2:]]
    assert len({item["call_id"] for item in sent}) == 2
