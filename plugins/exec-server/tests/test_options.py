"""What can be asked for on the command line."""

from __future__ import annotations

import pytest

from codex_exec_server.options import DEFAULT_CONCURRENT, parse
from codex_hookspecs.errors import ConfigError, UsageError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://127.0.0.1:0", ("127.0.0.1", 0)),
        ("ws://0.0.0.0:4500/", ("0.0.0.0", 4500)),
        ("ws://[::1]:7", ("::1", 7)),
        ("stdio", None),
        ("stdio://", None),
    ],
)
def test_an_address_to_listen_on_is_read(url: str, address: tuple[str, int] | None) -> None:
    assert parse(["--listen", url]).address == address


@pytest.mark.parametrize("url", ["http://x", "unix:///x", "", "stdio:", "127.0.0.1:80"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^unsupported --listen URL `.*`; expected `ws://IP:PORT` or `stdio`$"):
        parse(["--listen", url])


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1", "ws://localhost:9", "ws://1.2.3.4:x", "ws://1.2.3.4:99999", "ws://::1:7"]
)
def test_an_address_must_be_an_ip_and_a_port(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^invalid websocket --listen URL `.*`; expected `ws://IP:PORT`$"):
        parse([f"--listen={url}"])


def test_requests_may_wait_side_by_side_unless_told_otherwise() -> None:
    assert parse([]).concurrent == DEFAULT_CONCURRENT > 1
    assert parse(["--concurrent-requests", "1"]).concurrent == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--bogus"],
        ["extra"],
        ["--listen"],
        ["--concurrent-requests", "0"],
        ["--concurrent-requests", "x"],
        ["--listen", "stdio", "--listen", "stdio"],
    ],
)
def test_a_wrong_command_line_names_the_usage(arguments: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments)

    assert caught.value.usage == "Usage: codex exec-server [OPTIONS]"


def test_authentication_options_are_taken_together() -> None:
    found = parse(["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", "/s", "--ws-issuer=me"]).auth

    assert found is not None
    assert (found.mode, found.shared_secret_file, found.issuer) == ("signed-bearer-token", "/s", "me")


def test_authentication_options_without_a_mode_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^websocket auth flags require `--ws-auth capability-token` or"):
        parse(["--ws-token-file", "/t"])
