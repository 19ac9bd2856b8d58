"""What belongs to a connection is released when its client disconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from codex_hookspecs import RpcMethod, hookimpl

pytestmark = pytest.mark.anyio


class Holder:
    """A plugin whose method registers functions for the end of the connection."""

    def __init__(self, *callbacks: Callable[[], Awaitable[None]]) -> None:
        self.callbacks = callbacks

    @hookimpl
    def rpc_methods(self) -> list[RpcMethod]:
        async def hold(_params: Any, context: Any) -> dict[str, Any]:
            for callback in self.callbacks:
                context.on_disconnect(callback)
            return {}

        return [RpcMethod(name="hold", params=None, handle=hold)]


async def test_each_function_is_called_once_at_the_end_of_its_connection(connect) -> None:
    released: list[str] = []

    async def release() -> None:
        released.append("released")

    client = await connect(plugins=[("holder", Holder(release))])
    other = await connect()
    await client.result("hold")

    await other.leave()
    assert released == []
    await client.leave()
    assert released == ["released"]


async def test_a_function_that_fails_is_logged_and_stops_no_other(connect, capsys, caplog) -> None:
    released = asyncio.Event()

    async def fail() -> None:
        raise ValueError("broken")

    async def release() -> None:
        released.set()

    client = await connect(plugins=[("holder", Holder(fail, release))])
    await client.result("hold")

    await client.leave()

    assert released.is_set()
    assert "broken" in capsys.readouterr().err + caplog.text


async def test_a_function_of_a_client_that_is_gone_is_called_at_once(host) -> None:
    from codex_app_server import plugin

    released = asyncio.Event()

    async def release() -> None:
        released.set()

    plugins = [("app-server", plugin), ("holder", Holder(release))]
    opened = await host(plugins=plugins).opened()
    server = opened.application.app_server()
    client = await server.connect(client_name="probe", client_version="1", session_source="exec")
    await client.aclose()

    await client.request("hold")

    async with asyncio.timeout(10):
        await released.wait()
