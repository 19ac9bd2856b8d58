"""Take a port, and say under which URL it is reached."""

from __future__ import annotations

import socket
from typing import Final

BACKLOG: Final = 512


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
