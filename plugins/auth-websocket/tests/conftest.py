"""The checks of the plugin, as a server gets them from the program."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from codex_auth_websocket import plugin
from codex_hookspecs.auth import ConnectionAuthOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = b"0123456789abcdef0123456789abcdef"
HEADER = {"alg": "HS256", "typ": "JWT"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(payload: Any, header: Any = HEADER, secret: bytes = SECRET, digest: str = "sha256") -> str:
    """Sign a token; header and payload are JSON values, or bytes as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = ".".join(map(b64, parts))
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


@pytest.fixture
async def prepare(host) -> Callable[..., Any]:
    """Return how a server prepares the check of a mode: ``check = prepare("capability-token", token_file="…")``."""
    program = await host(plugins=[plugin]).program()
    modes = {each.mode: each for each in program.connection_authenticators()}

    def prepared(mode: str, **options: Any) -> Any:
        given = {name: str(value) if name.endswith("file") else value for name, value in options.items()}
        return modes[mode].prepare(ConnectionAuthOptions(mode=mode, **given))

    return prepared


@pytest.fixture
def told() -> Iterator[Callable[[], list[str]]]:
    """Return what the plugin has logged since it was last asked."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    def taken() -> list[str]:
        copy = found.copy()
        found.clear()
        return copy

    logger, handler = logging.getLogger("codex.auth-websocket"), Kept()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield taken
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)
