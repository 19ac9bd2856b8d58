"""What the command does before it serves."""

from __future__ import annotations

import pytest

from codex_exec_server import plugin
from codex_exec_server.command import run
from codex_exec_server.listening import banner
from codex_exec_server.options import USAGE, parse
from codex_hookspecs.auth import ConnectionCheck
from codex_hookspecs.errors import CodexError, ConfigError, UsageError
from codex_listener.options import authenticator
from codex_listener.sockets import is_loopback

from .conftest import StubHost

pytestmark = pytest.mark.anyio
AUTH = ["--ws-auth", "capability-token", "--ws-token-file", "/t"]


def authentication(arguments: list[str], host: StubHost) -> ConnectionCheck | None:
    return authenticator(parse(arguments).auth, host, usage=USAGE)


class Password:
    mode = "capability-token"

    def prepare(self, options):
        return lambda authorization: None if authorization == options.token_file else "no"


def test_the_command_is_offered() -> None:
    assert [command.name for command in plugin.cli_commands()] == ["exec-server"]


def test_without_anybody_to_authenticate_nothing_is_served() -> None:
    with pytest.raises(ConfigError, match="takes a plugin with the hook"):
        authentication(AUTH, StubHost({}, None))


def test_the_authenticator_of_the_mode_is_asked() -> None:
    check = authentication(AUTH, StubHost({}, None, (Password(),)))

    assert check is not None
    assert (check("/t"), check(None)) == (None, "no")


def test_a_plugin_may_have_a_mode_of_its_own() -> None:
    class Own(Password):
        mode = "own"

    check = authentication(["--ws-auth", "own", "--ws-token-file", "/t"], StubHost({}, None, (Own(),)))

    assert check is not None
    assert check("/t") is None


def test_a_mode_that_nobody_has_is_a_wrong_command_line() -> None:
    with pytest.raises(UsageError, match=r"(?s)invalid value 'x'.*capability-token, signed-bearer-token\]"):
        authentication(["--ws-auth", "x"], StubHost({}, None, (Password(),)))


@pytest.mark.parametrize("arguments", [AUTH, ["--bogus"], ["--listen", "x"]])
async def test_nothing_is_served_after_a_mistake(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CodexError):
        await run(arguments, StubHost({}, None))

    assert capsys.readouterr().out == ""


async def test_over_stdio_nobody_can_be_authenticated() -> None:
    with pytest.raises(ConfigError, match=r"^WebSocket auth requires a WebSocket listener, not stdio$"):
        await run(["--listen", "stdio", *AUTH], StubHost({}, None, (Password(),)))


@pytest.mark.parametrize(
    ("url", "authenticated", "warned"),
    [("ws://0.0.0.0:1", False, True), ("ws://[::]:1", False, True), ("ws://0.0.0.0:1", True, False)],
)
def test_a_warning_tells_that_other_machines_can_connect(url: str, authenticated: bool, warned: bool) -> None:
    said = banner(url, authenticated=authenticated)

    assert said.startswith(f"codex exec-server (WebSockets)\n  listening on: {url}")
    assert ("warning: whoever can connect to this port can run commands" in said) == warned


def test_addresses_of_this_machine_only_are_known() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "10.0.0.1")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
