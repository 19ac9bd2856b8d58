"""Tell whether commands can use the network through proxies only (``features.network_proxy``, as in Codex 0.169)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from codex_hookspecs.errors import ConfigError


def managed_proxies(setting_of: Callable[[str], Any]) -> dict[str, str] | None:
    """Return the variables that name the proxies of a managed network, ``None`` when the network is not managed.

    None are returned where the configuration names no proxies: then those of the environment are meant. Without any,
    a command is not run.

    :param setting_of: reads the configuration: ``features.network_proxy``, which is a switch or a table with
        ``enabled``, ``proxy_url`` and ``socks_url``; the table ``network`` of the default permission profile may name
        the proxies, too.
    :raises ConfigError: when a setting is wrong.
    """
    features = setting_of("features")
    setting = features.get("network_proxy") if isinstance(features, Mapping) else None
    if setting is None or setting is False:
        return None
    if setting is not True and not isinstance(setting, Mapping):
        raise ConfigError(f"features.network_proxy is {setting!r}, expected true, false or a table")
    table: Mapping[str, Any] = setting if isinstance(setting, Mapping) else {"enabled": True}
    if table.get("enabled") is not True:
        return None
    named = {**_of_profile(setting_of), **table}
    variables: dict[str, str] = {}
    for key, names in (("proxy_url", ("HTTP_PROXY", "HTTPS_PROXY")), ("socks_url", ("ALL_PROXY",))):
        value = named.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{key} of the managed network is {value!r}, expected an address like 127.0.0.1:3128")
        variables |= {word: value for name in names for word in (name, name.lower())}
    return variables


def proxies_at(ports: Collection[int], env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that name proxies at other ports than some."""
    return {name: value for name, value in env.items() if not _names_proxy(name) or _port(value) in ports}


def _names_proxy(name: str) -> bool:
    upper = name.upper()
    return upper.endswith("_PROXY") and upper != "NO_PROXY"


def _port(value: str) -> int | None:
    """Return the port of a proxy's address."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = parts.port
    except ValueError:
        return None
    if port is None:
        return 443 if parts.scheme == "https" else 1080 if parts.scheme.startswith("socks") else 80
    return port


def _of_profile(setting_of: Callable[[str], Any]) -> Mapping[str, Any]:
    """Return the table ``network`` of the default permission profile."""
    found: Any = setting_of("permissions")
    for key in (setting_of("default_permissions"), "network"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
