"""Read the command line of ``codex exec-server``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from codex_hookspecs.auth import ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError, UsageError
from codex_listener.options import AUTH_VALUED, auth_options, read_options
from codex_listener.sockets import websocket_address

DEFAULT_LISTEN: Final = "ws://127.0.0.1:0"
DEFAULT_CONCURRENT: Final = 256
USAGE: Final = "Usage: codex exec-server [OPTIONS]"
_CONCURRENT: Final = "--concurrent-requests"


class Options(NamedTuple):
    """The parsed command line.

    :param address: IP and port, or ``None`` for stdio.
    :param url: the address as errors show it.
    """

    address: tuple[str, int] | None
    concurrent: int
    auth: ConnectionAuthOptions | None
    url: str


def parse(arguments: Sequence[str]) -> Options:
    """Parse the command line.

    :raises UsageError: when an option is unknown or its value is invalid.
    :raises ConfigError: when the URL is not supported.
    """
    given = read_options(arguments, {"--listen": "URL", _CONCURRENT: "COUNT", **AUTH_VALUED}, usage=USAGE)
    url = given.get("--listen", DEFAULT_LISTEN)
    return Options(listen_address(url), _count(given), auth_options(given, usage=USAGE), url)


def listen_address(url: str) -> tuple[str, int] | None:
    """Parse a ``--listen`` URL into IP address and port, ``None`` for stdio.

    :raises ConfigError: when the URL is not supported.
    """
    if url in ("stdio", "stdio://"):
        return None
    if not url.startswith("ws://"):
        raise ConfigError(f"unsupported --listen URL `{url}`; expected `ws://IP:PORT` or `stdio`")
    address = websocket_address(url.removesuffix("/"))
    if address is None:
        raise ConfigError(f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`")
    return address


def _count(given: Mapping[str, str]) -> int:
    text = given.get(_CONCURRENT, str(DEFAULT_CONCURRENT))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise UsageError(f"invalid value '{text}' for '{_CONCURRENT} <COUNT>': a whole number from 1 on", usage=USAGE)
    return int(text)
