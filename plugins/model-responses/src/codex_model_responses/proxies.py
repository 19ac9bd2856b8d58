"""Decide which proxy a request goes through, from the usual environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.values import frozen

_PORTS: Final = {"http": 80, "https": 443}


@frozen(kw_only=True)
class Proxy:
    """One HTTP proxy.

    :param secure: the proxy itself is spoken to over TLS.
    :param authorization: value for ``proxy-authorization``, or ``None``.
    """

    host: str
    port: int
    secure: bool = False
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"Proxy(host={self.host!r}, port={self.port!r})"


def proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """Choose the proxy for a server.

    ``HTTPS_PROXY`` or ``HTTP_PROXY`` by scheme, else ``ALL_PROXY``; lower case names come first. ``NO_PROXY`` lists
    hosts that are reached directly: names with their sub-domains, addresses, networks, ``*``, with or without port.

    :raises ConfigError: when the variable does not hold an ``http://`` or ``https://`` address.
    """
    for name in (f"{scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            # the upper-case form may come from a request's Proxy header in a CGI program
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
                continue
            if value := environ.get(variable, "").strip():
                if _direct(host, port, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
                    return None
                return _parsed(value, variable)
    return None


def _parsed(value: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        raise ConfigError(
            f"{variable} does not name a proxy that can be used, allowed is an address like http://proxy:3128",
            source="environment",
        )
    authorization = None
    if parts.username is not None:
        from base64 import b64encode  # few proxies want a password

        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(pair.encode()).decode()}"
    secure = parts.scheme == "https"
    return Proxy(host=host, port=port or _PORTS[parts.scheme], secure=secure, authorization=authorization)


def _direct(host: str, port: int, no_proxy: str) -> bool:
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return any(_matches(host.lower(), port, entry) for entry in entries if entry)


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(host, entry)
    name, colon, number = entry.rpartition(":")
    if colon and number.isdecimal() and (":" not in name or name.startswith("[")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".")
    return host == entry or host.endswith(f".{entry}")


def _in_network(host: str, entry: str) -> bool:
    from ipaddress import ip_address, ip_network  # only for entries like 10.0.0.0/8

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
