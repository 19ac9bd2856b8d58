"""A managed network is what the configuration says it is."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_sandboxing.managed_network import managed_proxies, proxies_at

HTTP = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:1")
SOCKS = dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5h://127.0.0.1:2")
PROFILE = {"p": {"network": {"enabled": True, "proxy_url": "http://127.0.0.1:1"}}}


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, None),
        ({"features": {}}, None),
        ({"features": {"network_proxy": False}}, None),
        ({"features": {"network_proxy": {"proxy_url": "http://127.0.0.1:1"}}}, None),
        ({"features": {"network_proxy": True}}, {}),
        ({"features": {"network_proxy": {"enabled": True}}}, {}),
        ({"features": {"network_proxy": {"enabled": True, "proxy_url": "http://127.0.0.1:1"}}}, HTTP),
        ({"features": {"network_proxy": {"enabled": True, "socks_url": "socks5h://127.0.0.1:2"}}}, SOCKS),
        ({"features": {"network_proxy": True}, "default_permissions": "p", "permissions": PROFILE}, HTTP),
        ({"default_permissions": "p", "permissions": PROFILE}, None),
    ],
)
def test_proxies_are_those_of_the_configuration(config: dict[str, Any], wanted: dict[str, str] | None) -> None:
    assert managed_proxies(config.get) == wanted


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("yes", "features.network_proxy is 'yes', expected true, false or a table"),
        ({"enabled": True, "proxy_url": 3128}, "proxy_url of the managed network is 3128, expected an address"),
    ],
)
def test_a_wrong_setting_is_told(setting: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        managed_proxies({"features": {"network_proxy": setting}}.get)


def test_proxies_at_other_ports_are_left_out() -> None:
    env = {
        "HTTP_PROXY": "http://me:secret@127.0.0.1:1/path",
        "https_proxy": "127.0.0.1:2",
        "ALL_PROXY": "socks5h://localhost",
        "pip_proxy": "no port:at all",
        "NO_PROXY": "local.example",
        "PATH": "/bin",
    }

    kept = proxies_at((1, 1080), env)

    assert list(kept) == ["HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "PATH"]
