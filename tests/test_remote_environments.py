"""Whole turns on other machines: which one a thread works on, and what model and user hear when one is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_remote import plugin as exec_remote
from codex_hookspecs import hookimpl
from codex_hookspecs.types.items import CommandExecution
from codex_hookspecs.types.notifications import WarningNotice
from codex_testkit import MemoryEnvironments
from codex_testkit.servers.exec_client import exec_server
from codex_testkit.servers.exec_server_0169 import Cut, FakeExecServer, fake_exec_server, refuse
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.anyio
PLUGINS = (exec_local, exec_remote, tool_exec)
INFO = {"shell": {"name": "bash", "path": "/bin/bash"}}
LOST = "the connection to the exec-server was lost and could not be resumed"


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"call": name, "call_id": "c", "args": arguments}


def remote(fake: FakeExecServer) -> dict[str, Any]:
    return {"plugins": PLUGINS, "environ": {"CODEX_EXEC_SERVER_URL": fake.url}}


async def test_threads_work_on_the_machines_they_name_at_the_same_time(host: Any, model: Any, tmp_path: Any) -> None:
    scripted = model([call("exec_command", cmd="echo on $MACHINE", login=False)], "done")
    others = [model([call("exec_command", cmd="echo on $MACHINE", login=False)], "done") for _ in range(2)]
    async with exec_server(env={"MACHINE": "a"}) as a, exec_server(env={"MACHINE": "b"}) as b:
        tables = {"environments": {"a": {"url": a.url}, "b": {"url": b.url}}}
        hosts = [
            host(plugins=PLUGINS, model=each, config=tables, params={"config": {"environment": name}})
            for each, name in zip(others, "ab", strict=True)
        ]
        plain = host(plugins=PLUGINS, model=scripted, config=tables)

        await asyncio.gather(*(each.turn("go") for each in (*hosts, plain)))

    assert [each.output("c").splitlines()[-1] for each in (*others, scripted)] == ["on a", "on b", "on"]


async def test_a_thread_that_names_what_there_is_not_is_told(host: Any, model: Any) -> None:
    scripted = model([call("exec_command", cmd="true")], "done")

    turn = await host(plugins=PLUGINS, model=scripted, params={"config": {"environment": "x"}}).turn("go")

    assert scripted.output("c").startswith("No usable execution environment is available.")
    warnings = [each.message for each in turn.notifications if isinstance(each, WarningNotice)]
    assert warnings == ["no environment to work in: there is no environment 'x'; there are: local"]


async def test_a_machine_that_can_not_be_reached_is_not_replaced_by_this_one(host: Any, model: Any) -> None:
    scripted = model([call("exec_command", cmd="true")], "done")
    environ = {"CODEX_EXEC_SERVER_URL": "ws://127.0.0.1:9"}

    turn = await host(plugins=PLUGINS, model=scripted, environ=environ).turn("go")

    assert scripted.output("c").startswith("No usable execution environment is available.")
    warnings = [each.message for each in turn.notifications if isinstance(each, WarningNotice)]
    assert warnings == [
        "no environment to work in: failed to connect to exec-server websocket `ws://127.0.0.1:9`: "
        "Connection refused (os error 111)"
    ]


async def test_a_launch_that_the_server_refuses_is_told_in_its_words(host: Any, model: Any) -> None:
    scripted = model([call("exec_command", cmd="ls")], "done")
    async with fake_exec_server() as fake:
        fake.info = INFO
        fake.behaviour["process/start"] = refuse(-32603, "No such file or directory (os error 2)")

        turn = await host(model=scripted, **remote(fake)).turn("go")

    shown = (
        "Failed to create unified exec process: exec-server rejected request (-32603): "
        "No such file or directory (os error 2)"
    )
    assert scripted.output("c") == (
        f'exec_command failed for `/bin/bash -lc ls`: CreateProcess {{ message: "Rejected(\\"{shown}\\")" }}'
    )
    [item] = [each for each in turn.items if isinstance(each, CommandExecution)]
    assert (item.status, item.aggregated_output) == ("failed", shown)


async def test_the_server_is_told_whose_command_it_runs(host: Any, model: Any) -> None:
    scripted = model([call("exec_command", cmd="make", login=False)], "done")
    async with fake_exec_server() as fake:
        fake.info = INFO
        turning = asyncio.create_task(host(model=scripted, **remote(fake)).turn("go"))
        await fake.until(lambda: bool(fake.processes))
        await fake.end(next(iter(fake.processes)))

        turn = await turning

    [started] = fake.asked("process/start")
    assert started["metadata"] == {"threadId": turn.thread.id, "toolCallId": "c"}


async def test_a_command_that_is_lost_is_told_with_what_it_said(host: Any, model: Any) -> None:
    scripted = model([call("exec_command", cmd="make", login=False, yield_time_ms=20_000)], "done")
    async with fake_exec_server() as fake:
        fake.info = INFO
        turning = asyncio.create_task(host(model=scripted, **remote(fake)).turn("go"))
        await fake.until(lambda: bool(fake.processes))
        [process_id] = fake.processes
        await fake.say(process_id, "half of it\n")
        fake.behaviour["initialize"] = refuse(-32600, "unknown session id session")
        fake.cut()

        turn = await turning

    told = scripted.output("c").splitlines()
    assert told[0] == f"the command was lost: {LOST}"
    assert told[-1] == "half of it"
    [item] = [each for each in turn.items if isinstance(each, CommandExecution)]
    assert (item.status, item.exit_code, item.aggregated_output) == ("failed", -1, "half of it\n")
    warnings = [each.message for each in turn.notifications if isinstance(each, WarningNotice)]
    assert warnings == [f"the command `/bin/bash -c make` was lost: {LOST}"]


async def test_a_write_that_fails_is_told_and_the_command_is_let_go(host: Any, model: Any) -> None:
    scripted = model(
        [call("exec_command", cmd="cat", login=False, tty=True, yield_time_ms=250)],
        [{"stdin": {"session_id": "$SESSION", "chars": "a\n"}, "call_id": "w"}],
        "done",
    )
    async with fake_exec_server() as fake:
        fake.info = INFO

        def write(_asked: dict[str, Any]) -> Any:
            fake.behaviour["initialize"] = refuse(-32600, "unknown session id session")
            raise Cut

        fake.behaviour["process/write"] = write

        await host(model=scripted, **remote(fake)).turn("go")

    assert scripted.output("w") == f"write_stdin failed: {LOST}"
    assert len(fake.asked("process/write")) == 1


async def test_a_machine_that_takes_long_to_open_keeps_only_its_own_threads_waiting(
    host: Any, kit_machines: Any
) -> None:
    opened = await host(plugins=[kit_machines]).opened()
    environments = opened.application.environments
    waiting = asyncio.create_task(environments.get("slow"))
    await kit_machines.asked.wait()

    assert (await environments.get("quick")).id == "quick"

    kit_machines.go_on.set()
    assert await environments.get("slow") is await waiting
    assert kit_machines.count == 1


@pytest.fixture
def kit_machines() -> Any:
    """Return a plugin with two machines, one of which takes its time."""

    class Slow(MemoryEnvironments):
        async def open(self) -> Any:
            machines.count += 1
            machines.asked.set()
            await machines.go_on.wait()
            return await super().open()

    class Machines:
        asked, go_on, count = asyncio.Event(), asyncio.Event(), 0

        @hookimpl
        def environments(self) -> Any:
            return [Slow("slow"), MemoryEnvironments("quick")]

    machines = Machines()
    return machines
