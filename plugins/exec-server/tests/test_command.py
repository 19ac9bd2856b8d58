"""What the command does before it serves."""

from __future__ import annotations

import pytest

from codex_exec_server import plugin
from codex_exec_server.command import authentication, run
from codex_exec_server.options import parse
from codex_hookspecs.errors import ConfigError

from .conftest import StubHost

pytestmark = pytest.mark.anyio
AUTH = ["--ws-auth", "capability-token", "--ws-token-file", "/t"]


class Password:
    mode = "capability-token"

    def prepare(self, options):
        return lambda authorization: None if authorization == options.token_file else "no"


def test_the_command_is_offered() -> None:
    assert [command.name for command in plugin.cli_commands()] == ["exec-server"]


def test_without_anybody_to_authenticate_nothing_is_served() -> None:
    with pytest.raises(ConfigError, match="no plugin offers it"):
        authentication(parse(AUTH), StubHost({}, None))


def test_the_authenticator_of_the_mode_is_asked() -> None:
    check = authentication(parse(AUTH), StubHost({}, None, (Password(),)))

    assert check is not None
    assert (check("/t"), check(None)) == (None, "no")


async def test_refusals_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    statuses = [
        await run(arguments, StubHost({}, None)) for arguments in (AUTH, ["--bogus"], ["--listen", "x"], ["-h"])
    ]

    said = capsys.readouterr()
    assert statuses == [1, 2, 1, 0]
    assert said.out.startswith("Serve this machine")
    assert said.err.count("rror: ") == 3
