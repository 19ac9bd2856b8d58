"""A machine behind the real exec-server keeps the contracts of our environment ports."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import pytest

from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_testkit.suites.exec import ExecBackendContract, output
from codex_testkit.suites.files import FileSystemContract
from codex_testkit.suites.http import HttpContract
from interop.clients import PEERS, REAL_169
from interop.conftest import need
from interop.exec_server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from codex_exec_remote.files import RemoteFileSystem
    from codex_exec_remote.http import RemoteHttp
    from codex_hookspecs.ports.environment import Environment

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def real() -> Iterator[Server]:
    """Give the real server as it starts by default: one request of a connection after the other."""
    need(REAL_169.path, f"codex {REAL_169.name}")
    server = Server(REAL_169, PEERS / "runs" / "exec-remote" / "home")
    yield server
    server.close()


@pytest.fixture
async def environment(real: Server) -> AsyncIterator[RemoteEnvironment]:
    environment = RemoteEnvironment("remote", Target(real.url), {}, logging.getLogger("codex.exec-remote"))
    await environment.open()
    yield environment
    await environment.aclose()


class TestExec(ExecBackendContract):
    closes_pipes = False

    @pytest.fixture
    async def environment(self, environment: RemoteEnvironment) -> RemoteEnvironment:
        return environment

    async def test_a_terminal_has_the_size_given_and_can_be_resized(self, environment: Environment) -> None:
        process = await self.start(environment, "window", tty=True, rows=33, columns=99)
        await self.until(process, b"24 80")

        await process.resize(44, 111)
        await process.write(b"\n")

        assert b"24 80" in output(await self.events(process))  # The protocol has no way to say it.

    async def test_a_stalled_reader_of_one_process_does_not_hold_up_another(self, environment: Environment) -> None:
        stalled = (await self.start(environment, "flood")).events()
        await anext(stalled)

        # The real server holds back a whole connection, not one process: the others flow once the reader goes on.
        async def go_on() -> None:
            async for _ in stalled:
                pass

        reading = asyncio.create_task(go_on())
        found = await self.events(await self.start(environment, "both"))
        reading.cancel()

        assert output(found, "stdout") == b"out\n"


class TestFiles(FileSystemContract):
    @pytest.fixture
    async def files(self, environment: RemoteEnvironment) -> RemoteFileSystem:
        return environment.files

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return os.path.realpath(tmp_path)

    async def link(self, files: RemoteFileSystem, path: str, target: str) -> None:
        os.symlink(target, path)


class TestHttp(HttpContract):
    @pytest.fixture
    async def http(self, environment: RemoteEnvironment) -> RemoteHttp:
        return environment.http
