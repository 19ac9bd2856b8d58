"""Write the rules for network access: full, none, or only the proxies of a managed network."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Literal

from codex_hookspecs import frozen
from codex_sandbox_seatbelt.base import CACHE_PARAMETER, network_service_rules
from codex_sandbox_seatbelt.rules import Parameters, rule

_PROXY_VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY",
    "NPM_CONFIG_HTTP_PROXY", "NPM_CONFIG_HTTPS_PROXY", "NPM_CONFIG_PROXY", "BUNDLE_HTTP_PROXY", "BUNDLE_HTTPS_PROXY",
    "PIP_PROXY", "DOCKER_HTTP_PROXY", "DOCKER_HTTPS_PROXY",
)  # fmt: skip
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@frozen(kw_only=True)
class NetworkAccess:
    """The network access of a command.

    :param enabled: full access, unless the network is managed.
    :param managed: access to the proxies that the environment names, and no others.
    :param local_binding: with a managed network, also listen on this machine and connect to it.
    :param unix_sockets: with a managed network, also these Unix sockets and directories of sockets, or ``all``.
    """

    enabled: bool
    managed: bool = False
    local_binding: bool = False
    unix_sockets: tuple[str, ...] | Literal["all"] = ()


def network_rules(access: NetworkAccess, env: Mapping[str, str], parameters: Parameters, cache: str) -> str:
    """Return the rules, and add the parameters they use; a managed network without a local proxy allows nothing.

    :param cache: the user's cache directory, which the system's network libraries write to.
    """
    if access.managed:
        ports = proxy_ports(env)
        if not ports:
            return ""
        rules = [*_ports(ports), *_local_binding(access), *_unix_sockets(access.unix_sockets, parameters)]
    elif access.enabled:
        rules = [rule("allow", "network-outbound"), rule("allow", "network-inbound")]
    else:
        return ""
    parameters.append((CACHE_PARAMETER, cache))
    return "\n".join([*rules, network_service_rules()])


def proxy_ports(env: Mapping[str, str]) -> list[int]:
    """Return the ports of the proxies on this machine that an environment names, sorted."""
    from urllib.parse import urlsplit

    ports = set()
    for name, value in env.items():
        if name.upper() not in _PROXY_VARIABLES or not value.strip():
            continue
        try:
            parts = urlsplit(value.strip() if "://" in value else f"http://{value.strip()}")
            port = parts.port
        except ValueError:
            continue
        if (parts.hostname or "") in _LOOPBACK:
            ports.add(port or _default_port(parts.scheme))
    return sorted(ports)


def _default_port(scheme: str) -> int:
    if scheme.startswith("socks"):
        return 1080
    return 443 if scheme == "https" else 80


def _ports(ports: Sequence[int]) -> list[str]:
    return [rule("allow", "network-outbound", [f'(remote ip "localhost:{port}")']) for port in ports]


def _local_binding(access: NetworkAccess) -> list[str]:
    if not access.local_binding:
        return []
    return [
        rule("allow", "network-bind", ['(local ip "*:*")']),
        rule("allow", "network-inbound", ['(local ip "localhost:*")']),
        rule("allow", "network-outbound", ['(remote ip "localhost:*")']),
        rule("allow", "network-outbound", ['(remote ip "*:53")']),
    ]


def _unix_sockets(wanted: tuple[str, ...] | Literal["all"], parameters: Parameters) -> list[str]:
    if wanted == "all":
        local, remote = ["(local unix-socket)"], ["(remote unix-socket)"]
    else:
        paths = sorted({posixpath.normpath(path) for path in wanted if posixpath.isabs(path)})
        if not paths:
            return []
        names = [f"UNIX_SOCKET_PATH_{index}" for index in range(len(paths))]
        parameters.extend(zip(names, paths, strict=True))
        local = [f'(local unix-socket (subpath (param "{name}")))' for name in names]
        remote = [f'(remote unix-socket (subpath (param "{name}")))' for name in names]
    return [
        rule("allow", "system-socket", ["(socket-domain AF_UNIX)"]),
        rule("allow", "network-bind", local),
        rule("allow", "network-outbound", remote),
    ]
