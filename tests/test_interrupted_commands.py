"""Commands without a terminal can be interrupted: by the model, and with their turn."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_remote import plugin as exec_remote
from codex_sandbox_bwrap import plugin as sandbox_bwrap
from codex_sandbox_landlock import plugin as sandbox_landlock
from codex_testkit.servers.exec_client import exec_server
from codex_tool_exec import plugin as tool_exec

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
BOXES = {
    "none": ("danger-full-access", ()),
    "bwrap": ("workspace-write", (sandbox_bwrap,)),
    "landlock": ("workspace-write", (sandbox_landlock,)),
}
HEEDS = "trap 'echo interrupted >> told; exit 5' INT; echo $$ > up; while :; do sleep 0.1; done"
IGNORES = "trap '' INT TERM; echo $$ > up; while :; do sleep 0.1; echo on >> told; done"


@pytest.fixture(params=BOXES)
def opened(request: pytest.FixtureRequest, host: Any, model: Any) -> Callable[..., Any]:
    sandbox, launchers = BOXES[request.param]

    def make(*rounds: Any, environ: Any = None) -> tuple[Any, Any]:
        scripted = model(*rounds, "done")
        kit = host(
            plugins=(exec_local, exec_remote, tool_exec, *launchers),
            model=scripted,
            environ={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SHELL": "/bin/sh", **(environ or {})},
            params={"sandbox": sandbox, "approval_policy": "never"},
        )
        return kit, scripted

    return make


def shell(cmd: str, wait: int) -> list[Any]:
    return [{"sh": {"cmd": cmd, "login": False, "yield_time_ms": wait}, "call_id": "c"}]


def interrupt(wait: int = 5_000) -> list[Any]:
    return [{"stdin": {"session_id": "$SESSION", "chars": "\x03", "yield_time_ms": wait}, "call_id": "d"}]


async def until(path: Path) -> None:
    async with asyncio.timeout(20):
        while not path.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_model_can_interrupt_a_command(opened: Any, tmp_path: Path) -> None:
    kit, scripted = opened(shell(HEEDS, 1_000), interrupt())

    await kit.turn("go")

    assert "Process exited with code 5" in scripted.output("d")
    assert (tmp_path / "project/told").read_text() == "interrupted\n"


async def test_a_command_that_heeds_no_interruption_goes_on(opened: Any, tmp_path: Path) -> None:
    kit, scripted = opened(shell(IGNORES, 1_000), interrupt(300))

    await kit.turn("go")

    assert "Process running with session ID" in scripted.output("d")


async def test_an_interrupted_turn_interrupts_its_command(opened: Any, tmp_path: Path) -> None:
    kit, _ = opened(shell(HEEDS, 30_000))
    thread = await (await kit.opened()).thread()
    turning = asyncio.create_task(kit.turn("go"))
    await until(tmp_path / "project/up")

    await thread.interrupt()
    await turning

    await until(tmp_path / "project/told")
    assert (tmp_path / "project/told").read_text() == "interrupted\n"


async def test_an_interrupted_turn_ends_what_heeds_nothing(opened: Any, tmp_path: Path) -> None:
    kit, _ = opened(shell(IGNORES, 30_000))
    thread = await (await kit.opened()).thread()
    turning = asyncio.create_task(kit.turn("go"))
    await until(tmp_path / "project/told")

    began = time.monotonic()
    await thread.interrupt()
    await turning
    waited = time.monotonic() - began
    await asyncio.sleep(4)

    before = (tmp_path / "project/told").stat().st_size
    await asyncio.sleep(0.5)
    assert (tmp_path / "project/told").stat().st_size == before
    assert waited < 2


async def test_a_command_on_another_machine_can_be_interrupted(opened: Any, tmp_path: Path) -> None:
    async with exec_server() as server:
        kit, scripted = opened(shell(HEEDS, 1_000), interrupt(), environ={"CODEX_EXEC_SERVER_URL": server.url})
        await kit.turn("go")

    assert "Process exited with code 5" in scripted.output("d")


async def test_nothing_else_can_be_written_to_a_command_without_a_terminal(opened: Any) -> None:
    more = [{"stdin": {"session_id": "$SESSION", "chars": "\x03\x03"}, "call_id": "d"}]
    kit, scripted = opened(shell(HEEDS, 300), more)

    await kit.turn("go")

    assert "stdin is closed for this session" in scripted.output("d")
