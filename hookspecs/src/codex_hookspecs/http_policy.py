"""Certificate authorities and proxies of HTTP clients, from the usual environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from ssl import SSLContext

__all__ = ["Proxy", "proxy_for", "tls_context"]

_AUTHORITIES: Final = ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE")
_PORTS: Final = {"http": 80, "https": 443}


@frozen(kw_only=True)
class Proxy:
    """One HTTP proxy.

    :param host: its name or address, an IPv6 address without brackets.
    :param port: TCP port.
    :param secure: whether the connection to the proxy uses TLS.
    :param authorization: value for ``proxy-authorization``, or ``None``.
    """

    host: str
    port: int
    secure: bool = False
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"Proxy(host={self.host!r}, port={self.port!r})"


def proxy_for(scheme: str, host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a server.

    ``HTTPS_PROXY`` or ``HTTP_PROXY`` by scheme, else ``ALL_PROXY``; lower case names come first. ``NO_PROXY`` lists
    hosts that are reached directly: names with their sub-domains, addresses, networks, ``*``, with or without port.

    :param scheme: ``http`` or ``https``.
    :param host: name or address, an IPv6 address without brackets.
    :return: ``None`` for a direct connection.
    :raises ConfigError: when the variable is not an ``http://`` or ``https://`` address.
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


def tls_context(environ: Mapping[str, str], *, bundle: str | None = None) -> SSLContext:
    """Return a client context that trusts the system's certificate authorities, those of a bundle and the user's own.

    The user's are in the PEM file named by ``CODEX_CA_CERTIFICATE``, else by ``SSL_CERT_FILE``.

    :param bundle: PEM file of further authorities, such as ``certifi.where()``.
    :raises ConfigError: when the user's file is invalid.
    """
    import ssl  # not needed for plain HTTP

    context = ssl.create_default_context()
    # Python 3.13 rejects authorities without extensions that many company networks leave out; Codex accepts them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if bundle is not None:
        context.load_verify_locations(cafile=bundle)
    variable = next((name for name in _AUTHORITIES if environ.get(name)), None)
    if variable is not None:
        _trust(context, environ[variable], variable)
    return context


def _trust(context: SSLContext, path: str, variable: str) -> None:
    import ssl

    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ConfigError(
            f"{variable} names {path}, which holds no usable certificate ({error.reason or error}). "
            "It must be a PEM file with at least one certificate; correct the file or unset the variable."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{variable} names {path}, which can't be read ({error.strerror}). Correct the path or unset the variable."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{variable} names {path!r}, which is no path ({error}). Correct the path or unset it."
        ) from error


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
        from base64 import b64encode  # only for proxies with a password

        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(pair.encode()).decode()}"
    secure = parts.scheme == "https"
    return Proxy(host=host, port=port or _PORTS[parts.scheme], secure=secure, authorization=authorization)


def _direct(host: str, port: int, no_proxy: str) -> bool:
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    name = host.lower().removesuffix(".")
    return any(_matches(name, port, entry) for entry in entries if entry)


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(host, entry)
    name, colon, number = entry.rpartition(":")
    if colon and number.isascii() and number.isdigit() and (":" not in name or name.startswith("[")):
        if number.lstrip("0") != str(port):
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".").removesuffix(".")
    if not entry:
        return False
    if ":" in entry:
        address = _address(entry)
        return address is not None and address == _address(host)
    return host == entry or host.endswith(f".{entry}")


def _in_network(host: str, entry: str) -> bool:
    from ipaddress import ip_network  # only for entries like 10.0.0.0/8

    address = _address(host)
    try:
        return address is not None and address in ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address

    try:
        return ip_address(host)
    except ValueError:
        return None
