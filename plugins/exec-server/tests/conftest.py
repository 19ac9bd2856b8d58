"""An exec-server in this process that serves an environment in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from logging import Logger, getLogger
from typing import Any

import pytest

from codex_exec_server.listening import serve as accept
from codex_exec_server.server import ExecServer
from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_listener.sockets import bind
from codex_testkit.memory.environment import MemoryEnvironment, MemoryProcess
from codex_testkit.servers.exec_client import ExecServerAt
from codex_testkit.servers.web import Pages

FLOOD_BYTES = 24_000_000


async def cat(process: MemoryProcess) -> int:
    """Echo the input."""
    while data := await process.receive():
        await process.say(data)
    return 0


async def sleep(_process: MemoryProcess) -> int:
    """Run until killed."""
    await asyncio.Event().wait()
    return 0


async def flood(process: MemoryProcess) -> int:
    """Write more output than is retained."""
    for number in range(FLOOD_BYTES // 8000):
        await process.say(f"{number:08d}".encode() * 1000)
    return 0


async def steps(process: MemoryProcess) -> int:
    """Echo each input in brackets, and exit at ``end``."""
    while (data := await process.receive()) != b"end":
        await process.say(b"<" + data + b">")
    return 3


PROGRAMS = {
    "true": "",
    "hello": "hello\n",
    "cat": cat,
    "sleep": sleep,
    "flood": flood,
    "steps": steps,
}


class Launcher:
    """Stands for a sandbox: puts itself in front."""

    name = "test"

    def launch(self, request: LaunchRequest) -> Launch:
        return Launch(argv=("hello",), env=request.env, sandbox_type="linuxSeccomp")


class StubHost:
    """As much of a host as the server asks for.

    :param launcher: who holds policies, if anybody.
    """

    version = "1.2.3"
    codex_home = "/home/user/.codex"

    def __init__(
        self, environ: dict[str, str], launcher: Launcher | None, authenticators: tuple[Any, ...] = ()
    ) -> None:
        self.environ = environ
        self._launcher = launcher
        self._authenticators = authenticators

    def logger(self, plugin: str) -> Logger:
        return getLogger(f"codex.{plugin}")

    def startup_warnings(self) -> tuple[str, ...]:
        return ()

    def on_warning(self, tell: Callable[[str], None]) -> None:
        pass

    def unavailable(self, hook: str) -> tuple[str, ...]:
        return ()

    def connection_authenticators(self) -> tuple[Any, ...]:
        return self._authenticators

    def launcher(self, policy: SandboxPolicy) -> Launcher:
        if self._launcher is None:
            raise SandboxUnavailable(f"nobody holds {policy.mode}")
        return self._launcher


class Running(ExecServerAt):
    """A server in this process, with what is behind it."""

    def __init__(self, url: str, server: ExecServer, environment: MemoryEnvironment) -> None:
        super().__init__(url)
        self.server = server
        self.environment = environment


@asynccontextmanager
async def running(
    *,
    concurrent: int = 256,
    retention: float = 60.0,
    environ: dict[str, str] | None = None,
    launcher: Launcher | None = None,
    check: Callable[[str | None], str | None] | None = None,
    files: dict[str, str] | None = None,
    sites: dict[str, Pages] | None = None,
) -> AsyncIterator[Running]:
    environment = MemoryEnvironment("local", programs=PROGRAMS, files=files, sites=sites)  # type: ignore[arg-type]
    host = StubHost(environ or {}, launcher)
    bound, url = bind("127.0.0.1", 0)
    async with ExecServer(host, environment, concurrent=concurrent, retention=retention) as server:  # type: ignore[arg-type]
        listener = await accept(server, bound, check)
        try:
            yield Running(url, server, environment)
        finally:
            listener.close()
    await environment.aclose()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Return a factory of servers: ``server = await serve(retention=0.1)``."""
    async with AsyncExitStack() as stack:

        async def factory(**options: Any) -> Running:
            return await stack.enter_async_context(running(**options))

        yield factory


@pytest.fixture
def launcher() -> Launcher:
    """Return somebody who holds every policy."""
    return Launcher()
