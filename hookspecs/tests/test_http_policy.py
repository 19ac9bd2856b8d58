"""Whom HTTP clients trust, and which proxy they use."""

from __future__ import annotations

import ssl
from base64 import b64decode
from pathlib import Path

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.http_policy import Proxy, proxy_for, tls_context


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("", False),
        ("*", True),
        ("api.test", True),
        ("test", True),
        (".test", True),
        ("*.test", True),
        ("est", False),
        ("other.test, API.TEST", True),
        ("api.test:443", True),
        ("api.test:80", False),
        ("10.0.0.0/8", False),
    ],
)
def test_some_servers_are_reached_directly(no_proxy, direct) -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy}

    assert (proxy_for("https", "api.test", 443, environ) is None) is direct


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/99", False),
        ("::1", "::1", True),
        ("::1", "[::1]:443", True),
        ("127.0.0.1", "localhost,127.0.0.1", True),
    ],
)
def test_addresses_and_networks_are_reached_directly(host, no_proxy, direct) -> None:
    assert (proxy_for("https", host, 443, {"ALL_PROXY": "proxy", "no_proxy": no_proxy}) is None) is direct


def test_the_scheme_decides_and_lower_case_comes_first() -> None:
    environ = {
        "https_proxy": "http://low",
        "HTTPS_PROXY": "http://up",
        "HTTP_PROXY": "http://plain",
        "ALL_PROXY": "all",
    }

    def host_for(scheme: str, environ: dict[str, str]) -> str:
        proxy = proxy_for(scheme, "api.test", 443, environ)
        assert isinstance(proxy, Proxy)
        return proxy.host

    assert host_for("https", environ) == "low"
    assert host_for("http", environ) == "plain"
    assert host_for("http", {**environ, "REQUEST_METHOD": "GET"}) == "all"
    assert proxy_for("http", "api.test", 443, {}) is None


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "direct"),
    [
        ("api.test", 443, ",, ,", False),
        ("api.test", 443, " api.test ", True),
        ("api.test", 443, "API.test.", True),
        ("api.test.", 443, "api.test", True),
        ("API.TEST", 443, "api.test", True),
        ("api.test", 443, ".", False),
        ("api.test", 443, "*.", False),
        ("api.test", 443, "api.test:", False),
        ("api.test", 443, "api.test:0443", True),
        ("api.test", 443, "api.test:99999999999999999999", False),
        ("api.test", 443, f"api.test:{'9' * 5000}", False),
        ("api.test", 443, "api.test:\u0664\u0664\u0663", False),
        ("api.test", 443, "http://api.test", False),
        ("api.test", 443, "api.test;other", False),
        ("notapi.test", 443, "api.test", False),
        ("api.test.evil", 443, "api.test", False),
        ("10.1.2.3", 443, "10.1.2.3/32", True),
        ("10.1.2.3", 443, "10.1.2.9/24", True),
        ("10.1.2.3", 443, "10", False),
        ("10.1.2.3", 443, ".2.3", True),
        ("10.1.2.3", 443, "/", False),
        ("2001:db8::1", 443, "2001:db8::/32", True),
        ("2001:db8::1", 443, "2001:0DB8:0:0::1", True),
        ("2001:db8::1", 443, "[2001:db8::1]", True),
        ("2001:db8::1", 443, "[2001:db8:0::1]:443", True),
        ("2001:db8::1", 80, "[2001:db8::1]:443", False),
        ("2001:db8::1", 443, "10.0.0.0/8", False),
        ("2001:db8::1", 443, "2001:db8::2", False),
        ("api.test", 443, "a:b:c", False),
        ("fe80::1%eth0", 443, "fe80::1%eth0", True),
    ],
)
def test_odd_entries_say_what_they_say_and_nothing_more(host: str, port: int, no_proxy: str, direct: bool) -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": no_proxy}

    assert (proxy_for("https", host, port, environ) is None) is direct


def test_entries_in_lower_case_names_come_first() -> None:
    proxies = {"https_proxy": "http://proxy:3128"}

    assert proxy_for("https", "api.test", 443, {**proxies, "no_proxy": "other", "NO_PROXY": "api.test"}) is not None
    assert proxy_for("https", "api.test", 443, {**proxies, "no_proxy": "", "NO_PROXY": "api.test"}) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("proxy", ("proxy", 80, False)),
        ("proxy:3128", ("proxy", 3128, False)),
        (" http://proxy:3128/ignored?x#y ", ("proxy", 3128, False)),
        ("HTTPS://Proxy", ("proxy", 443, True)),
        ("http://[2001:db8::1]:3128", ("2001:db8::1", 3128, False)),
        ("[::1]:3128", ("::1", 3128, False)),
    ],
)
def test_a_proxy_may_be_written_in_several_ways(address: str, expected: tuple[str, int, bool]) -> None:
    proxy = proxy_for("https", "api.test", 443, {"ALL_PROXY": address})

    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.secure) == expected


@pytest.mark.parametrize(
    "address",
    [
        "socks5://secret@proxy:1",
        "http://",
        "http://secret@:80",
        "http://secret@proxy:port",
        "http://proxy:65536",
        "http://[::1",
        "//",
    ],
)
def test_what_is_no_proxy_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        proxy_for("http", "api.test", 80, {"http_proxy": address})

    assert "http_proxy does not name a proxy that can be used" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_is_sent_but_not_shown() -> None:
    proxy = proxy_for("http", "api.test", 80, {"http_proxy": "http://user:p%3A%40s@proxy"})

    assert proxy is not None
    assert proxy.authorization is not None
    assert b64decode(proxy.authorization.removeprefix("Basic ")) == b"user:p:@s"
    assert "Basic" not in repr(proxy)


def test_who_cannot_be_verified_is_not_trusted() -> None:
    context = tls_context({})

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("variable", ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "can't be read (No such file or directory)"),
        ("", "no usable certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "no usable certificate"),
    ],
)
def test_a_file_of_authorities_that_cannot_be_used_is_named(
    tmp_path: Path, variable: str, content: str | None, reason: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigError) as caught:
        tls_context({variable: str(path)})

    assert str(caught.value).startswith(f"{variable} names {path}, which ")
    assert reason in str(caught.value)


def test_a_path_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="CODEX_CA_CERTIFICATE names"):
        tls_context({"CODEX_CA_CERTIFICATE": "a\0b"})


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SSL_CERT_FILE names"):
        tls_context({"CODEX_CA_CERTIFICATE": "", "SSL_CERT_FILE": str(tmp_path / "missing.pem")})
