"""Threads: kept, resumed, read, listed, and let go."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from codex_hookspecs import Fragment, StopVerdict
from codex_hookspecs.errors import ConfigError, ExecError, ThreadBusy, ThreadNotFound
from codex_hookspecs.protocol import ThreadForkParams, ThreadResumeParams, ThreadStartParams
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.types.storage import (
    HistoryAppended,
    ItemFinished,
    SettingsChanged,
    ThreadQuery,
    TurnBegan,
    TurnEnded,
)
from codex_hookspecs.types.tools import ToolCall
from codex_testkit import MemoryThreadStore
from codex_testkit.memory.environment import MemoryEnvironment


@pytest.fixture
def store() -> MemoryThreadStore:
    return MemoryThreadStore()


async def threads_of(run: Any) -> Any:
    return (await run.opened()).application.threads


async def test_everything_is_kept_before_clients_hear_of_it(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    run = host(plugins=[kit.toolbox(kit.saying("echo", "e"))], model=model([{"call": "echo"}], "done"), store=store)
    thread = await (await run.opened()).thread()
    late: list[Any] = []

    async def listener(notification: Any) -> None:
        kept = {record.item.id for record in store.threads[thread.id] if isinstance(record, ItemFinished)}
        if notification.METHOD == "item/completed" and notification.item.id not in kept:
            late.append(notification)

    thread.listen(listener)
    await run.turn("go")

    assert late == []


async def test_the_records_tell_the_whole_turn(host: Any, model: Any, kit: Any, store: MemoryThreadStore) -> None:
    outcome = await host(
        plugins=[kit.toolbox(kit.saying("echo", "e"))], model=model([{"call": "echo"}], "done"), store=store
    ).turn("go")

    records = store.threads[outcome.thread.id]
    assert isinstance(records[0], TurnBegan)
    assert isinstance(records[-1], TurnEnded)
    assert (records[-1].status, records[-1].last_agent_message) == ("completed", "done")
    assert [record.item for record in records if isinstance(record, HistoryAppended)] == list(outcome.thread.history)
    assert [record.item for record in records if isinstance(record, ItemFinished)] == outcome.items


async def test_a_resumed_thread_goes_on_with_history_ids_and_tokens(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    seen: list[Any] = []
    scripted = model("first", "second")
    run = host(plugins=[kit.plugin("p", session_start=kit.answering(None, seen))], model=scripted, store=store)
    before = await run.turn("one")
    threads = await threads_of(run)
    await threads.unload(before.thread.id)

    thread = await threads.resume(ThreadResumeParams(thread_id=before.thread.id))
    watching = kit.Watching(thread)
    await thread.submit([{"type": "text", "text": "two"}])
    await thread.wait_idle()

    assert thread is not before.thread
    assert thread.id == before.thread.id
    assert kit.texts(scripted.requests[1].input) == [("user", "one"), ("assistant", "first"), ("user", "two")]
    assert [item.id for item in (await thread.turns())[0].items] == [item.id for item in before.items]
    assert [turn.status for turn in (await thread.turns())] == ["completed", "completed"]
    assert thread.usage.total.input_tokens == 2 * before.thread.usage.total.input_tokens
    assert [event.source for event in seen] == ["startup", "resume"]
    assert watching.of("turn/completed")[0].turn.status == "completed"


async def test_standing_texts_are_not_sent_again_to_a_resumed_thread(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    async def instruction_fragments(settings: Any) -> list[Fragment]:
        return [Fragment(key="environment", place="user", text="<environment_context>\nhere\n</environment_context>")]

    scripted = model("first", "second")
    run = host(plugins=[kit.plugin("p", instruction_fragments=instruction_fragments)], model=scripted, store=store)
    before = await run.turn("one")
    threads = await threads_of(run)
    await threads.unload(before.thread.id)

    thread = await threads.resume(ThreadResumeParams(thread_id=before.thread.id))
    await thread.submit([{"type": "text", "text": "two"}])
    await thread.wait_idle()

    assert str(scripted.requests[1].input).count("environment_context>\\nhere") == 1


async def test_resuming_a_loaded_thread_is_that_thread(host: Any, model: Any, store: MemoryThreadStore) -> None:
    run = host(model=model("one"), store=store)
    thread = (await run.turn("one")).thread

    assert await (await threads_of(run)).resume(ThreadResumeParams(thread_id=thread.id)) is thread


async def test_what_a_thread_was_made_with_holds_unless_asked_otherwise(
    host: Any, model: Any, store: MemoryThreadStore
) -> None:
    run = host(model=model("one"), store=store, params={"model": "m1", "config": {"model_reasoning_effort": "high"}})
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)

    await threads.unload(thread.id)
    kept = (await threads.resume(ThreadResumeParams(thread_id=thread.id))).settings
    await threads.unload(thread.id)
    asked = (await threads.resume(ThreadResumeParams(thread_id=thread.id, model="m2", sandbox="read-only"))).settings

    assert (kept.model, kept.reasoning_effort) == ("m1", "high")
    assert (asked.model, asked.reasoning_effort, asked.sandbox.mode) == ("m2", "high", "read-only")


async def test_a_thread_keeps_the_settings_of_its_last_turn_against_configuration_and_flags(
    host: Any, model: Any, store: MemoryThreadStore
) -> None:
    run = host(model=model("one", "two"), store=store)
    thread = (await run.turn("one")).thread
    policy = SandboxPolicy("workspaceWrite", True, writable_roots=("/opt",), exclude_slash_tmp=True)
    last = {
        "sandbox": policy,
        "approval_policy": "untrusted",
        "approvals_reviewer": "guardian_subagent",
        "personality": "friendly",
        "developer_instructions": "Be kind.",
        "reasoning_summary": "detailed",
        "verbosity": "low",
        "service_tier": "flex",
        "collaboration_mode": {"mode": "plan", "settings": {"model": "m"}},
    }
    await thread.submit([{"type": "text", "text": "two"}], settings=attrs.evolve(thread.settings, **last))
    await thread.wait_idle()
    threads = await threads_of(run)
    await threads.unload(thread.id)

    kept = (await threads.resume(ThreadResumeParams(thread_id=thread.id))).settings
    await threads.unload(thread.id)
    overrides = {"sandbox_workspace_write.network_access": False, "model_verbosity": "high"}
    params = ThreadResumeParams(thread_id=thread.id, config=overrides, approval_policy="never")
    asked = (await threads.resume(params)).settings
    await threads.unload(thread.id)
    flagged = (await threads.resume(ThreadResumeParams(thread_id=thread.id), own_flags=True)).settings
    forked = (await threads.fork(ThreadForkParams(thread_id=thread.id))).settings

    assert {name: getattr(kept, name) for name in last} == last
    assert {name: getattr(forked, name) for name in last} == last
    assert (asked.sandbox.kind, asked.approval_policy, asked.verbosity) == ("dangerFullAccess", "never", "high")
    assert (flagged.sandbox.kind, flagged.approval_policy) == ("dangerFullAccess", "never")
    assert flagged.personality == "friendly"


async def test_a_resumed_thread_was_updated_when_something_last_happened(
    host: Any, model: Any, store: MemoryThreadStore
) -> None:
    run = host(model=model("one", "two"), store=store)
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)
    store._updated[thread.id] = 1_700_000_000

    resumed = await threads.resume(ThreadResumeParams(thread_id=thread.id))
    before = resumed.summary().updated_at
    await resumed.submit([{"type": "text", "text": "two"}])
    await resumed.wait_idle()

    assert before == 1_700_000_000
    assert resumed.summary().updated_at > before


async def test_a_policy_that_is_not_known_asks_for_everything(host: Any, model: Any, store: MemoryThreadStore) -> None:
    run = host(model=model("one"), store=store)
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)
    unknown = attrs.evolve(thread.settings, approval_policy="trusting")
    store.threads[thread.id].append(SettingsChanged(unknown))

    assert (await threads.resume(ThreadResumeParams(thread_id=thread.id))).settings.approval_policy == "untrusted"


async def test_a_granular_policy_is_kept(host: Any, model: Any, store: MemoryThreadStore) -> None:
    granular = {"sandbox_approval": True, "rules": False, "mcp_elicitations": False}
    run = host(model=model("one"), store=store, config={"approval_policy": {"granular": granular}})
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)

    kept = await threads.resume(ThreadResumeParams(thread_id=thread.id))

    assert (thread.settings.may_ask("sandbox_approval"), thread.settings.may_ask("rules")) == (True, False)
    assert kept.settings.approval_policy == thread.settings.approval_policy


async def test_a_thread_whose_directory_is_gone_resumes_where_the_program_is(
    host: Any, model: Any, store: MemoryThreadStore, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = host(model=model("one"), store=store, params={"cwd": str(elsewhere)})
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)
    elsewhere.rmdir()

    resumed = await threads.resume(ThreadResumeParams(thread_id=thread.id))

    assert (thread.settings.cwd, resumed.settings.cwd) == (str(elsewhere), str(tmp_path / "project"))


async def test_a_turn_that_was_cut_off_is_mended_when_it_is_resumed(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    reached = asyncio.Event()

    async def hang(call: ToolCall, context: Any) -> Any:
        reached.set()
        await asyncio.sleep(60)

    scripted = model([{"call": "hang", "call_id": "c"}], "after")
    run = host(plugins=[kit.toolbox(kit.tool("hang", hang))], model=scripted, store=store)
    thread = await (await run.opened()).thread()
    await thread.submit([{"type": "text", "text": "go"}])
    await reached.wait()
    store._writing.clear()
    records = list(store.threads[thread.id])
    threads = await threads_of(run)
    await threads.unload(thread.id)
    store.threads[thread.id] = records

    resumed = await threads.resume(ThreadResumeParams(thread_id=thread.id))
    await resumed.submit([{"type": "text", "text": "and now"}])
    await resumed.wait_idle()

    assert [turn.status for turn in (await resumed.turns())] == ["interrupted", "completed"]
    assert kit.texts(scripted.requests[-1].input) == [
        ("user", "go"), ("function_call",), ("output", "aborted"), ("user", "and now"),
    ]  # fmt: skip


async def test_an_unknown_thread_is_told(host: Any, model: Any) -> None:
    threads = await threads_of(host(model=model()))

    for asking in (
        threads.resume(ThreadResumeParams(thread_id="nosuch")),
        threads.read("nosuch", include_turns=True),
        threads.archive("nosuch"),
    ):
        with pytest.raises(ThreadNotFound, match="no rollout found for thread id nosuch"):
            await asking


async def test_a_thread_that_somebody_else_writes_is_told(host: Any, model: Any, store: MemoryThreadStore) -> None:
    run = host(model=model("one"), store=store)
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)
    await store.open(thread.id, cli_version="")

    with pytest.raises(ThreadBusy):
        await threads.resume(ThreadResumeParams(thread_id=thread.id))

    assert threads.get(thread.id) is None


async def test_settings_that_cannot_be_used_leave_the_stored_thread_free(
    host: Any, model: Any, store: MemoryThreadStore
) -> None:
    run = host(model=model("one"), store=store)
    thread = (await run.turn("one")).thread
    threads = await threads_of(run)
    await threads.unload(thread.id)

    for params in ({"sandbox": "open"}, {"cwd": "/nowhere/at/all"}, {"model_provider": "nosuch"}):
        with pytest.raises(ConfigError):
            await threads.resume(ThreadResumeParams(thread_id=thread.id, **params))

    assert (await threads.resume(ThreadResumeParams(thread_id=thread.id))).id == thread.id


async def test_an_ephemeral_thread_is_kept_nowhere(host: Any, model: Any, store: MemoryThreadStore) -> None:
    outcome = await host(model=model("one"), store=store, params={"ephemeral": True}).turn("one")

    assert store.threads == {}
    assert outcome.thread.path is None
    assert outcome.thread.summary().ephemeral


async def test_without_a_store_the_user_is_told(host: Any, model: Any, kit: Any) -> None:
    from codex_hookspecs import hookimpl
    from codex_host.testing import open_host

    class OnlyModel:
        @hookimpl
        def model_provider(self, name: str) -> Any:
            return model("one")

    run = host()
    async with open_host(plugins=[("m", OnlyModel())], home=run._arguments["home"], cwd=run._arguments["cwd"]) as up:
        outcome = await up.turn("go")

    assert outcome.final_message == "one"
    assert outcome.warnings == ["no plugin stores threads: nothing is kept of this session"]


async def test_a_store_that_cannot_be_opened_is_told_every_time(host: Any, kit: Any) -> None:
    from codex_hookspecs.errors import StorageError

    def thread_store() -> Any:
        raise StorageError("sessions is not a directory")

    threads = await threads_of(host(plugins=[kit.plugin("p", thread_store=thread_store)]))

    for _ in range(2):
        with pytest.raises(StorageError, match="sessions is not a directory"):
            await threads.start()


async def test_a_store_that_fails_is_told_with_its_plugin(host: Any, kit: Any) -> None:
    from codex_hookspecs.errors import StorageError

    class Store(MemoryThreadStore):
        async def create(self, meta: Any) -> Any:
            raise ZeroDivisionError("no luck")

    store = Store()
    shelf = kit.plugin("shelf", thread_store=lambda: store)
    threads = await threads_of(host(plugins=[shelf], failures=["the thread store raised"]))

    with pytest.raises(
        StorageError, match=r"plugin shelf \(shelf 0\): the thread store raised ZeroDivisionError: no luck"
    ):
        await threads.start()


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (
            {"model_provider": "nosuch"},
            "Model provider `nosuch` not found; configured under .model_providers. are: none",
        ),
        ({"sandbox": "open"}, "sandbox mode 'open', allowed is one of read-only"),
        ({"approval_policy": "sometimes"}, "approval policy 'sometimes', allowed is one of untrusted"),
        ({"cwd": "/nowhere/at/all"}, "working directory /nowhere/at/all does not exist"),
        ({"config": {"model": 5}}, "model = 5, allowed is text"),
        (
            {"config": {"sandbox_mode": "workspace-write", "sandbox_workspace_write.writable_roots": ["relative"]}},
            "writable_roots has 'relative', allowed are absolute paths",
        ),
    ],
)
async def test_a_thread_that_cannot_be_made_is_told_and_nothing_is_kept(
    host: Any, model: Any, store: MemoryThreadStore, params: dict[str, Any], told: str
) -> None:
    threads = await threads_of(host(model=model(), store=store))

    with pytest.raises(ConfigError, match=told):
        await threads.start(ThreadStartParams(**params))

    assert store.threads == {}
    assert threads.loaded() == ()


async def test_threads_are_listed_named_found_and_put_away(host: Any, model: Any, store: MemoryThreadStore) -> None:
    run = host(model=model("one"), store=store)
    thread = (await run.turn("the first words")).thread
    threads = await threads_of(run)

    await threads.set_name(thread.id, "my thread")
    [listed] = (await threads.list(ThreadQuery())).threads
    found = await threads.find("my thread")
    await threads.archive(thread.id)

    assert (listed.preview, listed.name, listed.status) == ("the first words", "my thread", {"type": "idle"})
    assert found == thread.id
    assert thread.summary().name == "my thread"
    assert threads.get(thread.id) is None
    assert (await threads.list(ThreadQuery())).threads == ()
    assert (await threads.unarchive(thread.id)).id == thread.id


async def test_reading_shows_the_same_items_loaded_or_not(
    host: Any, model: Any, kit: Any, store: MemoryThreadStore
) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        return None if event.stop_hook_active else StopVerdict.block("more")

    plugins = [kit.plugin("p", stop=stop), kit.toolbox(kit.saying("echo", "e"))]
    run = host(plugins=plugins, model=model([{"reason": "hm"}, {"call": "echo"}], "one", "two"), store=store)
    thread = (await run.turn("go")).thread
    threads = await threads_of(run)

    loaded = await threads.read(thread.id, include_turns=True)
    bare = await threads.read(thread.id, include_turns=False)
    await threads.unload(thread.id)
    stored = await threads.read(thread.id, include_turns=True)

    assert bare.turns == ()
    assert [item.id for item in stored.turns[0].items] == [item.id for item in loaded.turns[0].items]
    assert [type(item) for item in stored.turns[0].items] == [type(item) for item in loaded.turns[0].items]


async def test_a_plugin_with_broken_tools_does_not_keep_a_thread_from_starting(host: Any, model: Any, kit: Any) -> None:
    def broken(thread: Any) -> Any:
        raise ValueError("no tools today")

    scripted = model([{"call": "echo", "call_id": "c"}], "done")

    def hammer(thread: Any) -> Any:
        return "hammer"

    plugins = [
        kit.plugin("a", tools=broken),
        kit.plugin("b", tools=hammer),
        kit.toolbox(kit.saying("echo", "e")),
        kit.plugin("z", tools=lambda thread: [kit.saying("echo", "mine")]),
    ]

    outcome = await host(plugins=plugins, model=scripted).turn("go")

    assert scripted.output("c") == "e"
    assert outcome.warnings == [
        f"plugin a (a 0): tools raised ValueError: no tools today ({__file__}:{broken.__code__.co_firstlineno + 1})",
        f"plugin b (b 0): tools returned str where a Tool belongs ({__file__}:{hammer.__code__.co_firstlineno})",
        "Tool echo of plugin z is left out: plugin toolbox offers one of that name "
        '(plugin_order.tools = "z" puts z first)',
    ]


async def test_a_quarantined_plugin_is_told_and_the_turns_go_on(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> None:
        raise ValueError("no luck")

    run = host(plugins=[kit.plugin("p", stop=stop)], model=model("a", "b", "c", "d"))

    outcomes = [await run.turn("go") for _ in range(4)]

    assert [outcome.final_message for outcome in outcomes] == ["a", "b", "c", "d"]
    assert outcomes[2].warnings[-1].endswith("; it is not called any more (run: codex plugins enable p)")
    assert outcomes[3].hooks("stop") == []


async def test_closing_the_program_closes_what_is_open(host: Any, model: Any, kit: Any) -> None:
    closed: list[str] = []

    class Machine(MemoryEnvironment):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.default = name == "b"

        async def open(self) -> Any:
            return self

        async def aclose(self) -> None:
            closed.append(self.id)
            raise OSError("stuck")

    run = host(plugins=[kit.plugin("m", environments=lambda: [Machine("a"), Machine("b")])], model=model("one"))
    application = (await run.opened()).application

    default = await application.environments.get()
    await application.environments.get("a")
    await application.environments.aclose()

    assert default.id == "b"
    assert sorted(closed) == ["a", "b"]


async def test_an_environment_that_cannot_be_opened_is_told(host: Any, model: Any, kit: Any) -> None:
    async def refuse() -> Any:
        raise OSError(111, "Connection refused")

    provider = SimpleNamespace(id="far", default=True, open=refuse)
    run = host(plugins=[kit.plugin("m", environments=lambda: [provider])], model=model())
    environments = (await run.opened()).application.environments

    with pytest.raises(ExecError, match=r"environment 'far' can't be opened: .*Connection refused"):
        await environments.get()
    with pytest.raises(ExecError, match="there is no environment 'near'; there are: far"):
        await environments.get("near")


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        (None, "opened as None, not as an Environment"),
        ("box", "opened as str without id, remote, exec, files, facts, aclose, not as an Environment"),
        (MemoryEnvironment, "opened as the class MemoryEnvironment, not as an Environment"),
    ],
)
async def test_what_opens_as_no_environment_is_blamed_on_its_plugin(
    host: Any, model: Any, kit: Any, opened: Any, told: str
) -> None:
    async def answer() -> Any:
        return opened

    provider = SimpleNamespace(id="far", default=True, open=answer)
    plugin = kit.plugin("far", environments=lambda: [provider])
    run = host(plugins=[plugin], model=model(), failures=["opened as"])

    with pytest.raises(ExecError) as caught:
        await (await run.opened()).application.environments.get()

    assert re.search(
        rf"^plugin far \(.*\): environment 'far' {told} \(.*{Path(__file__).name}:\d+\)$", str(caught.value)
    )
