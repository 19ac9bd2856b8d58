"""Take a port, say under which URL it is reached, set up the sockets that come in."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

BACKLOG: Final = 512
SEND_BUFFER: Final = 1024 * 1024
"""What the kernel may hold; what is in flight when a connection breaks must still be kept for the resumption."""
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds, and attempts, after which a machine that went away without a word is given up."""


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """Listen on an address.

    :return: the socket and its URL.
    :raises OSError: when the address can't be had.
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
    """Tell whether only programs of this machine reach an address."""
    return ipaddress.ip_address(host).is_loopback


def banner(url: str, *, authenticated: bool) -> str:
    """Say what it means to listen where other machines can connect."""
    lines = ["codex exec-server (WebSockets)", f"  listening on: {url}, which other machines may reach"]
    if not authenticated:
        lines.append(
            "Warning: whoever can connect to this port runs commands and changes files here, as this user; "
            "nobody is asked who they are. Listen on 127.0.0.1 and have it forwarded (ssh -L), or let only the "
            "machines of a trusted network through."
        )
    return "\n".join(lines)


def set_up(connection: socket.socket) -> None:
    """Have small messages sent at once, and lost machines noticed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
