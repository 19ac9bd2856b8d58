"""Listening sockets: bind an address, configure the accepted sockets."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

BACKLOG: Final = 512
SEND_BUFFER: Final = 1024 * 1024
"""Kernel send buffer; must stay below what a session keeps of the sent output for a client that resumes."""
EXPOSED: Final = (
    "warning: whoever can connect to this port can run commands and change files here, as this user; listen on "
    "127.0.0.1 and forward the port (ssh -L), or make clients authenticate (--ws-auth)"
)
"""What the user is told of a server that other machines can reach without authentication."""
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""TCP keepalive: idle seconds, interval and attempts after which an unreachable client counts as gone."""


def websocket_address(url: str) -> tuple[str, int] | None:
    """Return IP and port of ``ws://IP:PORT``, ``None`` for any other text."""
    host, colon, port = url.removeprefix("ws://").rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not url.startswith("ws://") or not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return None
    try:
        socket.inet_pton(socket.AF_INET if bare == host else socket.AF_INET6, bare)
    except (OSError, ValueError):
        return None
    return bare, int(port)


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """Listen on an address.

    :return: the socket and its URL.
    :raises OSError: when the address is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    bound, number = listener.getsockname()[:2]
    return listener, f"ws://[{bound}]:{number}" if family == socket.AF_INET6 else f"ws://{bound}:{number}"


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    return ipaddress.ip_address(host).is_loopback


def configure_socket(connection: socket.socket) -> None:
    """Set the options of an accepted socket: send buffer, and for TCP no delay and keepalive."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if connection.family == getattr(socket, "AF_UNIX", None):
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
