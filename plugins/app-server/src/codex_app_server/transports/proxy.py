"""Run ``codex app-server proxy``: copy bytes between standard input and output and a Unix socket."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from codex_app_server.transports.unix_socket import connect_socket, default_path
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.surface import private_streams
from codex_listener.options import read_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.surface import SurfaceHost

USAGE: Final = "Usage: codex app-server proxy [OPTIONS]"
_CONNECT_SECONDS: Final = 10.0
_CHUNK: Final = 1 << 16


async def run(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Copy until the server closes the connection.

    :raises UsageError: when the command line is not valid.
    :raises ConfigError: when no server answers.
    """
    given = read_options(arguments, {"--sock": "PATH"}, usage=USAGE)
    path = os.path.join(host.cwd, given["--sock"]) if "--sock" in given else default_path(host.codex_home)
    try:
        connection = connect_socket(path, _CONNECT_SECONDS)
    except OSError as error:
        reason = f"{error.strerror} (os error {error.errno})" if error.errno else str(error)
        raise ConfigError(f"failed to connect to socket at {path}: {reason}") from error
    with private_streams() as kept, connection:
        threading.Thread(target=_send, args=(kept.stdin, connection), name="proxy-input", daemon=True).start()
        _receive(connection, kept.stdout)
    return 0


def _send(source: int, connection: socket.socket) -> None:
    with suppress(OSError):
        while data := os.read(source, _CHUNK):
            connection.sendall(data)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket, target: int) -> None:
    with suppress(OSError):
        while data := connection.recv(_CHUNK):
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]
