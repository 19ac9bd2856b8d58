"""Tools and hooks in real time, past every limit that the program sets for itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_remote import plugin as exec_remote
from codex_hookspecs import StopVerdict, Tool, ToolOutput, hookimpl, time_limit
from codex_hookspecs.ports.models import ModelProvider
from codex_hookspecs.types.items import CommandExecution
from codex_hookspecs.types.models import Completed, ItemDone
from codex_hookspecs.types.notifications import ItemCompleted, ItemStarted
from codex_testkit.servers.exec_client import exec_server
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.anyio
PLUGINS = (exec_local, exec_remote, tool_exec)


def command(text: str, milliseconds: int = 30_000) -> dict[str, Any]:
    arguments = {"cmd": text, "yield_time_ms": milliseconds, "login": False}
    return {"call": "exec_command", "call_id": "c", "args": arguments}


async def ended_well(run: Any, scripted: Any) -> None:
    """Run a turn whose one command says that it is over; see that all of it was told."""
    outcome = await run.turn("go")

    assert scripted.output("c").endswith("over\n")
    assert (outcome.turn.status, outcome.final_message, outcome.warnings) == ("completed", "done", [])
    seen = outcome.notifications
    begun = [each.item.id for each in seen if isinstance(each, ItemStarted)]
    assert sorted(begun) == sorted(each.item.id for each in seen if isinstance(each, ItemCompleted))
    [item] = [item for item in outcome.items if isinstance(item, CommandExecution)]
    assert (item.status, item.exit_code) == ("completed", 0)


class Polling(ModelProvider):
    """A model that begins a command, looks twice and says what it saw last."""

    default_model = "gpt-test"

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        outputs = [item["output"] for item in request.input if item["type"] == "function_call_output"]
        if len(outputs) == 3:
            text = {"type": "output_text", "text": outputs[-1]}
            yield ItemDone({"type": "message", "role": "assistant", "id": "m", "content": [text]})
        else:
            call = command("sleep 26; echo over", 1000)
            if outputs:
                session = int(re.findall(r"session ID (\d+)", outputs[-1])[0])
                waits = 12_000 if len(outputs) == 1 else 30_000
                call = {"call": "write_stdin", "args": {"session_id": session, "chars": "", "yield_time_ms": waits}}
            arguments = json.dumps(call["args"])
            call_id = f"c{len(outputs)}"
            yield ItemDone({"type": "function_call", "call_id": call_id, "name": call["call"], "arguments": arguments})
        yield Completed("r")

    async def aclose(self) -> None:
        pass


async def polled_well(run: Any) -> None:
    """Run a turn that looks at a running command until it is over."""
    outcome = await run.turn("go")

    assert outcome.final_message.endswith("over\n")
    assert (outcome.turn.status, outcome.warnings) == ("completed", [])


class Patient:
    """A plugin whose tool waits in every way that libraries have, longer than anything of ours waits."""

    def __init__(self) -> None:
        self.results: list[str] = []

    @hookimpl
    def tools(self, thread: Any) -> list[Tool]:
        return [Tool(name="wait", spec={"type": "function", "name": "wait"}, run=self.wait)]

    async def wait(self, call: Any, context: Any) -> ToolOutput:
        async with asyncio.timeout(20):
            await asyncio.sleep(11)
        try:
            async with asyncio.timeout(3):
                await asyncio.sleep(60)
        except TimeoutError:
            self.results.append("timeout")
        try:
            await asyncio.wait_for(asyncio.sleep(60), 3)
        except TimeoutError:
            self.results.append("wait_for")
        with anyio.move_on_after(3) as scope:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(60))
        self.results.append(f"scope {scope.cancelled_caught}")
        return ToolOutput("waited")


async def waited_well(run: Any, scripted: Any, plugin: Patient) -> None:
    outcome = await run.turn("go")

    assert scripted.output("w") == "waited"
    assert plugin.results == ["timeout", "wait_for", "scope True"]
    assert (outcome.turn.status, outcome.warnings) == ("completed", [])


async def test_tools_may_take_longer_than_we_ever_wait_here_and_elsewhere(host: Any, model: Any) -> None:
    turns: list[Any] = []
    async with exec_server() as server:
        for environ in ({}, {"CODEX_EXEC_SERVER_URL": server.url}):
            for seconds in (14, 28):
                scripted = model([command(f"sleep {seconds}; echo over")], "done")
                turns.append(ended_well(host(plugins=PLUGINS, model=scripted, environ=environ), scripted))
            turns.append(polled_well(host(plugins=PLUGINS, model=Polling(), environ=environ)))
        scripted, plugin = model([{"call": "wait", "call_id": "w"}], "done"), Patient()
        turns.append(waited_well(host(plugins=[plugin], model=scripted), scripted, plugin))

        await asyncio.gather(*turns)


class Hooks:
    """A plugin whose stop hook waits under its own limits, and ours."""

    def __init__(self) -> None:
        self.results: list[str] = []

    @hookimpl
    @time_limit(8)
    async def stop(self, event: Any) -> StopVerdict | None:
        if event.stop_hook_active:
            return None
        try:
            async with asyncio.timeout(3):
                await asyncio.sleep(60)
        except TimeoutError:
            self.results.append("its own limit")
        await asyncio.sleep(4)
        return StopVerdict.block("go on")


class Late:
    """A plugin whose stop hook takes a little longer than it may."""

    @hookimpl
    @time_limit(3)
    async def stop(self, event: Any) -> StopVerdict | None:
        if not event.stop_hook_active:
            await asyncio.sleep(3.5)
        return StopVerdict.block("too late")


class Unlimited:
    """A plugin that bounds its own work."""

    @hookimpl
    @time_limit(None)
    async def stop(self, event: Any) -> StopVerdict | None:
        if event.stop_hook_active:
            return None
        await asyncio.sleep(9)
        return StopVerdict.block("at leisure")


async def test_hooks_have_the_time_they_were_given_and_no_more(host: Any, model: Any) -> None:
    plugins = [Hooks(), Late(), Unlimited()]
    failures = [[], ["stop took longer than 3 s"], []]
    runs = [
        host(plugins=[plugin], model=model("one", "two", "three"), config=ONE_BLOCK, failures=expected)
        for plugin, expected in zip(plugins, failures, strict=True)
    ]

    within, late, unlimited = await asyncio.gather(*(run.turn("go") for run in runs))

    assert plugins[0].results == ["its own limit"]  # type: ignore[attr-defined]
    assert [run.blocked_with for run in within.hooks("stop")] == ["go on"]
    assert "stop took longer than 3 s" in late.warnings[0]
    assert f"({__file__}:{Late.stop.__code__.co_firstlineno + 4})" in late.warnings[0]
    assert [run.blocked_with for run in unlimited.hooks("stop")] == ["at leisure"]


ONE_BLOCK = {"hooks.max_stop_blocks": 1}
