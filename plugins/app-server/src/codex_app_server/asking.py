"""Requests of methods to the client that called them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from codex_app_server.connection import UNSENDABLE
from codex_app_server.turns.open_requests import ConnectionLost
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.wire import encode

if TYPE_CHECKING:
    from codex_app_server.connection import Connection
    from codex_hookspecs.protocol import JsonObject


async def ask(connection: Connection, request_id: int, method: str, params: Any, *, seconds: float) -> JsonObject:
    """Send a request to a client and return its answer.

    :param params: an attrs value or a wire object.
    :param seconds: how long to wait.
    :raises RpcError: when the client refuses, leaves or does not answer in time, or the parameters can't be sent.
    """
    try:
        async with asyncio.timeout(seconds):
            return await connection.request_client(request_id, method, encode(params))
    except TimeoutError as error:
        raise RpcError(f"the client did not answer {method} in {seconds:g} seconds", code=INTERNAL_ERROR) from error
    except ConnectionLost as error:
        raise RpcError(str(error), code=INTERNAL_ERROR) from error
    except UNSENDABLE as error:
        raise RpcError(f"{method} can't be sent: {error}", code=INTERNAL_ERROR) from error
