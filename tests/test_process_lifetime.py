"""Commands end with the program that started them, also when it is killed hard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.environments.file_uri import uri_of
from codex_testkit.servers.exec_client import LIMIT, exec_server

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
CODEX = str(Path(sys.executable).with_name("codex"))
CAN_BOX = sys.platform == "linux" and shutil.which("bwrap") is not None
TREE = 4


def tree(mark: str, *, tty: bool = False) -> str:
    """Return a script of four processes: a shell, its child and grandchild, and a child with a session of its own.

    :param tty: the last one gets no session: who leaves a terminal's session is not to be found when that hangs up.
    """
    return f"sh -c 'sleep {mark} & wait' & {'' if tty else 'setsid '}sleep {mark} & : {mark}; wait"


def mark_of(folder: Path) -> str:
    """Return a number of seconds that no other test sleeps."""
    return f"300.{abs(hash(str(folder))) % 10**9:09}{os.getpid()}"


def alive(mark: str) -> list[str]:
    """List the processes with a mark among their arguments, leaving out wrappers that name the whole command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line and not any(word in line for word in ("--die-with-parent", "codex ")):
            found.append(line)
    return found


async def until(fits: Callable[[int], bool], mark: str) -> None:
    """Wait until the number of processes with a mark fits."""
    async with asyncio.timeout(LIMIT):
        while True:
            if fits(len(alive(mark))):
                return
            await asyncio.sleep(0.01)


def all_there(count: int) -> bool:
    return count == TREE


def some_there(count: int) -> bool:
    return count > 0


def all_gone(count: int) -> bool:
    return count == 0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a place for settings, outside of where commands work."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def policy(folder: Path) -> dict[str, Any]:
    """Return a sandbox that lets a folder be written."""
    kinds = [("root", "read"), ("project_roots", "write")]
    entries = [{"path": {"type": "special", "value": {"kind": kind}}, "access": access} for kind, access in kinds]
    system = {"type": "restricted", "entries": entries}
    where = uri_of(str(folder))
    return {
        "permissions": {"type": "managed", "file_system": system, "network": "restricted"},
        "cwd": where,
        "workspaceRoots": [where],
    }


@pytest.mark.parametrize("way", ["pipes", "terminal", *(["sandbox", "sandboxed terminal"] if CAN_BOX else [])])
async def test_a_killed_server_takes_the_whole_tree_along(home: Path, work: Path, way: str) -> None:
    mark = mark_of(work)
    async with exec_server(env={"CODEX_HOME": str(home)}) as server, server.client() as client:
        tty = "terminal" in way
        more = {"sandbox": policy(work)} if "sandbox" in way else {}
        await client.start("p", ["/bin/sh", "-c", tree(mark, tty=tty)], tty=tty, **more)
        await until(all_there, mark)
        assert server.process is not None

        server.process.kill()

        await until(all_gone, mark)


async def test_a_server_killed_while_it_starts_commands_leaves_none_of_them(tmp_path: Path) -> None:
    for number in range(3):
        mark = mark_of(tmp_path / str(number))
        async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as server, server.client() as client:
            for process in range(200):
                params = {"argv": ["/bin/sleep", mark], "cwd": "/", "env": {}, "tty": False}
                await client.send("process/start", {"processId": f"p{process}", **params})
            await until(some_there, mark)
            assert server.process is not None

            server.process.kill()

            await server.process.wait()
            await until(all_gone, mark)


async def test_commands_that_are_over_are_nobodys_business(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    async with exec_server(env={"CODEX_HOME": str(tmp_path)}) as server, server.client() as client:
        await client.start("p", ["/bin/sh", "-c", f"sleep {mark} > /dev/null 2>&1 & echo $!"])
        left = int(await client.output("p"))
        assert server.process is not None
        try:
            server.process.kill()
            await server.process.wait()
            await client.lost()

            assert len(alive(mark)) == 1
        finally:
            os.kill(left, 9)


async def begun(home: Path, work: Path, script: Path, mode: str = "danger-full-access") -> asyncio.subprocess.Process:
    """Begin a turn of the program with a script for its model."""
    return await asyncio.create_subprocess_exec(
        CODEX,
        *("-c", "model_provider=scripted", "exec", "--skip-git-repo-check", "--sandbox", mode, "go"),
        cwd=work,
        env={**os.environ, "CODEX_HOME": str(home), "CODEX_MODEL_SCRIPT": str(script)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize("mode", ["danger-full-access", *(["workspace-write"] if CAN_BOX else [])])
async def test_a_killed_turn_takes_the_whole_tree_along(home: Path, work: Path, mode: str, tty: bool) -> None:
    mark = mark_of(work)
    script = home / "script.json"
    script.write_text(json.dumps([[{"sh": {"cmd": tree(mark, tty=tty), "tty": tty, "yield_time_ms": 30_000}}]]))
    turn = await begun(home, work, script, mode)
    try:
        await until(all_there, mark)
    finally:
        turn.kill()
    await turn.wait()

    await until(all_gone, mark)


@pytest.mark.parametrize("apart", [False, True], ids=["waited for", "detached"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM], ids=lambda number: number.name)
async def test_the_tree_of_a_hook_script_ends_with_the_program(
    home: Path, work: Path, number: signal.Signals, apart: bool
) -> None:
    mark = mark_of(work)
    # An orderly end reaches the group of a script; what has left that is only found when the program was killed.
    handler = {"type": "command", "command": tree(mark, tty=number != signal.SIGKILL), "async": apart}
    (home / "hooks.json").write_text(json.dumps({"hooks": {"UserPromptSubmit": [{"hooks": [handler]}]}}))
    script = home / "script.json"
    script.write_text(json.dumps([[{"sh": {"cmd": "sleep 60", "yield_time_ms": 30_000}}]]))
    turn = await begun(home, work, script)
    try:
        await until(all_there, mark)
        turn.send_signal(number)
        await asyncio.wait_for(turn.wait(), LIMIT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            turn.kill()

    await until(all_gone, mark)


BACKGROUND = (
    "sleep {0} >/dev/null 2>&1 & setsid sleep {0} >/dev/null 2>&1 & nohup sleep {0} >/dev/null 2>&1 & "
    '(setsid sh -c "sleep {0} & sleep {0} &" >/dev/null 2>&1 &); sleep 0.1; echo started'
)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
async def test_what_commands_have_left_in_the_background_ends_with_the_program(
    home: Path, work: Path, number: signal.Signals | None
) -> None:
    mark = mark_of(work)
    steps = [[{"sh": {"cmd": BACKGROUND.format(mark)}}], [{"sh": {"cmd": "" if number is None else "sleep 60"}}]]
    (home / "script.json").write_text(json.dumps(steps))
    arguments = ("-c", "model_provider=scripted", "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access")
    turn = await asyncio.create_subprocess_exec(
        CODEX,
        *arguments,
        "go",
        cwd=work,
        env={**os.environ, "CODEX_HOME": str(home), "CODEX_MODEL_SCRIPT": str(home / "script.json")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if number is not None:
        await until(lambda count: count == BACKGROUND.count("sleep {0}"), mark)
        turn.send_signal(number)

    await asyncio.wait_for(turn.wait(), LIMIT)

    await until(all_gone, mark)
