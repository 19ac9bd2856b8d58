"""Read the command line of ``codex exec-server``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codex_hookspecs.auth import ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError

DEFAULT_LISTEN = "ws://127.0.0.1:0"
DEFAULT_CONCURRENT = 256
AUTH_MODES = ("capability-token", "signed-bearer-token")
"""Modes of Codex; plugins can add others."""
_VALUED = {
    "--listen": "URL",
    "--concurrent-requests": "COUNT",
    "--ws-auth": "MODE",
    "--ws-token-file": "PATH",
    "--ws-token-sha256": "HEX",
    "--ws-shared-secret-file": "PATH",
    "--ws-issuer": "ISSUER",
    "--ws-audience": "AUDIENCE",
    "--ws-max-clock-skew-seconds": "SECONDS",
}
USAGE = "Usage: codex exec-server [OPTIONS]"


class UsageError(ConfigError):
    """Raised for an invalid command line; the exit status is 2."""

    def __str__(self) -> str:
        return f"error: {self.message}\n\n{USAGE}\n\nFor more information, try '--help'."


class Options(NamedTuple):
    """The parsed command line.

    :param address: IP and port, or ``None`` for stdio.
    """

    address: tuple[str, int] | None
    concurrent: int
    auth: ConnectionAuthOptions | None


def parse(arguments: Sequence[str]) -> Options:
    """Parse the command line.

    :raises UsageError: when an option is unknown or its value is invalid.
    :raises ConfigError: when the URL is not supported.
    """
    given: dict[str, str] = {}
    words = list(arguments)
    while words:
        word, equals, value = words.pop(0).partition("=")
        if word not in _VALUED:
            raise UsageError(f"unexpected argument '{word}' found")
        if not equals:
            if not words:
                raise UsageError(f"a value is required for '{word} <{_VALUED[word]}>' but none was supplied")
            value = words.pop(0)
        if word in given:
            raise UsageError(f"the argument '{word} <{_VALUED[word]}>' cannot be used multiple times")
        given[word] = value
    concurrent = _count(given, "--concurrent-requests", DEFAULT_CONCURRENT, least=1)
    return Options(listen_address(given.get("--listen", DEFAULT_LISTEN)), concurrent, _auth(given))


def listen_address(url: str) -> tuple[str, int] | None:
    """Parse a ``--listen`` URL into IP address and port, ``None`` for stdio.

    :raises ConfigError: when the URL is not supported.
    """
    if url in ("stdio", "stdio://"):
        return None
    if not url.startswith("ws://"):
        raise ConfigError(f"unsupported --listen URL `{url}`; expected `ws://IP:PORT` or `stdio`")
    host, colon, port = url.removeprefix("ws://").removesuffix("/").rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535 or not _is_ip(bare, host):
        raise ConfigError(f"invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`")
    return bare, int(port)


def _is_ip(bare: str, host: str) -> bool:
    import socket

    try:
        socket.inet_pton(socket.AF_INET if bare == host else socket.AF_INET6, bare)
    except OSError:
        return False
    return True


def _auth(given: dict[str, str]) -> ConnectionAuthOptions | None:
    mode = given.get("--ws-auth")
    if mode is None:
        extra = sorted(name for name in given if name.startswith("--ws-"))
        if extra:
            raise ConfigError(f"{extra[0]} has no effect without --ws-auth; add --ws-auth MODE")
        return None
    skew = "--ws-max-clock-skew-seconds"
    return ConnectionAuthOptions(
        mode=mode,
        token_file=given.get("--ws-token-file"),
        token_sha256=given.get("--ws-token-sha256"),
        shared_secret_file=given.get("--ws-shared-secret-file"),
        issuer=given.get("--ws-issuer"),
        audience=given.get("--ws-audience"),
        max_clock_skew_seconds=_count(given, skew, 0, least=0) if skew in given else None,
    )


def _count(given: dict[str, str], name: str, default: int, *, least: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise UsageError(f"invalid value '{text}' for '{name} <{_VALUED[name]}>': a whole number from {least} on")
    return int(text)
