"""Plugins that check the credentials of clients: whatever they get wrong, nobody is let in by it."""

from __future__ import annotations

import asyncio
import functools
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from codex_hookspecs import hookimpl
from codex_hookspecs.auth import AcceptedClient, ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError
from codex_host.authenticators import UNCHECKED
from codex_host.testing import open_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codex_testkit import Project
    from tests.host.conftest import Distributions

OPTIONS = ConnectionAuthOptions(mode="odd")
LIMIT = 60.0


class Authenticator:
    mode = "odd"

    def __init__(self, prepare: Callable[[Any], Any]) -> None:
        self.prepare = prepare

    @hookimpl
    def connection_authenticators(self) -> list[Authenticator]:
        return [self]


async def asynchronous(_: object) -> str | None:
    return None


class Awaiting:
    async def __call__(self, _: object) -> str | None:
        return None


class NoCheck:
    pass


class Text(str):
    __slots__ = ()

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        raise OSError

    def __str__(self) -> str:
        raise OSError


def fail(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda _: None, "returned None, not a check"),
        (lambda _: True, "returned bool, not a check"),
        (lambda _: "Bearer x", "returned str, not a check"),
        (lambda _: NoCheck, "returned the class NoCheck, not a check"),
        (lambda _: asynchronous, "returned a check that is 'async def', write 'def'"),
        (lambda _: functools.partial(asynchronous), "returned a check that is 'async def', write 'def'"),
        (lambda _: Awaiting(), "returned a check that is 'async def', write 'def'"),
        (asynchronous, "is 'async def', write 'def'"),
        (lambda _: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda _: fail(SystemExit(0)), "raised SystemExit: 0"),
        (lambda _: fail(asyncio.CancelledError()), "raised CancelledError"),
        (lambda: None, "raised TypeError"),
    ],
)
async def test_without_a_check_there_is_no_start(tmp_path: Path, prepare: Callable[..., Any], told: str) -> None:
    async with open_host(plugins=[("knock", Authenticator(prepare))], home=str(tmp_path), cwd=str(tmp_path)) as host:
        (found,) = host.application.connection_authenticators()
        with pytest.raises(ConfigError) as caught:
            found.prepare(OPTIONS)

    text = str(caught.value)
    assert text.startswith("plugin knock (knock 0): prepare of the authenticator for --ws-auth odd ")
    assert told in text
    assert re.search(rf"\({re.escape(__file__)}:\d+\)$", text)
    assert "\n" not in text


async def test_what_an_option_lacks_is_told_in_the_plugins_own_words(tmp_path: Path) -> None:
    plugin = Authenticator(lambda _: fail(ConfigError("add --ws-token-file FILE")))
    async with open_host(plugins=[plugin], home=str(tmp_path), cwd=str(tmp_path)) as host:
        (found,) = host.application.connection_authenticators()
        with pytest.raises(ConfigError, match=r"^add --ws-token-file FILE$"):
            found.prepare(OPTIONS)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (lambda _: False, "returned bool, not an AcceptedClient, None, or the reason for refusing as text"),
        (lambda _: True, "returned bool"),
        (lambda _: 0, "returned int"),
        (lambda _: b"", "returned bytes"),
        (lambda _: AcceptedClient, "returned type"),
        (lambda _: AcceptedClient(b"x"), "accepted a client whose name is bytes, not text"),  # type: ignore[arg-type]
        (lambda _: asynchronous(None), "returned coroutine"),
        (lambda value: {}[value], "raised KeyError"),
        (lambda _: fail(SystemExit(0)), "raised SystemExit"),
        (lambda _: fail(asyncio.CancelledError()), "raised CancelledError"),
    ],
)
async def test_a_check_that_fails_refuses_and_tells_the_server_once_without_the_credentials(
    tmp_path: Path, check: Callable[[Any], Any], told: str
) -> None:
    warned: list[str] = []
    plugin = ("knock", Authenticator(lambda _: check))
    async with open_host(plugins=[plugin], home=str(tmp_path), cwd=str(tmp_path)) as host:
        host.application.on_warning(warned.append)
        (found,) = host.application.connection_authenticators()
        prepared = found.prepare(OPTIONS)

        assert [prepared(f"Bearer secret {number}") for number in range(3)] == [UNCHECKED] * 3

    (text,) = warned
    assert text.startswith("plugin knock (knock 0): the check of the authenticator for --ws-auth odd ")
    assert told in text
    assert text.endswith("; clients that it fails for are refused")
    assert "secret" not in text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, AcceptedClient()),
        (AcceptedClient(), AcceptedClient()),
        (AcceptedClient("laptop"), AcceptedClient("laptop")),
        (AcceptedClient("a\n\x1b[2Jb"), AcceptedClient("a^J^[[2Jb")),
        (AcceptedClient("x" * 65), AcceptedClient("x" * 64 + "…")),
        (AcceptedClient(""), AcceptedClient()),
        ("", ""),
        ("wrong password", "wrong password"),
    ],
)
async def test_a_sound_check_is_passed_on_with_a_name_that_can_be_logged(
    tmp_path: Path, answer: AcceptedClient | str | None, told: AcceptedClient | str
) -> None:
    def check(authorization: str | None) -> AcceptedClient | str | None:
        return answer if authorization == "Bearer x" else "not x"

    async with open_host(plugins=[Authenticator(lambda _: check)], home=str(tmp_path), cwd=str(tmp_path)) as host:
        (found,) = host.application.connection_authenticators()

        assert found.prepare(OPTIONS)("Bearer x") == told


def accept_without_header(authorization: str | None) -> str | None:
    return None if authorization is None else "no"


@pytest.mark.parametrize(
    "check",
    [lambda _: None, lambda _: AcceptedClient("x"), accept_without_header],
    ids=["any client", "any client, with a name", "no header"],
)
async def test_a_check_that_accepts_a_client_without_credentials_is_refused(tmp_path: Path, check: Any) -> None:
    async with open_host(plugins=[Authenticator(lambda _: check)], home=str(tmp_path), cwd=str(tmp_path)) as host:
        (found,) = host.application.connection_authenticators()

        with pytest.raises(ConfigError, match="returned a check that accepts any client"):
            found.prepare(OPTIONS)


async def test_a_reason_is_plain_text_whatever_its_class_does(tmp_path: Path) -> None:
    async with open_host(
        plugins=[Authenticator(lambda _: lambda _: Text("no"))], home=str(tmp_path), cwd=str(tmp_path)
    ) as host:
        (found,) = host.application.connection_authenticators()
        reason = found.prepare(OPTIONS)(None)

    assert (reason, type(reason)) == ("no", str)


PLUGIN = """
    from codex_hookspecs import hookimpl

    class Knock:
        mode = "knock"

        def prepare(self, options):
            PREPARE

    @hookimpl
    def connection_authenticators():
        return [OFFERED]
"""
KNOCK = ("exec-server", "--ws-auth", "knock")


def install(
    distributions: Distributions, place: Project, prepare: str = "return print", offered: str = "Knock()"
) -> None:
    source = PLUGIN.replace("PREPARE", prepare).replace("OFFERED", offered)
    distributions.add("knock", plugin=source, manifest='hooks = ["connection_authenticators"]')
    place.run("plugins", "trust", "knock").assert_success()


@pytest.mark.usefixtures("this_machine")
class TestExecServer:
    def test_does_not_start_without_a_check(self, distributions: Distributions, project: Project) -> None:
        install(distributions, project, "return None")

        ran = project.run(*KNOCK)

        assert (ran.status, ran.stdout) == (1, "")
        assert "plugin knock (codex-knock 1.0.0): prepare of the authenticator" in ran.stderr
        assert "returned None, not a check (" in ran.stderr

    def test_names_the_plugin_that_was_not_asked_for_the_mode(
        self, distributions: Distributions, project: Project
    ) -> None:
        install(distributions, project)
        project.run("plugins", "distrust", "knock").assert_success()
        project.run("plugins", "disable", "auth-websocket").assert_success()

        for mode, status in (("knock", 2), ("capability-token", 1)):
            ran = project.run("exec-server", "--ws-auth", mode)

            told = "plugin knock is untrusted: not trusted yet (run: codex plugins trust knock)"
            assert ran.status == status
            assert f"warning: {told}" in ran.stderr
            assert ran.stderr.count(told) == 2

    def test_tells_of_a_plugin_that_offers_no_authenticator(
        self, distributions: Distributions, project: Project
    ) -> None:
        install(distributions, project, offered="Knock")

        ran = project.run(*KNOCK)
        doctor = project.run("plugins", "doctor", "knock")

        told = (
            "connection_authenticators returned the class Knock where a ConnectionAuthenticator belongs, write Knock()"
        )
        assert ran.status == 2
        assert told in ran.stderr
        assert doctor.status == 1
        assert told in doctor.stdout

    def test_refuses_a_client_whose_check_fails_and_tells_why(
        self, distributions: Distributions, project: Project
    ) -> None:
        install(distributions, project, "return lambda value: 1 / 0")
        command = [sys.executable, "-m", "codex_host", *KNOCK]
        environ = {"CODEX_HOME": str(project.home), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            command, cwd=project.root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline().rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
                client.sendall(
                    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
                )
                answer = client.recv(4096).decode()
            server.send_signal(signal.SIGTERM)
            _, told = server.communicate(timeout=LIMIT)

        assert answer.startswith("HTTP/1.1 401 ")
        assert answer.endswith(UNCHECKED)
        assert "warning: plugin knock (codex-knock 1.0.0): the check of the authenticator for --ws-auth knock" in told
        assert "raised ZeroDivisionError (" in told
