"""An environment behind a server of 0.118 fulfils the contracts of the ports, as far as that server can."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.files import RemoteFileSystem
from codex_exec_remote.process import TOO_FAST
from codex_hookspecs.environments import Environment, ExecParams, OutputChunk, ProcessClosed, ProcessFailed
from codex_hookspecs.errors import EnvironmentLost, ExecError
from codex_testkit.servers.exec_client import ExecServerAt
from codex_testkit.servers.exec_server_0118 import Server0118, server_0118
from codex_testkit.suites.exec import LIMIT, ExecBackendContract, output
from codex_testkit.suites.files import FileSystemContract

pytestmark = pytest.mark.anyio
LOST = "the connection to the exec-server was lost"


@pytest.fixture
def wake_up() -> bool:
    """Notifications carry the bytes."""
    return False


@pytest.fixture
async def older(wake_up: bool, server: ExecServerAt) -> AsyncIterator[Server0118]:
    async with server_0118(server.url, wake_up=wake_up) as running:
        yield running


@pytest.fixture
async def environment(older: Server0118, connected: Callable[..., Any]) -> RemoteEnvironment:
    return await connected(older.url, dict(os.environ))


class TestExec(ExecBackendContract):
    closes_pipes = False

    @pytest.fixture
    async def environment(self, environment: RemoteEnvironment) -> RemoteEnvironment:
        return environment

    async def test_an_interrupt_ends_a_program(self, environment: Environment) -> None:
        process = await self.start(environment, "ready")
        await self.until(process, b"ready")

        with pytest.raises(ExecError, match=r"^this exec-server can't interrupt processes$"):
            await process.interrupt()

        assert await process.terminate()

    async def test_an_interrupt_of_a_program_on_a_terminal_ends_it(self, environment: Environment) -> None:
        process = await self.start(environment, "ready", tty=True)
        await self.until(process, b"ready")

        await process.interrupt()

        assert b"^C" in output(await self.events(process))

    async def test_a_terminal_has_the_size_given_and_can_be_resized(self, environment: Environment) -> None:
        process = await self.start(environment, "window", tty=True, rows=33, columns=99)
        await self.until(process, b"24 80")

        await process.resize(44, 111)
        await process.write(b"\n")

        assert b"24 80" in output(await self.events(process))  # The protocol has no way to say it.


class TestExecWokenUp(TestExec):
    """Bytes are read when a notification says that there are some; a server keeps the newest of them only."""

    @pytest.fixture
    def wake_up(self) -> bool:
        return True

    async def test_a_reader_that_stalls_holds_up_the_process_and_loses_nothing(self, environment: Environment) -> None:
        process = await self.start(environment, "flood")

        found = await self.events(process)

        assert found[-1] in (ProcessFailed(TOO_FAST), ProcessClosed(len(found)))

    async def test_without_a_reader_the_newest_mebibyte_is_kept(self, environment: Environment) -> None:
        process = await self.start(environment, "flood")
        async with asyncio.timeout(LIMIT):
            result = await process.read()
            while not (result.closed or result.failure):
                result = await process.read(result.next_seq - 1, wait=LIMIT)

        assert result.failure in (None, TOO_FAST)


class TestFiles(FileSystemContract):
    @pytest.fixture
    async def files(self, environment: RemoteEnvironment) -> RemoteFileSystem:
        return environment.files

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return os.path.realpath(tmp_path)

    async def link(self, files: RemoteFileSystem, path: str, target: str) -> None:
        os.symlink(target, path)


def sh(process_id: str, script: str, **more: Any) -> ExecParams:
    env = {"PATH": "/usr/bin:/bin"}
    return ExecParams(process_id=process_id, argv=("/bin/sh", "-c", script), cwd="/", env=env, **more)


async def test_a_connection_cut_in_mid_output_is_the_end_of_its_processes(
    older: Server0118, environment: RemoteEnvironment
) -> None:
    running = [await environment.exec.start(sh(name, "echo begun; sleep 60")) for name in ("p", "q")]
    follow = [process.events() for process in running]
    async with asyncio.timeout(LIMIT):
        first = [await anext(events) for events in follow]

        older.cut()
        rest = [[event async for event in events] for events in follow]

    assert [event.data for event in first if isinstance(event, OutputChunk)] == [b"begun\n"] * 2
    assert rest == [[ProcessFailed(LOST)]] * 2


async def test_a_connection_cut_in_mid_write_fails_the_write(older: Server0118, environment: RemoteEnvironment) -> None:
    process = await environment.exec.start(sh("p", "sleep 60", pipe_stdin=True))

    async def write_on() -> None:
        while True:
            await process.write(b"x" * 65536)

    writing = asyncio.create_task(write_on())
    await asyncio.wait((writing,), timeout=0.3)
    older.cut()

    with pytest.raises(EnvironmentLost, match=f"^{LOST}$"):
        await asyncio.wait_for(writing, LIMIT)


async def test_a_connection_cut_during_launch_fails_the_launch(
    older: Server0118, environment: RemoteEnvironment
) -> None:
    launching = asyncio.create_task(environment.exec.start(sh("p", "sleep 60")))
    async with asyncio.timeout(LIMIT):
        await older.until_asked("process/start")
    older.cut()

    with pytest.raises(ExecError, match=f"^{LOST}$"):
        await asyncio.wait_for(launching, LIMIT)


async def test_after_a_lost_connection_the_next_process_gets_a_new_one_and_may_have_the_same_name(
    older: Server0118, environment: RemoteEnvironment
) -> None:
    lost = await environment.exec.start(sh("p", "sleep 60"))
    older.cut()
    async with asyncio.timeout(LIMIT):
        assert [event async for event in lost.events()] == [ProcessFailed(LOST)]

        again = await environment.exec.start(sh("p", "echo again"))

        assert output([event async for event in again.events()]) == b"again\n"


async def test_only_what_the_server_knows_is_asked(older: Server0118, environment: RemoteEnvironment) -> None:
    process = await environment.exec.start(sh("p", "echo a"))
    async with asyncio.timeout(LIMIT):
        assert output([event async for event in process.events()]) == b"a\n"
    await environment.facts()

    assert older.refused == ["environment/info"]
