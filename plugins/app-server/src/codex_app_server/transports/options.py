"""Read the command line of ``codex app-server``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from codex_hookspecs.errors import ConfigError, UsageError
from codex_listener.options import AUTH_VALUED, auth_options, read_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.auth import ConnectionAuthOptions

STDIO: Final = "stdio://"
USAGE: Final = "Usage: codex app-server [OPTIONS] [COMMAND]"
_EXPECTED: Final = "expected `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`"
_LOCALHOST: Final = "ws://localhost"
_WITHOUT_EFFECT: Final = ("--analytics-default-enabled",)


class Listening(NamedTuple):
    """Where to listen.

    :param address: IP and port for WebSockets.
    :param path: absolute path of a Unix socket.
    :param is_default_path: whether the path is the default one, whose directory is made.
    :param auth: how clients authenticate. Without address and path, standard input and output are served.
    :param url: the address as errors show it.
    """

    address: tuple[str, int] | None = None
    path: str | None = None
    is_default_path: bool = False
    auth: ConnectionAuthOptions | None = None
    url: str = STDIO


def read_listening(arguments: Sequence[str], *, codex_home: str, cwd: str) -> Listening:
    """Read the options.

    :param cwd: directory that the path of a socket is relative to.
    :raises UsageError: when they are not valid.
    :raises ConfigError: when they contradict each other, or nothing is to be served.
    """
    valued = {"--listen": "URL", **AUTH_VALUED}
    first = arguments[0] if arguments else ""
    if first and not first.startswith("-"):
        raise UsageError(f"unrecognized subcommand '{first}'", usage=USAGE)
    given = read_options(arguments, valued, flags=("--stdio", *_WITHOUT_EFFECT), usage=USAGE)
    if "--stdio" in given and "--listen" in given:
        raise UsageError("the argument '--listen <URL>' cannot be used with '--stdio'", usage=USAGE)
    url = given.get("--listen", STDIO)
    path = _path(url, codex_home, cwd)
    address = None
    if path is None and url not in (STDIO, "off"):
        from codex_listener.sockets import websocket_address  # Standard streams need no sockets.

        address = websocket_address(url)
        if address is None:
            what = (
                f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`"
                if url.startswith("ws://")
                else f"unsupported --listen URL `{url}`; {_EXPECTED}"
            )
            tip = f"use ws://127.0.0.1{url.removeprefix(_LOCALHOST)}" if url.startswith(f"{_LOCALHOST}:") else None
            raise UsageError(f"invalid value '{url}' for '--listen <URL>': {what}", tip=tip, usage=USAGE)
    auth = auth_options(given, usage=USAGE)
    if url == "off":
        raise ConfigError("no transport configured; use --listen")
    shown = url if path is None else f"unix://{path}"
    return Listening(address=address, path=path, is_default_path=url == "unix://", auth=auth, url=shown)


def _path(url: str, codex_home: str, cwd: str) -> str | None:
    if not url.startswith("unix://"):
        return None
    given = url.removeprefix("unix://")
    if given:
        return os.path.normpath(os.path.join(cwd, given))
    from codex_app_server.transports.unix_socket import default_path

    return default_path(codex_home)
