"""A server in a process of its own, and this machine seen through it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from codex_exec_remote.environment import RemoteEnvironment
from codex_exec_remote.websocket_link import Target
from codex_testkit.servers.exec_client import ExecServerAt, exec_server

LOG = logging.getLogger("codex.exec-remote")


@asynccontextmanager
async def machine(url: str, environ: dict[str, str] | None = None) -> AsyncIterator[RemoteEnvironment]:
    """Connect to a server."""
    environment = RemoteEnvironment("remote", Target(url), environ or {}, LOG)
    try:
        await environment.open()
        yield environment
    finally:
        await environment.aclose()


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[ExecServerAt]:
    """Give our own server."""
    async with exec_server() as running:
        yield running


@pytest.fixture
async def environment(server: ExecServerAt) -> AsyncIterator[RemoteEnvironment]:
    """Give the machine behind it."""
    async with machine(server.url) as connected:
        yield connected


@pytest.fixture
async def connected() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that connects to a server."""
    async with AsyncExitStack() as stack:

        async def connect(url: str, environ: dict[str, str] | None = None) -> RemoteEnvironment:
            return await stack.enter_async_context(machine(url, environ))

        yield connect
