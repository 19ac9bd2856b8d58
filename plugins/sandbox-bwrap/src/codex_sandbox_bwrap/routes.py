"""Read the proxy variables of an environment (the variables that Codex 0.118 knows)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from codex_hookspecs.errors import SandboxUnavailable

_TOOLS = ("", "YARN_", "NPM_CONFIG_", "BUNDLE_", "DOCKER_")
KEYS = frozenset(
    (
        *(f"{tool}{scheme}_PROXY" for tool in _TOOLS for scheme in ("HTTP", "HTTPS")),
        *("ALL_PROXY", "FTP_PROXY", "NPM_CONFIG_PROXY", "PIP_PROXY"),
    )
)
"""Variables that name proxies, in any case."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Route(NamedTuple):
    """One variable and the proxy that it names.

    :param key: name of the variable.
    :param before: what precedes host and port in the value: scheme and credentials.
    :param after: what follows them: the path.
    """

    key: str
    host: str
    port: int
    before: str
    after: str


def proxy_routes(env: Mapping[str, str]) -> tuple[Route, ...]:
    """Return the routes of all variables that name a proxy on this machine, sorted by variable.

    :raises SandboxUnavailable: when there is none.
    """
    named = {key: value for key, value in env.items() if key.upper() in KEYS and value.strip()}
    if not named:
        raise SandboxUnavailable(
            "the command was not run: managed proxy mode requires proxy environment variables; set HTTP_PROXY"
        )
    routes = [route for key, value in sorted(named.items()) if (route := _route(key, value.strip())) is not None]
    if not routes:
        raise SandboxUnavailable(
            "the command was not run: managed proxy mode requires parseable loopback proxy endpoints; "
            f"found {next(iter(sorted(named)))} that leads elsewhere"
        )
    return tuple(routes)


def _route(key: str, value: str) -> Route | None:
    scheme, separator, rest = value.partition("://")
    text = value if separator else f"http://{value}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if host not in _LOOPBACK and not host.startswith("127."):
        return None
    if port is None:
        port = 443 if parts.scheme == "https" else 1080 if parts.scheme.startswith("socks") else 80
    authority, slash, path = (rest if separator else value).partition("/")
    credentials, at, _ = authority.rpartition("@")
    before = f"{scheme}{separator}{credentials}{at}" if separator else f"{credentials}{at}"
    return Route(key, host, port, before, slash + path)
