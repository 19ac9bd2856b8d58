"""Open a WebSocket to an app-server: by address or Unix socket, with a token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from codex_app_server.transports.unix_socket import connect_socket, default_path
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import MAX_MESSAGE
from codex_hookspecs.surface import escape_controls_in_line

if TYPE_CHECKING:
    from codex_hookspecs.surface import RemoteAddress

CONNECT_SECONDS: Final = 10.0
PING_SECONDS: Final = 20.0
"""Seconds between pings, and for the answer to one."""
CLOSE_SECONDS: Final = 2.0
_MAX_REASON: Final = 200
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class _Connect(connect):
    """Follows no redirects, which would take the token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def shown_address(address: RemoteAddress, codex_home: str) -> str:
    """Return the address with the path of the default socket, as errors show it."""
    return f"unix://{default_path(codex_home)}" if address.url == "unix://" else address.url


async def open_link(address: RemoteAddress, codex_home: str) -> ClientConnection:
    """Connect; the certificate of a ``wss`` server is verified.

    :raises RpcError: when the server can't be reached or refuses the connection.
    """
    headers = {} if address.token is None else {"Authorization": f"Bearer {address.token}"}
    options: dict[str, Any] = {
        "additional_headers": headers,
        "compression": None,
        "max_size": MAX_MESSAGE,
        "open_timeout": CONNECT_SECONDS,
        "ping_interval": PING_SECONDS,
        "ping_timeout": PING_SECONDS,
        "close_timeout": CLOSE_SECONDS,
        "proxy": None,
    }
    url, shown = address.url, shown_address(address, codex_home)
    if url.startswith("wss://") or (url.startswith("ws://") and urlsplit(url).hostname not in _LOCAL):
        options["proxy"] = True
    try:
        if url.startswith("unix://"):
            options["sock"] = await asyncio.to_thread(connect_socket, shown.removeprefix("unix://"), CONNECT_SECONDS)
            url = "ws://localhost/"
        return await _Connect(url, **options)
    except InvalidStatus as error:
        text = (error.response.body or b"").decode("utf-8", "replace").strip()
        said = f": {escape_controls_in_line(text[:_MAX_REASON])}" if text else ""
        status = f"HTTP {error.response.status_code}{said}"
        raise RpcError(f"the app-server at {shown} refused the connection: {status}") from error
    except (OSError, InvalidHandshake, EOFError) as error:
        raise RpcError(f"cannot connect to the app-server at {shown}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ConnectionRefusedError):
        return "Connection refused"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or "it closed the connection"
