"""Commands of a whole turn really run: host, environment, tools and hooks together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local import plugin as exec_local
from codex_hookspecs import PostToolUseEvent, PreToolUseEvent, PreToolUseVerdict, hookimpl
from codex_hookspecs.types.items import CommandExecution, FileChange
from codex_hookspecs.types.notifications import (
    CommandOutputDelta,
    ItemCompleted,
    ItemStarted,
    Notification,
    TerminalInteraction,
)
from codex_testkit import ScriptedModel
from codex_tool_apply_patch import plugin as tool_apply_patch
from codex_tool_exec import plugin as tool_exec

pytestmark = pytest.mark.anyio

PLUGINS = (exec_local, tool_exec, tool_apply_patch)
FREE = {"sandbox": "danger-full-access", "approval_policy": "never"}
PATCH = "*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch"


def answers(model: ScriptedModel) -> list[str]:
    """Return what the model was told of its calls."""
    last = model.requests[-1].input
    return [item["output"] for item in last if item.get("type") == "function_call_output"]


def commands(items: list[Any]) -> list[CommandExecution]:
    return [item for item in items if isinstance(item, CommandExecution)]


def shell(cmd: str, **more: Any) -> dict[str, Any]:
    return {"sh": {"cmd": cmd, **more}}


@pytest.fixture
def open_host(host: Any) -> Callable[..., Any]:
    def opened(model: ScriptedModel, *plugins: object, **others: Any) -> Any:
        environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SHELL": "/bin/sh"}
        given = {"params": FREE, "environ": environ, **others}
        return host(plugins=[*PLUGINS, *plugins], model=model, **given)

    return opened


async def test_a_command_runs_in_the_project_and_is_answered_and_shown(
    open_host: Any, model: Any, tmp_path: Path
) -> None:
    talk = model([shell("pwd; echo err >&2; exit 3")], "done")

    run = await open_host(talk).turn("go")

    project = tmp_path / "project"
    [told] = answers(talk)
    assert "Process exited with code 3\n" in told
    assert sorted(told.partition("Output:\n")[2].splitlines()) == [str(project), "err"]  # Two pipes have no order.
    [item] = commands(run.items)
    assert (item.status, item.exit_code, item.cwd) == ("failed", 3, str(project))
    assert sorted((item.aggregated_output or "").splitlines()) == [str(project), "err"]


async def test_clients_see_start_output_and_end_in_this_order(open_host: Any, model: Any) -> None:
    talk = model(
        [shell("cat", tty=True, yield_time_ms=300)], [{"stdin": {"session_id": "$SESSION", "chars": "a\x04\x04"}}]
    )

    run = await open_host(talk).turn("go")

    def about_commands(seen: Notification) -> bool:
        items = isinstance(seen, ItemStarted | ItemCompleted) and isinstance(seen.item, CommandExecution)
        return items or isinstance(seen, CommandOutputDelta | TerminalInteraction)

    kinds = [type(seen) for seen in run.notifications if about_commands(seen)]
    assert (kinds[:2], kinds[-1]) == ([ItemStarted, TerminalInteraction], ItemCompleted)
    assert set(kinds[2:-1]) == {CommandOutputDelta}
    assert commands(run.items)[0].exit_code == 0


async def test_hooks_see_the_command_and_may_put_another_in_its_place(open_host: Any, model: Any) -> None:
    seen: list[tuple[str, Any, Any]] = []

    class Hooks:
        @hookimpl
        async def pre_tool_use(self, event: PreToolUseEvent) -> PreToolUseVerdict:
            seen.append((event.tool_name, event.tool_input, None))
            return PreToolUseVerdict(updated_input={"command": "echo instead"})

        @hookimpl
        async def post_tool_use(self, event: PostToolUseEvent) -> None:
            seen.append((event.tool_name, event.tool_input, event.tool_response))

    talk = model([shell("echo first")], "done")

    await open_host(talk, Hooks()).turn("go")

    assert seen == [
        ("Bash", {"command": "echo first"}, None),
        ("Bash", {"command": "echo instead"}, "instead\n"),
    ]


async def test_a_patch_given_as_a_command_is_applied_as_a_patch(open_host: Any, model: Any, tmp_path: Path) -> None:
    talk = model([shell(f"apply_patch <<'EOF'\n{PATCH}\nEOF")], "done")

    run = await open_host(talk).turn("go")

    assert (tmp_path / "project" / "made.txt").read_text() == "hello\n"
    assert commands(run.items) == []
    assert [item.status for item in run.items if isinstance(item, FileChange)] == ["completed"]
    assert "A made.txt" in answers(talk)[0]


async def test_without_a_launcher_for_the_policy_nothing_runs(open_host: Any, model: Any, tmp_path: Path) -> None:
    talk = model([shell("touch made.txt")], "done")

    run = await open_host(talk, params={"sandbox": "read-only", "approval_policy": "never"}).turn("go")

    assert not (tmp_path / "project" / "made.txt").exists()
    assert [item.status for item in commands(run.items)] == ["failed"]
    assert answers(talk)[0].startswith("exec_command failed for `/bin/")
    assert "sandbox" in answers(talk)[0]


async def test_a_command_outlives_its_turn_but_not_its_thread(open_host: Any, model: Any, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    script = f"echo $$ > {marker}; exec sleep 60"
    talk = model([shell(script, yield_time_ms=250)], "done")
    kit = open_host(talk)

    run = await kit.turn("go")

    pid = int(marker.read_text())
    os.kill(pid, 0)
    assert commands(run.items) == []
    await (await kit.opened()).application.threads.unload(run.thread.id)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_interrupted_turn_interrupts_its_command(open_host: Any, model: Any) -> None:
    talk = model([shell("sleep 60")], "done")
    kit = open_host(talk)
    thread = await (await kit.opened()).thread()
    began = asyncio.Event()
    ended: list[CommandExecution] = []
    over = asyncio.Event()

    async def listen(seen: Notification) -> None:
        if isinstance(seen, ItemStarted) and isinstance(seen.item, CommandExecution):
            began.set()
        if isinstance(seen, ItemCompleted) and isinstance(seen.item, CommandExecution):
            ended.append(seen.item)
            over.set()

    thread.listen(listen)
    await thread.submit([{"type": "text", "text": "go"}])
    async with asyncio.timeout(20):
        await began.wait()
        await thread.interrupt()
        await over.wait()

    # On a busy machine the interruption may come before there is a shell to take it; then the command is killed.
    assert [item.status for item in ended] == ["failed"]
    assert ended[0].exit_code in (130, 137)


async def test_much_output_of_many_commands_at_once_is_bounded(open_host: Any, model: Any) -> None:
    talk = model([shell("yes | head -c 20000000", yield_time_ms=30_000)] * 4, "done")

    run = await open_host(talk).turn("go")

    assert [len(item.aggregated_output or "") for item in commands(run.items)] == [1024 * 1024] * 4
    assert all("Original token count: 262144" in told and len(told) < 60_000 for told in answers(talk))
